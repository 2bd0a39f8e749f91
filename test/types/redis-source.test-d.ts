import type { Cluster, Redis, RedisOptions } from 'ioredis'
import type { Cluster as Cluster5, Redis as Redis5, RedisOptions as RedisOptions5 } from 'ioredis5'
import { expectTypeOf, test } from 'vitest'
import type { CreateCacheOptions, RedisConnection } from '../../src/index.ts'

test('an instance that the application owns is accepted, of either line of ioredis', () => {
  expectTypeOf<Redis>().toExtend<RedisConnection>()
  expectTypeOf<Redis5>().toExtend<RedisConnection>()
  const own = (redis: Redis | Redis5 | Cluster | Cluster5): CreateCacheOptions => ({ redis })
  expectTypeOf(own).returns.toEqualTypeOf<CreateCacheOptions>()
})

test('a URL and options are accepted, a number is not', () => {
  expectTypeOf<{ redis: string }>().toExtend<CreateCacheOptions>()
  expectTypeOf<{ redis: { host: string; port: number } }>().toExtend<CreateCacheOptions>()
  expectTypeOf<RedisOptions>().toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<RedisOptions5>().toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<{ sentinels: { host: string; port: number }[]; name: string }>().toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<{ cluster: (string | { host: string })[]; tls: { ca: string } }>().toExtend<
    CreateCacheOptions['redis']
  >()
  expectTypeOf<{ redis: number }>().not.toExtend<CreateCacheOptions>()
})

test('what is no place of Redis is not: slips of the pen, lists, things of other kinds', () => {
  expectTypeOf<{ sentinles: never[] }>().not.toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<never[]>().not.toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<Date>().not.toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<() => string>().not.toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<{ cluster: string }>().not.toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<{ sentinels: string[]; name: string }>().not.toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<{ host: number }>().not.toExtend<CreateCacheOptions['redis']>()
  // @ts-expect-error beside options that there are
  const slip: CreateCacheOptions = { redis: { host: 'localhost', pasword: 'secret' } }
  expectTypeOf(slip).toEqualTypeOf<CreateCacheOptions>()
})
