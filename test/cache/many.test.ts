import fc from 'fast-check'
import { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { inChunks } from '../../src/cache/in-chunks.ts'
import { inBothForms, withOneRedis, withRedis } from '../doubles/caches.ts'

const numbered = (count: number) => Array.from({ length: count }, (_, nth) => `k${nth}`)

inBothForms((kit) => {
  test('getMany answers what is fresh, in the order of the keys, each of which counts once', async () => {
    const cache = await kit.make()
    await cache.setMany({ a: 1, b: null, c: 3 }, { stale: '1h' })
    await cache.expire('c')
    const before = cache.stats().counters.requests.get('_')?.l1Fresh ?? 0
    expect([...(await cache.getMany(['none', 'b', 'c', 'a', 'b']))]).toEqual([
      ['b', null],
      ['a', 1],
    ])
    expect((cache.stats().counters.requests.get('_')?.l1Fresh ?? 0) - before).toBe(2)
    expect(await cache.getMany(new Set<string>())).toEqual(new Map())
  })

  test('setMany takes a Map, an object, pairs, and options of an entry before those of the call', async () => {
    const cache = await kit.make()
    const { acknowledged, results } = await cache.setMany(new Map([['a', 1]]))
    expect([acknowledged, [...results]]).toEqual([true, [['a', { acknowledged: true }]]])
    await cache.setMany({ b: 2 })
    const entries = [
      ['c', 3],
      ['d', 4, { ttl: '1m', tags: ['four'] }],
      ['c', 33],
    ] as const
    const { results: ofEntries } = await cache.setMany(entries, { ttl: '1h', jitter: 0, tags: ['all'] })
    expect([...ofEntries.keys()]).toEqual(['d', 'c'])
    expect([...(await cache.getMany(['a', 'b', 'c', 'd']))]).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 33],
      ['d', 4],
    ])
    expect(await cache.getEntry('d')).toMatchObject({ tags: ['four'] })
    expect(await cache.getEntry('c')).toMatchObject({ tags: ['all'] })
    const ttlOf = async (key: string) => Math.ceil(((await cache.getEntry(key))?.ttl ?? 0) / 60_000)
    expect([await ttlOf('c'), await ttlOf('d')]).toEqual([60, 1])
    await cache.invalidateTags('four')
    expect([...(await cache.getMany(['c', 'd'])).keys()]).toEqual(['c'])
  })

  test('setMany says of each key whether a newer version was there', async () => {
    const cache = await kit.make()
    await cache.set('a', 'new', { version: 2 })
    const { acknowledged, results } = await cache.setMany([
      ['a', 'old', { version: 1 }],
      ['b', 'only', { version: 1 }],
    ])
    expect(acknowledged).toBe(true)
    expect(Object.fromEntries(results)).toEqual({
      a: { acknowledged: true, refused: 'older' },
      b: { acknowledged: true },
    })
    expect(Object.fromEntries(await cache.getMany(['a', 'b']))).toEqual({ a: 'new', b: 'only' })
  })

  test('a loader of many is given what it replaces, and may keep it, for another time and with its tags', async () => {
    const cache = await kit.make()
    const kept = { ttl: '1h', stale: '1h', jitter: 0 } as const
    await cache.setMany({ a: 'old a', b: 'old b' }, { ...kept, tags: ['t'] })
    const freshnessOf = async (key: string) => (await cache.getEntry(key))?.freshness
    for (const key of ['a', 'b']) {
      await cache.expire(key)
      await expect.poll(() => freshnessOf(key)).toBe('stale')
    }
    const stale: unknown[] = []
    const values = await cache.getOrSetMany(
      ['a', 'b', 'c'],
      (missing, context) => {
        for (const key of missing) stale.push(context.stale<string>(key)?.value)
        const code = 'ERR_NOTHING_TO_KEEP'
        if (missing.includes('c')) expect(() => context.notModified('c')).toThrow(expect.objectContaining({ code }))
        if (missing.includes('a')) context.notModified('a')
        context.setStale('c', '2h')
        return new Map(missing.filter((key) => key !== 'a').map((key) => [key, `new ${key}`]))
      },
      { ...kept, softTimeout: '1h' },
    )
    expect(stale.sort()).toEqual(['old a', 'old b', undefined])
    expect(Object.fromEntries(values)).toEqual({ a: 'old a', b: 'new b', c: 'new c' })
    expect(await cache.getEntry('a')).toMatchObject({ value: 'old a', freshness: 'fresh', tags: ['t'] })
    await cache.expire('c')
    await expect.poll(() => freshnessOf('c')).toBe('stale')
  })

  test('deleteMany makes the keys gone, and no others', async () => {
    const cache = await kit.make()
    await cache.setMany({ a: 1, b: 2, c: 3 })
    expect(await cache.deleteMany(['a', 'b', 'a', 'none'])).toEqual({ acknowledged: true })
    expect([...(await cache.getMany(['a', 'b', 'c'])).keys()]).toEqual(['c'])
    expect(cache.counters.deletes).toBeGreaterThanOrEqual(3)
  })

  test('more keys than one chunk are read, set and deleted', async () => {
    const cache = await kit.make()
    const keys = numbered(600)
    const { acknowledged, results } = await cache.setMany(new Map(keys.map((key) => [key, key])))
    expect([acknowledged, [...results.keys()]]).toEqual([true, keys])
    expect([...(await cache.getMany(keys)).values()]).toEqual(keys)
    expect(await cache.deleteMany(keys)).toEqual({ acknowledged: true })
    expect((await cache.getMany(keys)).size).toBe(0)
  })

  test.each([
    ['getMany', [7], 'ERR_INVALID_ARGUMENT'],
    ['getMany', ['abc'], 'ERR_INVALID_ARGUMENT'],
    ['getMany', [null], 'ERR_INVALID_ARGUMENT'],
    ['getMany', [{ a: 1 }], 'ERR_INVALID_ARGUMENT'],
    ['getMany', [['a', 7]], 'ERR_INVALID_KEY'],
    ['getMany', [['a', '\uD800']], 'ERR_INVALID_KEY'],
    ['deleteMany', ['abc'], 'ERR_INVALID_ARGUMENT'],
    ['deleteMany', [['a', '']], 'ERR_INVALID_KEY'],
    ['deleteMany', [['a'], { ttl: 1 }], 'ERR_UNKNOWN_OPTION'],
    ['setMany', [7], 'ERR_INVALID_ARGUMENT'],
    ['setMany', ['abc'], 'ERR_INVALID_ARGUMENT'],
    ['setMany', [[['a', 2], 'ab']], 'ERR_INVALID_ARGUMENT'],
    ['setMany', [[['a', 2], ['b']]], 'ERR_INVALID_ARGUMENT'],
    ['setMany', [[['a', 2, {}, 1]]], 'ERR_INVALID_ARGUMENT'],
    ['setMany', [new (class Entries {})()], 'ERR_INVALID_ARGUMENT'],
    [
      'setMany',
      [
        [
          ['a', 2],
          ['', 1],
        ],
      ],
      'ERR_INVALID_KEY',
    ],
    [
      'setMany',
      [
        new Map<unknown, unknown>([
          ['a', 2],
          [7, 1],
        ]),
      ],
      'ERR_INVALID_KEY',
    ],
    ['setMany', [{ a: 2 }, { ttl: -1 }], 'ERR_INVALID_OPTION'],
    ['setMany', [{ a: 2 }, { tll: 1 }], 'ERR_UNKNOWN_OPTION'],
    [
      'setMany',
      [
        [
          ['a', 2],
          ['b', 2, { ttl: -1 }],
        ],
      ],
      'ERR_INVALID_OPTION',
    ],
    [
      'setMany',
      [
        [
          ['a', 2],
          ['b', 2, { tll: 1 }],
        ],
      ],
      'ERR_UNKNOWN_OPTION',
    ],
    ['setMany', [{ a: 2, b: () => 1 }], 'ERR_UNSTORABLE_VALUE'],
    ['setMany', [{ a: 2, b: undefined }], 'ERR_UNSTORABLE_VALUE'],
    ['setMany', [{ a: 2, b: 'x'.repeat(2000) }], 'ERR_VALUE_TOO_LARGE'],
  ] as const)('%s of %o is refused, and nothing is done', async (verb, values, code) => {
    const cache = await kit.make({ maxEntryBytes: 1000 })
    await cache.set('a', 1)
    await expect(Reflect.apply(cache[verb] as () => unknown, cache, values)).rejects.toMatchObject({ code })
    expect(await cache.get('a')).toBe(1)
  })

  test('a value that cannot be stored is named by its key', async () => {
    const cache = await kit.make()
    await expect(cache.setMany({ good: 1, 'the bad': () => {} })).rejects.toThrow('"the bad"')
  })

  test('an option of an entry that is none is named with the key of the entry', async () => {
    const cache = await kit.make()
    const refused = expect.objectContaining({
      code: 'ERR_UNKNOWN_OPTION',
      message: expect.stringMatching(/^"the bad": .*unknown option 'tttl'/),
    })
    const entries = [
      ['good', 1, { ttl: 3 }],
      ['the bad', 1, { tttl: 3 }],
    ] as never
    await expect(cache.setMany(entries)).rejects.toEqual(refused)
    await expect(cache.setMany({ good: 1 }, { tttl: 3 } as never)).rejects.toThrow(/^(?!"good").*unknown option 'tttl'/)
    expect(await cache.has('good')).toBe(false)
  })

  test('reads, writes and deletions of many keys do what a Map does', { timeout: 60_000 }, async () => {
    const cache = await kit.make()
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const keys = fc.array(key, { maxLength: 8 })
    const entries = fc.array(fc.tuple(key, fc.oneof(fc.integer(), fc.string(), fc.constant(null))), { maxLength: 8 })
    const steps = fc.array(
      fc.oneof(
        fc.record({ verb: fc.constant('get' as const), keys }),
        fc.record({ verb: fc.constant('delete' as const), keys }),
        fc.record({ verb: fc.constant('set' as const), entries, form: fc.constantFrom('pairs', 'map', 'object') }),
      ),
      { maxLength: 12 },
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const space = cache.namespace(`run${run++}`)
        const model = new Map<string, unknown>()
        for (const step of all) await take(step, space, model)
      }),
      { numRuns: 60 },
    )
  })
})

type Step =
  | { readonly verb: 'get'; readonly keys: readonly string[] }
  | { readonly verb: 'delete'; readonly keys: readonly string[] }
  | { readonly verb: 'set'; readonly entries: readonly [string, unknown][]; readonly form: string }

async function take(step: Step, cache: Cache, model: Map<string, unknown>): Promise<void> {
  if (step.verb === 'get') {
    const unique = [...new Set(step.keys)].filter((key) => model.has(key))
    expect([...(await cache.getMany(step.keys))]).toEqual(unique.map((key) => [key, model.get(key)]))
    return
  }
  if (step.verb === 'delete') {
    expect(await cache.deleteMany(step.keys)).toEqual({ acknowledged: true })
    for (const key of step.keys) model.delete(key)
    return
  }
  const forms = { pairs: step.entries, map: new Map(step.entries), object: Object.fromEntries(step.entries) }
  const { results } = await cache.setMany(forms[step.form as keyof typeof forms])
  expect(new Set(results.keys())).toEqual(new Set(step.entries.map(([key]) => key)))
  for (const [key, value] of step.entries) model.set(key, value)
}

withRedis('what goes to Redis', (kit) => {
  async function calls(command: string): Promise<number> {
    const stats = await Promise.all(kit.masters().map((master) => master.info('commandstats')))
    const counts = stats.map((each) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(each)?.[1] ?? 0))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  test('many keys are read by one command for each bucket', async () => {
    const [writer, reader] = [await kit.make(), await kit.make()]
    const keys = numbered(100)
    await writer.setMany(new Map(keys.map((key) => [key, key])))
    const before = await calls('mget')
    expect((await reader.getMany(keys)).size).toBe(100)
    expect((await calls('mget')) - before).toBeLessThanOrEqual(kit.buckets())
    const fresh = await kit.make()
    // After so many misses a single call would ask for the lease first.
    for (const key of numbered(10)) await fresh.getOrSet(`none of ${key}`, () => undefined)
    const [reads, scripts] = [await calls('mget'), await calls('evalsha')]
    expect((await fresh.getOrSetMany(keys, () => ({}))).size).toBe(100)
    expect((await calls('mget')) - reads).toBeLessThanOrEqual(kit.buckets())
    expect((await calls('evalsha')) - scripts).toBe(0)
  })
})

withOneRedis('what leaves this process', 'its socket is looked at', (kit) => {
  test('leases, values and deletions of a batch leave in a few writes', async () => {
    const redis = new Redis(kit.server().url, { autoResendUnfulfilledCommands: false })
    const cache = await kit.make({ redis, commandTimeout: '5s' })
    const keys = numbered(200)
    const socket = redis.stream as unknown as { _writev(): void; _write(): void }
    const writes = [vi.spyOn(socket, '_writev'), vi.spyOn(socket, '_write')]
    const count = () => writes.reduce((sum, { mock }) => sum + mock.calls.length, 0)
    await cache.getOrSetMany(keys, (missing) => Object.fromEntries(missing.map((key) => [key, key])))
    await cache.setMany(new Map(keys.map((key) => [key, key])))
    await cache.deleteMany(keys)
    // A beat of the bus may come in between, or a few on a slow machine.
    expect(count()).toBeLessThan(30)
    await cache.close()
    redis.disconnect()
  })
})

describe('chunks', () => {
  const items = Array.from({ length: 1025 }, (_, index) => index)

  test('a chunk is begun at once, each further one when those before it have ended, in order', async () => {
    const begun: number[] = []
    const ends: (() => void)[] = []
    const all = Promise.all(
      inChunks(items, (item) => {
        begun.push(item)
        return new Promise<number>((resolve) => ends.push(() => resolve(-item)))
      }),
    )
    expect(begun).toHaveLength(512)
    for (const end of ends.splice(1)) end()
    await settled()
    expect(begun).toHaveLength(512)
    for (const end of ends.splice(0)) end()
    await settled()
    expect(begun).toHaveLength(1024)
    for (const end of ends.splice(0)) end()
    await settled()
    for (const end of ends.splice(0)) end()
    expect(await all).toEqual(items.map((item) => -item))
    expect(begun).toEqual(items)
  })

  test('one that fails holds nothing up, and each is told of its own', async () => {
    const acting = inChunks(items, (item) => (item === 3 ? Promise.reject(new Error('three')) : Promise.resolve(item)))
    const outcomes = await Promise.allSettled(acting)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect(outcomes[1024]).toEqual({ status: 'fulfilled', value: 1024 })
  })

  test('or when they are known to be answered', async () => {
    const begun: number[] = []
    const answers: (() => void)[] = []
    const acting = inChunks(
      items,
      (item) => {
        begun.push(item)
        return new Promise<never>(() => {})
      },
      () => new Promise<void>((resolve) => answers.push(resolve)),
    )
    expect(acting).toHaveLength(1025)
    expect(begun).toHaveLength(512)
    for (const answer of answers) answer()
    await settled()
    expect(begun).toHaveLength(1025)
  })
})

/** When what follows from what has happened has happened, as far as it takes no input. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

withOneRedis('large batches', 'its answers begin the next chunk', (kit) => {
  test('go through, chunk by chunk: loaded, read, written and deleted', async () => {
    const cache = await kit.make({ commandTimeout: '5s', l1: false })
    const errors: unknown[] = []
    cache.on('l2-error', (event) => void errors.push(event))
    const keys = numbered(1500)
    const entries = new Map(keys.map((key) => [key, key]))
    const loads: number[] = []
    const load = (missing: readonly string[]) => {
      loads.push(missing.length)
      return entries
    }
    expect((await cache.getOrSetMany(keys, load)).size).toBe(1500)
    expect(loads).toEqual([1500])
    expect((await cache.getMany(keys)).size).toBe(1500)
    expect(await cache.setMany(entries)).toMatchObject({ acknowledged: true })
    expect(await cache.deleteMany(keys)).toMatchObject({ acknowledged: true })
    expect((await cache.getMany(keys)).size).toBe(0)
    expect(errors).toEqual([])
  })
})
