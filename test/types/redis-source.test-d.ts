import type { Redis, RedisOptions } from 'ioredis'
import type { Redis as Redis5 } from 'ioredis5'
import { expectTypeOf, test } from 'vitest'
import type { CreateCacheOptions, RedisConnection } from '../../src/index.ts'

test('an instance that the application owns is accepted, of either line of ioredis', () => {
  expectTypeOf<Redis>().toExtend<RedisConnection>()
  expectTypeOf<Redis5>().toExtend<RedisConnection>()
  const own = (redis: Redis | Redis5): CreateCacheOptions => ({ redis })
  expectTypeOf(own).returns.toEqualTypeOf<CreateCacheOptions>()
})

test('a URL and options are accepted, a number is not', () => {
  expectTypeOf<{ redis: string }>().toExtend<CreateCacheOptions>()
  expectTypeOf<{ redis: { host: string; port: number } }>().toExtend<CreateCacheOptions>()
  expectTypeOf<RedisOptions>().toExtend<CreateCacheOptions['redis']>()
  expectTypeOf<{ redis: number }>().not.toExtend<CreateCacheOptions>()
})
