import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { withRedis } from '../doubles/caches.ts'

withRedis('a Redis whose memory is full', (kit) => {
  const limit = async (bytes: number) => {
    const redis = new Redis(kit.server().url)
    await redis.config('SET', 'maxmemory', String(bytes))
    redis.disconnect()
  }
  afterEach(() => limit(0))

  test.each<[string, (cache: Cache, key: string) => Promise<unknown>]>([
    ['set', (cache, key) => cache.set(key, 1)],
    ['increment', (cache, key) => cache.increment(key).catch((error: unknown) => error)],
    ['getOrSet, as it asks for the lease', (cache, key) => cache.getOrSet(key, () => 1)],
    [
      'getOrSet, as it stores',
      async (cache, key) => {
        await limit(0)
        await cache.getOrSet(key, async () => {
          await limit(1)
          return 1
        })
      },
    ],
  ])('is told of once, whatever finds it: %s', async (_name, act) => {
    const cache = await kit.make()
    const told: unknown[] = []
    cache.on('warning', (event) => told.push(event))
    await limit(1)
    for (const key of ['a', 'b']) await act(cache, key)
    expect(told).toEqual([
      {
        code: 'ERR_MEMORY_FULL',
        message: expect.stringContaining('raise maxmemory, or set maxmemory-policy to volatile-lru'),
        detail: { setting: 'maxmemory-policy', expected: 'volatile-lru' },
      },
    ])
  })
})
