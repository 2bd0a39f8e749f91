import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import type { Bus } from '../../src/bus/bus.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Invalidation } from '../../src/cache/journal.ts'
import { Journal } from '../../src/cache/journal.ts'
import type { SharedParts } from '../../src/cache/parts.ts'
import { replayWhenUsable } from '../../src/cache/replay.ts'
import { assemble, partsOf } from '../../src/create-cache.ts'
import type { Address } from '../../src/entry/entry.ts'
import { withOneRedis } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { keyInBucket } from '../doubles/redis-forms.ts'
import { startRedis } from '../doubles/redis.ts'

/**
 * The order of events:
 *   1. L2 has v1; Redis freezes, or the event loop was blocked for longer than a deadline
 *   2. the application changes k and deletes it from the cache: not acknowledged
 *   3. Redis goes on: v1 is still there
 * No reader of this process may get v1 after 2, and once the repetition is acknowledged nobody may.
 */
withOneRedis('L1 and L2', 'it stands still or takes no writes: others would replace it', (kit) => {
  const frozen = async (act: () => Promise<unknown>) => {
    kit.server().freeze()
    try {
      return await act()
    } finally {
      kit.server().thaw()
    }
  }

  test('a deletion that was not acknowledged holds here at once, and everywhere when it is repeated', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.set('k', 'v1')
    expect(await b.get('k')).toBe('v1')
    const repeated = new Promise((resolve) => a.on('acknowledged', resolve))
    expect(await frozen(() => a.delete('k'))).toEqual({ acknowledged: false })
    expect(await a.getOrSet('k', () => 'v2')).toBe('v2')
    expect(await a.get('k')).toBe('v2')
    expect(await repeated).toEqual({ namespace: '_', key: 'k' })
    await expect.poll(() => b.get('k')).not.toBe('v1')
    expect(await b.getOrSet('k', () => 'v3')).not.toBe('v1')
    expect(a.counters.unacknowledged).toBe(1)
  })

  test('so does a clear', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    const [users, theirs] = [a.namespace('users'), b.namespace('users')]
    await users.set('k', 'v1')
    await a.set('k', 'other')
    const repeated = new Promise((resolve) => a.on('acknowledged', resolve))
    expect(await frozen(() => users.clear())).toEqual({ acknowledged: false })
    expect(await users.getOrSet('k', () => 'v2')).toBe('v2')
    expect(await repeated).toEqual({ namespace: 'users' })
    await expect.poll(() => theirs.get('k')).not.toBe('v1')
    await expect.poll(() => a.get('k')).toBe('other')
  })

  test('a set of an older version leaves a deletion to be repeated', async () => {
    const a = await kit.make()
    await a.set('k', 'v7', { version: 7 })
    expect(await frozen(() => a.delete('k'))).toEqual({ acknowledged: false })
    await a.set('k', 'v5', { version: 5 })
    expect(await a.get('k')).not.toBe('v7')
    await expect.poll(() => a.gauges().journalled).toBe(0)
    expect(await a.get('k')).not.toBe('v7')
  })

  test('a set that was not acknowledged is served here for a while, and never the value before it', async () => {
    const a = await kit.make({ maxStaleness: 1000 })
    await a.set('k', 'v1')
    const repeated = new Promise((resolve) => a.on('acknowledged', resolve))
    expect(await frozen(() => a.set('k', 'v2'))).toEqual({ acknowledged: false })
    expect(await a.get('k')).toBe('v2')
    await repeated
    const seen = new Set<unknown>()
    await expect.poll(async () => seen.add(await a.get('k')) && seen.has(undefined), { timeout: 5000 }).toBe(true)
    expect(seen).not.toContain('v1')
  })

  /** Redis takes no write as long as this runs. */
  const readOnly = async (act: () => Promise<unknown>) => {
    const redis = new Redis(kit.server().url)
    try {
      await redis.config('SET', 'min-replicas-to-write', '1')
      return await act()
    } finally {
      await redis.config('SET', 'min-replicas-to-write', '0')
      redis.disconnect()
    }
  }

  test('a change that fails again and again does not put off the repetition of others', async () => {
    const a = await kit.make()
    await a.set('k', 'v1')
    expect(await readOnly(() => a.delete('k'))).toEqual({ acknowledged: false })
    const redis = new Redis(kit.server().url)
    onTestFinished(async () => {
      await redis.config('SET', 'maxmemory', '0')
      redis.disconnect()
    })
    await redis.config('SET', 'maxmemory', '1')
    let isRepeated = false
    a.on('acknowledged', ({ key }) => {
      isRepeated ||= key === 'k'
    })
    for (let round = 0; round < 100 && !isRepeated; round++) {
      expect(await a.set('other', round)).toEqual({ acknowledged: false })
      await sleep(50)
    }
    expect(isRepeated).toBe(true)
  })

  test.each([
    ['expire', (cache: Cache) => cache.expire('k')],
    ['expireTags', (cache: Cache) => cache.expireTags('t')],
  ])('%s does not stand for a deletion that was not acknowledged before it', async (name, expire) => {
    const a = await kit.make()
    await a.set('k', 'v1', { tags: ['t'], stale: '1h' })
    const gone = () => (name === 'expire' ? a.delete('k') : a.invalidateTags('t'))
    expect(await readOnly(gone)).toEqual({ acknowledged: false })
    expect(await expire(a)).toEqual({ acknowledged: true })
    expect(await a.getEntry('k')).toBeUndefined()
    await expect.poll(() => a.gauges().journalled).toBe(0)
    expect(await a.getEntry('k')).toBeUndefined()
  })

  test('a cache that is closed repeats what was not acknowledged', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.set('k', 'v1')
    expect(await readOnly(() => a.delete('k'))).toEqual({ acknowledged: false })
    await a.close()
    expect(await b.get('k')).toBeUndefined()
  })

  test('a cache that is closed tells what could not be repeated', async () => {
    const a = await kit.make()
    const told: unknown[] = []
    a.on('warning', ({ code, message }) => told.push([code, message]))
    await readOnly(async () => {
      await a.delete('k')
      await a.close()
    })
    expect(told).toContainEqual(['ERR_NOT_ACKNOWLEDGED', expect.stringContaining('closed with 1 invalidation that')])
  })
})

/**
 * The order of events:
 *   1. Redis turns out to have lost what it had acknowledged: a repetition begins, before anything may be sent, and fails
 *   2. while that is under way, Redis can be used
 * The next repetition begins then, and not after a pause, which an outage has made long. Here time stands.
 */
test('a repetition that failed since it began too early is begun anew at once', async () => {
  const server = await startRedis()
  const cache = assemble({ redis: server.url, commandTimeout: '1m' }, new FakeClock())
  onTestFinished(async () => {
    await cache.close()
    await server.stop()
  })
  await expect.poll(() => cache.stats().l2Usable, { timeout: 10_000 }).toBe(true)
  expect(await cache.delete('k')).toEqual({ acknowledged: true })
  const lost = new Promise((resolve) => cache.on('resync', resolve))
  await server.restart()
  expect(await lost).toMatchObject({ repeated: 1 })
  await expect.poll(() => cache.gauges().journalled, { timeout: 5000 }).toBe(0)
})

/**
 * The order of events:
 *   1. bucket 0 cannot be reached, bucket 1 can; both are owed something
 *   2. a repetition begins
 * Of thousands that are owed to bucket 0 each would be refused at once, and all in one turn.
 */
test('what is owed where nothing can be reached is not sent, and stays owed', async () => {
  const reached = new Set([1])
  const sent: unknown[] = []
  let isUsable = () => {}
  const shared = {
    far: {
      reaches: (bucket: number) => reached.has(bucket),
      passedOver: false,
      delete: async ({ key }: Address) => void sent.push(key),
    },
    tags: { invalidate: async (tag: string) => void sent.push(tag) },
    whenUsable: (listener: () => void) => {
      isUsable = listener
    },
  } as unknown as SharedParts
  const journal = new Journal(2)
  const bus = { buckets: 2 } as Bus
  replayWhenUsable({ ...partsOf(undefined, new FakeClock()), bus, journal, shared })
  const tagIn = (tag: string, buckets?: number[]): Invalidation => ({ kind: 'tag', group: `t:${tag}`, tag, buckets })
  const keyIn = (bucket: number): Invalidation => {
    const key = keyInBucket(bucket, 2, String(bucket))
    return { kind: 'key', id: key, address: { namespace: '_', key } }
  }
  const owed = [keyIn(0), tagIn('in 0', [0]), keyIn(1), tagIn('in 1', [1]), tagIn('in both', [0, 1]), tagIn('in all')]
  for (const invalidation of owed) journal.add({ number: journal.next(), invalidation })
  const turn = () => new Promise(setImmediate)

  isUsable()
  await turn()
  expect(sent).toEqual([keyInBucket(1, 2, '1'), 'in 1', 'in both', 'in all'])
  expect(journal.list().map(({ invalidation }) => invalidation)).toEqual(owed.slice(0, 2))
  reached.add(0)
  isUsable()
  await turn()
  expect([sent.slice(4), journal.size]).toEqual([[keyInBucket(0, 2, '0'), 'in 0'], 0])
})
