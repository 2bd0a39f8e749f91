import { expect, test } from 'vitest'
import { heardAll, withOneRedis, withRedis } from '../doubles/caches.ts'

const k = { namespace: '_', key: 'k' }

withRedis('L1 and L2', (kit) => {
  test('what is found in L2 moves into L1, with the time that it has left', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.set('k', { n: 1 }, { ttl: 60_000, jitter: 0 })
    await heardAll(b, a)
    expect(await b.getEntry('k')).toMatchObject({ tier: 'l2', value: { n: 1 } })
    const near = await b.getEntry('k')
    expect(near).toMatchObject({ tier: 'l1', value: { n: 1 } })
    expect(near?.ttl).toBeLessThanOrEqual(60_000)
    expect(near?.ttl).toBeGreaterThan(55_000)
  })

  test('where L1 is stale, a fresh value of L2 is found: fills are not told to the other processes', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.set('k', 'old', { ttl: 500, stale: 60_000, jitter: 0 })
    expect(await b.get('k')).toBe('old')
    await expect.poll(async () => (await b.getEntry('k'))?.freshness).toBe('stale')
    // By its own clock it may be stale a moment later.
    await expect.poll(() => a.getOrSet('k', () => 'new'), { timeout: 5000 }).toBe('new')
    expect(await b.get('k')).toBe('new')
    expect(await b.has('k')).toBe(true)
  })

  test('a hundred reads of one tick are one command for each bucket', async () => {
    const cache = await kit.make({ l1: false })
    await Promise.all(Array.from({ length: 100 }, (_, index) => cache.set(`k${index}`, index)))
    const before = cache.counters.l2Timings.count
    const values = await Promise.all(Array.from({ length: 100 }, (_, index) => cache.get(`k${index}`)))
    expect(values).toEqual(Array.from({ length: 100 }, (_, index) => index))
    // A beat of the bus may fall in between: two commands more for each server.
    const most = kit.buckets() + 2 * kit.masters().length
    expect(cache.counters.l2Timings.count - before).toBeLessThanOrEqual(most)
  })

  test('bytes that are no entry are a miss, told, counted, and removed', async () => {
    const cache = await kit.make({ l1: false })
    const name = kit.names(k).entry(k)
    await cache.set('k', 'v')
    expect(await kit.redis().set(name, 'garbage', 'XX')).toBe('OK')
    const told: unknown[] = []
    cache.on('undecodable', (event) => told.push(event))
    expect(await cache.get('k')).toBeUndefined()
    expect(told).toEqual([{ namespace: '_', key: 'k', error: expect.objectContaining({ code: 'ERR_UNDECODABLE' }) }])
    expect(cache.counters.undecodable).toBe(1)
    await expect.poll(() => kit.redis().exists(name)).toBe(0)
    expect(await cache.getOrSet('k', () => 'again')).toBe('again')
  })
})

withOneRedis('L1 and L2', 'it stands still: where there are others, they would replace it', (kit) => {
  test('what L1 may not answer with for a while, because nobody knows that it is current, is not thrown away', async () => {
    const cache = await kit.make({ maxStaleness: 200 })
    await cache.set('k', 'v')
    await expect.poll(() => cache.peek('k')).toBe('v')
    kit.server().freeze()
    await expect.poll(() => cache.peek('k')).toBeUndefined()
    kit.server().thaw()
    await expect.poll(() => cache.peek('k'), { timeout: 5000 }).toBe('v')
  })
})
