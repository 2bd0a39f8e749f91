import { expectTypeOf, test } from 'vitest'
import type {
  Cache,
  ChangeOptions,
  LoadManyContext,
  LoadOptions,
  ManyLoader,
  Outcome,
  SetManyResult,
  SetOptions,
  SetResult,
} from '../../src/index.ts'

interface User {
  readonly id: string
  readonly name: string
}

declare const cache: Cache
declare const user: User

test('values of many keys are a Map by key', () => {
  expectTypeOf(cache.getMany<User>(['a'])).resolves.toEqualTypeOf<Map<string, User>>()
  expectTypeOf(cache.getMany(new Set(['a']))).resolves.toEqualTypeOf<Map<string, unknown>>()
  expectTypeOf<Cache['getMany']>().parameter(0).toEqualTypeOf<Iterable<string>>()
  // @ts-expect-error keys are texts
  void cache.getMany([1])
})

test('a batch has the values of its loader, whether that answers a Map or an object, at once or later', () => {
  const ofMap = cache.getOrSetMany(['a'], async (missing) => new Map(missing.map((key) => [key, user])))
  expectTypeOf(ofMap).resolves.toEqualTypeOf<Map<string, User>>()
  const atOnce = cache.getOrSetMany(['a'], (missing) => new Map(missing.map((key) => [key, 1])))
  expectTypeOf(atOnce).resolves.toEqualTypeOf<Map<string, number>>()
  const ofObject = cache.getOrSetMany(['a'], async () => ({ a: 1, b: 2 }))
  expectTypeOf(ofObject).resolves.toEqualTypeOf<Map<string, number>>()
  const ofRecord = cache.getOrSetMany(['a'], (): Record<string, User | null> => ({}))
  expectTypeOf(ofRecord).resolves.toEqualTypeOf<Map<string, User | null>>()
  const options: LoadOptions = { ttl: '1m', tags: ['a'] }
  void cache.getOrSetMany(['a'], () => ({ a: 1 }), options)
  // @ts-expect-error an option is one of `getOrSet`
  void cache.getOrSetMany(['a'], () => ({ a: 1 }), { tll: 1 })
  // @ts-expect-error keys of what is returned are texts
  void cache.getOrSetMany(['a'], () => new Map([[1, user]]))
  // @ts-expect-error a list has no keys
  void cache.getOrSetMany(['a'], () => [user])
})

test('a loader of many is given the missing keys, and a word for each', () => {
  expectTypeOf<Parameters<ManyLoader<User>>>().toEqualTypeOf<[missing: readonly string[], context: LoadManyContext]>()
  expectTypeOf<LoadManyContext['signal']>().toEqualTypeOf<AbortSignal>()
  expectTypeOf<LoadManyContext['setTags']>().parameters.toEqualTypeOf<[key: string, ...tags: string[]]>()
})

test('entries are a Map, an object, or pairs, of which each may have options', () => {
  expectTypeOf(cache.setMany(new Map([['a', user]]))).resolves.toEqualTypeOf<SetManyResult>()
  void cache.setMany({ a: 1, b: 'two' })
  void cache.setMany([
    ['a', user],
    ['b', 2, { ttl: '1m', tags: ['b'] }],
  ])
  void cache.setMany(
    [user].map((each) => [each.id, each] as const),
    { ttl: '1m' },
  )
  // @ts-expect-error an entry has a value
  void cache.setMany([['a']])
  // @ts-expect-error an option of an entry is one of `set`
  void cache.setMany([['a', 1, { tll: 1 }]])
  // @ts-expect-error a key is a text
  void cache.setMany(new Map([[1, user]]))
  expectTypeOf<Cache['setMany']>().parameter(1).toEqualTypeOf<SetOptions | undefined>()
  expectTypeOf<SetManyResult['results']>().toEqualTypeOf<ReadonlyMap<string, SetResult>>()
})

test('deletions of many keys have one outcome', () => {
  expectTypeOf<Cache['deleteMany']>().parameter(0).toEqualTypeOf<Iterable<string>>()
  expectTypeOf<Cache['deleteMany']>().parameter(1).toEqualTypeOf<ChangeOptions | undefined>()
  expectTypeOf(cache.deleteMany(['a'])).resolves.toEqualTypeOf<Outcome>()
})
