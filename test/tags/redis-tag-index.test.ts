import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chainField } from '../../src/entry/key.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { startRedis } from '../doubles/redis.ts'
import { listenOn } from '../redis/rig.ts'
import { names, openFar } from '../tiers/far.ts'
import type { RedisServer } from '../doubles/redis.ts'

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

describe('in Redis', () => {
  test('a clear is a link of the chain, noted in the field of its stamp', async () => {
    const { tags, close } = await openFar(server.url)
    const ear = await listenOn(server.url, names.channel)
    await tags.clear('shop')
    const [notice] = await ear.notices()
    expect(notice).toMatchObject({ operation: 'X', origin: 'here', subject: 'shop' })
    expect(await redis.get(names.clearStamp('shop'))).toBe(`${notice?.n}:${notice?.tip}`)
    expect(await redis.hget(names.chain, chainField('k:shop'))).toBe(notice?.n)
    ear.close()
    close()
  })

  test('a load that began before a clear is not stored after it, with the stamp there or evicted', async () => {
    const { tags, tier, leases, candidate, close } = await openFar(server.url)
    for (const evicted of [false, true]) {
      const address = { namespace: 'shop.users', key: `k${evicted}` }
      const reply = await leases.acquire(address, undefined, false)
      if (reply.word !== 'granted') throw new Error('expected a lease')
      await tags.clear('shop')
      if (evicted) await redis.del(names.clearStamp('shop'))
      expect(await tier.commit(candidate(address, 'too late'), reply.lease)).toEqual({
        word: 'refused',
        reason: 'moved',
      })
      expect(await tier.get(address)).toEqual({ word: 'missing' })
    }
    close()
  })

  test('a stamp that is proven to be current is remembered, and yet read once a minute, lest it be evicted', async () => {
    const clock = new FakeClock()
    const { tags, counters, close } = await openFar(server.url, { clock, verifiedAt: () => clock.now() })
    await tags.invalidate('t')
    const stamp = ((await redis.get(names.tagStamp('t'))) as string).split(':').slice(0, 2).join(':')
    const readsOf = async (ms: number) => {
      clock.advance(ms)
      const before = counters.l2Timings.count
      expect((await tags.judge(0, ['t'], [stamp], 0)).verdict).toBe('holds')
      return counters.l2Timings.count - before
    }
    expect([await readsOf(0), await readsOf(59_999), await readsOf(2), await readsOf(1)]).toEqual([1, 0, 1, 0])
    close()
  })

  test('a stamp is believed within the bound after it was read, or after the last proof, and not beyond it', async () => {
    const clock = new FakeClock()
    let verifiedAt = Number.NEGATIVE_INFINITY
    const { tags, counters, close } = await openFar(server.url, { clock, verifiedAt: () => verifiedAt })
    await tags.invalidate('t')
    const readsOf = async (ms: number) => {
      clock.advance(ms)
      const before = counters.l2Timings.count
      await tags.judge(0, ['t'], [((await redis.get(names.tagStamp('t'))) as string).slice(0, 33)], 0)
      return counters.l2Timings.count - before
    }
    expect([await readsOf(0), await readsOf(2000), await readsOf(1)]).toEqual([1, 0, 1])
    clock.advance(1500)
    verifiedAt = clock.now()
    expect([await readsOf(2000), await readsOf(1)]).toEqual([0, 1])
    close()
  })

  test('a touched entry keeps its stamps: they outlive it as before', async () => {
    const { tier, clock, candidate, close } = await openFar(server.url)
    const address = { namespace: 'shop', key: 'k' }
    await tier.set(candidate(address, 1, { tags: ['t'], staleUntil: clock.now() + 70_000 }))
    expect(await tier.touch(address, ['t'], 3_600_000)).toBe(true)
    const [entry, ...stamps] = await Promise.all(
      [names.entry(address), names.clearStamp('shop'), names.clearStamp('_'), names.tagStamp('t')].map((key) =>
        redis.pttl(key),
      ),
    )
    expect(entry).toBeGreaterThan(3_500_000)
    for (const stamp of stamps) expect(stamp).toBeGreaterThanOrEqual((entry as number) - 100)
    close()
  })

  test('a stamp in memory that Redis has made anew voids no entry: it is read again', async () => {
    const { tags, tier, leases, candidate, close } = await openFar(server.url, {
      verifiedAt: () => Number.POSITIVE_INFINITY,
    })
    const address = { namespace: 'shop', key: 'k' }
    await tier.set(candidate(address, 1, { tags: ['t'] }))
    const judged = async () => {
      const found = await tier.get(address)
      return found.word === 'entry' ? (await tags.judge(0, ['t'], found.tagStamps, found.n0)).verdict : found.word
    }
    expect(await judged()).toBe('holds')
    await redis.del(names.tagStamp('t'), names.entry(address))
    const reply = await leases.acquire(address, undefined, false)
    if (reply.word !== 'granted') throw new Error('expected a lease')
    await tier.commit(candidate(address, 2, { tags: ['t'] }), reply.lease)
    expect(await judged()).toBe('holds')
    close()
  })

  test('in place of something foreign without an end a stamp has one', async () => {
    const { tags, close } = await openFar(server.url)
    await redis.set(names.tagStamp('t'), 'garbage')
    await tags.invalidate('t')
    expect(await redis.pttl(names.tagStamp('t'))).toBeGreaterThan(0)
    close()
  })

  test('without Redis a clear is not acknowledged', async () => {
    const { tags, close } = await openFar(server.url)
    close()
    await expect(tags.clear('shop')).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' })
  })
})
