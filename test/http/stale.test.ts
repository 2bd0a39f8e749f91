import { afterEach, describe, expect, test } from 'vitest'
import { assemble } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Exchange } from '../../src/http/exchange.ts'
import type { Fields, HttpRequest } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { Application, Got, Script } from './plain-exchange.ts'

const caches: Cache[] = []
afterEach(() => Promise.all(caches.splice(0).map((cache) => cache.close())))

/** An engine, its clock, and an application that answers what it is told, and notes what it was asked. */
class World {
  readonly clock = new FakeClock()
  readonly cache = assemble(undefined, this.clock)
  readonly seen: HttpRequest[] = []
  readonly engine: HttpCache
  script: (seen: HttpRequest) => Script | Promise<Script>

  constructor(script: Application, options?: HttpCacheOptions) {
    caches.push(this.cache)
    this.engine = new HttpCache(this.cache, options)
    this.script = script
  }

  async get(headers: HttpRequest['headers'] = {}, changes: Partial<HttpRequest> = {}): Promise<Got> {
    const got = await this.start(headers, changes)
    await landed()
    return got
  }

  start(headers: HttpRequest['headers'] = {}, changes: Partial<HttpRequest> = {}): Promise<Got> {
    return ask(this.engine, requestOf({ headers, ...changes }), this.application)
  }

  readonly application: Application = (seen) => {
    this.seen.push(seen)
    return this.script(seen)
  }

  /** Stores a response, and lets so many seconds pass. */
  async stored(seconds: number): Promise<void> {
    await this.get()
    this.clock.advance(seconds * 1000)
  }
}

/** Loads land a few turns after their response is over. */
async function landed(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function page(control: string, more: Fields = []): (seen: HttpRequest) => Script {
  let run = 0
  return () => ({ fields: [['Cache-Control', control], ...more], body: `run ${++run}` })
}

/** An application that confirms its own ETag. */
function confirming(control: string): (seen: HttpRequest) => Script {
  const make = page(control, [['ETag', '"v1"']])
  return (seen) => {
    const fields: Fields = [
      ['Cache-Control', control],
      ['ETag', '"v1"'],
    ]
    return seen.headers['if-none-match'] === '"v1"' ? { status: 304, fields } : make(seen)
  }
}

function deferred<T>() {
  let resolve = (_: T): void => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

describe('stale-while-revalidate (RFC 5861, section 3)', () => {
  test('within its window the stale one is served at once, and renewed behind, once', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=30'))
    await world.stored(15)
    const renewal = deferred<Script>()
    world.script = () => renewal.promise
    const readers = [world.start({ 'if-none-match': '"x"' }), world.start(), world.start()]
    for (const got of await Promise.all(readers)) {
      expect(got).toMatchObject({ from: 'cache', body: 'run 1', cacheStatus: 'tiercache; hit; ttl=-5; detail=L1' })
    }
    await landed()
    expect(world.seen).toHaveLength(2)
    expect(world.seen[1]?.headers).toEqual({})
    renewal.resolve(page('max-age=10')(requestOf()))
    await landed()
    expect(await world.get()).toMatchObject({ cacheStatus: 'tiercache; hit; ttl=10; detail=L1' })
    expect(world.seen).toHaveLength(2)
  })

  test('past its window the application is waited for', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=30', [['ETag', '"v1"']]))
    await world.stored(40)
    expect(await world.get()).toMatchObject({ body: 'run 2', cacheStatus: 'tiercache; fwd=stale; stored' })
  })

  test('the renewal shows our validators, and its 304 makes the stored one fresh', async () => {
    const world = new World(confirming('max-age=10, stale-while-revalidate=30'))
    await world.stored(15)
    expect(await world.get()).toMatchObject({ cacheStatus: 'tiercache; hit; ttl=-5; detail=L1' })
    expect(world.seen[1]?.headers['if-none-match']).toBe('"v1"')
    expect(await world.get()).toMatchObject({ body: 'run 1', cacheStatus: 'tiercache; hit; ttl=10; detail=L1' })
  })

  test('however long storing takes, the tiers call nothing fresh that is stale: who comes first is not kept waiting', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=30'))
    await world.get()
    world.clock.advance(9950)
    expect(await world.get()).toMatchObject({ body: 'run 1', cacheStatus: 'tiercache; hit; ttl=0; detail=L1' })
    expect(await world.get()).toMatchObject({ body: 'run 2', cacheStatus: 'tiercache; hit; ttl=10; detail=L1' })
  })

  test('a HEAD is answered likewise, and what is renewed is the response to a GET', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=30'))
    await world.stored(15)
    expect(await world.get({}, { method: 'HEAD' })).toMatchObject({ from: 'cache', body: '' })
    expect(await world.get()).toMatchObject({ body: 'run 2', cacheStatus: 'tiercache; hit; ttl=10; detail=L1' })
  })

  test('a renewal that fails leaves the stale one, and is not tried again at once', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=30'))
    await world.stored(15)
    world.script = () => ({ status: 500, fields: [['Cache-Control', 'max-age=10']], body: 'oh' })
    for (let time = 0; time < 3; time++) expect(await world.get()).toMatchObject({ status: 200, body: 'run 1' })
    expect(world.seen).toHaveLength(2)
    expect(world.cache.counters.renewalsFailed).toBe(1)
    world.clock.advance(2000)
    world.script = page('max-age=10')
    await world.get()
    expect(await world.get()).toMatchObject({ cacheStatus: 'tiercache; hit; ttl=10; detail=L1' })
  })

  test.each([
    ['no-store', 200, [['Cache-Control', 'no-store']]],
    ['private', 200, [['Cache-Control', 'private, max-age=60']]],
    ['a cookie', 200, [['Set-Cookie', 'sid=1']]],
    ['Vary: *', 200, [['Vary', '*']]],
    ['nothing of its lifetime', 404, []],
    ['that it is over at once', 200, [['Cache-Control', 'max-age=0']]],
    ['a redirect to a login', 302, [['Location', '/login']]],
    ['no-store, with a 304', 304, [['Cache-Control', 'no-store']]],
  ] as [string, number, Fields][])('a renewal that says %s ends what is stale', async (_, status, fields) => {
    const world = new World(page('max-age=10, stale-while-revalidate=300', [['ETag', '"v1"']]))
    await world.stored(15)
    world.script = () => ({ status, fields, body: 'new' })
    expect(await world.get()).toMatchObject({ body: 'run 1', cacheStatus: 'tiercache; hit; ttl=-5; detail=L1' })
    world.script = () => ({ status: 200, fields: [['Cache-Control', 'no-store']], body: 'newer' })
    expect(await world.get()).toMatchObject({ from: 'application', body: 'newer' })
    expect(world.cache.counters.renewalsFailed).toBe(0)
  })

  test.each([
    ['too many requests', 429, [['Cache-Control', 'no-store']]],
    ['a failure', 501, [['Cache-Control', 'private']]],
  ] as [string, number, Fields][])('a renewal that is answered with %s does not', async (_, status, fields) => {
    const world = new World(page('max-age=10, stale-while-revalidate=300'))
    await world.stored(15)
    world.script = () => ({ status, fields, body: 'new' })
    await world.get()
    expect(await world.get()).toMatchObject({ from: 'cache', body: 'run 1' })
  })

  test('nor one that the route has skipped', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=300'))
    await world.stored(15)
    const skipping: Exchange['forward'] = (watcher) => {
      watcher.skip()
      watcher.head({ status: 200, fields: [['Cache-Control', 'no-store']] })
      watcher.over(true)
    }
    const detached = { request: requestOf(), isGone: () => false, answer: () => {}, forward: skipping }
    await ask(world.engine, requestOf(), world.application, { detached: () => detached })
    await landed()
    expect(await world.get()).toMatchObject({ from: 'cache', body: 'run 1' })
  })

  test('what its own client has waited for ends what is stale, unless credentials may be the reason', async () => {
    const world = new World(page('max-age=10, stale-if-error=300'))
    await world.stored(15)
    world.script = () => ({ fields: [['Cache-Control', 'private']], body: 'mine' })
    await world.get({ cookie: 'sid=1' })
    const down = () => ({ status: 503, body: 'down' })
    world.script = down
    expect(await world.get()).toMatchObject({ from: 'cache', body: 'run 1' })
    world.script = () => ({ fields: [['Cache-Control', 'private']], body: 'new' })
    await world.get()
    world.script = down
    expect(await world.get()).toMatchObject({ from: 'application', status: 503 })
  })

  test('those who wait for the renewal of a rule alone are not said to be collapsed', async () => {
    const world = new World(page('max-age=600, stale-while-revalidate=600', [['Vary', 'Accept-Language']]))
    await world.get({ 'accept-language': 'en' })
    await world.engine.purges.softPurge('http://a.example/')
    const readers = await Promise.all([1, 2].map(() => world.start({ 'accept-language': 'en' })))
    for (const got of readers) expect(got.cacheStatus).toBe('tiercache; hit; ttl=0; detail=L1')
  })

  test('a face that has no way to run the handler without a client runs it before the answer', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=30'))
    await world.stored(15)
    const got = await ask(world.engine, requestOf(), world.application, { detached: undefined as never })
    expect(got).toMatchObject({ from: 'application', body: 'run 2' })
  })

  test.each([
    ['Vary', 'Cookie', {}],
    ['X-Vary', '', { keyHeaders: ['Cookie'] }],
  ])('what is told apart by what only the client sends is made for it: %s', async (name, value, options) => {
    const world = new World(page('public, max-age=10, stale-while-revalidate=30', [[name, value]]), options)
    await world.get({ cookie: 'sid=1' })
    world.clock.advance(15_000)
    const got = await world.get({ cookie: 'sid=1' })
    expect(got).toMatchObject({ from: 'application', body: 'run 2', cacheStatus: 'tiercache; fwd=stale; stored' })
    expect(world.seen[1]?.headers.cookie).toBe('sid=1')
  })

  test('a request whose host nobody vouches for is served, and has nothing made for others', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=30', [['ETag', '"v1"']]))
    await world.stored(15)
    for (const method of ['GET', 'HEAD']) await world.get({}, { method, foreignHost: true })
    await world.get({ range: 'bytes=0-1' }, { foreignHost: true })
    expect(world.seen).toHaveLength(1)
    world.clock.advance(60_000)
    const got = await world.get({ range: 'bytes=0-1' }, { foreignHost: true })
    expect(got).toMatchObject({ from: 'application', cacheStatus: 'tiercache; fwd=stale' })
    expect(world.seen[1]?.headers.range).toBe('bytes=0-1')
  })

  test('variants are renewed each by itself', async () => {
    const world = new World(page('max-age=10, stale-while-revalidate=30', [['Vary', 'Accept-Language']]))
    await world.get({ 'accept-language': 'en' })
    await world.get({ 'accept-language': 'de' })
    world.clock.advance(15_000)
    expect(await world.get({ 'accept-language': 'de' })).toMatchObject({ body: 'run 2', from: 'cache' })
    expect(world.seen[2]?.headers['accept-language']).toBe('de')
    expect(await world.get({ 'accept-language': 'de' })).toMatchObject({ body: 'run 3', from: 'cache' })
    expect(await world.get({ 'accept-language': 'en' })).toMatchObject({ body: 'run 1', from: 'cache' })
  })
})

describe('stale-if-error (RFC 5861, section 4)', () => {
  test.each([500, 502, 503, 504])('the stored one is served in place of a %s', async (status) => {
    const world = new World(page('max-age=10, stale-if-error=30'))
    await world.stored(15)
    world.script = () => ({ status, body: 'oh' })
    const cacheStatus = `tiercache; fwd=stale; fwd-status=${status}; ttl=-5; detail=stale-if-error`
    expect(await world.get()).toMatchObject({ from: 'cache', status: 200, body: 'run 1', cacheStatus })
    // A failure is no answer to keep: the next one asks again.
    world.script = page('max-age=10')
    expect(await world.get()).toMatchObject({ cacheStatus: 'tiercache; fwd=stale; stored' })
  })

  test.each([
    ['another status', 'max-age=10, stale-if-error=30', 404, 15],
    ['501', 'max-age=10, stale-if-error=30', 501, 15],
    ['past its window', 'max-age=10, stale-if-error=30', 503, 40],
    ['must-revalidate', 'max-age=10, stale-if-error=30, must-revalidate', 503, 15],
    ['s-maxage', 's-maxage=10, stale-if-error=30', 503, 15],
    ['no such directive', 'max-age=10', 503, 15],
  ])('not so: %s', async (_, control, status, seconds) => {
    const world = new World(page(control, [['ETag', '"v1"']]))
    await world.stored(seconds)
    world.script = () => ({ status, body: 'oh' })
    expect(await world.get()).toMatchObject({ from: 'application', status, body: 'oh' })
  })

  test('a request may ask for it where clients are obeyed', async () => {
    const world = new World(page('max-age=10', [['ETag', '"v1"']]), { clientDirectives: 'obey' })
    await world.stored(15)
    world.script = () => ({ status: 503, body: 'oh' })
    expect(await world.get({ 'cache-control': 'stale-if-error=4' })).toMatchObject({ status: 503 })
    expect(await world.get({ 'cache-control': 'stale-if-error=30' })).toMatchObject({ status: 200, body: 'run 1' })
  })

  test.each([
    ['HEAD', { method: 'HEAD' }, {}, ''],
    ['HEAD with its own copy', { method: 'HEAD' }, { 'if-none-match': '"v1"' }, ''],
    ['whose host nobody vouches for', { foreignHost: true }, {}, 'run 1'],
    ['with no-store', {}, { 'cache-control': 'no-store' }, 'run 1'],
    ['for a range, whose host nobody vouches for', { foreignHost: true }, { range: 'bytes=0-1' }, 'ru'],
  ])('also to a request that fills nothing: %s', async (_, changes, headers, body) => {
    const world = new World(page('max-age=10, stale-if-error=30', [['ETag', '"v1"']]))
    await world.stored(15)
    world.script = () => ({ status: 503, body: 'oh' })
    const got = await world.get(headers, changes)
    const cacheStatus = 'tiercache; fwd=stale; fwd-status=503; ttl=-5; detail=stale-if-error'
    expect(got).toMatchObject({ from: 'cache', body, cacheStatus })
    expect(got.status).toBe('if-none-match' in headers ? 304 : 'range' in headers ? 206 : 200)
    expect(world.cache.counters.http.outcomes).toMatchObject({ stale: 1, miss: 1 })
    world.script = () => ({ status: 404, body: 'none' })
    expect(await world.get(headers, changes)).toMatchObject({ from: 'application', status: 404 })
    world.clock.advance(60_000)
    world.script = () => ({ status: 503, body: 'oh' })
    expect(await world.get(headers, changes)).toMatchObject({ from: 'application', status: 503 })
  })

  test('those who wait for a handler that fails are served the stored one too', async () => {
    const world = new World(page('max-age=10, stale-if-error=30'))
    await world.stored(15)
    const answer = deferred<Script>()
    world.script = () => answer.promise
    const clients = [world.start(), world.start(), world.start()]
    await landed()
    expect(world.seen).toHaveLength(2)
    answer.resolve({ status: 503, body: 'oh' })
    const [first, ...others] = await Promise.all(clients)
    expect(first?.cacheStatus).toContain('fwd-status=503')
    for (const other of others) {
      const cacheStatus = 'tiercache; fwd=stale; ttl=-5; collapsed; detail=stale-if-error'
      expect(other).toMatchObject({ status: 200, body: 'run 1', cacheStatus })
    }
    expect(world.seen).toHaveLength(2)
  })
})

describe('validation (RFC 9111, section 4.3)', () => {
  test('a stale response is confirmed by the 304 of the application, and answered', async () => {
    const world = new World(confirming('max-age=10'))
    await world.stored(15)
    const cacheStatus = 'tiercache; fwd=stale; fwd-status=304; ttl=10; stored'
    expect(await world.get()).toMatchObject({ from: 'cache', status: 200, body: 'run 1', cacheStatus })
    expect(await world.get()).toMatchObject({ cacheStatus: 'tiercache; hit; ttl=10; detail=L1' })
    expect(world.seen).toHaveLength(2)
  })

  test('the client has its own 304, or part, of what was confirmed', async () => {
    const world = new World(confirming('max-age=10'))
    await world.stored(15)
    expect(await world.get({ 'if-none-match': '"v1"' })).toMatchObject({ status: 304, body: '' })
    world.clock.advance(15_000)
    expect(await world.get({ 'if-none-match': '"other"' })).toMatchObject({ status: 200, body: 'run 1' })
    expect(world.seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"v1"', '"v1"'])
    world.clock.advance(15_000)
    expect(await world.get({ range: 'bytes=0-2' })).toMatchObject({ status: 206, body: 'run' })
    expect(world.seen[3]?.headers.range).toBeUndefined()
  })

  test('a cookie on the 304 is for its own client', async () => {
    const world = new World(page('max-age=10', [['ETag', '"v1"']]))
    await world.stored(15)
    world.script = () => ({ status: 304, fields: [['Set-Cookie', ['a=1', 'b=2']]] })
    expect((await world.get()).fields).toContainEqual(['Set-Cookie', ['a=1', 'b=2']])
    const hit = await world.get()
    expect(hit.cacheStatus).toBe('tiercache; hit; ttl=10; detail=L1')
    expect(hit.fields.map(([name]) => name)).not.toContain('Set-Cookie')
  })

  test('another response than a 304 replaces the stored one', async () => {
    const world = new World(confirming('max-age=10'))
    await world.stored(15)
    world.script = page('max-age=10', [['ETag', '"v2"']])
    expect(await world.get()).toMatchObject({ from: 'application', cacheStatus: 'tiercache; fwd=stale; stored' })
    expect(await world.get()).toMatchObject({ fields: expect.arrayContaining([['ETag', '"v2"']]) })
  })

  test('a 304 that speaks of another response freshens nothing', async () => {
    const world = new World(confirming('max-age=10'))
    await world.stored(15)
    world.script = () => ({ status: 304, fields: [['ETag', '"v2"']] })
    expect(await world.get()).toMatchObject({ status: 200, body: 'run 1' })
    world.script = confirming('max-age=10')
    expect(await world.get()).toMatchObject({ cacheStatus: 'tiercache; fwd=stale; fwd-status=304; ttl=10; stored' })
  })

  test('no-cache: kept, and confirmed for each', async () => {
    const world = new World(confirming('no-cache'), { zeroLifetime: 'store' })
    await world.get()
    for (let time = 0; time < 3; time++) {
      const got = await world.get()
      expect(got).toMatchObject({ from: 'cache', body: 'run 1' })
      expect(got.cacheStatus).toBe('tiercache; fwd=stale; fwd-status=304; ttl=0')
    }
    expect(world.seen).toHaveLength(4)
    expect(await world.get({ 'cache-control': 'only-if-cached' })).toMatchObject({ status: 504 })
  })

  test('those who ask at one time for what must be confirmed for each are not kept waiting for one another', async () => {
    const world = new World(confirming('no-cache'), { zeroLifetime: 'store' })
    await world.get()
    const answers = [deferred<Script>(), deferred<Script>()]
    world.script = () => (answers[world.seen.length - 2] as (typeof answers)[0]).promise
    const clients = [world.start(), world.start()]
    await landed()
    expect(world.seen).toHaveLength(3)
    for (const { resolve } of answers) resolve({ status: 304 })
    for (const got of await Promise.all(clients)) expect(got).toMatchObject({ status: 200, body: 'run 1' })
  })

  test('a client’s reload is confirmed, where clients are heard', async () => {
    const world = new World(confirming('max-age=60'), { clientDirectives: 'validate' })
    await world.stored(15)
    const cacheStatus = 'tiercache; fwd=request; fwd-status=304; ttl=60; stored'
    expect(await world.get({ 'cache-control': 'max-age=0' })).toMatchObject({ body: 'run 1', cacheStatus })
    expect(await world.get()).toMatchObject({ cacheStatus: 'tiercache; hit; ttl=60; detail=L1' })
  })

  test('max-stale: served, though stale, where clients are obeyed; not what must be validated', async () => {
    const world = new World(confirming('max-age=10'), { clientDirectives: 'obey' })
    await world.stored(15)
    const cacheStatus = 'tiercache; hit; ttl=-5; detail=L1'
    expect(await world.get({ 'cache-control': 'max-stale=9' })).toMatchObject({ cacheStatus })
    expect(await world.get({ 'cache-control': 'max-stale' })).toMatchObject({ cacheStatus })
    expect((await world.get({ 'cache-control': 'max-stale=4' })).cacheStatus).toContain('fwd=stale')
    const strict = new World(confirming('max-age=10, must-revalidate'), { clientDirectives: 'obey' })
    await strict.stored(15)
    expect((await strict.get({ 'cache-control': 'max-stale' })).cacheStatus).toContain('fwd=stale')
  })

  test('what was expired by hand is confirmed before it is served', async () => {
    const world = new World(confirming('max-age=60'))
    await world.get()
    const http = world.cache.namespace('http')
    for await (const key of http.keys()) await http.expire(key)
    expect(await world.get()).toMatchObject({
      body: 'run 1',
      cacheStatus: expect.stringContaining('fwd=stale; fwd-status=304'),
    })
  })
})

describe('an ETag of ours', () => {
  test('is given to a 200 that has none, and answers its readers', async () => {
    const world = new World(page('max-age=60'))
    await world.get()
    const { fields } = await world.get()
    const tag = fields.find(([name]) => name === 'ETag')?.[1] as string
    expect(tag).toMatch(/^"[\w-]{22}"$/)
    expect(await world.get({ 'if-none-match': tag })).toMatchObject({ status: 304 })
  })

  test('is never shown to the application, which knows nothing of it', async () => {
    const date = 'Mon, 01 Jan 2024 00:00:00 GMT'
    const world = new World(page('max-age=10', [['Last-Modified', date]]))
    await world.stored(15)
    await world.get()
    expect(world.seen[1]?.headers).toEqual({ 'if-modified-since': date })
  })
})

describe('bounds', () => {
  test('a resource has 16 variants at most: a further one takes the place of the oldest', async () => {
    const world = new World(page('max-age=60', [['Vary', 'User-Agent']]))
    for (let index = 0; index < 17; index++) await world.get({ 'user-agent': `agent ${index}` })
    expect(await world.get({ 'user-agent': 'agent 1' })).toMatchObject({ from: 'cache', body: 'run 2' })
    expect(await world.get({ 'user-agent': 'agent 16' })).toMatchObject({ from: 'cache', body: 'run 17' })
    expect(await world.get({ 'user-agent': 'agent 0' })).toMatchObject({ from: 'application' })
  })
})
