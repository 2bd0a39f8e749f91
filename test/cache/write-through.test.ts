import { expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { assemble } from '../../src/create-cache.ts'
import { heardAll, inBothForms, inEveryForm } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { allHeard, inFleets, onRedis } from '../doubles/fleet.ts'

const STORED = { acknowledged: true }
const OLDER = { acknowledged: true, refused: 'older' }

inBothForms((kit) => {
  test('version: an older one is refused, everywhere, and the newer value stays', async () => {
    const cache = await kit.make()
    const other = kit.isShared ? await kit.make() : cache
    expect(await cache.set('k', 'two', { version: 2 })).toEqual(STORED)
    expect(await other.set('k', 'one', { version: 1 })).toEqual(OLDER)
    expect(await other.set('k', 'less', { version: 1.999 })).toEqual(OLDER)
    for (const each of [cache, other]) expect(await each.get('k')).toBe('two')
  })

  test('version: the same one, a newer one, and none replace it; after none any will do', async () => {
    const cache = await kit.make()
    await cache.set('k', 0, { version: 2 })
    for (const version of [2, 2.5, 1_700_000_000_000, undefined, -3]) {
      expect(await cache.set('k', `${version}`, { version })).toEqual(STORED)
      expect(await cache.get('k')).toBe(`${version}`)
    }
  })

  test('version: a value that was deleted, or loaded, is older than none', async () => {
    const cache = await kit.make()
    await cache.set('k', 'two', { version: 2 })
    await cache.delete('k')
    expect(await cache.set('k', 'one', { version: 1 })).toEqual(STORED)
    await cache.delete('k')
    await cache.getOrSet('k', () => 'loaded')
    expect(await cache.set('k', 'zero', { version: 0 })).toEqual(STORED)
    expect(await cache.get('k')).toBe('zero')
  })

  test('version: a stale value is compared, and touch keeps its version', async () => {
    const cache = await kit.make()
    await cache.set('k', 'two', { version: 2, stale: '1m' })
    await cache.touch('k', '1m')
    expect(await cache.set('k', 'one', { version: 1 })).toEqual(OLDER)
    await cache.expire('k')
    expect(await cache.set('k', 'one', { version: 1 })).toEqual(OLDER)
    expect(await cache.getEntry('k')).toMatchObject({ value: 'two', freshness: 'stale' })
  })

  test('version: of two at one time the newer one stays, whichever comes first', async () => {
    const cache = await kit.make()
    const other = kit.isShared ? await kit.make() : cache
    for (const [first, second] of [
      [1, 2],
      [4, 3],
    ] as const) {
      await Promise.all([cache.set('k', first, { version: first }), other.set('k', second, { version: second })])
      if (kit.isShared) await Promise.all([heardAll(cache, other), heardAll(other, cache)])
      const newest = Math.max(first, second)
      expect(await Promise.all([cache.get('k'), other.get('k')])).toEqual([newest, newest])
    }
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '2', null, 2n])('version: %s is refused', async (version) => {
    const cache = await kit.make()
    await expect(cache.set('k', 1, { version: version as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringMatching(/^version: expected a finite number, got /),
    })
    expect(await cache.has('k')).toBe(false)
  })

  test('version: is an option of set only', async () => {
    const cache = await kit.make()
    const unknown = { code: 'ERR_UNKNOWN_OPTION' }
    await expect(cache.getOrSet('k', () => 1, { version: 1 } as never)).rejects.toMatchObject(unknown)
    await expect(cache.increment('k', 1, { version: 1 } as never)).rejects.toMatchObject(unknown)
    expect(() => cache.namespace('n', { version: 1 } as never)).toThrow(/unknown option 'version'/)
  })
})

inEveryForm((kit) => {
  test.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['its tag was invalidated', (cache) => cache.invalidateTags('t')],
    ['its namespace was cleared', (cache) => cache.namespace('shop').clear()],
    ['everything was cleared', (cache) => cache.clear()],
  ])('version: %s: a void value is compared with nothing', async (_, change) => {
    const cache = await kit.make()
    const other = kit.isShared ? await kit.make() : cache
    const [shop, elsewhere] = [cache.namespace('shop'), other.namespace('shop')]
    await shop.set('k', 'ten', { version: 10, tags: ['t'] })
    await change(other)
    if (kit.isShared) await heardAll(cache, other)
    expect(await shop.set('k', 'five', { version: 5 })).toEqual(STORED)
    expect(await elsewhere.get('k')).toBe('five')
    expect(await elsewhere.set('k', 'four', { version: 4 })).toEqual(OLDER)
  })

  test('version: a value that its tag made stale is compared', async () => {
    const cache = await kit.make()
    await cache.set('k', 'ten', { version: 10, tags: ['t'], stale: '1h' })
    await cache.expireTags('t')
    expect(await cache.set('k', 'five', { version: 5 })).toEqual(OLDER)
    expect(await cache.getEntry('k')).toMatchObject({ value: 'ten', freshness: 'stale' })
  })
})

inFleets((fleet) => {
  /** A and B two processes; k is void, for its tag. */
  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await a.cache.set('k', 'ten', { version: 10, tags: ['t'] })
    await b.cache.invalidateTags('t')
    await allHeard(a, b)
    return { a, b }
  }

  test.each<[string, version: number | undefined, typeof STORED | typeof OLDER, left: string]>([
    ['a higher one', 7, OLDER, 'meanwhile'],
    ['a lower one', 3, STORED, 'five'],
    ['none', undefined, STORED, 'five'],
  ])('version: another value with %s takes the place of the void one meanwhile', async (_, version, result, left) => {
    const { a, b } = await setup()
    const removal = a.far.holdCall('discard')
    const setting = a.cache.set('k', 'five', { version: 5 })
    await removal.arrived
    await b.cache.set('k', 'meanwhile', { version })
    removal.release()
    expect(await setting).toEqual(result)
    await allHeard(a, b)
    expect(await Promise.all([a.cache.get('k'), b.cache.get('k')])).toEqual([left, left])
  })

  test('version: the void one is gone meanwhile', async () => {
    const { a, b } = await setup()
    const look = a.far.holdCall('get')
    const setting = a.cache.set('k', 'five', { version: 5 })
    await look.arrived
    await b.cache.delete('k')
    look.release()
    expect(await setting).toEqual(STORED)
    expect(await b.cache.get('k')).toBe('five')
  })

  test('version: a deletion that L2 has not acknowledged makes it void here', async () => {
    const a = await fleet.process()
    await a.cache.set('k', 'ten', { version: 10 })
    const heal = a.far.failing('delete')
    expect(await a.cache.delete('k')).toEqual({ acknowledged: false })
    expect(await a.cache.set('k', 'five', { version: 5 })).toEqual(STORED)
    expect(await a.cache.get('k')).toBe('five')
    heal()
  })

  test.each(['get', 'discard'] as const)(
    'version: nobody knows whether it is void (%s fails): it stays, and nothing more is sent',
    async (method) => {
      const { a } = await setup()
      a.far.failing(method)
      a.far.holdCall('set').release()
      // Held for good: the call would not end.
      a.far.holdCall('set')
      expect(await a.cache.set('k', 'five', { version: 5 })).toEqual(OLDER)
      expect(a.cache.counters.unacknowledged).toBe(0)
    },
  )
})

onRedis('version, on Redis', (fleet) => {
  test('what cannot be read is compared with nothing, whatever number stands in it', async () => {
    const { cache } = await fleet.process()
    const address = { namespace: '_', key: 'k' }
    const name = fleet.names(address).entry(address)
    const head = Buffer.alloc(56)
    head.write('tc\u0001\u0000', 'latin1')
    head.writeDoubleBE(1e300, 44)
    for (const bytes of [head, Buffer.concat([head, Buffer.from('no stamps at all')])]) {
      await fleet.redis.set(name, bytes)
      expect(await cache.set('k', 'four', { version: 4 })).toEqual(STORED)
      expect(await cache.get('k')).toBe('four')
    }
  })

  test('a refusal costs one look at what is there', async () => {
    const { cache } = await fleet.process()
    await cache.set('k', 'two', { version: 2 })
    const before = cache.counters.l2Timings.count
    expect(await cache.set('k', 'one', { version: 1 })).toEqual(OLDER)
    expect(cache.counters.l2Timings.count - before).toBe(2)
  })
})

test('version: with L1 alone an expired value, or one that was cleared, is compared with nothing', async () => {
  const clock = new FakeClock()
  const cache = assemble({ defaults: { jitter: 0 } }, clock)
  await cache.set('k', 'two', { version: 2, ttl: 1000 })
  clock.advance(1000)
  expect(await cache.set('k', 'one', { version: 1 })).toEqual(STORED)
  const users = cache.namespace('users')
  await users.set('k', 'two', { version: 2 })
  await users.clear()
  expect(await users.set('k', 'one', { version: 1 })).toEqual(STORED)
})
