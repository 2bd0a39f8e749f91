import { expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { withRedis } from '../doubles/caches.ts'
import { keyInBucket } from '../doubles/redis-forms.ts'

withRedis('a Redis whose memory is full', (kit) => {
  test.each<[string, (cache: Cache, key: string) => Promise<unknown>]>([
    ['set', (cache, key) => cache.set(key, 1)],
    ['increment', (cache, key) => cache.increment(key).catch((error: unknown) => error)],
    ['getOrSet, as it asks for the lease', (cache, key) => cache.getOrSet(key, () => 1)],
    [
      'getOrSet, as it stores',
      async (cache, key) => {
        await kit.limitMemory(0)
        await cache.getOrSet(key, async () => {
          await kit.limitMemory(1)
          return 1
        })
      },
    ],
  ])('is told of once for a server, whatever finds it: %s', async (_name, act) => {
    const cache = await kit.make()
    const told: unknown[] = []
    cache.on('warning', (event) => told.push(event))
    await kit.limitMemory(1)
    for (const label of ['a', 'b']) await act(cache, keyInBucket(0, kit.buckets(), label))
    expect(told).toEqual([
      {
        code: 'ERR_MEMORY_FULL',
        message: expect.stringContaining('raise maxmemory, or set maxmemory-policy to volatile-lru'),
        detail: { setting: 'maxmemory-policy', expected: 'volatile-lru' },
      },
    ])
  })
})
