/** One shop of `db-load`: `shop-process.js <off|l1|l1+l2> <place of the database as JSON> <url of Redis>`. */
import { once as onceEvent } from 'node:events'
import { createServer } from 'node:http'
import { createCache } from 'tiercache'
import { createShop } from '../../examples/express-app/src/shop.ts'
import { once } from '../harness/events.ts'
import { collectGarbage } from '../harness/garbage.ts'
import { answerQuestions } from '../harness/program.ts'
import { openPlace } from './remote-database.ts'
import { uncachedShop } from './uncached-shop.ts'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Database } from '../../examples/express-app/src/database.ts'
import type { DatabasePlace } from './remote-database.ts'

const [, , variant = '', place = '', redisUrl = ''] = process.argv
const database = await openPlace(JSON.parse(place) as DatabasePlace)
let queries = 0
const counting: Database = {
  ...database,
  query: (sql, params) => {
    queries++
    return database.query(sql, params)
  },
}
const server = createServer(await open(variant))
server.listen(0, '127.0.0.1')
await onceEvent(server, 'listening')

answerQuestions({
  url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  queries: () => queries,
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  'collect garbage': collectGarbage,
})

async function open(name: string): Promise<RequestListener> {
  if (name === 'off') return uncachedShop(counting)
  if (name === 'l1') return createShop({ cache: createCache(), database: counting })
  const cache = createCache({ redis: redisUrl })
  await once(cache, 'connected')
  return createShop({ cache, database: counting })
}
