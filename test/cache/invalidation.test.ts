import { expect, test } from 'vitest'
import { inBothForms, withRedis } from '../doubles/caches.ts'

inBothForms((kit) => {
  test('after a deletion the own process reads nothing older', async () => {
    const cache = await kit.make()
    for (let round = 0; round < 50; round++) {
      await cache.set('k', `old ${round}`)
      const reads = [cache.get('k'), cache.getOrSet('k', () => 'loaded')]
      expect(await cache.delete('k')).toEqual({ acknowledged: true })
      expect(await cache.get('k')).toBeUndefined()
      expect(await Promise.all(reads)).toEqual([`old ${round}`, `old ${round}`])
    }
    expect(cache.counters).toMatchObject({ sets: 50, unacknowledged: 0 })
  })

  test('deleting what is not there is acknowledged', async () => {
    const cache = await kit.make()
    expect(await cache.delete('nothing')).toEqual({ acknowledged: true })
  })
})

withRedis('across processes', (kit) => {
  test('what one process deletes or sets, the others drop from L1', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.set('k', 'v1')
    expect(await b.get('k')).toBe('v1')
    await expect.poll(() => b.get('k').then(() => b.peek('k'))).toBe('v1')
    await a.set('k', 'v2')
    await expect.poll(() => b.peek('k')).toBeUndefined()
    expect(await b.get('k')).toBe('v2')
    await a.delete('k')
    await expect.poll(() => b.get('k')).toBeUndefined()
  })

  test('after a gap nothing in L1 is believed: it is read from L2 again', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.set('k', 'v1')
    await expect.poll(() => b.get('k').then(() => b.peek('k'))).toBe('v1')
    const gaps = b.counters.gaps
    await kit.publish({ namespace: '_', key: 'k' }, 'not a notice')
    await expect.poll(() => b.counters.gaps).toBe(gaps + 1)
    expect(b.peek('k')).toBeUndefined()
    expect(await b.getEntry('k')).toMatchObject({ value: 'v1', tier: 'l2' })
  })

  test('a flush of Redis is a gap: L1 does not outlive what it stood on', async () => {
    const cache = await kit.make({ maxStaleness: 200 })
    await cache.set('k', 'v1')
    await kit.flush()
    await expect.poll(() => cache.get('k')).toBeUndefined()
  })
})
