import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { heardAll, withOneRedis, withRedis } from '../doubles/caches.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import type { Admin } from '../doubles/redis-forms-servers.ts'

const k = { namespace: '_', key: 'k' }

/**
 * The order of events, with A and B two processes:
 *   1. delete k by A is acknowledged; B has heard of it
 *   2. Redis goes on from a state before 1: a failover to a replica that had not got it, a restart from an old file
 *   3. k is there again, with its old value
 * Every process that knew of 1 repeats it, and does not believe L2 about k until that is acknowledged.
 */
const told = (cache: Cache, name: 'resync' | 'acknowledged') =>
  new Promise<unknown>((resolve) => cache.on(name, resolve))

/** All keys of a bucket as they are now. Answers what puts them back later, and removes all others. */
async function snapshot(masters: readonly Redis[], redis: Admin, { chain }: RedisNames): Promise<() => Promise<void>> {
  const present = async () => (await Promise.all(masters.map((each) => each.keys(chain.replace(/q$/, '*'))))).flat()
  const kept = await present()
  const dumps = await Promise.all(kept.map(async (key) => [key, (await redis.dumpBuffer(key)) as Buffer] as const))
  return async () => {
    const gone = await present()
    const restored = redis.multi()
    for (const key of gone) restored.del(key)
    for (const [key, bytes] of dumps) restored.restore(key, 0, bytes)
    await restored.exec()
  }
}

withRedis('L1 and L2', (kit) => {
  test.each(['delete', 'set', 'invalidateTags', 'clear'] as const)(
    'the chain went back: %s is repeated',
    async (verb) => {
      const [a, b] = [await kit.make({ maxStaleness: 300 }), await kit.make({ maxStaleness: 300 })]
      await a.set('k', 'old', { tags: ['t'] })
      await heardAll(b, a)
      const restore = await snapshot(kit.masters(), kit.redis(), kit.names(k))
      const verbs = {
        delete: () => a.delete('k'),
        set: () => a.set('k', 'new'),
        invalidateTags: () => a.invalidateTags('t'),
        clear: () => a.clear(),
      }
      expect(await verbs[verb]()).toEqual({ acknowledged: true })
      // So many links are lost that the repetition of one process does not hide the loss from the other one.
      for (let link = 0; link < 8; link++) await a.delete(kit.beside(k, 'other'))
      await heardAll(b, a)
      const resyncs = Promise.all([told(a, 'resync'), told(b, 'resync')])
      await restore()
      expect(await resyncs).toEqual([
        { reason: 'the chain of notices went back', buckets: 1, repeated: expect.any(Number) },
        { reason: 'the chain of notices went back', buckets: 1, repeated: expect.any(Number) },
      ])
      expect(await a.get('k')).not.toBe('old')
      expect(await b.get('k')).not.toBe('old')
      await vi.waitFor(() => expect([a.gauges().journalled, b.gauges().journalled]).toEqual([0, 0]))
      const c = await kit.make()
      expect(await c.get('k')).toBeUndefined()
    },
  )

  test('more than a process knows of may be lost: everything is cleared', async () => {
    const a = await kit.make({ maxStaleness: 300 })
    await a.set('k', 'old')
    const restore = await snapshot(kit.masters(), kit.redis(), kit.names(k))
    await a.delete('k')
    // B has heard of nothing: it knows the end of the chain from reading it.
    const b = await kit.make({ maxStaleness: 300 })
    await a.close()
    await vi.waitFor(() => expect(b.gauges().coherent).toBe(true))
    const resync = told(b, 'resync')
    await restore()
    expect(await resync).toEqual({ reason: 'the chain of notices went back', buckets: 1, repeated: 1 })
    await vi.waitFor(() => expect(b.gauges().journalled).toBe(0))
    expect(await b.get('k')).toBeUndefined()
  })
})

withOneRedis('L1 and L2', 'it is restarted, and the way to it cut meanwhile', (kit) => {
  test('another run of the server: nothing is read from it before what was lost is fenced', async () => {
    const proxy = await startFaultProxy(kit.server())
    const cache = await kit.make({ redis: proxy.url, prefix: 't', maxStaleness: 300 })
    const redis = new Redis(kit.server().url)
    await cache.set('k', 'old')
    const restore = await snapshot([redis], redis, new RedisNames('t', 0))
    expect(await cache.delete('k')).toEqual({ acknowledged: true })
    await proxy.cut()
    await kit.server().restart()
    await restore()
    redis.disconnect()
    const reads: unknown[] = []
    // The first moment at which a command could be sent.
    const connected = new Promise<void>((resolve) =>
      cache.on('connected', () => {
        void cache.get('k').then((value) => {
          reads.push(value)
          resolve()
        })
      }),
    )
    const resync = told(cache, 'resync')
    await proxy.heal()
    expect(await resync).toMatchObject({ reason: 'another run of the server' })
    await connected
    expect(reads).toEqual([undefined])
    await vi.waitFor(() => expect(cache.gauges().journalled).toBe(0))
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', () => 'new')).toBe('new')
    await cache.close()
    await proxy.stop()
  }, 30_000)
})
