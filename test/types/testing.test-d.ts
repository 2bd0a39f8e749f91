import { expectTypeOf, test } from 'vitest'
import type { Cache } from '../../src/index.ts'
import type { CacheOptions, RedisFailure, TestClock, TestFleet } from '../../src/testing.ts'
import { createTestCache, createTestClock, createTestFleet } from '../../src/testing.ts'

declare const count: number

test('a fleet of a known number is a tuple, so that its caches can be named', () => {
  const make = () => createTestFleet(2)
  expectTypeOf(make).returns.toEqualTypeOf<TestFleet<2>>()
  expectTypeOf<TestFleet<2>['caches']>().toEqualTypeOf<readonly [Cache, Cache]>()
  expectTypeOf<TestFleet<0>['caches']>().toEqualTypeOf<readonly []>()
  const any = () => createTestFleet(count)
  expectTypeOf(any).returns.toHaveProperty('caches').toEqualTypeOf<readonly Cache[]>()
})

test('there is no Redis in it, and its clock is a test clock', () => {
  expectTypeOf<CacheOptions>().not.toHaveProperty('redis')
  expectTypeOf(createTestClock).returns.toEqualTypeOf<TestClock>()
  // @ts-expect-error nobody could move the clock
  void (() => createTestCache({}))
  // @ts-expect-error another clock
  void (() => createTestFleet(2, {}, { clock: performance }))
})

test('a fleet is closed by await using, and fails with the codes of Redis alone', () => {
  expectTypeOf<TestFleet>().toExtend<{ [Symbol.asyncDispose](): PromiseLike<void> }>()
  expectTypeOf<RedisFailure>().toEqualTypeOf<
    'ERR_REDIS_TIMEOUT' | 'ERR_REDIS_UNAVAILABLE' | 'ERR_REDIS_LOST' | 'ERR_REDIS_REPLY'
  >()
  expectTypeOf<TestClock['advance']>().returns.toEqualTypeOf<Promise<void>>()
})
