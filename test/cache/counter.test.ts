import { describe as inWords } from '../../src/errors.ts'
import { describe, expect, test } from 'vitest'
import { incrementThrough } from '../../src/cache/counter.ts'
import { readCounterOptions } from '../../src/cache/call-options.ts'
import type { Parts } from '../../src/cache/parts.ts'
import { createCache } from '../../src/create-cache.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { current, heardAll, inEveryForm, withOneRedis } from '../doubles/caches.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { inFleets, onRedis } from '../doubles/fleet.ts'
import { testClients } from '../redis/clients.ts'

const REFUSED = { code: 'ERR_NOT_A_COUNTER' }

inEveryForm((kit) => {
  test('counts from 0, from all processes, up and down', async () => {
    const a = await kit.make()
    const b = kit.isShared ? await kit.make() : a
    expect(await a.increment('n')).toBe(1)
    const sums = await Promise.all(Array.from({ length: 50 }, (_, index) => (index % 2 ? a : b).increment('n', 2)))
    expect(new Set(sums).size).toBe(50)
    expect(await b.increment('n', -1)).toBe(100)
    if (kit.isShared) await heardAll(a, b)
    expect(await a.get('n')).toBe(100)
  })

  test('a counter that is there keeps its deadline; cleared, it begins anew', async () => {
    const cache = await kit.make({ defaults: { jitter: 0 } })
    await cache.increment('n', 5, { ttl: 10_000 })
    await cache.increment('n', 5, { ttl: '1h' })
    expect((await cache.getEntry('n'))?.ttl).toBeLessThanOrEqual(10_000)
    await cache.clear()
    expect(await cache.increment('n')).toBe(1)
  })

  test('it counts in L1 for the bytes that its value takes', async () => {
    const cache = await kit.make()
    const bytesOf = async () => (await cache.inspect('n')).l1?.entry?.bytes
    await cache.set('n', 9_999)
    expect(await bytesOf()).toBe(4)
    await cache.increment('n')
    await cache.get('n')
    expect(await bytesOf()).toBe(5)
  })

  test('a counter has no tags, nor those of its namespace; jitter does not shorten its ttl', async () => {
    const cache = await kit.make({ defaults: { tags: ['t'], jitter: 1, ttl: '1h' } })
    expect(await cache.increment('n')).toBe(1)
    expect(await cache.increment('n', 1, { ttl: '2h' })).toBe(2)
    const entry = await cache.getEntry('n')
    expect(entry?.tags).toEqual([])
    expect(entry?.ttl).toBeGreaterThan(3_590_000)
    for (const options of [{ tags: ['t'] }, { jitter: 0 }]) {
      const refused = cache.increment('n', 1, options as never)
      await expect(refused).rejects.toMatchObject({ code: 'ERR_UNKNOWN_OPTION' })
    }
    expect(await cache.get('n')).toBe(2)
  })

  test('a number that was set is a counter; anything else is refused', async () => {
    const cache = await kit.make()
    await cache.set('n', 41)
    expect(await cache.increment('n')).toBe(42)
    for (const [key, value] of Object.entries({ a: 'x', b: 1.5, c: null, d: { n: 1 } })) {
      await cache.set(key, value)
      const came = kit.isShared ? 'another value' : inWords(value)
      const message = `increment of "${key}": expected an integer without tags there, got ${came}`
      await expect(cache.increment(key)).rejects.toMatchObject({ ...REFUSED, message })
      expect(await cache.get(key)).toEqual(value)
    }
    await cache.set('t', 1, { tags: ['t'] })
    await expect(cache.increment('t')).rejects.toMatchObject(REFUSED)
    await cache.set('max', Number.MAX_SAFE_INTEGER)
    const came = kit.isShared ? 'a sum beyond them' : `${Number.MAX_SAFE_INTEGER} and 1`
    const message = `increment of "max": expected a sum within the exact integers, got ${came}`
    await expect(cache.increment('max')).rejects.toMatchObject({ ...REFUSED, message })
    await expect(cache.increment('n', 1.5)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test.each(
    (['invalidateTags', 'expireTags'] as const).flatMap((change) =>
      ['text', 41].map((value) => [change, value] as const),
    ),
  )('%s of a tag of what is there, %j: it counts as none, and the counter begins anew', async (change, value) => {
    const a = await kit.make()
    const b = kit.isShared ? await kit.make() : a
    await a.set('k', value, { tags: ['t', 'u'] })
    await b[change]('another')
    if (kit.isShared) await heardAll(a, b)
    await expect(a.increment('k')).rejects.toMatchObject(REFUSED)
    expect(await a.get('k')).toBe(value)
    await b[change]('u')
    if (kit.isShared) await heardAll(a, b)
    expect(await a.increment('k', 2)).toBe(2)
    expect(await b.increment('k', 2)).toBe(4)
    expect(await a.getEntry('k')).toMatchObject({ value: 4, tags: [] })
  })
})

inFleets((fleet) => {
  /** A and B two processes; A knows that k is void, for its tag. */
  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await a.cache.set('k', 'old', { tags: ['t'] })
    await a.cache.invalidateTags('t')
    return { a, b }
  }

  test('an invalidation of its tag that L2 has not acknowledged: it counts as none here', async () => {
    const a = await fleet.process()
    await a.cache.set('k', 'old', { tags: ['t'] })
    a.tags.failing('invalidate')
    expect(await a.cache.invalidateTags('t')).toEqual({ acknowledged: false })
    expect(await a.cache.increment('k')).toBe(1)
  })

  test('another value takes the place of the void one meanwhile: that one is added to, or refused, and stays', async () => {
    const { a, b } = await setup()
    const removal = a.far.holdCall('discard')
    const sum = a.cache.increment('k')
    await removal.arrived
    await b.cache.set('k', 41)
    removal.release()
    expect(await sum).toBe(42)

    await b.cache.set('k', 'old', { tags: ['t'] })
    await a.cache.invalidateTags('t')
    const another = a.far.holdCall('discard')
    const refused = a.cache.increment('k')
    await another.arrived
    await b.cache.set('k', 'new', { tags: ['t'] })
    another.release()
    await expect(refused).rejects.toMatchObject(REFUSED)
    expect(await a.cache.get('k')).toBe('new')
  })

  test('it comes too late: that it did not happen is told, and not that it may have', async () => {
    const a = await fleet.process()
    const late = {
      ...a.parts.shared,
      far: Object.create(a.far.port, { increment: { value: async () => ({ word: 'late' }) } }),
    }
    const parts = { ...a.parts, shared: late } as Parts
    const home = { isRoot: true, bucket: 0, currency: a.parts.bus.currency(0), groups: [] }
    const target = { namespace: '_', key: 'n', id: 'n', bucket: 0, schemaVersion: undefined, groups: [], home }
    const settings = readCounterOptions(undefined, a.parts.settings.defaults)
    const refused = incrementThrough(parts, target, 1, settings)
    await expect(refused).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT' })
  })

  test('it is deleted meanwhile: the counter begins anew', async () => {
    const { a, b } = await setup()
    const look = a.far.holdCall('get')
    const sum = a.cache.increment('k')
    await look.arrived
    await b.cache.delete('k')
    look.release()
    expect(await sum).toBe(1)
  })

  test('it cannot be read: nothing was added, and nobody is told that it may have been', async () => {
    const { a } = await setup()
    a.far.failing('get')
    await expect(a.cache.increment('k')).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT' })
    expect(await a.raw.far.get({ namespace: '_', key: 'k' })).toMatchObject({ entry: { value: 'old' } })
  })
})

onRedis('one round trip', (fleet) => {
  test('where there is no entry, and where there is a counter', async () => {
    const { cache } = await fleet.process()
    const sent = () => cache.counters.l2Timings.count
    const before = sent()
    expect(await cache.increment('n')).toBe(1)
    expect(await cache.increment('n')).toBe(2)
    expect(sent() - before).toBe(2)
  })
})

describe('a connection of the application that sends again what was not answered', () => {
  const { server, ioredis, cleanUp } = testClients()

  /** A cache on such a connection, on the way to whose server answers can be lost. */
  async function setup() {
    const proxy = await startFaultProxy(server())
    const theirs = ioredis(proxy.url, { autoResendUnfulfilledCommands: true })
    const cache = createCache({ redis: theirs, commandTimeout: 5000 })
    cleanUp(async () => {
      await cache.close()
      await proxy.stop()
    })
    await current(cache)
    const redis = ioredis(server().url)
    /** Loses the answer to a call that has been carried out: its connection breaks, and the call is sent again. */
    const withoutAnswer = async <T>(call: () => Promise<T>, isDone: () => Promise<boolean>) => {
      await expect.poll(() => cache.stats().l2Usable).toBe(true)
      proxy.hole('to-client')
      const answer = call()
      await expect.poll(isDone).toBe(true)
      proxy.release({ deliver: false })
      return answer
    }
    return { cache, redis, withoutAnswer, names: new RedisNames('tiercache', 0) }
  }

  test('an addition is counted once', async () => {
    const { cache, redis, withoutAnswer, names } = await setup()
    const name = names.entry({ namespace: '_', key: 'n' })
    for (const value of [1, 2]) {
      const isAdded = async () => ((await redis.get(name)) ?? '').endsWith(String(value))
      expect(await withoutAnswer(() => cache.increment('n'), isAdded)).toBe(value)
    }
    await expect.poll(() => cache.stats().l2Usable).toBe(true)
    expect(await cache.increment('n')).toBe(3)
  })

  test('a caller does not wait for its own lease', async () => {
    const { cache, redis, withoutAnswer, names } = await setup()
    // The lease is asked for first.
    for (let count = 0; count < 9; count++) await cache.getOrSet(`cold ${count}`, () => count)
    const isHeld = async () => (await redis.exists(names.lease({ namespace: '_', key: 'k' }))) === 1
    expect(await withoutAnswer(() => cache.getOrSet('k', () => 'v'), isHeld)).toBe('v')
    expect([cache.counters.waits, cache.counters.takeovers]).toEqual([0, 0])
  })
})

withOneRedis('with Redis', 'it stands still: where there are others, they would replace it', (kit) => {
  test('an increment that is not acknowledged says so, and is not repeated', async () => {
    const cache = await kit.make()
    await cache.increment('n')
    kit.server().freeze()
    await expect(cache.increment('n')).rejects.toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' })
    kit.server().thaw()
    await expect.poll(() => cache.get('n')).toBeGreaterThanOrEqual(1)
    expect(await cache.get('n')).toBeLessThanOrEqual(2)
  })
})
