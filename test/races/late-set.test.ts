import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { withOneRedis } from '../doubles/caches.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { listenOn } from '../redis/rig.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A sets k = v1: the command is on its way for longer than its deadline, and A gives up waiting
 *   2. B sets k = v2
 *   3. A's command reaches Redis: it must not put v1 over v2; A's own repetition, a deletion, comes after it
 */
withOneRedis('a command that is delivered late', 'the way to it is held up for one process', (kit) => {
  const cleanUps: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  test('a set that reaches Redis after its deadline is not carried out', async () => {
    const proxy = await startFaultProxy(kit.server())
    cleanUps.push(() => proxy.stop())
    const b = await kit.make({ prefix: 'late' })
    const a = createCache({ prefix: 'late', redis: proxy.url, commandTimeout: 100 })
    cleanUps.push(() => a.close())
    expect(await a.delete('(ready)')).toEqual({ acknowledged: true })
    const redis = new Redis(kit.server().url)
    cleanUps.push(() => redis.disconnect())
    const serverMs = async () => Number((await redis.time())[0]) * 1000
    const ear = await listenOn(kit.server().url, new RedisNames('late', 0).channel)
    cleanUps.push(() => ear.close())

    const calledAt = await serverMs()
    proxy.hole('to-server')
    expect(await a.set('k', 'v1')).toEqual({ acknowledged: false })
    await b.set('k', 'v2')
    // Half a round trip is all that a process may be wrong about the server's time.
    await expect.poll(serverMs, { timeout: 5000 }).toBeGreaterThan(calledAt + 1000)
    const repeated = new Promise((resolve) => a.on('acknowledged', resolve))
    proxy.release({ deliver: true })
    await repeated

    const told = (await ear.notices()).filter((notice) => notice?.subject === '_:k')
    expect(told.map((notice) => notice?.operation)).toEqual(['S', ...told.slice(1).map(() => 'D')])
    expect(new Set(told.map((notice) => notice?.origin)).size).toBe(2)
    // The repetition's notice may be on its way to B still.
    await expect.poll(() => b.get('k')).toBeUndefined()
  })
})
