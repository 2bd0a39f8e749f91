import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { ChangeOptions, DefaultOptions } from '../../src/cache/call-options.ts'
import { createCache } from '../../src/create-cache.ts'
import { TierCacheError } from '../../src/errors.ts'
import { inBothForms, withOneRedis, withRedis } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'

const rejection = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'TierCacheError', code, message: expect.stringMatching(message) })

inBothForms((kit) => {
  describe('values', () => {
    test.each([
      ['null', null],
      ['zero', 0],
      ['the empty text', ''],
      ['false', false],
      ['a big integer number', Number.MAX_SAFE_INTEGER],
      ['a fraction', -1.5],
      ['NaN', Number.NaN],
      ['a text', 'Grüße 🌍'],
      ['an empty array', []],
      ['nested data', { a: [1, { b: null, c: [true, 'x'] }] }],
      ['a Map in a Map', new Map([['a', new Map([[1, { deep: true }]])]])],
      ['a Set', new Set([1, 'two', null])],
      ['a Date', new Date('2026-01-02T03:04:05.678Z')],
      ['a BigInt', 12345678901234567890n],
      ['a huge BigInt', -(10n ** 60n)],
      ['a Buffer', Buffer.from('bytes')],
      ['a typed array', new Float64Array([1.5, -2, Number.POSITIVE_INFINITY])],
      ['all in one', { m: new Map([[1, new Set([new Date(0)])]]), b: [Buffer.from([0, 255]), 7n] }],
    ])('%s comes back as it went in, from L1 and from L2', async (_, value) => {
      const cache = await kit.make()
      const other = kit.isShared ? await kit.make() : cache
      expect(await cache.set('k', value)).toEqual({ acknowledged: true })
      expect(await cache.get('k')).toEqual(value)
      expect(cache.peek('k')).toEqual(value)
      expect(await other.get('k')).toEqual(value)
      expect(await cache.getOrSet('k', () => 'not loaded')).toEqual(value)
      expect(await cache.has('k')).toBe(true)
    })

    test('undefined is a miss', async () => {
      const cache = await kit.make()
      expect(await cache.get('k')).toBeUndefined()
      expect(cache.peek('k')).toBeUndefined()
      expect(await cache.has('k')).toBe(false)
    })

    test('a loader may answer null, 0, "" or false, and is not asked again', async () => {
      const cache = await kit.make()
      for (const [key, value] of Object.entries({ a: null, b: 0, c: '', d: false })) {
        expect(await cache.getOrSet<unknown>(key, () => value)).toBe(value)
        expect(await cache.getOrSet<unknown>(key, () => 'again')).toBe(value)
      }
    })

    test('what a loader answers with undefined is handed out and not stored', async () => {
      const cache = await kit.make()
      expect(await cache.getOrSet('k', () => undefined)).toBeUndefined()
      expect(await cache.has('k')).toBe(false)
    })
  })

  describe('isolation', () => {
    test('readers share one frozen value', async () => {
      const cache = await kit.make()
      const first = await cache.getOrSet('k', () => ({ list: [1] }))
      const second = await cache.getOrSet('k', () => ({ list: [2] }))
      expect(second).toBe(first)
      expect(() => first.list.push(2)).toThrow(TypeError)
    })

    test('a value that cannot be frozen is copied for each reader', async () => {
      const cache = await kit.make()
      const first = await cache.getOrSet('k', () => ({ at: new Date(0), tags: new Set(['a']) }))
      first.tags.add('b')
      first.at.setFullYear(2000)
      const second = await cache.get<typeof first>('k')
      expect(second).toEqual({ at: new Date(0), tags: new Set(['a']) })
      expect(second).not.toBe(first)
    })

    test('the given object stays the caller’s: changing it later changes nothing stored', async () => {
      const cache = await kit.make()
      const given = { n: 1 }
      await cache.set('k', given)
      given.n = 2
      expect(await cache.get('k')).toEqual({ n: 1 })
      expect(Object.isFrozen(given)).toBe(false)
    })

    test('copy: each reader gets its own, reference: all get the very same', async () => {
      const cache = await kit.make()
      await cache.set('c', { n: 1 }, { isolation: 'copy' })
      const copy = await cache.get<{ n: number }>('c')
      if (copy) copy.n = 5
      expect(await cache.get('c')).toEqual({ n: 1 })
      await cache.set('r', { n: 1 }, { isolation: 'reference' })
      const reference = await cache.get<{ n: number }>('r')
      expect(await cache.get('r')).toBe(reference)
      expect(Object.isFrozen(reference)).toBe(false)
    })

    test('a call may ask for a copy of what is shared', async () => {
      const cache = await kit.make()
      await cache.set('k', { n: 1 })
      const copy = await cache.getOrSet('k', () => ({ n: 2 }), { isolation: 'copy' })
      copy.n = 9
      expect(await cache.get('k')).toEqual({ n: 1 })
    })

    test('a call that says frozen gets no value that another one may change', async () => {
      const cache = await kit.make()
      await cache.set('k', { n: 1 }, { isolation: 'reference' })
      const reference = await cache.get<{ n: number }>('k')
      const apart = await cache.getOrSet('k', () => ({ n: 2 }), { isolation: 'frozen' })
      if (reference) reference.n = 9
      expect([apart, await cache.get('k')]).toEqual([{ n: 1 }, { n: 9 }])
      await cache.set('f', { n: 1 })
      expect(await cache.getOrSet('f', () => ({ n: 2 }), { isolation: 'frozen' })).toBe(await cache.get('f'))

      const loader = new ScriptedLoader<{ n: number }>()
      const first = cache.getOrSet('loaded', loader.load, { isolation: 'reference' })
      await loader.running()
      const second = cache.getOrSet('loaded', loader.load)
      loader.answer({ n: 1 })
      const changed = await first
      changed.n = 2
      expect([loader.started, await second]).toEqual([1, { n: 1 }])
    })

    test('who joins a load gets it as they asked for it', async () => {
      const cache = await kit.make()
      const loader = new ScriptedLoader<{ n: number }>()
      const kept = cache.getOrSet('k', loader.load, { isolation: 'reference' })
      await loader.running()
      const copied = cache.getOrSet('k', loader.load, { isolation: 'copy' })
      loader.answer({ n: 1 })
      const copy = await copied
      copy.n = 2
      expect([loader.started, await kept, await cache.get('k')]).toEqual([1, { n: 1 }, { n: 1 }])
    })

    test('what cannot be stored, or is as it is, goes to all who wait for it as it is', async () => {
      const cache = await kit.make()
      const load = new ScriptedLoader<object>()
      for (const options of [{}, { tiers: 'l1' }] as const) {
        const value = { f: () => 1, at: new Date(0) }
        const first = cache.getOrSet('k', load.load, options)
        const second = cache.getOrSet('k', load.load, { ...options, isolation: 'copy' })
        await load.running(options.tiers ? 2 : 1)
        load.answer(value)
        expect([(await first) === value, (await second) === value]).toEqual([true, true])
      }
    })
  })

  describe('namespaces', () => {
    test('keys of different namespaces are different', async () => {
      const cache = await kit.make()
      const a = cache.namespace('a')
      await cache.set('a:k', 1)
      await a.set('k', 2)
      await cache.namespace('a.b').set('k', 3)
      expect(await cache.get('a:k')).toBe(1)
      expect(await a.get('k')).toBe(2)
      expect(await a.namespace('b').get('k')).toBe(3)
      expect(await cache.get('k')).toBeUndefined()
    })

    test('a key of the root that looks like the name of an entry below is none', async () => {
      const cache = await kit.make()
      const users = cache.namespace('users')
      await users.set('k', 'theirs')
      const key = '\0users\0k'
      expect([cache.peek(key), await cache.get(key), (await cache.getMany([key])).size]).toEqual([
        undefined,
        undefined,
        0,
      ])
      expect(await cache.getOrSet(key, () => 'ours')).toBe('ours')
      expect([await cache.get(key), await users.get('k')]).toEqual(['ours', 'theirs'])
    })

    test('clear empties the namespace and those below it, and nothing else', async () => {
      const cache = await kit.make()
      const shop = cache.namespace('shop')
      const users = shop.namespace('users')
      const other = kit.isShared ? await kit.make() : cache
      await Promise.all([cache.set('k', 0), shop.set('k', 1), users.set('k', 2), cache.namespace('log').set('k', 3)])
      expect(await other.namespace('shop.users').get('k')).toBe(2)
      expect(await shop.clear()).toEqual({ acknowledged: true })
      expect(await Promise.all([shop.get('k'), users.get('k')])).toEqual([undefined, undefined])
      expect(await Promise.all([cache.get('k'), cache.namespace('log').get('k')])).toEqual([0, 3])
      await expect.poll(() => other.namespace('shop.users').get('k')).toBeUndefined()
      await users.set('k', 4)
      expect(await users.get('k')).toBe(4)
      await cache.clear()
      expect(await Promise.all([cache.get('k'), users.get('k')])).toEqual([undefined, undefined])
      expect(await other.namespace('log').get('k')).toBeUndefined()
    })

    test('defaults: the call wins over the namespace, the namespace over the cache', async () => {
      const cache = await kit.make({ defaults: { ttl: '10m', jitter: 0 } })
      const short = cache.namespace('short', { ttl: '1m' })
      const ttl = async (of: typeof cache) => Math.round(((await of.getEntry('k'))?.ttl ?? 0) / 1000)
      await cache.set('k', 1)
      await short.set('k', 1)
      expect([await ttl(cache), await ttl(short)]).toEqual([600, 60])
      await short.set('k', 1, { ttl: '5s' })
      expect(await ttl(short)).toBe(5)
    })

    test('a call’s undefined option is no option', async () => {
      const cache = await kit.make({ defaults: { ttl: '10m', jitter: 0 } })
      await cache.set('k', 1, { ttl: undefined })
      expect((await cache.getEntry('k'))?.ttl).toBeGreaterThan(590_000)
    })
  })

  describe('bad input stores nothing and says name, expected and got', () => {
    test.each([
      ['an empty key', '', /^key: expected a string that is not empty, got ""$/],
      ['a number as key', 5, /^key: expected a string that is not empty, got 5$/],
      ['a key of 8,193 bytes', 'x'.repeat(8193), /^key: expected at most 8192 bytes of UTF-8, got a string of 8193/],
      ['a key of 8,193 bytes in few characters', '€'.repeat(2731), /at most 8192 bytes of UTF-8/],
      ['a lone surrogate', '\uD800', /well-formed Unicode/],
    ])('%s', async (_, key, message) => {
      const cache = await kit.make()
      const bad = key as string
      const refused = rejection('ERR_INVALID_KEY', message)
      await expect(cache.get(bad)).rejects.toEqual(refused)
      await expect(cache.set(bad, 1)).rejects.toEqual(refused)
      await expect(cache.delete(bad)).rejects.toEqual(refused)
      await expect(cache.has(bad)).rejects.toEqual(refused)
      await expect(cache.getOrSet(bad, () => 1)).rejects.toEqual(refused)
      expect(() => cache.peek(bad)).toThrow(TierCacheError)
    })

    test('a key of exactly 8,192 bytes is a key', async () => {
      const cache = await kit.make()
      const key = `${'€'.repeat(2730)}ab`
      await cache.set(key, 1)
      expect(await cache.get(key)).toBe(1)
    })

    test.each([
      ['ttl', { ttl: -1 }],
      ['ttl', { ttl: Number.NaN }],
      ['ttl', { ttl: Number.POSITIVE_INFINITY }],
      ['ttl', { ttl: '5 minutes' }],
      ['ttl', { ttl: null }],
      ['stale', { stale: '-1s' }],
      ['l1Ttl', { l1Ttl: {} }],
      ['jitter', { jitter: 1.1 }],
      ['isolation', { isolation: 'none' }],
    ])('%s: %o', async (name, options) => {
      const cache = await kit.make()
      const refused = rejection('ERR_INVALID_OPTION', new RegExp(`^${name}: expected .*, got `))
      await expect(cache.set('k', 1, options as never)).rejects.toEqual(refused)
      await expect(cache.getOrSet('k', () => 1, options as never)).rejects.toEqual(refused)
      expect(() => cache.namespace('n', options as never)).toThrow(TierCacheError)
      expect(await cache.has('k')).toBe(false)
    })

    test('an unknown option', async () => {
      const cache = await kit.make()
      const refused = rejection('ERR_UNKNOWN_OPTION', /unknown option 'tll', expected one of ttl, l1Ttl/)
      await expect(cache.set('k', 1, { tll: 1 } as never)).rejects.toEqual(refused)
      await expect(cache.getOrSet('k', () => 1, { tll: 1 } as never)).rejects.toEqual(refused)
    })

    test.each([
      ['a function', () => 1],
      ['a symbol within', { a: [Symbol('s')] }],
      ['undefined', undefined],
      ['a regular expression', { r: /x/ }],
      ['an Error', new Error('x')],
      ['a Promise', { p: Promise.resolve() }],
    ])('a value that cannot be encoded: %s', async (_, value) => {
      const cache = await kit.make()
      await cache.set('k', 'old')
      await expect(cache.set('k', value)).rejects.toEqual(rejection('ERR_UNSTORABLE_VALUE', /expected .*, got /))
      expect(await cache.get('k')).toBe('old')
    })

    test('a loaded value that cannot be encoded goes to its callers, is not stored, and is told', async () => {
      const cache = await kit.make()
      const told: unknown[] = []
      cache.on('unstorable', (event) => told.push(event))
      const value = { act: () => 1 }
      expect(await cache.getOrSet('k', () => value)).toBe(value)
      expect(await cache.has('k')).toBe(false)
      expect(told).toEqual([{ namespace: '_', key: 'k', error: rejection('ERR_UNSTORABLE_VALUE', /the value.act/) }])
      expect(cache.counters.unstorable).toBe(1)
    })

    test('a loaded value that cannot be encoded is warned of once for each namespace', async () => {
      const cache = await kit.make()
      const warnings: unknown[] = []
      cache.on('warning', (warning) => warnings.push(warning))
      const users = cache.namespace('users')
      const load = () => ({ act: () => 1 })
      await cache.getOrSet('k', load)
      await cache.getOrSet('k', load)
      await users.getOrSet('k', load)
      await cache.namespace('users').getOrSetMany(['a', 'b'], () => ({ a: load(), b: load() }))
      expect(warnings).toEqual([
        {
          code: 'ERR_UNSTORABLE_VALUE',
          message: expect.stringMatching(
            /^what is loaded in the namespace '_' is not stored \("k"\): the value\.act: expected/,
          ),
        },
        { code: 'ERR_UNSTORABLE_VALUE', message: expect.stringContaining("in the namespace 'users' is not stored") },
      ])
    })

    test('namespaces whose values cannot be encoded are warned of up to a bound', async () => {
      const cache = await kit.make()
      const warnings: unknown[] = []
      cache.on('warning', (warning) => warnings.push(warning))
      for (let index = 0; index < 70; index++) await cache.namespace(`n${index}`).getOrSet('k', () => () => 1)
      expect(warnings).toHaveLength(64)
    })

    test('a listener to a name that is no event is told which there are', async () => {
      const cache = await kit.make()
      const refused = rejection(
        'ERR_INVALID_ARGUMENT',
        /^name: expected one of warning, connected, .*, renewal-failed, got "miss"$/,
      )
      expect(() => cache.on('miss' as never, () => {})).toThrow(refused as never)
      for (const name of ['constructor', '', undefined]) {
        expect(() => cache.on(name as never, () => {})).toThrow(/^name: expected one of/)
      }
    })

    test('a circular value', async () => {
      const cache = await kit.make()
      const circle: { self?: unknown } = {}
      circle.self = circle
      await expect(cache.set('k', circle)).rejects.toEqual(rejection('ERR_UNSTORABLE_VALUE', /circular/))
    })

    test('a value over 16 MiB', async () => {
      const cache = await kit.make()
      await expect(cache.set('k', Buffer.alloc(16 * 1024 * 1024 + 1))).rejects.toEqual(
        rejection('ERR_VALUE_TOO_LARGE', /at most 16777216 bytes/),
      )
      expect(await cache.has('k')).toBe(false)
    })

    test('a loader that is no function, a listener that is none', async () => {
      const cache = await kit.make()
      await expect(cache.getOrSet('k', 5 as never)).rejects.toEqual(rejection('ERR_INVALID_ARGUMENT', /loader: /))
      expect(() => cache.on('gap', 5 as never)).toThrow(TierCacheError)
    })

    test.each(['', 'a:b', 'a b', '_', 'a..b', '.a', 'ä', 'x'.repeat(65), 5])('a namespace named %o', async (name) => {
      const cache = await kit.make()
      expect(() => cache.namespace(name as string)).toThrow(TierCacheError)
    })
  })

  describe('close', () => {
    test('nothing is accepted after it, and it may be called again', async () => {
      const cache = await kit.make()
      const users = cache.namespace('users')
      await cache.set('k', 1)
      await cache.close()
      await cache.close()
      for (const call of [
        () => cache.get('k'),
        () => users.set('k', 1),
        () => cache.clear(),
        () => cache.delete('k'),
      ]) {
        await expect(call()).rejects.toEqual(rejection('ERR_CLOSED', /closed/))
      }
    })

    test('it waits for loads that are under way', async () => {
      const cache = await kit.make()
      let answer = (_: string) => {}
      const load = cache.getOrSet('k', () => new Promise<string>((resolve) => (answer = resolve)))
      await expect.poll(() => cache.counters.loadsRunning).toBe(1)
      let isClosed = false
      const closing = cache.close().then(() => (isClosed = true))
      await Promise.resolve()
      expect(isClosed).toBe(false)
      answer('late')
      await closing
      expect(await load).toBe('late')
    })

    test('a second call waits for the first; what lands after the end is not kept, and not answered', async () => {
      const cache = await kit.make()
      let answer = (_: string) => {}
      const load = cache.getOrSet('k', () => new Promise<string>((resolve) => (answer = resolve)))
      await expect.poll(() => cache.counters.loadsRunning).toBe(1)
      const ended: number[] = []
      const both = [1, 2].map((call) => cache.close().then(() => ended.push(call)))
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(ended).toEqual([])
      answer('late')
      await Promise.all([load, ...both])
      expect(cache.gauges().l1Entries).toBe(0)
      expect(cache.peek('k')).toBeUndefined()
    })

    test('await using closes', async () => {
      const cache = await kit.make()
      await cache[Symbol.asyncDispose]()
      await expect(cache.get('k')).rejects.toEqual(rejection('ERR_CLOSED', /closed/))
    })
  })
})

describe('createCache', () => {
  test.each([
    [
      'an unknown option',
      { reddis: 'x' },
      'ERR_UNKNOWN_OPTION',
      /unknown option 'reddis', expected one of redis, prefix/,
    ],
    ['no object', 'redis://x', 'ERR_INVALID_OPTION', /^createCache: expected an object of options, got "redis:/],
    ['a prefix with a colon', { prefix: 'a:b' }, 'ERR_INVALID_NAMESPACE', /^prefix: expected/],
    ['l1 of no entries', { l1: { maxEntries: 0 } }, 'ERR_INVALID_OPTION', /^l1.maxEntries: expected a whole number/],
    ['l1 true', { l1: true }, 'ERR_INVALID_OPTION', /^l1: expected false, or/],
    ['an unknown option of l1', { l1: { max: 5 } }, 'ERR_UNKNOWN_OPTION', /^l1: unknown option 'max'/],
    ['an endless bound', { maxStaleness: 'never' }, 'ERR_INVALID_OPTION', /^maxStaleness: expected/],
    ['no deadline', { commandTimeout: 0 }, 'ERR_INVALID_OPTION', /^commandTimeout: expected/],
    ['a bad default', { defaults: { ttl: -5 } }, 'ERR_INVALID_OPTION', /^ttl: expected .*, got -5$/],
    ['a number as redis', { redis: 6379 }, 'ERR_INVALID_OPTION', /^redis: expected a URL .*, got 6379$/],
    ['a URL of another kind', { redis: 'http://x' }, 'ERR_INVALID_OPTION', /^redis: expected a URL/],
    ['a keyPrefix', { redis: { host: 'x', keyPrefix: 'p:' } }, 'ERR_KEY_PREFIX', /^redis.keyPrefix/],
  ])('%s', (_, options, code, message) => {
    expect(() => createCache(options as never)).toThrow(rejection(code, message))
  })

  test('a URL’s password never gets into a message', () => {
    expect(() => createCache({ redis: 'redis//user:secret@host' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    )
  })
})

describe('requireAck', () => {
  const change = {
    set: (cache: Cache, options?: ChangeOptions) => cache.set('k', 1, options),
    delete: (cache: Cache, options?: ChangeOptions) => cache.delete('k', options),
    expire: (cache: Cache, options?: ChangeOptions) => cache.expire('k', options),
    touch: (cache: Cache, options?: ChangeOptions) => cache.touch('k', '1m', options),
    clear: (cache: Cache, options?: ChangeOptions) => cache.clear(options),
    invalidateTags: (cache: Cache) => cache.invalidateTags('a', 'b'),
    expireTags: (cache: Cache) => cache.expireTags('a'),
  }
  const verbs = Object.keys(change) as (keyof typeof change)[]
  const withOptions = ['set', 'delete', 'expire', 'touch', 'clear'] as const
  const refused = (verb: string) => rejection('ERR_NOT_ACKNOWLEDGED', new RegExp(`^${verb}: Redis did not acknowledge`))

  inBothForms((kit) => {
    test.each(verbs)('%s that is acknowledged answers as ever', async (verb) => {
      const cache = await kit.make({ defaults: { requireAck: true } })
      expect(await change[verb](cache)).toMatchObject({ acknowledged: true })
    })

    test.each(withOptions)('%s: anything but true or false is refused', async (verb) => {
      const cache = await kit.make()
      const message = /^requireAck: expected true or false, got "yes"$/
      await expect(change[verb](cache, { requireAck: 'yes' as never })).rejects.toEqual(
        rejection('ERR_INVALID_OPTION', message),
      )
      const unknown = rejection('ERR_UNKNOWN_OPTION', new RegExp(`^${verb}: unknown option 'requireAcks'`))
      await expect(change[verb](cache, { requireAcks: true } as never)).rejects.toEqual(unknown)
    })
  })

  withOneRedis('Redis cannot be reached', 'the way to it is cut', (kit) => {
    async function cutOff(defaults?: DefaultOptions) {
      const proxy = await startFaultProxy(kit.server())
      const cache = await kit.make({ redis: proxy.url, ...(defaults && { defaults }) })
      await proxy.cut()
      return cache
    }

    test.each(withOptions)('%s rejects, holds here, and is repeated', async (verb) => {
      const cache = await cutOff()
      expect(await change[verb](cache)).toStrictEqual(
        verb === 'touch' ? { acknowledged: false, found: false } : { acknowledged: false },
      )
      const before = cache.counters.unacknowledged
      const failure = await change[verb](cache, { requireAck: true }).catch((error: Error) => error)
      expect(failure).toEqual(refused(verb))
      expect(failure).toMatchObject({ cause: { code: expect.stringMatching(/^ERR_REDIS_/) } })
      // What touch does not reach is not repeated: nothing is lost.
      expect(cache.counters.unacknowledged).toBe(verb === 'touch' ? before : before + 1)
      expect(await change[verb](cache, { requireAck: undefined })).toMatchObject({ acknowledged: false })
    })

    test.each(verbs)('%s rejects by default of its namespace or cache; a call may say otherwise', async (verb) => {
      const cache = await cutOff({ requireAck: true })
      await expect(change[verb](cache)).rejects.toEqual(refused(verb))
      await expect(change[verb](cache.namespace('n'))).rejects.toEqual(refused(verb))
      const lenient = cache.namespace('l', { requireAck: false })
      expect(await change[verb](lenient)).toMatchObject({ acknowledged: false })
      await expect(change[verb](lenient.namespace('m', { requireAck: true }))).rejects.toEqual(refused(verb))
    })

    test('set: a call may say otherwise', async () => {
      const cache = await cutOff({ requireAck: true })
      expect(await cache.set('k', 1, { requireAck: false })).toEqual({ acknowledged: false })
    })
  })

  test('is no option of a load, a default of a cache must be true or false', async () => {
    await using cache = createCache()
    const unknown = rejection('ERR_UNKNOWN_OPTION', /^getOrSet: unknown option 'requireAck'/)
    await expect(cache.getOrSet('k', () => 1, { requireAck: true } as never)).rejects.toEqual(unknown)
    expect(() => createCache({ defaults: { requireAck: 1 as never } })).toThrow(/requireAck: expected true or false/)
  })
})

withRedis('with L2 only', (kit) => {
  test('l1: false reads L2 each time', async () => {
    const [a, b] = [await kit.make({ l1: false }), await kit.make({ l1: false })]
    expect(await a.getOrSet('k', () => 1)).toBe(1)
    expect(a.peek('k')).toBeUndefined()
    expect(await b.get('k')).toBe(1)
    await a.set('k', 2)
    expect(await b.get('k')).toBe(2)
    expect(a.gauges()).toMatchObject({ l1Entries: 0, l1Bytes: 0 })
  })
})
