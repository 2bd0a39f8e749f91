import { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { createCache } from '../../src/create-cache.ts'
import type { StandardSchema } from '../../src/entry/schema.ts'
import { inEveryForm, withRedis } from '../doubles/caches.ts'
import { allHeard, BOUND_MS, inFleets, onRedis, turn } from '../doubles/fleet.ts'

/** `tiers: 'l1'`: values that L1 keeps as they are, and that L2 never has. */

class Session {
  readonly #id: number
  constructor(id: number) {
    this.#id = id
  }
  id() {
    return this.#id
  }
}

const values: readonly (readonly [string, unknown])[] = [
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['an instance of a class', new Session(7)],
  ['a socket', new Socket()],
  ['an object with a circle', Object.assign({}, { self: globalThis })],
  ['null', null],
]

const asItIs = { tiers: 'l1' } as const

async function keysOf(cache: Cache): Promise<string[]> {
  const keys: string[] = []
  for await (const key of cache.keys()) keys.push(key)
  return keys.sort()
}

inEveryForm((kit) => {
  test.each(values)('%s comes back as it is, set or loaded, however it is read', async (_, value) => {
    const cache = await kit.make({ defaults: { ...asItIs, isolation: 'copy' } })
    expect(await cache.set('set', value)).toEqual({ acknowledged: true })
    expect(await cache.getOrSet('loaded', () => value)).toBe(value)
    for (const key of ['set', 'loaded']) {
      expect(cache.peek(key)).toBe(value)
      expect(await cache.get(key)).toBe(value)
      expect(await cache.getOrSet(key, () => 'another')).toBe(value)
      expect(await cache.getOrSet(key, () => 'another', { isolation: 'copy' })).toBe(value)
      expect(await cache.getOrSetEntry(key, () => 'another')).toMatchObject({ tier: 'l1', freshness: 'fresh' })
      expect(await cache.getEntry(key)).toMatchObject({ tier: 'l1', tags: [] })
    }
    expect(cache.gauges().l1Bytes).toBeGreaterThan(2 * 1024)
  })

  test('a schema that comes later checks it, and neither freezes nor copies it', async () => {
    const cache = await kit.make()
    const schema: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
    for (const [key, value] of [
      ['plain', { list: [1] }],
      ['instance', { session: new Session(7), list: [1] }],
    ] as const) {
      await cache.set(key, value, asItIs)
      for (const options of [{ ...asItIs, schema }, asItIs, { schema }]) {
        expect(await cache.getOrSet(key, () => 'another', options)).toBe(value)
      }
      expect([cache.peek(key) === value, Object.isFrozen(value), Object.isFrozen(value.list)]).toEqual([
        true,
        false,
        false,
      ])
    }
  })

  test('it is not frozen', async () => {
    const cache = await kit.make()
    const value = { list: [1] }
    await cache.set('k', value, asItIs)
    const again = await cache.getOrSet('k', () => ({ list: [2] }), asItIs)
    again.list.push(3)
    expect(value.list).toEqual([1, 3])
  })

  test('one loader runs for all callers of the process', async () => {
    const cache = await kit.make()
    let loads = 0
    const load = async () => {
      loads++
      await turn()
      return new Session(loads)
    }
    const all = await Promise.all(Array.from({ length: 20 }, () => cache.getOrSet('k', load, asItIs)))
    expect(new Set(all).size).toBe(1)
    expect(loads).toBe(1)
  })

  test('a key, a tag and a clear make it gone; a load meanwhile is not kept', async () => {
    const cache = await kit.make()
    const changes = [() => cache.delete('k'), () => cache.invalidateTags('t'), () => cache.clear()]
    for (const change of changes) {
      await cache.set('k', Symbol('old'), { ...asItIs, tags: ['t'] })
      await change()
      expect(cache.peek('k')).toBeUndefined()
      const loaded = await cache.getOrSet('k', () => change().then(() => 'late'), { ...asItIs, tags: ['t'] })
      expect(loaded).toBe('late')
      expect(cache.peek('k')).toBeUndefined()
    }
  })

  test('expired, it is served once more while it is renewed', async () => {
    const cache = await kit.make({ defaults: { ...asItIs, stale: '1h' } })
    const [first, second] = [new Session(1), new Session(2)]
    await cache.set('k', first, { tags: ['t'] })
    for (const [old, next, change] of [
      [first, second, () => cache.expire('k')],
      [second, first, () => cache.expireTags('t')],
    ] as const) {
      await change()
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getOrSet('k', () => next, { tags: ['t'] })).toBe(old)
      await expect.poll(() => cache.peek('k')).toBe(next)
    }
  })

  test('touched, it lives on; an older version does not take its place', async () => {
    const cache = await kit.make()
    const value = new Session(1)
    await cache.set('k', value, { ...asItIs, ttl: '1m', version: 2 })
    expect(await cache.touch('k', '1h')).toEqual({ acknowledged: true, found: true })
    expect((await cache.getEntry('k'))?.ttl).toBeGreaterThan(60_000)
    expect(cache.peek('k')).toBe(value)
    expect(await cache.set('k', 'older', { ...asItIs, version: 1 })).toEqual({ acknowledged: true, refused: 'older' })
    expect(cache.peek('k')).toBe(value)
    expect(await cache.getOrSet('k', () => 'another', { isolation: 'copy' })).toBe(value)
  })

  test('a namespace of them lists what this process has, and has no counters', async () => {
    const cache = await kit.make()
    const here = cache.namespace('here', asItIs)
    await here.set('a', () => 1)
    await here.getOrSet('b', () => () => 2)
    expect(await keysOf(here)).toEqual(['a', 'b'])
    await expect(here.increment('n')).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: 'tiers: expected \'all\' in the namespace of a counter, which is of all processes, got "l1"',
    })
  })

  test('nothing, and what is still to come, are no values', async () => {
    const cache = await kit.make({ defaults: asItIs })
    for (const value of [undefined, Promise.resolve(1)]) {
      await expect(cache.set('k', value)).rejects.toMatchObject({ code: 'ERR_UNSTORABLE_VALUE' })
    }
    expect(await cache.getOrSet('k', () => undefined)).toBeUndefined()
    expect(await cache.getOrSet('k', ({ skip }) => skip() ?? 'skipped')).toBe('skipped')
    expect(await cache.getOrSet('k', () => 'ends at once', { ttl: 0 })).toBe('ends at once')
    expect(await cache.getOrSet('k', () => null, { negativeTtl: 0 })).toBeNull()
    expect(cache.peek('k')).toBeUndefined()
  })

  test('without L1 it is refused wherever it is said', async () => {
    const refusal = {
      code: 'ERR_INVALID_OPTION',
      message: 'tiers: expected \'all\', as this cache has no L1 (l1: false), got "l1"',
    }
    const cache = await kit.make({ l1: false })
    await expect(cache.set('k', 1, asItIs)).rejects.toMatchObject(refusal)
    await expect(cache.getOrSet('k', () => 1, asItIs)).rejects.toMatchObject(refusal)
    expect(() => cache.namespace('n', asItIs)).toThrow(expect.objectContaining(refusal))
    expect(() => createCache({ l1: false, defaults: asItIs })).toThrow(expect.objectContaining(refusal))
  })
})

withRedis('in Redis', (kit) => {
  test('there is no entry, and no lease while it is loaded; what was there is deleted by a set', async () => {
    const cache = await kit.make()
    const address = { namespace: '_', key: 'k' }
    const { entry, lease } = kit.names(address).ofEntry(address)
    const there = () => Promise.all([kit.redis().exists(entry), kit.redis().exists(lease)])
    await cache.set('k', 'old')
    expect(await there()).toEqual([1, 0])
    await cache.set('k', 'new', asItIs)
    expect(await there()).toEqual([0, 0])
    await cache.delete('k')
    await cache.getOrSet('k', async () => expect(await there()).toEqual([0, 0]), asItIs)
    await cache.getOrSet('k', () => 'loaded', asItIs)
    expect(await there()).toEqual([0, 0])
    expect(await keysOf(cache)).not.toContain('k')
  })

  test('what L2 has is not looked at', async () => {
    const [one, other] = [await kit.make(), await kit.make()]
    await one.set('k', 'in L2')
    const alone = await kit.make({ defaults: asItIs })
    expect(await alone.get('k')).toBeUndefined()
    expect(await alone.has('k')).toBe(false)
    expect(await alone.touch('k', '1h')).toEqual({ acknowledged: true, found: false })
    const requests = other.counters.requestsOf('_')
    const before = { ...requests }
    expect(await other.getOrSet('k', () => 'loaded', asItIs)).toBe('loaded')
    expect(requests).toEqual({ ...before, l1Missing: before.l1Missing + 1 })
  })

  test('nor by those who will not wait for a load, or whose load fails', async () => {
    const [one, other] = [await kit.make(), await kit.make()]
    await one.set('k', 'in L2', { stale: '1h' })
    let answer = (_: unknown) => {}
    const first = other.getOrSet('k', () => new Promise((resolve) => (answer = resolve)), asItIs)
    expect(await other.getOrSet('k', () => 'own', { ...asItIs, waitTimeout: 1 })).toBe('own')
    answer('first')
    expect(await first).toBe('first')
    await other.expire('k')
    await other.clear()
    await one.set('k', 'in L2 again')
    await expect(other.getOrSet('k', () => Promise.reject(new Error('no')), asItIs)).rejects.toThrow('no')
  })
})

inFleets((fleet) => {
  describe('of two processes', () => {
    const two = async () => [await fleet.process(), await fleet.process()] as const

    test('each has its own, and what one changes the other drops', async () => {
      const [a, b] = await two()
      const changes = [
        () => a.cache.delete('k'),
        () => a.cache.set('k', 'of a', asItIs),
        () => a.cache.invalidateTags('t'),
        () => a.cache.clear(),
      ]
      for (const change of changes) {
        const value = Symbol('of b')
        expect(await b.cache.getOrSet('k', () => value, { ...asItIs, tags: ['t'] })).toBe(value)
        await change()
        await allHeard(a, b)
        expect(b.cache.peek('k')).toBeUndefined()
      }
    })

    test('expired by one, it is stale in the other', async () => {
      const [a, b] = await two()
      const value = Symbol('of b')
      await b.cache.set('k', value, { ...asItIs, stale: '1h' })
      await a.cache.expire('k')
      await allHeard(a, b)
      expect(await b.cache.getEntry('k')).toMatchObject({ value, freshness: 'stale' })
    })

    test('a change that was not heard: it is not served any more', async () => {
      const [a, b] = await two()
      await b.cache.set('k', Symbol('of b'), asItIs)
      await fleet.misses(b, () => a.cache.delete('k'))
      await fleet.elapse(BOUND_MS)
      expect(b.cache.peek('k')).toBeUndefined()
      expect(await b.cache.getOrSet('k', () => 'again', asItIs)).toBe('again')
    })
  })
})

onRedis('where nothing was ever stored or invalidated', (fleet) => {
  test('it lives beyond the bound on staleness, as the first one begins the chain', async () => {
    const { cache } = await fleet.unheard()
    await fleet.elapse(BOUND_MS)
    let loads = 0
    const load = () => ++loads
    await cache.getOrSet('k', load, asItIs)
    await fleet.elapse(BOUND_MS)
    // The first link that a process hears of is a gap.
    const kept = await cache.getOrSet('k', load, asItIs)
    await fleet.elapse(3 * BOUND_MS)
    expect(await cache.getOrSet('k', load, asItIs)).toBe(kept)
  })
})
