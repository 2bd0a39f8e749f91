import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { readNotice, subjectKey } from '../../src/entry/notice.ts'
import { RedisLeases } from '../../src/stampede/redis-lease.ts'
import { startRedis } from '../doubles/redis.ts'
import { rigOf } from '../redis/rig.ts'
import type { RedisServer } from '../doubles/redis.ts'

const LEASE_MS = 30_000
const names = new RedisNames('tc', 0)
const k = { namespace: '_', key: 'k' }
let server: RedisServer
let redis: Redis

beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})
beforeEach(() => redis.flushall())

/** Leases of one process, called by the notices of the channel as `cache/invalidation.ts` does it. */
async function openProcess(origin: string, leaseMs = LEASE_MS) {
  const { client, ...rig } = rigOf(server.url)
  const leases = new RedisLeases(client, { origin, leaseMs }, systemClock)
  const ear = new Redis(server.url)
  ear.on('message', (_channel, text) => {
    const address = subjectKey(readNotice(text)?.subject ?? '')
    if (address) leases.call(address)
  })
  await Promise.all([ear.subscribe(names.channel), rig.connected()])
  const close = () => {
    ear.disconnect()
    client.close()
  }
  return { leases, close }
}

describe('in Redis', () => {
  test('the lease is one key with a TTL; renewal raises it', async () => {
    const { leases, close } = await openProcess('here', 5000)
    const reply = await leases.acquire(k, undefined, false)
    if (reply.word !== 'granted') throw new Error('expected a lease')
    expect(await redis.get(names.lease(k))).toBe(`${reply.lease.token}|${reply.lease.n0}`)
    expect(reply.lease.token).toMatch(/^[0-9a-f]{32}$/)
    await redis.pexpire(names.lease(k), 1000)
    expect(await leases.renew(reply.lease)).toBe(true)
    expect(await redis.pttl(names.lease(k))).toBeGreaterThan(4000)
    close()
  })

  test("a failure's message is cut, and its code cannot be taken for a part of it", async () => {
    const { leases, close } = await openProcess('here')
    const reply = await leases.acquire(k, undefined, false)
    if (reply.word !== 'granted') throw new Error('expected a lease')
    await leases.release(reply.lease, { word: 'failed', code: 'a|b', message: `|${'é'.repeat(500)}` })
    expect(await leases.acquire(k, undefined, true)).toEqual({
      word: 'failed',
      code: 'ab',
      message: `|${'é'.repeat(199)}`,
    })
    expect(await redis.strlen(names.lease(k))).toBeLessThan(500)
    await redis.flushall()
    const next = await leases.acquire(k, undefined, false)
    if (next.word !== 'granted') throw new Error('expected a lease')
    await leases.release(next.lease, { word: 'failed', code: 'E'.repeat(100_000), message: '' })
    expect(await redis.strlen(names.lease(k))).toBeLessThan(500)
    close()
  })

  test('marks last a moment only', async () => {
    const { leases, close } = await openProcess('here')
    for (const [ending, most] of [
      [{ word: 'skipped' }, 1000],
      [{ word: 'failed', code: 'E', message: 'm' }, 500],
    ] as const) {
      await redis.flushall()
      const reply = await leases.acquire(k, undefined, false)
      if (reply.word !== 'granted') throw new Error('expected a lease')
      await leases.release(reply.lease, ending)
      expect(await redis.pttl(names.lease(k))).toBeGreaterThan(0)
      expect(await redis.pttl(names.lease(k))).toBeLessThanOrEqual(most)
    }
    close()
  })

  test('an entry that the caller has not seen is found instead', async () => {
    const { leases, close } = await openProcess('here')
    await redis.set(names.entry(k), 'tc\x01\x00unseen!! and more')
    expect(await leases.acquire(k, undefined, false)).toEqual({ word: 'found' })
    expect((await leases.acquire(k, Buffer.from('unseen!!'), false)).word).toBe('granted')
    close()
  })

  test('without Redis every call is refused with a TierCacheError', async () => {
    const { leases, close } = await openProcess('here')
    const lease = { address: k, token: 'ab', n0: '1' }
    close()
    const unavailable = expect.objectContaining({ code: 'ERR_REDIS_UNAVAILABLE' })
    await expect(leases.acquire(k, undefined, false)).rejects.toEqual(unavailable)
    await expect(leases.renew(lease)).rejects.toEqual(unavailable)
    await expect(leases.release(lease, { word: 'refused' })).rejects.toEqual(unavailable)
  })
})
