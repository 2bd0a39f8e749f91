/** A copy of the example shop on the Redis of the first argument; its database is in the process that started it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createCache } from 'tiercache'
import { databaseOver } from '../../examples/express-app/src/remote-database.ts'
import { createShop } from '../../examples/express-app/src/shop.ts'
import type { AddressInfo } from 'node:net'
import type { FromCopy } from './shop-copy.ts'

const [, , redis = ''] = process.argv
const tell = (message: FromCopy) => void process.send?.(message)

const database = databaseOver({
  send: tell,
  onReply: (listener) => void process.on('message', listener),
  onEnd: (listener) => void process.on('disconnect', () => listener(new Error('the database is gone'))),
  close: async () => process.disconnect(),
})
const cache = createCache({ redis })
const server = createServer(createShop({ cache, database })).listen(0, '127.0.0.1')
await once(server, 'listening')
process.on('disconnect', () => process.exit())
tell({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
