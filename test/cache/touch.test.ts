import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { assemble } from '../../src/create-cache.ts'
import { heardAll, inEveryForm } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { inFleets, onRedis } from '../doubles/fleet.ts'

const FOUND = { acknowledged: true, found: true }
const NONE = { acknowledged: true, found: false }
const kept = { ttl: '1h', stale: '1h', jitter: 0, tags: ['t'] } as const

inEveryForm((kit) => {
  async function setup() {
    const a = await kit.make()
    const b = kit.isShared ? await kit.make() : a
    await a.set('k', 'v', kept)
    const heard = async () => {
      if (kit.isShared) await Promise.all([heardAll(a, b), heardAll(b, a)])
    }
    return { a, b, heard }
  }

  test.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['expire', (cache) => cache.expire('k')],
    ['expireTags', (cache) => cache.expireTags('t')],
  ])('after %s it stays stale, and may be served so for the new ttl', async (_, change) => {
    const { a, b, heard } = await setup()
    await change(a)
    await heard()
    for (const cache of [a, b]) {
      expect(await cache.touch('k', '3h')).toEqual(FOUND)
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getEntry('k')).toMatchObject({ value: 'v', freshness: 'stale', ttl: 0 })
    }
  })

  test.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['invalidateTags', (cache) => cache.invalidateTags('t')],
    ['clear', (cache) => cache.clear()],
    ['delete', (cache) => cache.delete('k')],
  ])('after %s there is nothing', async (_, change) => {
    const { a, b, heard } = await setup()
    await change(a)
    await heard()
    for (const cache of [a, b]) {
      expect(await cache.touch('k', '1h')).toEqual(NONE)
      expect(await cache.getEntry('k')).toBeUndefined()
    }
  })

  test('a value of which a tag has moved in another namespace is found by its own', async () => {
    const { a } = await setup()
    await a.invalidateTags('u')
    expect(await a.namespace('n').touch('k', '1h')).toEqual(NONE)
    expect(await a.touch('k', '1h')).toEqual(FOUND)
  })

  test('without a ttl it gets that of its namespace, and never ends sooner than it would have', async () => {
    const { a, b, heard } = await setup()
    await a.set('short', 'v', { ttl: '1m', jitter: 0 })
    await a.set('endless', 'v', { ttl: 'never' })
    await heard()
    const left: unknown[] = []
    for (const cache of [a, b]) {
      for (const key of ['k', 'short', 'endless']) {
        expect(await cache.touch(key)).toEqual(FOUND)
        const minutes = ((await cache.ttl(key)) ?? 0) / 60_000
        left.push(Math.round(minutes))
      }
    }
    expect(left).toEqual([60, 5, Number.POSITIVE_INFINITY, 60, 5, Number.POSITIVE_INFINITY])
    expect(await a.touch('k', '1m')).toEqual(FOUND)
    expect(await a.ttl('k')).toBeLessThanOrEqual(60_000)
  })

  test.each([1e18, 'never'] as const)('a ttl of %s has no end', async (ttl) => {
    const { a, b, heard } = await setup()
    expect(await a.touch('k', ttl)).toEqual(FOUND)
    await heard()
    for (const cache of [a, b]) {
      expect(await cache.get('k')).toBe('v')
      expect((await cache.getEntry('k'))?.ttl).toBeGreaterThan(9e17)
    }
  })
})

/** When an entry becomes stale and when it expires, by what its readers get. */
async function spansOf(cache: Cache, elapse: (ms: number) => void, freshMs: number, staleMs: number) {
  const seen: unknown[] = []
  for (const ms of [freshMs - 1, 2, staleMs - 2, 2]) {
    elapse(ms)
    seen.push((await cache.getEntry('k'))?.freshness)
  }
  return seen
}

describe('L1 alone', () => {
  test('for how long it may be served stale stays as it was given, whatever its namespace says', async () => {
    const clock = new FakeClock()
    const cache = assemble({ defaults: { jitter: 0, stale: 5 } }, clock)
    await cache.set('k', 'v', { ttl: 1000, stale: 3000 })
    expect(await cache.touch('k', 50)).toEqual(FOUND)
    expect(await spansOf(cache, (ms) => clock.advance(ms), 50, 3000)).toEqual(['fresh', 'stale', 'stale', undefined])
  })

  test('a load that its tag was expired during is stale, touched or not', async () => {
    const cache = assemble({ defaults: { jitter: 0 } }, new FakeClock())
    await cache.getOrSet(
      'k',
      async () => {
        await cache.expireTags('t')
        return 'v'
      },
      kept,
    )
    expect(await cache.touch('k', '1h')).toEqual(FOUND)
    expect(await cache.getEntry('k')).toMatchObject({ value: 'v', freshness: 'stale' })
  })
})

inFleets((fleet) => {
  test('what an invalidation has made void that L2 has not acknowledged is not found here', async () => {
    for (const change of ['invalidateTags', 'delete'] as const) {
      const a = await fleet.process()
      await a.cache.set('k', 'v', kept)
      a.tags.failing('invalidate')
      a.far.failing('delete')
      expect(await a.cache[change](change === 'delete' ? 'k' : 't')).toEqual({ acknowledged: false })
      expect(await a.cache.touch('k', '1h')).toEqual(NONE)
    }
  })

  test('for how long it may be served stale stays as it was given', async () => {
    const a = await fleet.process({ defaults: { jitter: 0 } })
    await a.cache.set('k', 'v', kept)
    expect(await a.cache.touch('k', '5m')).toEqual(FOUND)
    const found = await a.raw.far.get({ namespace: '_', key: 'k' })
    if (found.word !== 'entry') throw new Error(found.word)
    expect(found.entry.staleUntil - found.entry.freshUntil).toBeCloseTo(3_600_000, 3)
    expect((await a.cache.getEntry('k'))?.ttl).toBeLessThanOrEqual(300_100)
  })

  test.each(['get', 'touch'] as const)('where L2 does not answer (%s), it is not known', async (method) => {
    const a = await fleet.process()
    await a.cache.set('k', 'v', kept)
    a.far.failing(method)
    expect(await a.cache.touch('k', '1h')).toEqual({ acknowledged: false, found: false })
  })
})

onRedis('on Redis', (fleet) => {
  test('the stamps of its tags and namespaces end no sooner than it does', async () => {
    const { cache } = await fleet.process()
    const shop = cache.namespace('shop')
    await shop.set('k', 'v', { ...kept, tags: ['t', 'u'] })
    expect(await shop.touch('k', '9h')).toEqual(FOUND)
    const address = { namespace: 'shop', key: 'k' }
    const [names, redis] = [fleet.names(address), fleet.redis]
    const entryEnd = await redis.pttl(names.entry(address))
    expect(entryEnd).toBeGreaterThan(35_000_000)
    for (const stamp of [...names.clearStamps('shop'), names.tagStamp('t'), names.tagStamp('u')]) {
      // Read a moment later.
      expect(await redis.pttl(stamp)).toBeGreaterThan(entryEnd - 60_000)
    }
  })

  test('what cannot be read is not there', async () => {
    const { cache } = await fleet.process()
    const address = { namespace: '_', key: 'k' }
    const name = fleet.names(address).entry(address)
    const bytes = Buffer.concat([Buffer.from('tc\u0001\u0000', 'latin1'), Buffer.alloc(60)])
    await fleet.redis.set(name, bytes)
    expect(await cache.touch('k', '1h')).toEqual(NONE)
    expect(await fleet.redis.getBuffer(name)).toEqual(bytes)
  })
})
