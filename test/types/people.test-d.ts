import { expectTypeOf, test } from 'vitest'
import type {
  Cache,
  CacheEventName,
  CacheEvents,
  CacheHealth,
  CacheStats,
  CallTrace,
  DefaultOptions,
  ErrorCode,
  Inspection,
  LoadOptions,
  ServerHealth,
  SetOptions,
} from '../../src/index.ts'

test('a listener is given what its event carries, and nothing else', () => {
  const listen = (cache: Cache) => {
    cache.on('load', (event) => expectTypeOf(event).toEqualTypeOf<CacheEvents['load']>())
    cache.on('gap', ({ reason, buckets }) => {
      expectTypeOf(reason).toEqualTypeOf<string>()
      expectTypeOf(buckets).toEqualTypeOf<number>()
    })
    cache.on('warning', ({ code }) => expectTypeOf(code).toEqualTypeOf<ErrorCode>())
    cache.on('incompatible', ({ reason }) =>
      expectTypeOf(reason).toEqualTypeOf<CacheEvents['incompatible']['reason']>(),
    )
    cache.on('breaker', ({ to }) => expectTypeOf(to).toEqualTypeOf<'closed' | 'open' | 'half-open'>())
    cache.on('unacknowledged', ({ key, tag }) => {
      expectTypeOf(key).toEqualTypeOf<string | undefined>()
      expectTypeOf(tag).toEqualTypeOf<string | undefined>()
    })
    expectTypeOf(cache.on('connected', () => {})).toEqualTypeOf<() => void>()
    // @ts-expect-error there is no such event
    cache.on('hit', () => {})
    // @ts-expect-error what a gap carries has no key
    cache.on('gap', ({ key }) => key)
  }
  expectTypeOf(listen).toBeFunction()
})

test('every event of the table can be listened to, each with its own payload', () => {
  const each = <Name extends CacheEventName>(cache: Cache, name: Name, told: (event: CacheEvents[Name]) => void) =>
    cache.on(name, told)
  expectTypeOf(each<'wait'>)
    .parameter(2)
    .parameter(0)
    .toEqualTypeOf<CacheEvents['wait']>()
  expectTypeOf<CacheEventName>().toEqualTypeOf<keyof CacheEvents>()
})

test('tiers is a word, for a call or a namespace', () => {
  expectTypeOf<SetOptions['tiers']>().toEqualTypeOf<'all' | 'l1' | undefined>()
  expectTypeOf<LoadOptions['tiers']>().toEqualTypeOf<'all' | 'l1' | undefined>()
  expectTypeOf<DefaultOptions['tiers']>().toEqualTypeOf<'all' | 'l1' | undefined>()
  expectTypeOf<{ tiers: 'l2' }>().not.toExtend<SetOptions>()
})

test('what is told of a cache and of a key', () => {
  expectTypeOf<Cache['ttl']>().returns.resolves.toEqualTypeOf<number | undefined>()
  expectTypeOf<Cache['health']>().returns.toEqualTypeOf<CacheHealth>()
  expectTypeOf<Cache['ready']>().returns.resolves.toEqualTypeOf<CacheHealth>()
  expectTypeOf<Cache['inspect']>().returns.resolves.toEqualTypeOf<Inspection>()
  expectTypeOf<Cache['stats']>().returns.toEqualTypeOf<CacheStats>()
  expectTypeOf<CacheStats['namespaces'][string]['hitRatio']>().toEqualTypeOf<number | undefined>()
  expectTypeOf<NonNullable<CacheHealth['l2']>['servers']>().toEqualTypeOf<readonly ServerHealth[]>()
  expectTypeOf<Inspection['answer']>().toEqualTypeOf<'fresh' | 'stale' | 'none'>()
  expectTypeOf<CallTrace['tier']>().toEqualTypeOf<'l1' | 'l2' | 'loader' | undefined>()
})
