import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { HttpCache } from '../../src/http/http-cache.ts'
import { requestOf as readRequest } from '../../src/middleware/node-request.ts'
import { createTestCache, createTestClock } from '../../src/testing.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { IncomingMessage } from 'node:http'
import type { Cache } from '../../src/cache/cache.ts'
import type { Answer } from '../../src/http/exchange.ts'
import type { HttpRequest, RequestHeaders } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { TestClock } from '../../src/testing.ts'

const caches: Cache[] = []
afterEach(() => Promise.all(caches.splice(0).map((cache) => cache.close())))

interface Standing {
  readonly cache: Cache
  readonly clock: TestClock
  readonly engine: HttpCache
}

const PAGE = { fields: [['Cache-Control', 'public, max-age=60']] as const, body: 'page' }

/** An engine that has a page at `/`, stored a moment ago. */
async function stored(options?: HttpCacheOptions, script: Parameters<typeof ask>[2] = () => PAGE): Promise<Standing> {
  const clock = createTestClock()
  const cache = createTestCache({}, { clock })
  caches.push(cache)
  const engine = new HttpCache(cache, options)
  await ask(engine, requestOf(), script)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  return { cache, clock, engine }
}

/** The answer of the short way. */
function short({ engine }: Standing, changes: Partial<HttpRequest> = {}): Answer | undefined {
  return engine.plainHits?.answer(requestOf(changes) as HttpRequest & { headers: RequestHeaders })
}

/** That of the long way; `forwarded`: the application is asked. */
function long({ engine }: Standing, changes: Partial<HttpRequest> = {}): Answer | 'forwarded' {
  let got: Answer | 'forwarded' = 'forwarded'
  engine.handle({
    request: requestOf(changes),
    isGone: () => false,
    answer: (answer) => {
      got = answer
    },
    forward: (watcher) => watcher.over(false),
  })
  return got
}

test('answers as the long way does, with the Age and ttl of the second', async () => {
  const standing = await stored()
  for (const seconds of [0, 1, 0.4, 0.6, 10, 47]) {
    await standing.clock.advance(seconds * 1000)
    const answer = short(standing)
    expect(answer).toMatchObject({ status: 200, cacheStatus: expect.stringContaining('hit') })
    expect(answer).toEqual(long(standing))
  }
})

test('ends when the page does: with its lifetime, and with what makes it stale or invalid', async () => {
  const passed = await stored()
  await passed.clock.advance(60_000)
  expect(short(passed)).toBeUndefined()

  const gone = await stored()
  await gone.engine.purges.purge('http://a.example/')
  expect(again(gone)).toBeUndefined()

  const tagged = await stored({ tags: ['t'] })
  expect(again(tagged)).toBeDefined()
  await tagged.cache.invalidateTags('t')
  expect(again(tagged)).toBeUndefined()

  const soft = await stored({ tags: ['t'], stale: '1m' })
  expect(again(soft)).toBeDefined()
  await soft.cache.expireTags('t')
  expect(again(soft)).toBeUndefined()
  // It is there, and may be served: but not without being renewed.
  expect(await ask(soft.engine, requestOf(), () => PAGE)).toMatchObject({ from: 'cache', body: 'page' })
})

/** As {@link short}, where another origin may have been asked for the same target since: a purge does. */
function again(standing: Standing): Answer | undefined {
  long(standing, { headers: { 'cache-control': 'only-if-cached' } })
  return short(standing)
}

test('another host, scheme, or target has none', async () => {
  const standing = await stored()
  expect(short(standing)).toBeDefined()
  expect(short(standing, { host: 'b.example' })).toBeUndefined()
  expect(short(standing, { scheme: 'https' })).toBeUndefined()
  expect(short(standing, { target: '/?' })).toBeUndefined()
})

test('a hit counts once', async () => {
  const standing = await stored()
  const hits = () => [
    standing.cache.counters.http.outcomes.hit,
    Object.values(standing.cache.stats().namespaces).reduce((sum, { l1Fresh }) => sum + l1Fresh, 0),
  ]
  const before = hits()
  short(standing)
  expect(hits()).toEqual(before.map((count) => count + 1))
})

test.each<HttpCacheOptions>([{ keyHeaders: ['x-tenant'] }, { compress: true }, { cacheStatus: 'debug' }])(
  'there is none with %o',
  async (options) => {
    expect((await stored(options)).engine.plainHits).toBeUndefined()
  },
)

test('there is none to a page that has variants', async () => {
  const varied = { ...PAGE, fields: [...PAGE.fields, ['Vary', 'Accept']] as const }
  expect(short(await stored({}, () => varied))).toBeUndefined()
})

describe('fields of the request', () => {
  const values: Readonly<Record<string, string>> = {
    authorization: 'Basic a',
    'cache-control': 'no-cache',
    pragma: 'no-cache',
    cookie: 'sid=1',
    range: 'bytes=0-1',
    'if-range': '"a"',
    'if-none-match': '*',
    'if-modified-since': 'Sun, 22 Nov 2099 04:27:50 GMT',
    'if-match': '"a"',
    'if-unmodified-since': 'Sun, 22 Nov 2026 04:27:50 GMT',
    'content-length': '4',
    'transfer-encoding': 'chunked',
    'x-http-method-override': 'PUT',
    'x-original-url': '/admin',
    accept: 'text/html',
    'accept-encoding': 'br',
    'user-agent': 'a',
    expect: '100-continue',
  }
  const names = fc.subarray(Object.keys(values))
  const rules: readonly HttpCacheOptions[] = [{}, { cookies: 'bypass' }, { profile: 'conformance' }]

  test.each(rules)('never make another answer than the long way has, with %o', async (options) => {
    const standing = await stored(options)
    const plain = short(standing)
    await fc.assert(
      fc.asyncProperty(names, async (some) => {
        const headers = Object.fromEntries(some.map((name) => [name, values[name] as string]))
        const answer = short(standing, { headers })
        if (answer === undefined) return
        expect(answer).toEqual(plain)
        expect(long(standing, { headers })).toEqual(plain)
      }),
    )
  })

  test('all that the long way looks at have a say', async () => {
    const standing = await stored({ cookies: 'bypass' })
    const looked = new Set<string>()
    const headers = new Proxy<Record<string, string>>(
      {},
      {
        get: (_, name) => {
          if (typeof name === 'string') looked.add(name)
          return undefined
        },
      },
    )
    const req = { method: 'GET', url: '/', headers, rawHeaders: [], socket: {}, httpVersionMajor: 1 }
    readRequest(req as unknown as IncomingMessage, () => true)
    expect(long(standing, { headers })).toMatchObject({ status: 200 })
    const unheard = [...looked].filter((name) => short(standing, { headers: { [name]: 'x' } }) !== undefined)
    // Pseudo-fields of HTTP/2, and what the face has made of the authority.
    expect(unheard.sort()).toEqual([':authority', ':scheme', 'host'])
  })
})
