import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Registry } from 'prom-client'
import request from 'supertest'
import { createCache } from 'tiercache'
import { createTestCache, createTestClock } from 'tiercache/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openEmbedded } from '../../examples/express-app/src/database.ts'
import { seed } from '../../examples/express-app/src/seed.ts'
import { createShop } from '../../examples/express-app/src/shop.ts'
import { startRedis } from '../doubles/redis.ts'
import type { ChildProcess } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import type { Cache, CreateCacheOptions } from 'tiercache'
import type { Seller } from '../../examples/express-app/src/catalogue.ts'
import type { Database } from '../../examples/express-app/src/database.ts'
import type { ShopSize } from '../../examples/express-app/src/seed.ts'

let postgres: Database
let size: ShopSize

beforeAll(async () => {
  postgres = openEmbedded()
  size = await seed(postgres)
})
afterAll(() => postgres.close())

const atEnd: (() => unknown)[] = []
afterEach(async () => {
  for (const step of atEnd.splice(0).reverse()) await step()
})

/** A copy of the shop that listens on a free port, and the statements that it sent to Postgres. */
async function openShop(
  options?: CreateCacheOptions,
  database: Database = postgres,
  // The database of these tests stands still on this thread while a query runs, which is no fault of Redis.
  cache: Cache = createCache({ commandTimeout: '10s', ...options }),
) {
  const statements: string[] = []
  const counted: Database = {
    ...database,
    query: (sql, params) => {
      statements.push(sql)
      return database.query(sql, params)
    },
  }
  const server = createServer(createShop({ cache, database: counted, register: new Registry() }))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd.push(
    () => cache.close(),
    () => server.close(),
  )
  return { shop: request(server), url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, statements, cache }
}

type Shop = ReturnType<typeof request>

const cacheStatus = (response: { headers: Record<string, string> }) => response.headers['cache-status'] ?? ''
const setPrice = (shop: Shop, id: number, price: unknown) => shop.put(`/products/${id}/price`).send({ price })

/** The price of a product on each route that shows it. */
async function pricesShown(shop: Shop, product: { id: number; name: string }): Promise<unknown[]> {
  const paths = [`/products/${product.id}`, `/search?q=${encodeURIComponent(product.name)}`, '/top']
  const answers = await Promise.all(paths.map((path) => shop.get(path).expect(200)))
  return answers.map(({ body }) => [body].flat().find((shown: { id: number }) => shown.id === product.id)?.price)
}

describe('the data', () => {
  test('is a shop of 20,000 products and more than 200,000 rows', () => {
    expect(size.products).toBe(20_000)
    expect(size.rows).toBeGreaterThan(200_000)
  })

  test('is filled once, also by a second start', async () => {
    expect(await seed(postgres)).toEqual(size)
  })
})

describe('the routes', () => {
  test('a product comes with its category, supplier, stock and reviews', async () => {
    const { shop } = await openShop()
    const { body } = await shop.get('/products/8').expect(200)
    expect(body).toMatchObject({
      id: 8,
      name: expect.any(String),
      price: expect.any(Number),
      category: expect.any(String),
      supplier: { name: expect.any(String), country: expect.stringMatching(/^[A-Z]{2}$/) },
      stock: { Leipzig: expect.any(Number), Rotterdam: expect.any(Number) },
      reviews: { count: expect.any(Number), average: expect.any(Number) },
    })
    expect(body.boughtTogether).toHaveLength(3)
  })

  test('a search finds the products that have all words, in any order and case', async () => {
    const { shop, statements } = await openShop()
    const { body } = await shop.get('/search?q=Lamp+oak').expect(200)
    expect(body).toHaveLength(20)
    for (const { name, category, supplier } of body) {
      expect(`${name} ${category} ${supplier}`).toMatch(/oak/i)
      expect(`${name} ${category} ${supplier}`).toMatch(/lamp/i)
    }
    expect((await shop.get('/search?q=oak++LAMP').expect(200)).body).toEqual(body)
    expect(statements).toHaveLength(1)
  })

  test('a search takes % and _ as they are', async () => {
    const { shop } = await openShop()
    expect((await shop.get('/search?q=%25').expect(200)).body).toEqual([])
    expect((await shop.get('/search?q=o_k').expect(200)).body).toEqual([])
    await shop.get('/search?q=%00').expect(400)
  })

  test('the top-list is ordered by revenue', async () => {
    const { shop } = await openShop()
    const { body } = await shop.get('/top').expect(200)
    const revenues = body.map(({ revenue }: Seller) => revenue)
    expect(revenues).toHaveLength(10)
    expect(revenues).toEqual(revenues.toSorted((a: number, b: number) => b - a))
  })

  test('the index, the health and the figures answer', async () => {
    const { shop } = await openShop()
    await shop.get('/top').expect(200)
    expect((await shop.get('/').expect(200)).text).toContain('/products/7')
    expect((await shop.get('/health').expect(200)).body).toEqual({ status: 'ok' })
    const { text } = await shop.get('/metrics').expect(200)
    expect(text).toContain('tiercache_')
    expect(text).not.toContain('top:90')
  })

  test.each([
    ['/products/0', 400],
    ['/products/7.5', 400],
    ['/products/abc', 400],
    ['/products/99999999999999999999', 400],
    ['/products/20001', 404],
    ['/search', 400],
    ['/search?q=', 400],
    ['/search?q=a&q=b', 400],
    [`/search?q=${'a'.repeat(65)}`, 400],
    ['/top?days=0', 400],
    ['/top?days=366', 400],
    ['/top?days=1e1', 400],
    ['/nowhere', 404],
    ['/products/%E0%A4%A', 400],
  ])('%s is answered with %i and a message', async (path, status) => {
    const { shop, statements } = await openShop()
    for (const _ of ['first', 'again']) {
      const { body } = await shop.get(path).expect(status)
      expect(body).toEqual({ error: expect.any(String) })
    }
    expect(statements.length).toBeLessThanOrEqual(1)
  })

  test.each([0, -1, 1.999, 100_001, '19.99', null, undefined, [1], {}])('a price of %j is refused', async (price) => {
    const { shop, statements } = await openShop()
    const { body } = await setPrice(shop, 7, price).expect(400)
    expect(body.error).toContain('"price"')
    expect(statements).toEqual([])
  })

  test('a body that is no JSON, one that is too long, and an unknown product are refused', async () => {
    const { shop } = await openShop()
    const put = () => shop.put('/products/7/price').type('json')
    expect((await put().send('{"price":').expect(400)).body).toEqual({ error: 'the body is not valid JSON' })
    expect(
      (
        await put()
          .send(`{"price": 1${' '.repeat(2000)}}`)
          .expect(413)
      ).body.error,
    ).toContain('1 kB')
    await shop.put('/products/7/price').type('text').send('19.99').expect(400)
    await setPrice(shop, 20_001, 19.99).expect(404)
  })

  test('a failing database is answered with 500 and none of its words, and is asked again', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    let broken = true
    const { shop } = await openShop(undefined, {
      ...postgres,
      query: (sql, params) =>
        broken ? Promise.reject(new Error('secret of the database')) : postgres.query(sql, params),
    })
    const { text } = await shop.get('/products/9').expect(500)
    expect(text).not.toContain('secret')
    expect(log).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'secret of the database' }))
    broken = false
    await shop.get('/products/9').expect(200)
  })
})

describe('the cache', () => {
  test.each(['/products/10', '/search?q=walnut', '/top?days=30'])(
    '%s is a miss, then a hit without the database',
    async (path) => {
      const { shop, statements } = await openShop()
      const miss = await shop.get(path).expect(200)
      expect(cacheStatus(miss)).toMatch(/fwd=/)
      expect(statements).toHaveLength(1)
      expect(miss.headers['server-timing']).toMatch(/^db;dur=(?!0\.0)[\d.]+, total;dur=[\d.]+$/)

      const hit = await shop.get(path).expect(200)
      expect(cacheStatus(hit)).toMatch(/; hit/)
      expect(hit.body).toEqual(miss.body)
      expect(hit.headers['server-timing']).toMatch(/^db;dur=0\.0, /)
      expect(statements).toHaveLength(1)
    },
  )

  test('visitors with cookies, with credentials and from newsletters share the page of all', async () => {
    const { shop, statements } = await openShop()
    await shop.get('/products/10').set('Cookie', '_ga=1').expect(200)
    for (const [path, field, value] of [
      ['/products/10', 'Cookie', '_ga=2'],
      ['/products/10', 'Authorization', 'Basic YTpi'],
      ['/products/10?utm_source=mail', 'User-Agent', 'browser'],
    ] as const) {
      expect(cacheStatus(await shop.get(path).set(field, value).expect(200))).toMatch(/; hit/)
    }
    expect(statements).toHaveLength(1)
  })

  test('browsers ask at each use, and get a 304', async () => {
    const { shop } = await openShop()
    const { headers } = await shop.get('/products/10').expect(200)
    expect(headers['cache-control']).toBe('no-cache')
    expect(headers).not.toHaveProperty('tiercache-control')
    const again = await shop.get('/products/10').set('If-None-Match', `${headers.etag}`).expect(304)
    expect(cacheStatus(again)).toMatch(/; hit/)
  })

  test('a page that was stored is shown while the database fails', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const clock = createTestClock()
    let broken = false
    const database: Database = {
      ...postgres,
      query: (sql, params) => (broken ? Promise.reject(new Error('gone')) : postgres.query(sql, params)),
    }
    const { shop } = await openShop(undefined, database, createTestCache({}, { clock }))
    const { text } = await shop.get('/products/10').expect(200)
    broken = true
    await clock.advance('1h')
    const answer = await shop.get('/products/10').expect(200)
    expect(answer.text).toBe(text)
    expect(cacheStatus(answer)).toMatch(/fwd=stale; fwd-status=500; .*detail=stale-if-error/)
    await shop.get('/products/11').expect(500)
  })

  test('20 requests for a cold top-list at once are one query', async () => {
    const { shop, statements } = await openShop()
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.get('/top').expect(200)))
    expect(statements).toHaveLength(1)
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers.every((answer) => cacheStatus(answer) !== '')).toBe(true)
  })

  test('a new price is seen at once on product, search and top-list', async () => {
    const { shop } = await openShop()
    const [best] = (await shop.get('/top').expect(200)).body as [Seller]
    expect(await pricesShown(shop, best)).toEqual([best.price, best.price, best.price])
    for (const price of [12.34, 56.78]) {
      expect((await setPrice(shop, best.id, price).expect(200)).body).toEqual({
        id: best.id,
        price,
        acknowledged: true,
      })
      expect(await pricesShown(shop, best)).toEqual([price, price, price])
    }
  })

  test('a new price makes the pages and lists that show the product invalid, and no others', async () => {
    const { shop, statements } = await openShop()
    const [best] = (await shop.get('/top').expect(200)).body as [Seller]
    const [other] = (await shop.get('/search?q=walnut').expect(200)).body as [Seller]
    await shop.get(`/products/${other.id}`).expect(200)
    await setPrice(shop, best.id, 12.34).expect(200)
    const before = statements.length
    for (const path of ['/search?q=walnut', `/products/${other.id}`]) {
      expect(cacheStatus(await shop.get(path).expect(200))).toMatch(/; hit/)
    }
    expect(statements).toHaveLength(before)
    const { body } = await shop.get('/top').expect(200)
    expect(body[0]).toMatchObject({ id: best.id, price: 12.34 })
    expect(statements).toHaveLength(before + 1)
  })

  test('a new price on one copy makes what the other one keeps invalid, lists included', async () => {
    const redis = await startRedis()
    atEnd.push(() => redis.stop())
    const one = await openShop({ redis: redis.url })
    const two = await openShop({ redis: redis.url })
    const [best] = (await two.shop.get('/top').expect(200)).body as [Seller]
    await pricesShown(two.shop, best)
    expect((await setPrice(one.shop, best.id, 43.21).expect(200)).body.acknowledged).toBe(true)
    await expect.poll(() => pricesShown(two.shop, best)).toEqual([43.21, 43.21, 43.21])
  })

  test.each(['in memory', 'in memory and Redis'])(
    'no old price is shown after an update while others read (%s)',
    async (where) => {
      const redis = where.endsWith('Redis') ? await startRedis() : undefined
      if (redis) atEnd.push(() => redis.stop())
      const { shop } = await openShop(redis ? { redis: redis.url } : undefined)
      const [best] = (await shop.get('/top').expect(200)).body as [Seller]

      let reading = true
      const readers = [1, 2, 3].map(async () => {
        while (reading) await pricesShown(shop, best)
      })
      for (let price = 21; price < 31; price++) {
        await setPrice(shop, best.id, price).expect(200)
        expect(await pricesShown(shop, best)).toEqual([price, price, price])
      }
      reading = false
      await Promise.all(readers)
    },
    60_000,
  )

  test('two copies of the shop share their hits through one Redis', async () => {
    const redis = await startRedis()
    atEnd.push(() => redis.stop())
    const one = await openShop({ redis: redis.url })
    const two = await openShop({ redis: redis.url })
    for (const path of ['/products/11', '/search?q=birch', '/top']) {
      const loaded = await one.shop.get(path).set('Host', 'shop.example').expect(200)
      const shared = await two.shop.get(path).set('Host', 'shop.example').expect(200)
      expect(cacheStatus(shared)).toMatch(/; hit/)
      expect(shared.text).toBe(loaded.text)
      // Under another name it is another page, made of the same data.
      expect((await two.shop.get(path).expect(200)).text).toBe(loaded.text)
    }
    expect(one.statements).toHaveLength(3)
    expect(two.statements).toEqual([])
  })

  test('no request fails when Redis is killed under load, or comes back', async () => {
    const redis = await startRedis()
    atEnd.push(() => redis.stop())
    const { shop, cache } = await openShop({ redis: redis.url, commandTimeout: undefined })
    const statuses = new Map<number, number>()
    let loading = true
    const clients = [1, 2, 3, 4].map(async (client) => {
      for (let n = 0; loading; n++) {
        const paths = [`/products/${1 + ((client * 997 + n * 31) % 20_000)}`, '/top', '/search?q=steel']
        const { status } = await shop.get(paths[n % 3] as string)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    })
    const served = async (more: number) => {
      const goal = (statuses.get(200) ?? 0) + more
      while ((statuses.get(200) ?? 0) < goal && statuses.size < 2) await shop.get('/')
    }
    await served(100)
    await redis.kill('SIGKILL')
    await served(100)
    await setPrice(shop, 12, 3.21).expect(200)
    expect((await shop.get('/products/12').expect(200)).body.price).toBe(3.21)
    await redis.restart()
    await served(100)
    expect((await shop.get('/products/12').expect(200)).body.price).toBe(3.21)
    loading = false
    await Promise.all(clients)
    expect([...statuses.keys()]).toEqual([200])
    await cache.close()
  }, 60_000)
})

describe('the process', () => {
  const program = join(import.meta.dirname, '../../build/examples/express-app/src/server.js')

  /** Starts the shop as `npm start` does, and waits until it says where it listens. */
  async function start(env: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, DATABASE_URL: '', REDIS_URL: '', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    atEnd.push(() => child.kill('SIGKILL'))
    const said: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line)
      if (line.startsWith('an invalidation')) break
    }
    const url = /listening on (\S+)/.exec(said.join('\n'))?.[1]
    if (!url) throw new Error(`the shop did not start:\n${said.join('\n')}`)
    return { child, url }
  }

  test('two copies with one Redis: a miss, a hit in the other, a stampede, an invalidation, an end in good order', async () => {
    const redis = await startRedis()
    atEnd.push(() => redis.stop())
    const [one, two] = await Promise.all([start({ REDIS_URL: redis.url }), start({ REDIS_URL: redis.url })])
    // The name that a load balancer in front of both would pass on.
    const get = (url: string, path: string) => request(url).get(path).set('Host', 'shop.example').expect(200)

    expect(cacheStatus(await get(one.url, '/products/7'))).toMatch(/fwd=.*stored/)
    const hit = await get(two.url, '/products/7')
    expect(cacheStatus(hit)).toMatch(/; hit/)
    expect(hit.headers['server-timing']).toMatch(/^db;dur=0\.0, /)

    const crowd = await Promise.all(Array.from({ length: 20 }, () => get(one.url, '/top?days=365')))
    expect(crowd.filter((answer) => cacheStatus(answer).includes('stored'))).toHaveLength(1)
    expect(crowd.every((answer) => /stored|collapsed|hit/.test(cacheStatus(answer)))).toBe(true)

    await setPrice(request(one.url), 7, 19.99).expect(200)
    expect((await get(one.url, '/products/7')).body.price).toBe(19.99)

    for (const { child } of [one, two]) {
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([0, null])
    }
  }, 60_000)

  test('a database that is not there is one clear line and exit code 1', async () => {
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', PORT: '0' },
    })
    let said = ''
    child.stderr.on('data', (data) => {
      said += data
    })
    expect(await once(child, 'close')).toEqual([1, null])
    expect(said).toMatch(/^the shop could not start: .*ECONNREFUSED.*\n$/)
  }, 60_000)
})
