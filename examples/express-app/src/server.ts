/** Starts the shop: reads the environment, opens what it needs, listens, and ends in good order. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createCache } from 'tiercache'
import { openDatabase } from './database.ts'
import { seed } from './seed.ts'
import { createShop } from './shop.ts'
import type { AddressInfo } from 'node:net'

await start().catch((error: Error & { code?: string }) => {
  console.error(`the shop could not start: ${error.message || error.code}`)
  process.exit(1)
})

async function start(): Promise<void> {
  const { PORT = '3000', REDIS_URL, DATABASE_URL } = process.env
  console.log(`filling ${DATABASE_URL ? 'the database of DATABASE_URL' : 'a Postgres inside this process'} ...`)
  const database = openDatabase(DATABASE_URL)
  const { products, rows } = await seed(database)

  const cache = REDIS_URL ? createCache({ redis: REDIS_URL }) : createCache()
  cache.on('warning', ({ message }) => console.warn(`cache: ${message}`))
  cache.on('connected', ({ server }) => console.log(`cache: connected to ${server}`))
  cache.on('disconnected', ({ server, reason }) => console.warn(`cache: goes on without ${server}: ${reason}`))

  const register = new Registry()
  collectDefaultMetrics({ register })
  const server = createServer(createShop({ cache, database, register }))
  server.listen(Number(PORT))
  await once(server, 'listening')
  stopOnSignal(async () => {
    await close(server)
    await cache.close()
    await database.close()
  })

  const { port } = server.address() as AddressInfo
  const size = `${products.toLocaleString('en')} products, ${rows.toLocaleString('en')} rows`
  console.log(`${size}, cached in memory${REDIS_URL ? ' and in Redis' : ''}`)
  console.log(invitation(`http://localhost:${port}`))
}

/** Four lines to try, in this order. */
function invitation(url: string): string {
  const told = `grep -ioE '(cache-status|server-timing).*|"price":[0-9.]+'`
  const put = `curl -s -w '\\n' -X PUT -H 'content-type: application/json' -d '{"price": 19.99}'`
  return `listening on ${url}

a miss:
  curl -si ${url}/products/7 | ${told}
a hit:
  curl -si ${url}/products/7 | ${told}
a stampede, 20 requests at once and one query:
  seq 20 | xargs -P 20 -I{} curl -s -o /dev/null -D - '${url}/top?days=365' | grep -i cache-status | sort | uniq -c
an invalidation, after which the new price is there at once:
  ${put} ${url}/products/7/price && curl -si ${url}/products/7 | ${told}
`
}

/** Ends the process after `stop` at the first signal, and at once at the second. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1)
      stopping = true
      void stop().then(
        () => process.exit(0),
        (error: Error) => {
          console.error(`the shop did not end well: ${error.message}`)
          process.exit(1)
        },
      )
    })
  }
}

/** Lets requests that have begun end, for five seconds at most. */
async function close(server: ReturnType<typeof createServer>): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  setTimeout(() => server.closeAllConnections(), 5000).unref()
  await closed
}
