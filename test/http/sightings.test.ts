import { afterEach, describe, expect, test } from 'vitest'
import { assemble } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { digest } from '../../src/http/request-key.ts'
import { Sightings } from '../../src/http/sightings.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { Got, Script } from './plain-exchange.ts'

const caches: Cache[] = []
afterEach(() => Promise.all(caches.splice(0).map((cache) => cache.close())))

describe('what was asked for lately', () => {
  const key = digest('page')

  test('is known for the window, and not after two', () => {
    const sightings = new Sightings(1000)
    expect(sightings.again(key, 0)).toBe(false)
    expect(sightings.again(key, 999)).toBe(true)
    expect(sightings.again(key, 1999)).toBe(true)
    expect(sightings.again(key, 5000)).toBe(false)
  })

  test('is known for the window though another generation has begun', () => {
    const sightings = new Sightings(1000)
    sightings.again(digest('other'), 0)
    expect(sightings.again(key, 900)).toBe(false)
    expect(sightings.again(key, 1899)).toBe(true)
  })

  test('of others few are taken for it, however many were seen', () => {
    const sightings = new Sightings(1000)
    for (let other = 0; other < 200_000; other++) sightings.again(digest(`seen ${other}`), 0)
    let known = 0
    for (let other = 0; other < 10_000; other++) if (sightings.again(digest(`new ${other}`), 0)) known++
    expect(known).toBeLessThan(200)
    expect(sightings.again(digest('seen 199999'), 0)).toBe(true)
    expect(sightings.again(digest('seen 1'), 0)).toBe(false)
  })

  test('a clock that is set back does no harm', () => {
    const sightings = new Sightings(1000)
    sightings.again(key, 10_000)
    expect(sightings.again(key, 0)).toBe(true)
    expect(sightings.again(key, 1)).toBe(true)
  })
})

function open(options?: HttpCacheOptions) {
  const clock = new FakeClock()
  const cache = assemble({ l1: { maxEntries: 50 } }, clock)
  caches.push(cache)
  const engine = new HttpCache(cache, options)
  const get = async (target: string, script: Script = page): Promise<Got> => {
    const got = await ask(engine, requestOf({ target }), () => script)
    await landed()
    return got
  }
  return { clock, cache, engine, get }
}

const page: Script = { fields: [['Cache-Control', 'public, max-age=60, stale-while-revalidate=60']], body: 'page' }

async function landed(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('secondSight', () => {
  test('a page is stored when it is asked for again', async () => {
    const { get, cache } = open({ secondSight: '10m' })
    expect((await get('/')).cacheStatus).toBe('tiercache; fwd=uri-miss; detail=first-sight')
    expect(cache.gauges().l1Entries).toBe(0)
    expect((await get('/')).cacheStatus).toBe('tiercache; fwd=uri-miss; stored')
    expect((await get('/')).cacheStatus).toMatch(/^tiercache; hit/)
    expect(cache.counters.http.refusals['first-sight']).toBe(1)
  })

  test('… within the window', async () => {
    const { get, clock } = open({ secondSight: '1m' })
    await get('/')
    clock.advance(180_000)
    expect((await get('/')).cacheStatus).toMatch(/first-sight/)
  })

  test('what is stored is served, and renewed, however long it is since it was asked for', async () => {
    const { get, clock } = open({ secondSight: 1000 })
    await get('/')
    await get('/')
    clock.advance(61_000)
    expect((await get('/')).cacheStatus).toBe('tiercache; hit; ttl=-1; detail=L1')
    expect((await get('/')).cacheStatus).toBe('tiercache; hit; ttl=60; detail=L1')
  })

  test('many who ask at one time for what nobody has asked for: the handler runs twice', async () => {
    const { engine } = open({ secondSight: '10m' })
    const responding: ((script: Script) => void)[] = []
    const slow = () => new Promise<Script>((resolve) => responding.push(resolve))
    const asked = Array.from({ length: 20 }, () => ask(engine, requestOf(), slow))
    await landed()
    expect(responding).toHaveLength(2)
    for (const respond of responding) respond(page)
    expect((await Promise.all(asked)).map(({ body }) => body)).toEqual(Array(20).fill('page'))
  })

  test.each([
    ['without it', undefined, /fwd=uri-miss/],
    ['with it', { secondSight: '10m' } as const, /^tiercache; hit/],
  ])('%s: what is asked for once and what is asked for again', async (_, options, expected) => {
    const { get } = open(options)
    for (let round = 0; round < 3; round++) await get('/hot')
    for (let other = 0; other < 200; other++) await get(`/?${other}`)
    expect((await get('/hot')).cacheStatus).toMatch(expected)
  })
})
