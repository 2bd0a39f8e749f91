import { expectTypeOf, test } from 'vitest'
import type {
  Cache,
  CacheEntry,
  CacheEvents,
  ChangeOptions,
  CounterOptions,
  Counters,
  CreateCacheOptions,
  DefaultOptions,
  Duration,
  EntryOptions,
  Gauges,
  LoadContext,
  LoadedEntry,
  LoadOptions,
  Outcome,
  SetOptions,
  SetResult,
} from '../../src/index.ts'
import { createCache } from '../../src/index.ts'

declare const cache: Cache

interface User {
  readonly id: number
  readonly name: string
}

declare function userById(id: number): Promise<User>

/** As of zod or valibot. */
declare const userSchema: {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
    ) => { readonly value: User } | { readonly issues: readonly { readonly message: string }[] }
    readonly types?: { readonly input: User; readonly output: User } | undefined
  }
}

test('createCache takes options, or none', () => {
  expectTypeOf(createCache).parameter(0).toEqualTypeOf<CreateCacheOptions | undefined>()
  expectTypeOf(createCache).returns.toEqualTypeOf<Cache>()
  // @ts-expect-error a slip of the pen
  void (() => createCache({ maxStalenes: '1s' }))
  // @ts-expect-error not a word that there is
  void (() => createCache({ onRedisDown: 'panic' }))
  // @ts-expect-error L1 is there, or not
  void (() => createCache({ l1: true }))
})

test('a cache is closed by await using', () => {
  expectTypeOf(cache.close).returns.toEqualTypeOf<Promise<void>>()
  expectTypeOf<Cache>().toExtend<{ [Symbol.asyncDispose](): PromiseLike<void> }>()
})

test('getOrSet is of what its loader answers, at once or later', () => {
  expectTypeOf(cache.getOrSet('k', () => userById(7))).toEqualTypeOf<Promise<User>>()
  expectTypeOf(cache.getOrSet('k', () => 1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(cache.getOrSet('k', async () => [1])).toEqualTypeOf<Promise<number[]>>()
  expectTypeOf(cache.getOrSet('k', async (): Promise<User | null> => null)).toEqualTypeOf<Promise<User | null>>()
  expectTypeOf(cache.getOrSet('k', (): number | undefined => undefined)).toEqualTypeOf<Promise<number | undefined>>()
  expectTypeOf(cache.getOrSet<User>('k', () => userById(7), { ttl: '1m' })).toEqualTypeOf<Promise<User>>()
  // @ts-expect-error the loader answers something else
  void (() => cache.getOrSet<User>('k', () => 1))
  // @ts-expect-error there is no loader
  void (() => cache.getOrSet('k'))
  // @ts-expect-error a value is no loader
  void (() => cache.getOrSet('k', 1))
  // @ts-expect-error keys are texts
  void (() => cache.getOrSet(7, () => 1))
})

test('with a schema of the same type it is of that', () => {
  expectTypeOf(cache.getOrSet('k', () => userById(7), { schema: userSchema })).toEqualTypeOf<Promise<User>>()
  // @ts-expect-error a function is no schema
  void (() => cache.getOrSet('k', () => userById(7), { schema: (value: unknown) => value }))
})

test('a loader is told its key, and what it may say of its value', () => {
  void cache.getOrSet('k', (context) => {
    expectTypeOf(context).toExtend<LoadContext>()
    expectTypeOf(context.key).toEqualTypeOf<string>()
    expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
    expectTypeOf(context.setTtl).parameters.toEqualTypeOf<[ttl: Duration]>()
    expectTypeOf(context.setTags).parameters.toEqualTypeOf<string[]>()
    expectTypeOf(context.skip).parameter(0).toEqualTypeOf<'each' | 'next' | undefined>()
    return 1
  })
})

test('getOrSetEntry says where the value came from', () => {
  expectTypeOf(cache.getOrSetEntry('k', () => userById(7))).toEqualTypeOf<Promise<LoadedEntry<User>>>()
  expectTypeOf(cache.getOrSetEntry('k', () => 1))
    .resolves.toHaveProperty('value')
    .toEqualTypeOf<number>()
  expectTypeOf<LoadedEntry<User>['tier']>().toEqualTypeOf<'l1' | 'l2' | 'loader'>()
  expectTypeOf<LoadedEntry<User>['freshness']>().toEqualTypeOf<'fresh' | 'stale'>()
})

test('get, peek and getEntry are of what the caller says, and may find nothing', () => {
  expectTypeOf(cache.get<User>('k')).toEqualTypeOf<Promise<User | undefined>>()
  expectTypeOf(cache.get('k')).toEqualTypeOf<Promise<unknown>>()
  expectTypeOf(cache.peek<User>('k')).toEqualTypeOf<User | undefined>()
  expectTypeOf(cache.peek('k')).toEqualTypeOf<unknown>()
  expectTypeOf(cache.getEntry<User>('k')).toEqualTypeOf<Promise<CacheEntry<User> | undefined>>()
  expectTypeOf<CacheEntry<User>['tier']>().toEqualTypeOf<'l1' | 'l2'>()
  expectTypeOf(cache.has('k')).toEqualTypeOf<Promise<boolean>>()
})

test('changes answer whether they were acknowledged', () => {
  expectTypeOf(cache.set('k', { any: 'thing' })).toEqualTypeOf<Promise<SetResult>>()
  expectTypeOf<SetResult['refused']>().toEqualTypeOf<'older' | undefined>()
  expectTypeOf(cache.delete('k')).toEqualTypeOf<Promise<Outcome>>()
  expectTypeOf(cache.expire('k', { requireAck: true })).toEqualTypeOf<Promise<Outcome>>()
  expectTypeOf(cache.clear()).toEqualTypeOf<Promise<Outcome>>()
  expectTypeOf(cache.invalidateTags('a', 'b')).toEqualTypeOf<Promise<Outcome>>()
  expectTypeOf(cache.expireTags('a')).toEqualTypeOf<Promise<Outcome>>()
  expectTypeOf(cache.touch('k', '1m')).resolves.toEqualTypeOf<Outcome & { readonly found: boolean }>()
  expectTypeOf(cache.increment('n')).toEqualTypeOf<Promise<number>>()
  // @ts-expect-error tags are given one by one
  void (() => cache.invalidateTags(['a']))
  // @ts-expect-error by how much is a number
  void (() => cache.increment('n', 1n))
})

test('each verb takes its own options', () => {
  expectTypeOf(cache.set).parameter(2).toEqualTypeOf<SetOptions | undefined>()
  expectTypeOf(cache.delete).parameter(1).toEqualTypeOf<ChangeOptions | undefined>()
  expectTypeOf(cache.touch).parameter(1).toEqualTypeOf<Duration | undefined>()
  expectTypeOf(cache.increment).parameter(2).toEqualTypeOf<CounterOptions | undefined>()
  expectTypeOf(cache.namespace).parameter(1).toEqualTypeOf<DefaultOptions | undefined>()
  expectTypeOf<LoadOptions>().toExtend<EntryOptions>()
  expectTypeOf<LoadOptions>().not.toHaveProperty('version')
  expectTypeOf<LoadOptions>().not.toHaveProperty('requireAck')
  expectTypeOf<SetOptions>().not.toHaveProperty('signal')
  expectTypeOf<CounterOptions>().not.toHaveProperty('tags')
  // @ts-expect-error a slip of the pen
  void (() => cache.set('k', 1, { tll: '1m' }))
  // @ts-expect-error a counter has no tags
  void (() => cache.increment('n', 1, { tags: ['a'] }))
})

test('durations are numbers, texts with a unit, parts, or never', () => {
  expectTypeOf<1500 | '1.5s' | '5m' | '7d' | 'never' | { minutes: 1; seconds: 30 }>().toExtend<Duration>()
  expectTypeOf<'5'>().not.toExtend<Duration>()
  expectTypeOf<'5 minutes'>().not.toExtend<Duration>()
  expectTypeOf<{ ttl: '5w' }>().not.toExtend<EntryOptions>()
})

test('what it holds and has done is told as numbers', () => {
  expectTypeOf(cache.gauges).returns.toEqualTypeOf<Gauges>()
  expectTypeOf(cache.stats).returns.toExtend<Gauges & { readonly counters: Counters }>()
})

test('a namespace is a cache like its parent', () => {
  expectTypeOf(cache.namespace('users', { ttl: '1h' })).toEqualTypeOf<Cache>()
})

test('a listener is told what its event carries', () => {
  cache.on('load', (event) => expectTypeOf(event).toEqualTypeOf<CacheEvents['load']>())
  cache.on('connected', ({ server }) => expectTypeOf(server).toEqualTypeOf<string>())
  expectTypeOf(cache.on('gap', () => {})).toEqualTypeOf<() => void>()
  // @ts-expect-error there is no such event
  void (() => cache.on('loaded', () => {}))
  // @ts-expect-error it carries no such thing
  void (() => cache.on('connected', ({ key }) => key))
})
