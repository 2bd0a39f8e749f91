/**
 * The life of a page of the example shop: what its visitors get, and what `Cache-Status` says of it. The cache goes by a
 * clock that stands still until it is moved, so that each run says the same.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import request from 'supertest'
import { createTestCache, createTestClock } from 'tiercache/testing'
import { openDatabase } from '../../examples/express-app/src/database.ts'
import { seed } from '../../examples/express-app/src/seed.ts'
import { createShop } from '../../examples/express-app/src/shop.ts'
import type { Response } from 'supertest'

const PAGE = '/products/7'

const database = openDatabase(undefined)
await seed(database)
const clock = createTestClock()
const cache = createTestCache({}, { clock })
const server = createServer(createShop({ cache, database })).listen(0, '127.0.0.1')
await once(server, 'listening')
const shop = request(server)
let seconds = 0

try {
  await tellStory()
} finally {
  server.close()
  await cache.close()
  await database.close()
}

async function tellStory(): Promise<void> {
  const first = await shop.get(PAGE)
  tell(`GET ${PAGE}`, first)
  tell(`GET ${PAGE}`, await shop.get(PAGE))
  tell(`GET ${PAGE}?utm_source=mail`, await shop.get(`${PAGE}?utm_source=mail`))
  await pass(20)
  tell(`GET ${PAGE}, If-None-Match`, await shop.get(PAGE).set('If-None-Match', `${first.headers.etag}`))
  await pass(70)
  tell(`GET ${PAGE}`, await shop.get(PAGE))
  tell(`GET ${PAGE}`, await renewed())
  await pass(5)
  tell(`PUT ${PAGE}/price`, await shop.put(`${PAGE}/price`).send({ price: 19.99 }))
  tell(`GET ${PAGE}`, await shop.get(PAGE))
  tell('GET /health', await shop.get('/health'))
}

async function pass(passing: number): Promise<void> {
  await clock.advance(passing * 1000)
  seconds += passing
}

/** The page when it is not stale any more: it is made anew behind its readers. */
async function renewed(): Promise<Response> {
  for (;;) {
    const response = await shop.get(PAGE)
    if (!statusOf(response).includes('ttl=-')) return response
  }
}

function tell(what: string, response: Response): void {
  const { price } = response.body as { price?: number }
  const got = `${response.status} ${price?.toFixed(2) ?? ''}`
  process.stdout.write(`${`${seconds} s`.padEnd(5)} ${what.padEnd(32)} ${got.padEnd(11)} ${statusOf(response)}\n`)
}

function statusOf({ headers }: Response): string {
  return headers['cache-status'] ?? ''
}
