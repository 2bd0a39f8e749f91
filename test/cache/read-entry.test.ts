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

  test('age and ttl are whole milliseconds; what is fresh has some left', async () => {
    const cache = await kit.make()
    const kept = { ttl: 600_000.4, jitter: 0.3 } as const
    await cache.set('k', 1, kept)
    const { age, ttl } = (await cache.getEntry('k')) ?? {}
    const loaded = await cache.getOrSetEntry('k', () => 2)
    const { entry } = (await cache.inspect('k')).l1 ?? {}
    const told = [age, ttl, loaded.age, loaded.ttl, await cache.ttl('k'), entry?.age, entry?.ttl]
    expect(told.map((each) => Number.isInteger(each))).toEqual(told.map(() => true))
    await cache.set('stale', 1, { ttl: 0, stale: '1h' })
    let replacedAge: number | undefined
    const load = ({ stale }: { readonly stale?: { readonly age: number } | undefined }) => {
      replacedAge = stale?.age
      return 2
    }
    await cache.getOrSet('stale', load, { stale: 0 })
    expect(replacedAge).toSatisfy(Number.isInteger)
  })
})
