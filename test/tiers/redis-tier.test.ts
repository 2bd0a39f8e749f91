import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { chainField } from '../../src/entry/key.ts'
import { TierCacheError } from '../../src/errors.ts'
import { RedisTier } from '../../src/tiers/redis-tier.ts'
import { startRedis } from '../doubles/redis.ts'
import { envelopeOf } from '../entry/envelope-of.ts'
import { listenOn } from '../redis/rig.ts'
import { names, openFar } from './far.ts'
import type { Clock } from '../../src/clock.ts'
import type { Address } from '../../src/entry/entry.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { Far } from './far.ts'

const k: Address = { namespace: '_', key: 'k' }
let server: RedisServer
let redis: Redis
const opened: Far[] = []

beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})
beforeEach(() => redis.flushall())
afterEach(async () => {
  for (const far of opened.splice(0)) far.close()
  await redis.config('SET', 'maxmemory', '0')
})

async function open(options?: Parameters<typeof openFar>[1]): Promise<Far> {
  const far = await openFar(server.url, options)
  opened.push(far)
  return far
}

const value = async ({ tier }: Far, address: Address) => {
  const found = await tier.get(address)
  return found.word === 'entry' ? found.entry.value : undefined
}

async function granted({ leases }: Far, address: Address, seen?: Buffer | string) {
  const reply = await leases.acquire(address, seen, false)
  if (reply.word !== 'granted') throw new Error(`expected a lease, got ${reply.word}`)
  return reply.lease
}

/** How often a command was carried out since the last reset. */
async function calls(command: string): Promise<number> {
  const stats = await redis.info('commandstats')
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}

describe('reads', () => {
  test('of one tick are one MGET, whatever their namespaces, also when they go on after awaits', async () => {
    const far = await open()
    const addresses = Array.from({ length: 50 }, (_, index) => ({
      namespace: index % 2 ? 'shop.users' : '_',
      key: `k${index % 40}`,
    }))
    for (const address of addresses) await far.tier.set(far.candidate(address, address.key))
    await redis.config('RESETSTAT')
    const reads = addresses.map(async (address, index) => {
      for (let turn = 0; turn < index % 5; turn++) await undefined
      return value(far, address)
    })
    expect(await Promise.all(reads)).toEqual(addresses.map(({ key }) => key))
    expect(await calls('mget')).toBe(1)
    await value(far, k)
    expect(await calls('mget')).toBe(2)
  })

  test('of more than 256 keys are several, each answered right', async () => {
    const far = await open()
    const addresses = Array.from({ length: 600 }, (_, index) => ({ namespace: '_', key: `k${index}` }))
    await Promise.all(addresses.map((address) => far.tier.set(far.candidate(address, address.key))))
    await redis.config('RESETSTAT')
    expect(await Promise.all(addresses.map((address) => value(far, address)))).toEqual(addresses.map(({ key }) => key))
    expect(await calls('mget')).toBe(3)
  })

  test('that fail reject each reader with an error of ours', async () => {
    const far = await open()
    far.close()
    const outcomes = await Promise.allSettled([far.tier.get(k), far.tier.get({ namespace: 'a', key: 'b' })])
    for (const outcome of outcomes) {
      expect(outcome.status).toBe('rejected')
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(TierCacheError)
      expect((outcome as PromiseRejectedResult).reason).toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' })
    }
    expect(far.tier.usable).toBe(false)
  })

  test('give deadlines in the clock of the process that reads', async () => {
    const shifted = (ms: number): Clock => ({ ...systemClock, now: () => systemClock.now() + ms })
    const [writer, reader] = [await open({ clock: shifted(1e9) }), await open({ clock: shifted(5) })]
    const at = writer.clock.now()
    await writer.tier.set(
      writer.candidate(k, 1, { createdAt: at - 1000, freshUntil: at + 30_000, staleUntil: at + 90_000 }),
    )
    const before = reader.clock.now()
    const found = await reader.tier.get(k)
    if (found.word !== 'entry') throw new Error(found.word)
    const { createdAt, freshUntil, staleUntil } = found.entry
    for (const [instant, distance] of [
      [createdAt, -1000],
      [freshUntil, 30_000],
      [staleUntil, 90_000],
    ] as const) {
      expect(instant - (before + distance)).toBeLessThan(50)
      expect(instant - (before + distance)).toBeGreaterThan(-2000)
    }
    expect(staleUntil - freshUntil).toBeCloseTo(60_000, 0)
    expect(found.sentAt).toBeGreaterThanOrEqual(before)
    expect(found.sentAt).toBeLessThanOrEqual(reader.clock.now())
    // What its value takes, as for whoever has written it.
    expect(found.bytes).toBe(1)
  })

  test('bring values of all kinds as they were stored, with their tags', async () => {
    const far = await open()
    const stored = {
      list: [1, -0, 2n],
      map: new Map([[{ a: 1 }, new Date(-1)]]),
      bytes: Buffer.from('x'),
      nothing: undefined,
    }
    await far.tier.set(far.candidate(k, stored))
    expect(await value(far, k)).toStrictEqual(stored)
  })
})

describe('an entry is void', () => {
  test.each([
    ['its namespace was cleared', (far: Far) => far.tags.clear('shop.users')],
    ['one above it was cleared', (far: Far) => far.tags.clear('shop')],
    ['everything was cleared', (far: Far) => far.tags.clear('_')],
    ['a stamp was evicted', () => redis.del(names.clearStamp('shop'))],
    ['a stamp is another one', () => redis.set(names.clearStamp('shop'), '1:00112233aabbccdd')],
    ['a stamp is garbage', () => redis.set(names.clearStamp('shop'), 'garbage')],
    [
      'a stamp is of another type',
      async () => [await redis.del(names.clearStamp('shop')), await redis.rpush(names.clearStamp('shop'), 'x')],
    ],
  ])('once %s; seen, it does not stand in the way of the lease', async (_name, change) => {
    const far = await open()
    const address = { namespace: 'shop.users', key: 'k' }
    await far.tier.set(far.candidate(address, 'old'))
    expect(await value(far, address)).toBe('old')
    await change(far)
    const found = await far.tier.get(address)
    expect(found).toEqual({ word: 'void', seen: expect.any(Buffer) })
    const lease = await granted(far, address, (found as { seen: Buffer }).seen)
    expect(await far.tier.commit(far.candidate(address, 'new'), lease)).toEqual({ word: 'stored' })
    expect(await value(far, address)).toBe('new')
    expect(far.undecodable).toEqual([])
  })

  test('which another process has made good again is found, not loaded once more', async () => {
    const far = await open()
    await far.tier.set(far.candidate(k, 'old'))
    await far.tags.clear('_')
    const found = await far.tier.get(k)
    await far.tier.set(far.candidate(k, 'new'))
    expect(await far.leases.acquire(k, (found as { seen: Buffer }).seen, false)).toEqual({ word: 'found' })
  })

  test('everything is, or missing, after FLUSHALL', async () => {
    const far = await open()
    await far.tier.set(far.candidate(k, 'old'))
    await redis.flushall()
    expect(await far.tier.get(k)).toEqual({ word: 'missing' })
  })
})

describe('what cannot be read', () => {
  const foreign: [string, Buffer][] = [
    ['a text', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from(JSON.stringify({ value: 1 }))],
    ['an entry of another format', Buffer.concat([Buffer.from('tc\x02\x00'), Buffer.alloc(100)])],
    ['an entry of which the end is missing', Buffer.concat([Buffer.from('tc\x01\x00'), Buffer.alloc(58)])],
    ['100,000 nested arrays', Buffer.alloc(100_000, 0x91)],
  ]
  test.each(foreign)('%s is told, is no value, and is removed when it is still the same', async (_name, bytes) => {
    const far = await open()
    await redis.set(names.entry(k), bytes)
    const found = await far.tier.get(k)
    expect(found).toEqual({ word: 'void', seen: expect.stringMatching(/^[0-9a-f]{40}$/) })
    expect(far.undecodable).toEqual([{ address: k, error: expect.objectContaining({ code: 'ERR_UNDECODABLE' }) }])
    const { seen } = found as { seen: string }
    const lease = await granted(far, k, seen)
    await far.leases.release(lease, { word: 'refused' })
    await far.tier.discard(k, seen)
    expect(await redis.exists(names.entry(k))).toBe(0)
    expect(await far.tier.get(k)).toEqual({ word: 'missing' })
  })

  test('a damaged payload in a good header is no value either', async () => {
    const far = await open()
    await far.tier.set(far.candidate(k, { a: [1, 2, 3] }))
    const bytes = (await redis.getBuffer(names.entry(k))) as Buffer
    bytes[bytes.length - 1] = 0xc1
    await redis.set(names.entry(k), bytes)
    expect(await far.tier.get(k)).toEqual({ word: 'void', seen: expect.stringMatching(/^[0-9a-f]{40}$/) })
    expect(far.undecodable).toHaveLength(1)
  })

  test('an entry that was stored meanwhile is not removed', async () => {
    const far = await open()
    await redis.set(names.entry(k), 'garbage')
    const { seen } = (await far.tier.get(k)) as { seen: string }
    await far.tier.set(far.candidate(k, 'good'))
    await far.tier.discard(k, seen)
    expect(await value(far, k)).toBe('good')
  })

  test('among others of one read, they are read all the same', async () => {
    const far = await open()
    const other = { namespace: '_', key: 'other' }
    await far.tier.set(far.candidate(other, 'good'))
    await redis.set(names.entry(k), 'garbage')
    await redis.rpush(names.entry({ namespace: '_', key: 'list' }), 'x')
    const found = await Promise.all([
      far.tier.get(k),
      far.tier.get(other),
      far.tier.get({ namespace: '_', key: 'list' }),
    ])
    expect(found.map(({ word }) => word)).toEqual(['void', 'entry', 'missing'])
  })
})

describe('set', () => {
  test('tells all processes, with this one as origin', async () => {
    const far = await open({ origin: 'me' })
    const ear = await listenOn(server.url, names.channel)
    await far.tier.set(far.candidate({ namespace: 'shop', key: 'a:"b"\0' }, 1))
    expect(await ear.notices()).toMatchObject([{ operation: 'S', origin: 'me', subject: 'shop:a:"b"\0' }])
    ear.close()
  })

  test('lives as long as it may be served, and without an end when that has none', async () => {
    const far = await open()
    const now = far.clock.now()
    const lives: [staleUntil: number, least: number, most: number][] = [
      [now + 60_000, 50_000, 60_000],
      [now - 1000, -2, 1],
      [Number.POSITIVE_INFINITY, -1, -1],
      [now + 1e12, 9e11, 1e12],
      [now + Number.MAX_SAFE_INTEGER + 1e6, -1, -1],
      [1e300, -1, -1],
    ]
    for (const [staleUntil, least, most] of lives) {
      expect([staleUntil, await far.tier.set(far.candidate(k, 1, { staleUntil }))]).toEqual([staleUntil, 'stored'])
      const left = await redis.pttl(names.entry(k))
      expect(left).toBeGreaterThanOrEqual(least)
      expect(left).toBeLessThanOrEqual(most)
    }
  })

  test('an entry without an end says so when it is read', async () => {
    const far = await open()
    const never = Number.POSITIVE_INFINITY
    await far.tier.set(far.candidate(k, 1, { freshUntil: never, staleUntil: never }))
    expect(await far.tier.get(k)).toMatchObject({ entry: { freshUntil: never, staleUntil: never } })
  })

  test('an older version is refused', async () => {
    const far = await open()
    expect(await far.tier.set(far.candidate(k, 'five', { version: 5 }))).toBe('stored')
    expect(await far.tier.set(far.candidate(k, 'four', { version: 4 }))).toBe('older')
    expect(await value(far, k)).toBe('five')
  })

  test('one that reaches the server after its deadline is refused', async () => {
    const far = await open()
    const settings = { origin: 'here', commandTimeoutMs: 50 }
    const hasty = new RedisTier(far.client, far.reads, envelopeOf(), settings, far.clock, () => {})
    expect(await hasty.set(far.candidate(k, 'in time'))).toBe('stored')
    await redis.client('PAUSE', 300, 'ALL')
    expect(await hasty.set(far.candidate(k, 'late'))).toBe('late')
    expect(await value(far, k)).toBe('in time')
  })

  test('without memory: the old value is gone, and the word says so', async () => {
    const far = await open()
    await far.tier.set(far.candidate(k, 'old'))
    await redis.config('SET', 'maxmemory', '1')
    expect(await far.tier.set(far.candidate(k, 'new'))).toBe('failed')
    expect(await far.tier.get(k)).toEqual({ word: 'missing' })
  })
})

describe('commit', () => {
  test('stores under the lease, tells those only who wait', async () => {
    const far = await open()
    const ear = await listenOn(server.url, names.channel)
    expect(await far.tier.commit(far.candidate(k, 'quiet'), await granted(far, k))).toEqual({ word: 'stored' })
    expect(await ear.notices()).toEqual([])
    const found = await far.tier.get(k)
    const lease = await granted(far, k, (found as { seen: Buffer }).seen)
    await far.leases.acquire(k, (found as { seen: Buffer }).seen, false)
    expect(await far.tier.commit(far.candidate(k, 'heard'), lease)).toEqual({ word: 'stored' })
    expect(await ear.notices()).toMatchObject([{ operation: 'F', subject: '_:k' }])
    expect(await value(far, k)).toBe('heard')
    ear.close()
  })

  test.each([
    ['deleted', (far: Far) => far.tier.delete(k), 'lease'],
    ['set', (far: Far) => far.tier.set(far.candidate(k, 'newer')), 'lease'],
    ['cleared', (far: Far) => far.tags.clear('_'), 'moved'],
    ['flushed', () => redis.flushall(), 'lease'],
    ['left without a chain', () => redis.del(names.chain), 'chain'],
  ])('refuses what was loaded before its key was %s', async (_name, change, reason) => {
    const far = await open()
    const lease = await granted(far, k)
    await change(far)
    const before = await far.tier.get(k)
    expect(await far.tier.commit(far.candidate(k, 'too late'), lease)).toEqual({ word: 'refused', reason })
    expect((await far.tier.get(k)).word).toBe(before.word)
    expect(await value(far, k)).not.toBe('too late')
  })

  test('stamps are named to the script with the fields that a clear notes', async () => {
    const far = await open()
    const address = { namespace: 'a.b', key: 'k' }
    const lease = await granted(far, address)
    for (const namespace of ['_', 'a', 'a.b']) {
      await redis.hset(names.chain, chainField(`k:${namespace}`), String(Number(lease.n0) + 1))
      expect(await far.tier.commit(far.candidate(address, 1), lease)).toEqual({ word: 'refused', reason: 'moved' })
      await redis.hdel(names.chain, chainField(`k:${namespace}`))
      await redis.set(names.lease(address), `${lease.token}|${lease.n0}`, 'PX', 10_000)
    }
    expect(await far.tier.commit(far.candidate(address, 1), lease)).toEqual({ word: 'stored' })
  })
})

describe('without Redis', () => {
  test('every change is refused with an error of ours', async () => {
    const far = await open()
    const candidate = far.candidate(k, 1)
    far.close()
    const unavailable = expect.objectContaining({ name: 'TierCacheError', code: 'ERR_REDIS_UNAVAILABLE' })
    await expect(far.tier.set(candidate)).rejects.toEqual(unavailable)
    await expect(far.tier.commit(candidate, { token: 'ab', n0: '1' })).rejects.toEqual(unavailable)
    await expect(far.tier.delete(k)).rejects.toEqual(unavailable)
    await expect(far.tier.discard(k, 'x')).rejects.toEqual(unavailable)
  })
})
