import { afterEach, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { assemble, createCache } from '../../src/create-cache.ts'
import { inEveryForm, withOneRedis } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { BOUND_MS, inFleets, onRedis, turn } from '../doubles/fleet.ts'

/** How a cache says that it does. */

const caches: Cache[] = []
afterEach(async () => {
  await Promise.all(caches.splice(0).map((cache) => cache.close()))
})

function quiet(cache: Cache): Cache {
  cache.on('warning', () => {})
  caches.push(cache)
  return cache
}

inEveryForm((kit) => {
  test('all is well, until it is closed', async () => {
    const cache = await kit.make()
    await cache.set('k', 1)
    const health = await cache.ready()
    expect(health).toMatchObject({ ok: true, closed: false, coherent: true, journalled: 0 })
    expect(health.l1).toMatchObject({ entries: 1 })
    expect(health.l2?.usable).toBe(kit.isShared ? true : undefined)
    expect(JSON.parse(JSON.stringify(health))).toEqual(health)
    await cache.close()
    expect(await cache.ready()).toMatchObject({ ok: false, closed: true, coherent: false })
  })

  test('without L1', async () => {
    const cache = await kit.make({ l1: false })
    expect(await cache.ready()).toMatchObject({ ok: true })
    expect(cache.health()).not.toHaveProperty('l1')
  })

  test('stats tell how often each namespace was answered, and by what', async () => {
    const cache = await kit.make()
    const users = cache.namespace('users')
    expect(cache.stats().namespaces.users).toMatchObject({ hitRatio: undefined, l1HitRatio: undefined })
    await users.getOrSet('k', () => 1)
    await users.getOrSet('k', () => 1)
    await users.get('k')
    await users.get('none')
    expect(cache.stats().namespaces.users).toMatchObject({ l1Fresh: 2, l1Missing: 2, hitRatio: 0.5, l1HitRatio: 0.5 })
    expect(users.stats().namespaces).toEqual(cache.stats().namespaces)
    const far = await kit.make()
    await far.get('k')
    await cache.set('k', 1)
    await far.get('k')
    const ratios = kit.isShared ? { hitRatio: 0.5, l1HitRatio: 0, l2Fresh: 1 } : { hitRatio: 0, l1HitRatio: 0 }
    expect(far.stats().namespaces._).toMatchObject(ratios)
  })

  test('stats are JSON, with what is counted by name', async () => {
    const cache = await kit.make()
    await cache.namespace('users').getOrSet('k', () => 1)
    cache.counters.l2Failed('ERR_REDIS_TIMEOUT')
    const { namespaces, counters } = JSON.parse(JSON.stringify(cache.stats()))
    expect(counters.requests).toEqual({ _: expect.anything(), users: cache.counters.requests.get('users') })
    expect(counters).toMatchObject({ l2Errors: { ERR_REDIS_TIMEOUT: 1 }, sets: 0, loadTimings: { count: 1 } })
    expect(namespaces.users).toMatchObject({ l1Missing: 1 })
  })

  test('a hit that is stale in L1 and in L2 is one', async () => {
    const cache = await kit.make({ defaults: { stale: '1h', ttl: 1, jitter: 0 } })
    await cache.getOrSet('k', () => 1, { ttl: 1 })
    await expect.poll(async () => (await cache.getEntry('k'))?.freshness).toBe('stale')
    for (let read = 0; read < 10; read++) await cache.getEntry('k')
    expect(cache.stats().namespaces._?.hitRatio).toBeLessThanOrEqual(1)
  })
})

inFleets((fleet) => {
  test('a change that is not acknowledged is not well, until it is', async () => {
    const { cache, far } = await fleet.process()
    const heal = far.failing('delete')
    await cache.delete('k')
    expect(cache.health()).toMatchObject({ ok: false, journalled: 1 })
    heal()
    await fleet.elapse(10_000)
    await turn()
    expect(cache.health()).toMatchObject({ ok: true, journalled: 0 })
  })
})

onRedis('a process that hears nothing yet', (fleet) => {
  test('is ready when it has proven that it is current', async () => {
    const { cache } = await fleet.process()
    const other = await fleet.unheard()
    await cache.set('k', 1)
    let health: unknown
    const ready = other.cache.ready().then((answer) => {
      health = answer
    })
    await fleet.elapse(BOUND_MS)
    await ready
    expect(health).toMatchObject({ ok: true, coherent: true })
  })
})

test('who cannot be ready is told so when the bound on staleness has passed', async () => {
  const clock = new FakeClock()
  const cache = quiet(assemble({ redis: 'redis://ada:secret@127.0.0.1:1' }, clock))
  let isAnswered = false
  const ready = cache.ready().finally(() => {
    isAnswered = true
  })
  for (let ms = 0; ms < 1990; ms += 10) {
    clock.advance(10)
    await turn()
  }
  expect(isAnswered).toBe(false)
  clock.advance(10)
  const health = await ready
  expect(health).toMatchObject({ ok: false, closed: false, l2: { usable: false } })
  expect(health.l2?.servers).toEqual([{ server: '127.0.0.1:1', usable: false, breaker: 'closed' }])
  expect(health.l2?.lastWarning).toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' })
  expect(health.l2?.lastWarning?.message).toContain('ECONNREFUSED')
  expect(JSON.stringify(health)).not.toContain('secret')
})

test('it ends with the cache', async () => {
  const cache = quiet(createCache({ redis: 'redis://127.0.0.1:1', maxStaleness: '1m' }))
  const ready = cache.ready()
  await cache.close()
  expect(await ready).toMatchObject({ ok: false, closed: true })
})

withOneRedis('a Redis that stands still', 'it is frozen', (kit) => {
  test('is told with its last error and its breaker', async () => {
    const cache = quiet(await kit.make({ commandTimeout: 50 }))
    expect(cache.health().l2?.servers).toMatchObject([{ usable: true, breaker: 'closed' }])
    kit.server().freeze()
    try {
      await expect
        .poll(() => cache.delete('k').then(() => cache.health().l2?.servers[0]), { timeout: 5000 })
        .toMatchObject({ usable: false, breaker: 'open', lastError: { code: 'ERR_REDIS_TIMEOUT' } })
      expect(cache.health()).toMatchObject({ ok: false, l2: { usable: false } })
    } finally {
      kit.server().thaw()
    }
  })
})
