import { expect, test } from 'vitest'
import { heardAll, withRedis } from '../doubles/caches.ts'

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
    await a.set('k', 'old', { ttl: 50, stale: 60_000, jitter: 0 })
    expect(await b.get('k')).toBe('old')
    await expect.poll(async () => (await b.getEntry('k'))?.freshness).toBe('stale')
    await a.getOrSet('k', () => 'new')
    await expect.poll(() => a.peek('k')).toBe('new')
    expect(await b.get('k')).toBe('new')
    expect(await b.has('k')).toBe(true)
  })

  test('what L1 may not answer with for a while, because nobody knows that it is current, is not thrown away', async () => {
    const cache = await kit.make({ maxStaleness: 200 })
    await cache.set('k', 'v')
    await expect.poll(() => cache.peek('k')).toBe('v')
    kit.server().freeze()
    await expect.poll(() => cache.peek('k')).toBeUndefined()
    kit.server().thaw()
    await expect.poll(() => cache.peek('k'), { timeout: 5000 }).toBe('v')
  })

  test('a hundred reads of one tick are one command', async () => {
    const cache = await kit.make({ l1: false })
    await Promise.all(Array.from({ length: 100 }, (_, index) => cache.set(`k${index}`, index)))
    const before = cache.counters.l2Timings.count
    const values = await Promise.all(Array.from({ length: 100 }, (_, index) => cache.get(`k${index}`)))
    expect(values).toEqual(Array.from({ length: 100 }, (_, index) => index))
    // A beat of the bus may fall in between: two commands more.
    expect(cache.counters.l2Timings.count - before).toBeLessThanOrEqual(3)
  })

  test('bytes that are no entry are a miss, told, counted, and removed', async () => {
    const cache = await kit.make({ l1: false })
    const { Redis } = await import('ioredis')
    const redis = new Redis(kit.server().port)
    const others = new Set(await redis.keys('*:v:_:k'))
    await cache.set('k', 'v')
    const own = (await redis.keys('*:v:_:k')).filter((name) => !others.has(name))
    expect(own).toHaveLength(1)
    for (const name of own) await redis.set(name, 'garbage')
    const told: unknown[] = []
    cache.on('undecodable', (event) => told.push(event))
    expect(await cache.get('k')).toBeUndefined()
    expect(told).toEqual([{ namespace: '_', key: 'k', error: expect.objectContaining({ code: 'ERR_UNDECODABLE' }) }])
    expect(cache.counters.undecodable).toBe(1)
    const left = await redis.exists(own)
    redis.disconnect()
    expect(left).toBe(0)
    expect(await cache.getOrSet('k', () => 'again')).toBe('again')
  })
})
