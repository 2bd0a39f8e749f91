import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createCache } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { Keys } from '../../src/http/keys.ts'
import { resourceOf } from '../../src/http/request-key.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Script } from './plain-exchange.ts'
import type { Fields, HttpRequest } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

const caches: Cache[] = []
afterEach(() => Promise.all(caches.splice(0).map((cache) => cache.close())))

function engineOf(options?: HttpCacheOptions): HttpCache {
  const cache = createCache()
  caches.push(cache)
  return new HttpCache(cache, options)
}

/** Loads land a few turns after their response is over. */
async function landed(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('no schema that the application has for its own values is asked about responses', async () => {
  const cache = createCache({ defaults: { schema: z.object({ id: z.number() }), refreshAhead: 0.001 } })
  caches.push(cache)
  const engine = new HttpCache(cache, undefined)
  const application = () => ({ fields: [['Cache-Control', 'public, max-age=60']] as const, body: 'page' })
  await ask(engine, requestOf(), application)
  await landed()
  expect(await ask(engine, requestOf(), application)).toMatchObject({ from: 'cache', body: 'page' })
  expect(cache.counters.invalid + cache.counters.loadsFailed).toBe(0)
})

test.each([{}, { Vary: 'Accept' }])('a hit of L1 counts once, with %o', async (more) => {
  const cache = createCache()
  caches.push(cache)
  const engine = new HttpCache(cache, undefined)
  const fields = Object.entries({ 'Cache-Control': 'public, max-age=60', ...more })
  const hits = () => Object.values(cache.stats().namespaces).reduce((sum, { l1Fresh }) => sum + l1Fresh, 0)
  await ask(engine, requestOf(), () => ({ fields, body: 'page' }))
  await landed()
  const before = hits()
  expect(await ask(engine, requestOf(), () => ({ fields, body: 'page' }))).toMatchObject({ from: 'cache' })
  expect(hits() - before).toBe(1)
})

test('a page that could not be shared and then was is waited for again', async () => {
  const engine = engineOf()
  const answers: Array<(fields: Fields) => void> = []
  const application = () =>
    new Promise<Script>((resolve) => answers.push((fields) => resolve({ fields, body: `run ${answers.length}` })))
  const round = async (clients: number, runs: number, fields: Fields) => {
    const before = answers.length
    const got = Promise.all(Array.from({ length: clients }, () => ask(engine, requestOf(), application)))
    await landed()
    expect(answers).toHaveLength(before + runs)
    for (const answer of answers.slice(before)) answer(fields)
    await got
    await landed()
  }
  await round(1, 1, [['Cache-Control', 'private']])
  await round(2, 2, [['Cache-Control', 'max-age=60']])
  await engine.purges.purge('http://a.example/')
  await round(2, 1, [['Cache-Control', 'max-age=60']])
})

describe('a response is shared only with whom it may be', () => {
  const request = fc.record({
    method: mostly('GET', 'HEAD'),
    scheme: mostly('http', 'https'),
    host: mostly('a.example', 'A.EXAMPLE', 'b.example', 'a.example:80'),
    target: mostly('/', '/?', '//', '/%2F', '/a'),
    headers: fc.record({
      authorization: mostly(undefined, 'Basic a', 'Basic b'),
      cookie: mostly(undefined, 'sid=1', 'sid=2'),
      accept: mostly(undefined, 'x', 'y', 'x, y'),
      'cache-control': mostly(undefined, 'no-store', 'no-cache', 'max-age=0'),
      range: mostly(undefined, 'bytes=0-1'),
    }),
  })
  const control = fc.tuple(
    mostly('max-age=60', 'public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60', 'public'),
    mostly('', 'private', 'no-store', 'no-cache'),
  )
  const fields = fc.record({
    control: control.map((directives) => directives.join(', ')),
    vary: mostly(undefined, 'Accept', 'Cookie, Accept', '*'),
    cookie: mostly(false, true),
  })

  test('whatever requests and responses come', async () => {
    let hits = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(request, fields), { minLength: 4, maxLength: 16, size: 'max' }),
        async (visits) => {
          const engine = engineOf()
          const made: { by: HttpRequest; fields: Fields }[] = []
          for (const [changes, { control, vary, cookie }] of visits) {
            const by = requestOf(changes as Partial<HttpRequest>)
            const sent: [string, string][] = [['Cache-Control', control]]
            if (vary !== undefined) sent.push(['Vary', vary])
            if (cookie) sent.push(['Set-Cookie', 'sid=3'])
            const got = await ask(engine, by, () => {
              made.push({ by, fields: sent })
              return { fields: sent, body: `${made.length - 1}` }
            })
            await landed()
            if (got.from === 'application' || by.method === 'HEAD') continue
            const source = made[Number(got.body)]
            if (!source) throw new Error('a response that nobody made')
            hits++
            expectShareable(source.by, source.fields, by)
          }
        },
      ),
      { numRuns: 300 },
    )
    expect(hits).toBeGreaterThan(100)
  })

  /** The rules again, as plainly as can be. */
  function expectShareable(source: HttpRequest, sent: Fields, target: HttpRequest): void {
    const field = (name: string) => sent.find(([candidate]) => candidate === name)?.[1].toString() ?? ''
    const says = (directive: string) => field('Cache-Control').split(', ').includes(directive)
    const all = says('public') || says('s-maxage=60')
    expect([
      target.scheme,
      target.host?.toLowerCase().replace(target.scheme === 'http' ? /:80$/ : /:443$/, ''),
      target.target,
    ]).toEqual([
      source.scheme,
      // The port of the scheme is none of its own; who names it may read, and fill nothing.
      source.host?.toLowerCase(),
      source.target,
    ])
    expect(source.method).toBe('GET')
    for (const word of ['private', 'no-store', 'no-cache']) expect(says(word)).toBe(false)
    expect(field('Set-Cookie')).toBe('')
    expect(field('Vary')).not.toBe('*')
    for (const { headers } of [source, target])
      if (headers.authorization) expect(all || says('must-revalidate')).toBe(true)
    if (source.headers.cookie) expect(all).toBe(true)
    for (const name of field('Vary').toLowerCase().split(', '))
      if (name) expect(target.headers[name]).toBe(source.headers[name])
    expect(source.headers['cache-control']).not.toBe('no-store')
    expect(source.headers.range).toBeUndefined()
  }
})

/** The first value three times out of four, so that hits are common. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 3 }, { arbitrary: fc.constantFrom(...others), weight: 1 })
}

test('never throws on what clients and applications write into fields', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  const names = ['cache-control', 'if-none-match', 'if-modified-since', 'range', 'accept', 'content-length']
  const sent = [
    'Cache-Control',
    'ETag',
    'Vary',
    'Date',
    'Age',
    'Expires',
    'Content-Length',
    'Connection',
    'Last-Modified',
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom(...names), text),
      fc.dictionary(fc.constantFrom(...sent), text),
      fc.tuple(text, text, fc.integer({ min: 200, max: 599 })),
      async (headers, fields, [host, target, status]) => {
        const engine = engineOf({ ttl: '1m', clientDirectives: 'obey' })
        const script = () => ({ status, fields: Object.entries(fields), body: 'x' })
        const got = [
          await ask(engine, requestOf({ headers }), script),
          await landed().then(() => ask(engine, requestOf({ headers }), script)),
          await ask(engine, requestOf({ host, target, headers }), script),
          await ask(engine, requestOf({ method: 'POST', host, target }), script),
        ]
        for (const { status: answered } of got) expect([status, 304, 504]).toContain(answered)
      },
    ),
    { numRuns: 200 },
  )
})

test('a stored response that answers another resource is not used', async () => {
  const cache = createCache()
  caches.push(cache)
  const engine = new HttpCache(cache, undefined)
  const fields: Fields = [['Cache-Control', 'max-age=60']]
  await ask(engine, requestOf({ target: '/a' }), () => ({ fields, body: 'a' }))
  await landed()
  const store = cache.namespace('http', { isolation: 'reference' })
  // Whoever can write to Redis can put an entry under another key.
  const keys = new Keys()
  const moved = store.peek(keys.of(resourceOf(requestOf({ target: '/a' }), readHttpOptions({})) ?? ''))
  await store.set(keys.of(resourceOf(requestOf({ target: '/b' }), readHttpOptions({})) ?? ''), moved)
  const got = await ask(engine, requestOf({ target: '/b' }), () => ({ fields, body: 'b' }))
  expect(got).toMatchObject({ from: 'application', body: 'b', cacheStatus: 'tiercache; fwd=uri-miss; detail=mismatch' })
})

test('what others put into the store is a miss, and deleted', async () => {
  const cache = createCache()
  caches.push(cache)
  const engine = new HttpCache(cache, undefined)
  const store = cache.namespace('http')
  const key = new Keys().of(resourceOf(requestOf(), readHttpOptions({})) ?? '')
  const garbage = [null, 5, 'x', [], {}, { kind: 'response' }, { kind: 'variants', fields: 'x' }, { kind: 'toString' }]
  for (const value of garbage) {
    await store.set(key, value)
    const got = await ask(engine, requestOf(), () => ({ fields: [['Cache-Control', 'max-age=60']], body: 'good' }))
    expect(got).toMatchObject({ from: 'application', body: 'good' })
    expect(await store.get(key)).toBeUndefined()
    await store.set(key, value)
    expect(await ask(engine, requestOf({ method: 'HEAD' }), () => ({ status: 200 }))).toMatchObject({
      from: 'application',
    })
  }
})

test.each([
  ['If-Match', { headers: { 'cache-control': 'only-if-cached', 'if-match': '*' } }],
  ['a long target', { headers: { 'cache-control': 'only-if-cached' }, target: `/${'x'.repeat(10_000)}` }],
])('only-if-cached with %s never reaches the application', async (_, changes) => {
  const cache = createCache()
  const got = await ask(new HttpCache(cache, {}), requestOf(changes), () => ({ body: 'made' }))
  expect([got.from, got.status]).toEqual(['cache', 504])
  await cache.close()
})

test.each([
  ['two Hosts', { host: undefined, headers: { host: 'a.example' }, target: '/x' }],
  ['a whole URL as its target, and another Host', { host: 'b.example', target: 'http://a.example/x' }],
])('an unsafe request with %s makes the page invalid that the application may have changed', async (_, changes) => {
  const cache = createCache()
  const engine = new HttpCache(cache, { ttl: '1m' })
  let runs = 0
  const application = () => ({ body: `${++runs}` })
  const page = requestOf({ target: '/x' })
  for (let n = 0; n < 2; n++) expect((await ask(engine, page, application)).body).toBe('1')
  await ask(engine, requestOf({ method: 'POST', ...changes }), () => ({ status: 204 }))
  expect((await ask(engine, page, application)).body).toBe('2')
  await cache.close()
})
