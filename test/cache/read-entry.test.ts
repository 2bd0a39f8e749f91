import { expect, test } from 'vitest'
import { inEveryForm } from '../doubles/caches.ts'

inEveryForm((kit) => {
  test('ttl: how long a value will still be fresh, by whichever tier', async () => {
    const [cache, other] = [await kit.make(), await kit.make()]
    await cache.set('k', 1, { ttl: '1m', stale: '1h', jitter: 0 })
    const readers = kit.isShared ? [cache, other] : [cache]
    for (const reader of readers) {
      const left = await reader.ttl('k')
      expect(left).toBeLessThanOrEqual(60_000)
      expect(left).toBeGreaterThan(30_000)
    }
    await cache.set('for ever', 1, { ttl: 'never' })
    expect(await cache.ttl('for ever')).toBe(Number.POSITIVE_INFINITY)
    await cache.expire('k')
    expect(await cache.ttl('k')).toBe(0)
    await cache.delete('k')
    expect(await cache.ttl('k')).toBeUndefined()
    await expect(cache.ttl('')).rejects.toMatchObject({ code: 'ERR_INVALID_KEY' })
  })
})
