import { expect, test } from 'vitest'
import type { CacheEvents } from '../../src/events.ts'
import { inBothForms } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'
import { ScriptedManyLoader } from '../doubles/scripted-many-loader.ts'

const kept = { ttl: '1h', stale: '1h', jitter: 0 } as const

const numbered = (count: number) => Array.from({ length: count }, (_, nth) => `k${nth}`)

inBothForms((kit) => {
  test('what is missing is loaded at once, in the order of the keys, each of which counts once', async () => {
    const cache = await kit.make()
    const loader = new ScriptedManyLoader<string>()
    await cache.set('b', 'B')
    const values = cache.getOrSetMany(['a', 'b', 'c', 'a'], loader.load)
    await loader.running()
    loader.answerWith({ c: 'C', a: 'A' })
    expect([...(await values)]).toEqual([
      ['a', 'A'],
      ['b', 'B'],
      ['c', 'C'],
    ])
    expect(loader.asked).toEqual([['a', 'c']])
  })

  test('a result that throws when it is read is the failure of that key', async () => {
    const cache = await kit.make()
    const loader = () => ({
      get a(): number {
        throw new Error('not this one')
      },
      b: 2,
    })
    await expect(cache.getOrSetMany(['a', 'b'], loader)).rejects.toThrow('not this one')
    await expect.poll(() => cache.get('b')).toBe(2)
  })

  test('when nothing is missing, no loader runs, and options are not looked at', async () => {
    const cache = await kit.make()
    const loader = new ScriptedManyLoader<string>()
    await cache.setMany({ a: 1, b: 2 })
    const values = await cache.getOrSetMany(new Set(['b', 'a']), loader.load, { ttl: 'nonsense' as never })
    expect([...values]).toEqual([
      ['b', 2],
      ['a', 1],
    ])
    expect(await cache.getOrSetMany([], loader.load)).toEqual(new Map())
    expect(loader.asked).toEqual([])
  })

  test('each record has a TTL, tags, and a word on its storing of its own', async () => {
    const cache = await kit.make()
    const loader = new ScriptedManyLoader<string>()
    const values = cache.getOrSetMany(['a', 'b', 'c', 'd'], loader.load, { ...kept, tags: ['all'] })
    await loader.running()
    const { context } = loader
    context.setTtl('a', '1m')
    context.setTags('b', 'second')
    context.skip('c')
    context.setTtl('another', '1s')
    context.setTags('another', 'second')
    context.skip('another')
    loader.answer((key) => key.toUpperCase())
    expect(Object.fromEntries(await values)).toEqual({ a: 'A', b: 'B', c: 'C', d: 'D' })

    const ttlOf = async (key: string) => Math.ceil(((await cache.getEntry(key))?.ttl ?? 0) / 60_000)
    expect([await ttlOf('a'), await ttlOf('b'), await ttlOf('d')]).toEqual([1, 60, 60])
    expect((await cache.getEntry('b'))?.tags).toEqual(['all', 'second'])
    expect((await cache.getEntry('d'))?.tags).toEqual(['all'])
    expect([...(await cache.getMany(['a', 'b', 'c', 'd'])).keys()]).toEqual(['a', 'b', 'd'])
    await cache.invalidateTags('second')
    expect([...(await cache.getMany(['a', 'b', 'c', 'd'])).keys()]).toEqual(['a', 'd'])
  })

  test('what the loader throws at its context is its own failure', async () => {
    const cache = await kit.make()
    const bad = (use: (context: ScriptedManyLoader<string>['context']) => void) =>
      cache.getOrSetMany(['a'], (_, context) => {
        use(context)
        return {}
      })
    await expect(bad(({ setTtl }) => setTtl('a', -1))).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
    await expect(bad(({ setTags }) => setTags('a', ''))).rejects.toMatchObject({ code: 'ERR_INVALID_TAG' })
    await expect(bad(({ skip }) => skip(7 as never))).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('what the loader does not return is in no Map and not stored; null is a value; what was not asked for is ignored', async () => {
    const cache = await kit.make()
    const values = await cache.getOrSetMany(['there', 'gone', 'nothing'], async () => ({
      there: 1,
      nothing: null,
      gone: undefined,
      another: 2,
    }))
    expect([...values]).toEqual([
      ['there', 1],
      ['nothing', null],
    ])
    expect([...(await cache.getMany(['there', 'gone', 'nothing', 'another']))]).toEqual([
      ['there', 1],
      ['nothing', null],
    ])
    expect((await cache.getOrSetMany(['gone', 'constructor'], () => ({}))).size).toBe(0)
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['an array', [1, 2]],
    ['an instance', new (class Rows {})()],
    ['a Map by number', new Map([[1, 'one']])],
  ])('a loader that returns %s has failed, and nothing is stored', async (_, values) => {
    const cache = await kit.make()
    const loading = cache.getOrSetMany(['1'], () => values as never)
    await expect(loading).rejects.toMatchObject({ code: 'ERR_INVALID_LOADER_RESULT' })
    expect(await cache.get('1')).toBeUndefined()
  })

  test('plain objects of another realm or without a prototype will do', async () => {
    const cache = await kit.make()
    const own = Object.assign(Object.create(null) as Record<string, string>, { a: 'A' })
    expect((await cache.getOrSetMany(['a'], () => own)).get('a')).toBe('A')
    const { runInNewContext } = await import('node:vm')
    const foreign = runInNewContext("({ b: 'B' })") as Record<string, string>
    expect((await cache.getOrSetMany(['b'], () => foreign)).get('b')).toBe('B')
    const map = runInNewContext("new Map([['c', 'C']])") as Map<string, string>
    expect((await cache.getOrSetMany(['c'], () => map)).get('c')).toBe('C')
  })

  test('batches and single calls share the loads that they have in common', async () => {
    const cache = await kit.make()
    const [first, second] = [new ScriptedManyLoader<string>(), new ScriptedManyLoader<string>()]
    const single = new ScriptedLoader<string>()
    const c = cache.getOrSet('c', single.load)
    await single.running()
    const abc = cache.getOrSetMany(['a', 'b', 'c'], first.load)
    await first.running()
    const bd = cache.getOrSetMany(['b', 'd'], second.load)
    await second.running()
    const a = cache.getOrSet('a', single.load)
    expect([first.asked, second.asked]).toEqual([[['a', 'b']], [['d']]])

    second.answer(() => 'of the second')
    first.answer(() => 'of the first')
    expect(await a).toBe('of the first')
    expect(Object.fromEntries(await bd)).toEqual({ b: 'of the first', d: 'of the second' })
    single.answer('of the single')
    expect(Object.fromEntries(await abc)).toEqual({ a: 'of the first', b: 'of the first', c: 'of the single' })
    expect(await c).toBe('of the single')
    expect(single.started).toBe(1)
  })

  test('two batches at one time of the same keys, in another order, load each once', async () => {
    const cache = await kit.make()
    const loader = new ScriptedManyLoader<number>()
    const both = [cache.getOrSetMany(['a', 'b'], loader.load), cache.getOrSetMany(['b', 'a', 'c'], loader.load)]
    await loader.running(2)
    expect(loader.asked.flat().sort()).toEqual(['a', 'b', 'c'])
    loader.answer(() => 1)
    loader.answer(() => 2)
    const [ab, bac] = await Promise.all(both)
    expect([...(ab?.keys() ?? [])]).toEqual(['a', 'b'])
    expect([...(bac?.keys() ?? [])]).toEqual(['b', 'a', 'c'])
  })

  test('a failure is that of the call and of all who share its loads; what others loaded stays', async () => {
    const cache = await kit.make()
    const [loader, single] = [new ScriptedManyLoader<string>(), new ScriptedLoader<string>()]
    const failure = new Error('no database')
    const b = cache.getOrSet('b', single.load)
    await single.running()
    const abc = cache.getOrSetMany(['a', 'b', 'c'], loader.load)
    await loader.running()
    const c = cache.getOrSet('c', single.load)
    const failed = Promise.all([abc, c].map((each) => expect(each).rejects.toBe(failure)))
    single.answer('B')
    expect(await b).toBe('B')
    loader.fail(failure)
    await failed
    expect([...(await cache.getMany(['a', 'b', 'c']))]).toEqual([['b', 'B']])
    expect(single.started).toBe(1)
  })

  test('a loader that throws at once fails its call', async () => {
    const cache = await kit.make()
    const failure = new Error('at once')
    const load = () => {
      throw failure
    }
    await expect(cache.getOrSetMany(['a', 'b'], load)).rejects.toBe(failure)
  })

  test('stale values are served, and renewed behind by one load, however many they are', async () => {
    const cache = await kit.make()
    const keys = numbered(20)
    const loader = new ScriptedManyLoader<string>()
    await cache.setMany(Object.fromEntries(keys.map((key) => [key, 'old'])), kept)
    await Promise.all(keys.map((key) => cache.expire(key)))
    const values = await cache.getOrSetMany(
      [...keys, 'missing'],
      (missing, context) => (missing.includes('missing') ? { missing: 'new' } : loader.load(missing, context)),
      kept,
    )
    expect(new Set(values.values())).toEqual(new Set(['old', 'new']))
    await loader.running()
    expect(loader.asked.map((asked) => [...asked].sort())).toEqual([[...keys].sort()])
    loader.answer(() => 'new')
    await expect.poll(async () => new Set((await cache.getMany(keys)).values())).toEqual(new Set(['new']))
    expect(loader.asked).toHaveLength(1)
  })

  test('a stale value is served in place of a load that fails; a key without one makes the call fail', async () => {
    const cache = await kit.make()
    const failure = new Error('no database')
    const failing = async () => Promise.reject(failure)
    const failures: CacheEvents['renewal-failed'][] = []
    cache.on('renewal-failed', (event) => failures.push(event))
    await cache.set('a', 'old', kept)
    await cache.expire('a')
    expect((await cache.getOrSetMany(['a'], failing, kept)).get('a')).toBe('old')
    await expect.poll(() => failures).toMatchObject([{ key: 'a', error: failure }])
    await expect(cache.getOrSetMany(['a', 'b'], failing, kept)).rejects.toBe(failure)
  })

  test('a record that is deleted during the load is not stored, the others are', async () => {
    const cache = await kit.make()
    const loader = new ScriptedManyLoader<string>()
    const values = cache.getOrSetMany(['a', 'b'], loader.load)
    await loader.running()
    await cache.delete('a')
    loader.answer((key) => key.toUpperCase())
    expect(Object.fromEntries(await values)).toEqual({ a: 'A', b: 'B' })
    expect([...(await cache.getMany(['a', 'b']))]).toEqual([['b', 'B']])
  })

  test('a load of more than one chunk of keys is one load', async () => {
    // A machine under load may take long for so many.
    const cache = await kit.make({ lease: '1m', maxStaleness: '1m' })
    const keys = numbered(600)
    const loader = new ScriptedManyLoader<string>()
    const values = cache.getOrSetMany(keys, loader.load)
    await loader.running()
    expect(loader.asked.map((asked) => asked.length)).toEqual([600])
    loader.answer((key) => key)
    expect([...(await values).keys()]).toEqual(keys)
    expect([...(await cache.getMany(keys)).values()]).toEqual(keys)
  })

  test('values are handed out as the call wants them', async () => {
    const cache = await kit.make()
    const load = async () => ({ a: { list: [1] } })
    const first = await cache.getOrSetMany(['a'], load)
    expect(Object.isFrozen(first.get('a'))).toBe(true)
    const copy = (await cache.getOrSetMany(['a'], load, { isolation: 'copy' })).get('a')
    expect(copy).toEqual({ list: [1] })
    expect(Object.isFrozen(copy)).toBe(false)
  })

  test.each([
    ['keys that cannot be iterated', [7, async () => ({})], 'ERR_INVALID_ARGUMENT'],
    ['a text as keys', ['abc', async () => ({})], 'ERR_INVALID_ARGUMENT'],
    ['no loader', [['a']], 'ERR_INVALID_ARGUMENT'],
    ['a key that is none', [['a', ''], async () => ({})], 'ERR_INVALID_KEY'],
    ['a key of another type', [['a', 7], async () => ({})], 'ERR_INVALID_KEY'],
    ['an option of the wrong type', [['a'], async () => ({}), { ttl: -1 }], 'ERR_INVALID_OPTION'],
    ['an unknown option', [['a'], async () => ({}), { tll: 1 }], 'ERR_UNKNOWN_OPTION'],
  ])('%s: the call is refused, and nothing is done', async (_, values, code) => {
    const cache = await kit.make()
    const load = cache.getOrSetMany as (...values: unknown[]) => Promise<unknown>
    await expect(Reflect.apply(load, cache, values)).rejects.toMatchObject({ code })
    expect(cache.counters.loadTimings.count).toBe(0)
  })

  test('a closed cache loads nothing', async () => {
    const cache = await kit.make()
    await cache.close()
    const code = 'ERR_CLOSED'
    await expect(cache.getOrSetMany(['a'], async () => ({}))).rejects.toMatchObject({ code })
    await expect(cache.getMany(['a'])).rejects.toMatchObject({ code })
    await expect(cache.setMany({})).rejects.toMatchObject({ code })
    await expect(cache.deleteMany([])).rejects.toMatchObject({ code })
  })
})
