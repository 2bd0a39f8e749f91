import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { systemClock } from '../../src/clock.ts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/entry/codec.ts'
import type { Header } from '../../src/entry/header.ts'
import { FLAG_INTEGER, readHeader, writeHead, writeTail } from '../../src/entry/header.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { noticeBody, wakeUp } from '../../src/entry/notice.ts'
import type { Bucket } from '../../src/redis/bucket.ts'
import * as scripts from '../../src/redis/scripts.ts'
import { entryBytes } from '../entry/entry-bytes.ts'
import { startRedis } from '../doubles/redis.ts'
import { listenOn, rigOf } from './rig.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { Ear, Rig } from './rig.ts'

const SUBJECT = '_:k {x} "q"\r\n\0😀'
const names = new RedisNames('tc', 0)
const k = names.ofEntry({ namespace: '_', key: SUBJECT.slice(2) })
const stampKeys = [names.clearStamp('_'), names.clearStamp('shop')]
const FIELDS = ['7', '9']
const TOKEN = 'ab'.repeat(16)
const FILLED = wakeUp('F', 'origin', SUBJECT)
const RELEASED = wakeUp('R', 'origin', SUBJECT)
/** Microseconds since 1970, as the first link of a chain has them now. */
const N = 1_790_000_000_000_001

let server: RedisServer
let redis: Redis
let rig: Rig
let ear: Ear

beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
  rig = rigOf(server.url)
  await rig.connected()
})
afterAll(async () => {
  rig.client.close()
  redis.disconnect()
  await server.stop()
})
beforeEach(async () => {
  await redis.flushall()
  ear = await listenOn(server.url, names.channel)
})
afterEach(async () => {
  ear.close()
  await redis.config('SET', 'maxmemory', '0')
})

/** Hexadecimal tips that differ. */
const tip = (() => {
  let count = 0
  return () => (++count).toString(16).padStart(16, '0')
})()

const head = (change: Partial<Header> = {}) =>
  writeHead({
    flags: 0,
    fillStamp: Buffer.from('stamp--1'),
    createdAt: 1000,
    freshUntil: 2000,
    staleUntil: 3000,
    version: undefined,
    loadMs: 5,
    ...change,
  })

const farAway = () => (rig.bucket.offsetMs as number) + systemClock.now() + 60_000

function setCall(change: Partial<scripts.SetCall> = {}): scripts.SetCall {
  return {
    names: k,
    stampKeys,
    stampFields: FIELDS,
    tip: tip(),
    storedBody: noticeBody('S', 'origin', SUBJECT),
    failedBody: noticeBody('D', 'origin', SUBJECT),
    head: head({ ...(change.version === undefined ? {} : { version: change.version }) }),
    tail: writeTail([], encode('value').payload),
    lifeMs: 60_000,
    deadlineMs: farAway(),
    version: undefined,
    ...change,
  }
}

function commitCall(change: Partial<scripts.CommitCall> = {}): scripts.CommitCall {
  return {
    names: k,
    stampKeys,
    stampFields: FIELDS,
    token: TOKEN,
    head: head(),
    tail: writeTail([], encode('loaded').payload),
    lifeMs: 60_000,
    filledNotice: FILLED,
    refusedNotice: RELEASED,
    nonce: 'feedfeedfeedfeed',
    ...change,
  }
}

const set = (change?: Partial<scripts.SetCall>) => scripts.set(rig.bucket, setCall(change))
const commit = (change?: Partial<scripts.CommitCall>) => scripts.commit(rig.bucket, commitCall(change))
const invalidate = (withTip = tip()) => scripts.invalidate(rig.bucket, k, withTip, noticeBody('D', 'origin', SUBJECT))
const invalidateOther = () =>
  scripts.invalidate(
    rig.bucket,
    names.ofEntry({ namespace: '_', key: 'other' }),
    tip(),
    noticeBody('D', 'o', '_:other'),
  )
const clear = (withTip = tip(), lifeMs = 86_400_000) =>
  scripts.invalidateGroup(
    rig.bucket,
    { stamp: names.clearStamp('shop'), chain: names.chain },
    { tip: withTip, body: noticeBody('X', 'origin', 'shop'), field: FIELDS[1] as string, lifeMs },
  )
const acquire = (
  change: { token?: string; leaseMs?: number; seen?: Buffer | string; hasWaited?: boolean; renews?: boolean } = {},
) => scripts.acquire(rig.bucket, k, { token: TOKEN, leaseMs: 3000, seen: '', hasWaited: false, ...change })
const release = (change: { token?: string; mark?: string; markMs?: number } = {}) =>
  scripts.release(rig.bucket, k, { token: TOKEN, notice: RELEASED, mark: '', markMs: 0, ...change })

/** The holder is past its deadline. */
const beLate = async ({ graceMs = 3000, keptMs = 3000 } = {}) => {
  const [, n0] = ((await redis.get(k.lease)) ?? '').split('|')
  const mark = `late|${TOKEN}|${n0?.replaceAll('!', '')}|${keptMs}|E_LATE|a | message`
  await release({ mark, markMs: graceMs + keptMs })
}

/** Puts a chain there whose last link has this number. */
const chainAt = (n: number | string, fields: Record<string, string> = {}) =>
  redis.hset(names.chain, { n: String(n), tip: 'old tip', floor: '5', ...fields })

async function entry() {
  const bytes = await redis.getBuffer(k.entry)
  if (!bytes) return undefined
  const { n0, stamps, ...header } = readHeader(bytes, stampKeys.length)
  return { value: decode(header), n0, stamps }
}

/** Every kind of thing that somebody else may have put under a key of ours. */
const FOREIGN: readonly (readonly [name: string, put: (key: string) => Promise<unknown>])[] = [
  ['a list', (key) => redis.rpush(key, 'x')],
  ['a set', (key) => redis.sadd(key, 'x')],
  ['a hash', (key) => redis.hset(key, 'x', '1')],
  ['an empty text', (key) => redis.set(key, '')],
  ['a text', (key) => redis.set(key, 'garbage')],
  ['a long text', (key) => redis.set(key, 'x'.repeat(100_000))],
  ['bytes', (key) => redis.set(key, Buffer.from('74630100ff00ff', 'hex'))],
]
/** Heads of a chain that are none. */
const FOREIGN_CHAINS: readonly (readonly [name: string, put: () => Promise<unknown>])[] = [
  ...FOREIGN.map(([name, put]) => [name, () => put(names.chain)] as const),
  ...[
    '',
    'abc',
    '-5',
    '1.5',
    '1e15',
    'nan',
    'inf',
    '0x10',
    ' 7',
    '9'.repeat(17),
    '9007199254740992',
    '9007199254740991',
  ].map((n) => [`the number ${JSON.stringify(n)}`, () => chainAt(n)] as const),
]

describe('the chain', () => {
  test('begins at the time in microseconds, with that number as floor', async () => {
    const first = tip()
    const before = await redis.time()
    await invalidate(first)
    const { n, floor, tip: told, ...rest } = await redis.hgetall(names.chain)
    expect([told, rest]).toEqual([first, {}])
    expect(floor).toBe(n)
    expect(Number(n)).toBeGreaterThanOrEqual(Number(before[0]) * 1_000_000 + Number(before[1]))
    expect(n).toMatch(/^\d{16}$/)
    expect(await redis.pttl(names.chain)).toBe(-1)
  })

  test('every link names the one before it, with the next number, whatever it says', async () => {
    const tips = [tip(), tip(), tip(), tip()] as const
    await invalidate(tips[0])
    await set({ tip: tips[1] })
    await clear(tips[2])
    await redis.config('SET', 'maxmemory', '1')
    await set({ tip: tips[3] })
    const notices = await ear.notices()
    expect(notices.map((notice) => notice?.operation)).toEqual(['D', 'S', 'X', 'D'])
    expect(notices.map((notice) => notice?.tip)).toEqual([...tips])
    expect(notices.map((notice) => notice?.previousTip)).toEqual(['', ...tips.slice(0, 3)])
    const first = Number(notices[0]?.n)
    expect(notices.map((notice) => Number(notice?.n))).toEqual([first, first + 1, first + 2, first + 3])
    expect(notices.map((notice) => notice?.subject)).toEqual([SUBJECT, SUBJECT, 'shop', SUBJECT])
    expect(new Set(notices.map((notice) => notice?.origin))).toEqual(new Set(['origin']))
  })

  test.each([N, N + 1, N + 2, 2 ** 53 - 3])('%d and the next number keep all their digits', async (n) => {
    await chainAt(n, { floor: String(n) })
    await acquire()
    expect(await redis.get(k.lease)).toBe(`${TOKEN}|${n}`)
    expect(await commit()).toEqual({ word: 'stored' })
    expect(await entry()).toEqual({
      value: 'loaded',
      n0: n,
      stamps: [`${n}:feedfeedfeedfeed`, `${n}:feedfeedfeedfeed`],
    })
    const moved = tip()
    await clear(moved)
    expect(await redis.get(names.clearStamp('shop'))).toBe(`${n + 1}:${moved}`)
    expect(await redis.hmget(names.chain, 'n', FIELDS[1] as string)).toEqual([String(n + 1), String(n + 1)])
    expect((await ear.notices()).map((notice) => notice?.n)).toEqual([String(n + 1)])
  })

  test.each(FOREIGN_CHAINS)(
    '%s in its place is none: a new one begins, which everybody hears as a gap',
    async (_name, put) => {
      const changes = [() => invalidate(), () => set(), () => clear()]
      for (const change of changes) {
        await put()
        await change()
        const { n, floor } = await redis.hgetall(names.chain)
        expect(n).toMatch(/^\d{16}$/)
        expect(floor).toBe(n)
        expect((await ear.notices()).at(-1)).toMatchObject({ previousTip: '', n })
        await redis.del(names.chain)
      }
    },
  )
})

describe('invalidate', () => {
  test('takes entry and lease away, and tells it', async () => {
    await set()
    await redis.set(k.lease, 'x')
    await invalidate()
    expect(await redis.exists(k.entry, k.lease)).toBe(0)
    expect((await ear.notices()).at(-1)).toMatchObject({ operation: 'D', subject: SUBJECT })
  })

  test('of nothing is told all the same', async () => {
    await invalidate()
    expect(await ear.notices()).toHaveLength(1)
  })

  test.each(FOREIGN)('%s under its keys goes too', async (_name, put) => {
    await put(k.entry)
    await put(k.lease)
    await invalidate()
    expect(await redis.exists(k.entry, k.lease)).toBe(0)
  })

  test('goes on when memory is full', async () => {
    await set()
    await redis.config('SET', 'maxmemory', '1')
    await invalidate()
    expect(await redis.exists(k.entry)).toBe(0)
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['S', 'D'])
  })

  test('goes on when memory is full and there is no entry', async () => {
    await chainAt(N)
    await redis.config('SET', 'maxmemory', '1')
    await invalidate()
    expect(await ear.notices()).toHaveLength(1)
  })
})

describe('set', () => {
  test('stored: the entry with its stamps and n0, for its life; the lease goes', async () => {
    await chainAt(N)
    await redis.set(k.lease, `${TOKEN}|5!`)
    const mine = tip()
    expect(await set({ tip: mine })).toEqual({ word: 'stored' })
    expect(await entry()).toEqual({ value: 'value', n0: N, stamps: [`5:${mine}`, `5:${mine}`] })
    expect(await redis.exists(k.lease)).toBe(0)
    expect(await redis.pttl(k.entry)).toBeGreaterThan(50_000)
    expect(await redis.pttl(k.entry)).toBeLessThanOrEqual(60_000)
    expect((await ear.notices()).map((notice) => [notice?.operation, notice?.n])).toEqual([['S', String(N + 1)]])
  })

  test('the bytes are those that entry/header.ts tells of', async () => {
    await chainAt(N)
    await redis.mset(stampKeys[0] as string, '1:00112233aabbccdd', stampKeys[1] as string, '2:00112233aabbccdd')
    await set({ tail: writeTail(['tag'], encode({ a: 1 }).payload) })
    const expected = entryBytes({
      header: { fillStamp: Buffer.from('stamp--1'), createdAt: 1000, freshUntil: 2000, staleUntil: 3000, loadMs: 5 },
      n0: N,
      stamps: ['1:00112233aabbccdd', '2:00112233aabbccdd'],
      tags: ['tag'],
      encoded: encode({ a: 1 }),
    })
    expect((await redis.getBuffer(k.entry))?.toString('hex')).toBe(expected.toString('hex'))
  })

  test('stamps that are not there yet are as old as the last move of their groups, or as the chain', async () => {
    const mine = tip()
    await chainAt(N, { floor: String(N - 9), [FIELDS[1] as string]: String(N - 2) })
    await set({ tip: mine })
    expect((await entry())?.stamps).toEqual([`${N - 9}:${mine}`, `${N - 2}:${mine}`])
    expect(await redis.mget(...stampKeys)).toEqual((await entry())?.stamps)
  })

  test.each([
    ['', N],
    ['-5', N],
    ['1e3', N],
    ['nan', N],
    ['9'.repeat(16), N],
    [String(N + 1), N],
  ])('a field that says %j tells of no last move: the stamp follows all links so far', async (field, n) => {
    const mine = tip()
    await chainAt(N, { [FIELDS[1] as string]: field })
    await set({ tip: mine })
    expect((await entry())?.stamps[1]).toBe(`${n}:${mine}`)
  })

  test.each(FOREIGN_CHAINS)('%s in place of the chain: stamps are as old as the new one', async (_name, put) => {
    await put()
    await set()
    const [floor] = await redis.hmget(names.chain, 'floor')
    for (const stamp of (await entry())?.stamps ?? []) expect(stamp.split(':')[0]).toBe(floor)
  })

  test('without an end: no TTL, and none on its stamps either', async () => {
    await redis.set(stampKeys[0] as string, '1:00112233aabbccdd', 'PX', 5000)
    expect(await set({ lifeMs: 0 })).toEqual({ word: 'stored' })
    for (const key of [k.entry, ...stampKeys]) expect(await redis.pttl(key)).toBe(-1)
  })

  test('the TTL of a stamp is only ever raised', async () => {
    const [root, shop] = stampKeys as [string, string]
    await redis.set(root, '1:00112233aabbccdd', 'PX', 5000)
    await redis.set(shop, '2:00112233aabbccdd', 'PX', 500_000)
    await set({ lifeMs: 60_000 })
    expect(await redis.pttl(root)).toBeGreaterThan(50_000)
    expect(await redis.pttl(root)).toBeLessThanOrEqual(60_000)
    expect(await redis.pttl(shop)).toBeGreaterThan(400_000)
    await redis.persist(shop)
    await set({ lifeMs: 60_000 })
    expect(await redis.pttl(shop)).toBe(-1)
    expect(await redis.mget(root, shop)).toEqual(['1:00112233aabbccdd', '2:00112233aabbccdd'])
  })

  test('late: what is delivered after the deadline of its caller leaves everything as it was', async () => {
    await set()
    await redis.set(k.lease, 'x')
    const before = await redis.getBuffer(k.entry)
    expect(await set({ deadlineMs: (rig.bucket.offsetMs as number) + systemClock.now() - 1000 })).toEqual({
      word: 'late',
    })
    expect(await redis.getBuffer(k.entry)).toEqual(before)
    expect(await redis.get(k.lease)).toBe('x')
    expect(await ear.notices()).toHaveLength(1)
  })

  test('older: a version below the one there leaves everything as it was', async () => {
    expect(await set({ version: 5 })).toEqual({ word: 'stored' })
    const before = await redis.getBuffer(k.entry)
    await redis.set(k.lease, 'x')
    for (const version of [4.999, 0, -1]) expect(await set({ version })).toEqual({ word: 'older' })
    expect(await redis.getBuffer(k.entry)).toEqual(before)
    expect(await redis.get(k.lease)).toBe('x')
    expect(await ear.notices()).toHaveLength(1)
  })

  test('the same version, a newer one, and none at all replace it', async () => {
    await set({ version: 5 })
    expect(await set({ version: 5 })).toEqual({ word: 'stored' })
    expect(await set({ version: 6 })).toEqual({ word: 'stored' })
    expect(await set()).toEqual({ word: 'stored' })
    expect(await set({ version: 1 })).toEqual({ word: 'stored' })
  })

  test('failed: when memory is full the old entry is gone, and that is told', async () => {
    await set()
    await redis.set(k.lease, 'x')
    await redis.config('SET', 'maxmemory', '1')
    const reply = await set()
    expect(reply.word).toBe('failed')
    expect(reply).toHaveProperty('message', expect.stringContaining('OOM'))
    expect(await redis.exists(k.entry, k.lease)).toBe(0)
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['S', 'D'])
  })

  test('failed: a stamp that must live longer does not let the value in when memory is full', async () => {
    await redis.mset(stampKeys[0] as string, '1:00112233aabbccdd', stampKeys[1] as string, '2:00112233aabbccdd')
    for (const key of stampKeys) await redis.pexpire(key, 5000)
    await redis.config('SET', 'maxmemory', '1')
    expect((await set()).word).toBe('failed')
    expect(await redis.exists(k.entry)).toBe(0)
  })

  test.each(FOREIGN)('%s under its keys is replaced', async (_name, put) => {
    for (const key of [k.entry, k.lease, ...stampKeys]) await put(key)
    const mine = tip()
    expect(await set({ tip: mine, version: 1 })).toEqual({ word: 'stored' })
    const stored = await entry()
    expect(stored?.value).toBe('value')
    expect(await redis.mget(...stampKeys)).toEqual(stored?.stamps)
    expect(stored?.stamps).toEqual([expect.stringMatching(/^\d{16}:/), expect.stringMatching(/^\d{16}:/)])
    expect(await redis.exists(k.lease)).toBe(0)
  })
})

describe('clear', () => {
  test('moves the stamp to its link and notes it in the head of the chain', async () => {
    await chainAt(N)
    const mine = tip()
    await clear(mine)
    expect(await redis.get(names.clearStamp('shop'))).toBe(`${N + 1}:${mine}`)
    expect(await redis.hget(names.chain, FIELDS[1] as string)).toBe(String(N + 1))
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['X'])
  })

  test('the TTL of the stamp is only ever raised', async () => {
    const stamp = names.clearStamp('shop')
    await clear(tip(), 10_000)
    expect(await redis.pttl(stamp)).toBeGreaterThan(5000)
    expect(await redis.pttl(stamp)).toBeLessThanOrEqual(10_000)
    await redis.pexpire(stamp, 100_000)
    await clear(tip(), 10_000)
    expect(await redis.pttl(stamp)).toBeGreaterThan(50_000)
    await redis.pexpire(stamp, 10)
    await clear(tip(), 10_000)
    expect(await redis.pttl(stamp)).toBeGreaterThan(5000)
    await redis.persist(stamp)
    await clear(tip(), 10_000)
    expect(await redis.pttl(stamp)).toBe(-1)
  })

  test.each(FOREIGN)('%s in place of the stamp is replaced', async (_name, put) => {
    await put(names.clearStamp('shop'))
    const mine = tip()
    await clear(mine)
    expect(await redis.get(names.clearStamp('shop'))).toMatch(new RegExp(`^\\d{16}:${mine}$`))
  })

  test.each([true, false])('goes on when memory is full (with a stamp: %s)', async (hasStamp) => {
    await chainAt(N)
    if (hasStamp) await redis.set(names.clearStamp('shop'), '1:00112233aabbccdd')
    await redis.config('SET', 'maxmemory', '1')
    const mine = tip()
    await clear(mine)
    expect(await redis.get(names.clearStamp('shop'))).toBe(`${N + 1}:${mine}`)
    expect(await ear.notices()).toHaveLength(1)
  })
})

describe('acquire', () => {
  test('granted: the lease with the number of the chain, for its length', async () => {
    await chainAt(N)
    expect(await acquire({ leaseMs: 3000 })).toEqual({ word: 'granted', n0: String(N) })
    expect(await redis.get(k.lease)).toBe(`${TOKEN}|${N}`)
    expect(await redis.pttl(k.lease)).toBeGreaterThan(2000)
    expect(await redis.pttl(k.lease)).toBeLessThanOrEqual(3000)
    expect(await ear.notices()).toEqual([])
  })

  test('granted: a chain begins where there is none', async () => {
    const reply = await acquire()
    const { n, floor, tip: told } = await redis.hgetall(names.chain)
    expect(reply).toEqual({ word: 'granted', n0: n })
    expect([floor, told]).toEqual([n, TOKEN.slice(0, 16)])
  })

  test('found: an entry that the caller has not seen', async () => {
    await set()
    expect(await acquire()).toEqual({ word: 'found' })
    expect(await acquire({ seen: Buffer.from('stamp--2') })).toEqual({ word: 'found' })
    expect(await acquire({ seen: '0'.repeat(40) })).toEqual({ word: 'found' })
    expect(await redis.exists(k.lease)).toBe(0)
  })

  test('granted: an entry that the caller saw counts as absent, by fill stamp or by digest', async () => {
    await set()
    expect((await acquire({ seen: Buffer.from('stamp--1') })).word).toBe('granted')
    await redis.del(k.lease)
    const bytes = Buffer.from('ff00 no entry at all')
    await redis.set(k.entry, bytes)
    expect(await acquire({ seen: Buffer.from('stamp--1') })).toEqual({ word: 'found' })
    expect((await acquire({ seen: createHash('sha1').update(bytes).digest('hex') })).word).toBe('granted')
  })

  test('busy: tells how long, and notes once that somebody waits, without changing the end of the lease', async () => {
    await acquire({ leaseMs: 3000 })
    for (let caller = 0; caller < 3; caller++) {
      const reply = await acquire({ token: 'cd'.repeat(16), leaseMs: 60_000 })
      expect(reply).toEqual({ word: 'busy', leftMs: expect.any(Number) })
      expect((reply as { leftMs: number }).leftMs).toBeGreaterThan(0)
      expect((reply as { leftMs: number }).leftMs).toBeLessThanOrEqual(3000)
    }
    expect(await redis.get(k.lease)).toMatch(new RegExp(`^${TOKEN}\\|\\d{16}!$`))
    expect(await redis.pttl(k.lease)).toBeLessThanOrEqual(3000)
  })

  test('granted: to the next one when the lease has run out', async () => {
    await acquire({ leaseMs: 1 })
    await expect.poll(() => redis.exists(k.lease)).toBe(0)
    expect((await acquire({ token: 'cd'.repeat(16) })).word).toBe('granted')
  })

  test('busy when memory is full: it waits without a mark', async () => {
    await acquire({ leaseMs: 3000 })
    await redis.config('SET', 'maxmemory', '1')
    const reply = await acquire({ token: 'cd'.repeat(16) })
    expect(reply).toEqual({ word: 'busy', leftMs: expect.any(Number) })
    expect(await redis.get(k.lease)).toMatch(new RegExp(`^${TOKEN}\\|\\d{16}$`))
  })

  test('full: there is no room for a lease', async () => {
    await chainAt(N)
    await redis.config('SET', 'maxmemory', '1')
    expect(await acquire()).toEqual({ word: 'full', message: expect.stringContaining('OOM') })
    expect(await redis.exists(k.lease)).toBe(0)
  })

  test('full: no chain begins either', async () => {
    await redis.config('SET', 'maxmemory', '1')
    expect((await acquire()).word).toBe('full')
    expect(await redis.exists(k.lease, names.chain)).toBe(0)
  })

  test('late: newcomers wait for one lease, who waited before shares the failure', async () => {
    await acquire()
    await beLate({ graceMs: 3000, keptMs: 60_000 })
    const reply = await acquire({ token: 'cd'.repeat(16) })
    expect(reply).toEqual({ word: 'late', leftMs: expect.any(Number) })
    expect((reply as { leftMs: number }).leftMs).toBeGreaterThan(2000)
    expect((reply as { leftMs: number }).leftMs).toBeLessThanOrEqual(3000)
    expect(await acquire({ hasWaited: true })).toEqual({ word: 'failed', code: 'E_LATE', message: 'a | message' })
  })

  test.each([false, true])('granted: after that lease, whether it has waited (%s) or not', async (hasWaited) => {
    await acquire()
    await beLate({ graceMs: 0, keptMs: 60_000 })
    expect((await acquire({ token: 'cd'.repeat(16), hasWaited })).word).toBe('granted')
    expect(await commit()).toEqual({ word: 'refused', reason: 'lease' })
    expect(await redis.get(k.lease)).toMatch(/^(cd){16}\|\d{16}$/)
  })

  test('granted: to a call that comes twice, what the first one was; nobody is said to wait', async () => {
    await chainAt(N)
    await acquire({ leaseMs: 3000 })
    await invalidateOther()
    const held = await redis.get(k.lease)
    expect(await acquire({ leaseMs: 60_000 })).toEqual({ word: 'granted', n0: String(N) })
    expect(await redis.get(k.lease)).toBe(held)
    await acquire({ token: 'cd'.repeat(16) })
    expect(await acquire({ leaseMs: 60_000 })).toEqual({ word: 'granted', n0: String(N) })
    expect(await redis.get(k.lease)).toBe(`${held}!`)
    expect(await redis.pttl(k.lease)).toBeLessThanOrEqual(3000)
    expect(await commit()).toEqual({ word: 'stored' })
  })

  test('skip: granted apart, and stored; nobody marks it, and nobody is told of its end', async () => {
    await chainAt(N)
    await acquire()
    await release({ mark: 'skip', markMs: 60_000 })
    expect(await acquire({ renews: true })).toEqual({ word: 'skip' })
    for (const twice of [1, 2]) {
      expect(await acquire({ leaseMs: 3000 * twice })).toEqual({ word: 'granted', n0: String(N) })
      expect(await redis.get(k.lease)).toBe(`${TOKEN}|${N}~`)
    }
    expect(await acquire({ token: 'cd'.repeat(16) })).toEqual({ word: 'skip' })
    expect(await acquire({ token: 'cd'.repeat(16), hasWaited: true })).toEqual({ word: 'skip' })
    expect(await redis.get(k.lease)).toBe(`${TOKEN}|${N}~`)
    expect(await commit()).toEqual({ word: 'stored' })
    expect(await redis.exists(k.lease)).toBe(0)
    expect(await ear.notices()).toEqual([])
  })

  test('failed: what the last holder left', async () => {
    await acquire()
    await release({ mark: 'failed|E_CODE|a | message\nof two lines, with ümlauts', markMs: 60_000 })
    expect(await acquire({ hasWaited: true })).toEqual({
      word: 'failed',
      code: 'E_CODE',
      message: 'a | message\nof two lines, with ümlauts',
    })
  })

  test('granted: to a newcomer after a failure that it did not wait for', async () => {
    await acquire()
    await release({ mark: 'failed|E_CODE|message', markMs: 60_000 })
    expect((await acquire({ hasWaited: false })).word).toBe('granted')
  })

  test.each(FOREIGN)('%s in place of the lease is none', async (_name, put) => {
    await put(k.lease)
    expect((await acquire()).word).toBe('granted')
    expect(await redis.get(k.lease)).toMatch(new RegExp(`^${TOKEN}\\|\\d{16}$`))
  })

  test.each([`${TOKEN}|5`, `${TOKEN}|5!!`])('a lease without an end (%s) is none', async (text) => {
    await redis.set(k.lease, text)
    expect((await acquire({ token: 'cd'.repeat(16) })).word).toBe('granted')
  })

  test.each(FOREIGN.filter(([name]) => /list|set|hash/.test(name)))(
    '%s in place of the entry is none',
    async (_name, put) => {
      await put(k.entry)
      expect((await acquire()).word).toBe('granted')
      expect(await commit()).toEqual({ word: 'stored' })
      expect((await entry())?.value).toBe('loaded')
    },
  )

  test.each(FOREIGN_CHAINS)('%s in place of the chain: a new one begins, and the lease is good', async (_name, put) => {
    await put()
    expect(await acquire()).toEqual({ word: 'granted', n0: expect.stringMatching(/^\d{16}$/) })
    expect(await commit()).toEqual({ word: 'stored' })
  })
})

describe('commit', () => {
  test('stored: under the lease; stamps that are not there yet are as old as the last move of their groups', async () => {
    await chainAt(N)
    await acquire()
    await set({ names: names.ofEntry({ namespace: '_', key: 'other' }), stampKeys: [] })
    expect(await commit()).toEqual({ word: 'stored' })
    const stamp = '5:feedfeedfeedfeed'
    expect(await entry()).toEqual({ value: 'loaded', n0: N, stamps: [stamp, stamp] })
    expect(await redis.mget(...stampKeys)).toEqual([stamp, stamp])
    expect(await redis.exists(k.lease)).toBe(0)
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['S'])
    expect(await redis.hget(names.chain, 'n')).toBe(String(N + 1))
  })

  test('stored: a stamp was made since the lease was granted, of a group that has not moved', async () => {
    await chainAt(N)
    await acquire()
    await invalidateOther()
    await set({ names: names.ofEntry({ namespace: 'shop', key: 'other' }) })
    expect(await commit()).toEqual({ word: 'stored' })
  })

  test("refused 'moved': a stamp was made anew since the lease was granted, of a group that has moved", async () => {
    await chainAt(N)
    await acquire()
    await clear()
    await redis.del(names.clearStamp('shop'))
    await set({ names: names.ofEntry({ namespace: 'shop', key: 'other' }) })
    await refusedFor('moved')
  })

  test('stored: with the stamps that are there, whose TTL is only ever raised', async () => {
    await chainAt(N)
    const [root, shop] = stampKeys as [string, string]
    await redis.set(root, `${N}:00112233aabbccdd`, 'PX', 5000)
    await redis.set(shop, '2:00112233aabbccdd', 'PX', 500_000)
    await acquire()
    expect(await commit()).toEqual({ word: 'stored' })
    expect((await entry())?.stamps).toEqual([`${N}:00112233aabbccdd`, '2:00112233aabbccdd'])
    expect(await redis.pttl(root)).toBeGreaterThan(50_000)
    expect(await redis.pttl(shop)).toBeGreaterThan(400_000)
    expect(await redis.pttl(k.entry)).toBeGreaterThan(50_000)
  })

  test('stored: without an end', async () => {
    await acquire()
    await redis.set(stampKeys[0] as string, '1:00112233aabbccdd', 'PX', 5000)
    expect(await commit({ lifeMs: 0 })).toEqual({ word: 'stored' })
    for (const key of [k.entry, ...stampKeys]) expect(await redis.pttl(key)).toBe(-1)
  })

  test('those who wait are told F, nobody else is', async () => {
    await acquire()
    await commit()
    expect(await ear.notices()).toEqual([])
    await redis.del(k.entry)
    await acquire()
    await acquire({ token: 'cd'.repeat(16) })
    await commit()
    expect(await ear.notices()).toEqual([
      { previousTip: '', tip: '', n: '0', operation: 'F', origin: 'origin', subject: SUBJECT },
    ])
  })

  async function refusedFor(reason: string, { waiters = 1, lease = true } = {}) {
    if (waiters > 0) await acquire({ token: 'cd'.repeat(16) })
    const before = await redis.getBuffer(k.entry)
    expect(await commit()).toEqual({ word: 'refused', reason })
    expect(await redis.getBuffer(k.entry)).toEqual(before)
    if (!lease) return
    expect(await redis.exists(k.lease)).toBe(0)
    const wakeUps = (await ear.notices()).filter((notice) => notice?.operation === 'R')
    expect(wakeUps).toHaveLength(waiters)
  }

  test("refused 'lease': it has run out, was taken away, or is another's", async () => {
    await chainAt(N)
    await refusedFor('lease', { waiters: 0, lease: false })
    await acquire()
    await invalidate()
    await refusedFor('lease', { waiters: 0, lease: false })
    await acquire({ token: 'cd'.repeat(16) })
    await refusedFor('lease', { waiters: 0, lease: false })
    expect(await redis.get(k.lease)).toMatch(/^(cd){16}\|/)
    expect((await ear.notices()).filter((notice) => notice?.operation === 'R')).toEqual([])
  })

  test("refused 'lease': a set came in between", async () => {
    await acquire()
    await set()
    await refusedFor('lease', { waiters: 0, lease: false })
    expect((await entry())?.value).toBe('value')
  })

  test.each(FOREIGN)("refused 'lease': %s in its place", async (_name, put) => {
    await chainAt(N)
    await put(k.lease)
    await refusedFor('lease', { waiters: 0, lease: false })
  })

  test("refused 'chain': it was lost, with whatever it told", async () => {
    await acquire()
    await redis.del(names.chain)
    await refusedFor('chain', { waiters: 0 })
  })

  test.each(FOREIGN_CHAINS)("refused 'chain': %s in its place", async (_name, put) => {
    await acquire()
    await acquire({ token: 'cd'.repeat(16) })
    await redis.del(names.chain)
    await put()
    expect(await commit()).toEqual({ word: 'refused', reason: 'chain' })
    expect(await redis.exists(k.entry, k.lease)).toBe(0)
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['R'])
  })

  test.each([0, 1])("refused 'moved': a stamp moved after the lease was granted; %d wait", async (waiters) => {
    await acquire()
    await clear()
    await refusedFor('moved', { waiters })
  })

  test("refused 'moved': it moved, and its stamp was evicted: the chain's field tells", async () => {
    await acquire()
    await clear()
    await redis.del(names.clearStamp('shop'))
    await refusedFor('moved')
  })

  test("refused 'moved': the chain was lost and began anew: its floor tells", async () => {
    await acquire()
    await redis.del(names.chain)
    await invalidate()
    await redis.set(k.lease, `${TOKEN}|5!`, 'PX', 5000)
    expect(await commit()).toEqual({ word: 'refused', reason: 'moved' })
  })

  test.each(['', 'abc', 'nan', undefined])("refused 'moved': the floor cannot be read (%j)", async (floor) => {
    await acquire()
    if (floor === undefined) await redis.hdel(names.chain, 'floor')
    else await redis.hset(names.chain, 'floor', floor)
    await refusedFor('moved')
  })

  test('stored: what moved before the lease was granted does not count', async () => {
    await clear()
    await acquire()
    expect(await commit()).toEqual({ word: 'stored' })
    await redis.del(names.clearStamp('shop'), k.entry)
    await acquire()
    expect(await commit()).toEqual({ word: 'stored' })
  })

  test('stored: another namespace moved', async () => {
    await acquire()
    await scripts.invalidateGroup(
      rig.bucket,
      { stamp: names.clearStamp('users'), chain: names.chain },
      { tip: tip(), body: noticeBody('X', 'origin', 'users'), field: '33', lifeMs: 1000 },
    )
    expect(await commit()).toEqual({ word: 'stored' })
  })

  test.each(FOREIGN)('%s in place of stamps counts as absence: they are made anew', async (_name, put) => {
    await acquire()
    for (const key of stampKeys) await put(key)
    expect(await commit()).toEqual({ word: 'stored' })
    expect(await redis.mget(...stampKeys)).toEqual((await entry())?.stamps)
  })

  test.each(FOREIGN)('%s in place of a stamp that moved is refused', async (_name, put) => {
    await acquire()
    await clear()
    await redis.del(names.clearStamp('shop'))
    await put(names.clearStamp('shop'))
    await refusedFor('moved')
  })

  test('stored: past its deadline, while nobody took over; those who wait for that are told', async () => {
    await acquire()
    await beLate({ graceMs: 3000 })
    expect(await commit()).toEqual({ word: 'stored' })
    expect((await entry())?.value).toBe('loaded')
    expect(await redis.exists(k.lease)).toBe(0)
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['F'])
  })

  test('stored: past its deadline and the lease after it', async () => {
    await acquire()
    await beLate({ graceMs: 0 })
    expect(await commit()).toEqual({ word: 'stored' })
  })

  test("refused 'moved': past its deadline, n0 is that of the grant", async () => {
    await acquire()
    await clear()
    await beLate()
    expect(await commit()).toEqual({ word: 'refused', reason: 'moved' })
  })

  test("refused 'lease': past its deadline, the key was invalidated", async () => {
    await acquire()
    await beLate()
    await invalidate()
    expect(await commit()).toEqual({ word: 'refused', reason: 'lease' })
  })

  test('failed: memory is full; the lease goes and those who wait are told', async () => {
    await acquire()
    await acquire({ token: 'cd'.repeat(16) })
    await redis.config('SET', 'maxmemory', '1')
    expect(await commit()).toEqual({ word: 'failed', reason: expect.stringContaining('OOM') })
    expect(await redis.exists(k.entry, k.lease)).toBe(0)
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['R'])
  })
})

describe('increment', () => {
  function incrementCall(change: Partial<scripts.IncrementCall> = {}): scripts.IncrementCall {
    return {
      names: k,
      stampKeys,
      stampFields: FIELDS,
      tip: tip(),
      body: noticeBody('S', 'origin', SUBJECT),
      head: head({ flags: FLAG_INTEGER, fillStamp: Buffer.from(tip(), 'hex'), freshUntil: farAway() }),
      lifeMs: 60_000,
      deadlineMs: farAway(),
      by: 2,
      ...change,
    }
  }
  const increment = (change?: Partial<scripts.IncrementCall>) => scripts.increment(rig.bucket, incrementCall(change))

  test('a call that comes twice adds once, whether the counter was there or not, and is told once', async () => {
    for (const value of [2, 4]) {
      const call = incrementCall()
      for (const deadlineMs of [farAway(), farAway(), 1]) {
        expect(await scripts.increment(rig.bucket, { ...call, deadlineMs })).toEqual({ word: 'stored', value })
      }
    }
    expect((await entry())?.value).toBe(4)
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['S', 'S'])
  })

  test('late: nothing is done to what another call has left', async () => {
    await increment()
    expect(await increment({ deadlineMs: 1 })).toEqual({ word: 'late' })
    expect((await entry())?.value).toBe(2)
  })

  test.each(['nan', 'inf', '0x10', '1.5', ' 7', '7 ', '1e3', '', '-', '+7', '9007199254740992', '1'.repeat(17)])(
    'wrong: %j in place of its digits',
    async (junk) => {
      await increment()
      const bytes = (await redis.getBuffer(k.entry)) as Buffer
      await redis.set(k.entry, Buffer.concat([bytes.subarray(0, bytes.length - 1), Buffer.from(junk)]))
      expect(await increment()).toEqual({ word: 'wrong' })
      expect(await ear.notices()).toHaveLength(1)
    },
  )

  test.each(['-9007199254740991', '0', '0007'])('stored: on %s', async (digits) => {
    await increment()
    const bytes = (await redis.getBuffer(k.entry)) as Buffer
    await redis.set(k.entry, Buffer.concat([bytes.subarray(0, bytes.length - 1), Buffer.from(digits)]))
    expect(await increment()).toEqual({ word: 'stored', value: Number(digits) + 2 })
  })
})

describe('touch', () => {
  const touch = (ttlMs: number) =>
    scripts.touch(rig.bucket, k, stampKeys, { tip: tip(), body: noticeBody('E', 'origin', SUBJECT), ttlMs })

  test.each([2 ** 53, 1e18, 1e300, Number.POSITIVE_INFINITY])(
    '%d ms: beyond what Redis takes there is no end, of the stamps neither',
    async (ttlMs) => {
      await set()
      expect(await touch(ttlMs)).toBe(true)
      for (const key of [k.entry, ...stampKeys]) expect(await redis.pttl(key)).toBe(-1)
      expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['S', 'E'])
    },
  )

  test('the entry ends when it may be served no more, and its stamps no sooner', async () => {
    await set()
    expect(await touch(500_000)).toBe(true)
    for (const key of [k.entry, ...stampKeys]) {
      expect(await redis.pttl(key)).toBeGreaterThan(490_000)
      // A second of staleness, as the head says.
      expect(await redis.pttl(key)).toBeLessThanOrEqual(501_000)
    }
  })

  test.each(FOREIGN)('does nothing to %s', async (_name, put) => {
    await put(k.entry)
    expect(await touch(1000)).toBe(false)
    expect(await redis.pttl(k.entry)).toBe(-1)
  })
})

describe('release', () => {
  test('takes the lease away; tells R to those who wait, and to nobody else', async () => {
    await acquire()
    await release()
    expect(await redis.exists(k.lease)).toBe(0)
    expect(await ear.notices()).toEqual([])
    await acquire()
    await acquire({ token: 'cd'.repeat(16) })
    await release()
    expect(await ear.notices()).toEqual([
      { previousTip: '', tip: '', n: '0', operation: 'R', origin: 'origin', subject: SUBJECT },
    ])
  })

  test('leaves a mark for a moment', async () => {
    await acquire()
    await release({ mark: 'skip', markMs: 1000 })
    expect(await redis.get(k.lease)).toBe('skip')
    expect(await redis.pttl(k.lease)).toBeLessThanOrEqual(1000)
    expect(await redis.pttl(k.lease)).toBeGreaterThan(0)
  })

  test('past its deadline: the failure is left in place of the lease, and told', async () => {
    await acquire()
    await beLate()
    await release({ mark: 'failed|E|m', markMs: 500 })
    expect(await redis.get(k.lease)).toBe('failed|E|m')
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['R'])
    await release({ mark: 'skip', markMs: 500 })
    expect(await redis.get(k.lease)).toBe('failed|E|m')
  })

  test('of a lease that is not ours any more does nothing', async () => {
    await release({ mark: 'skip', markMs: 1000 })
    expect(await redis.exists(k.lease)).toBe(0)
    await acquire({ token: 'cd'.repeat(16) })
    const before = await redis.get(k.lease)
    await release({ mark: 'skip', markMs: 1000 })
    expect(await redis.get(k.lease)).toBe(before)
  })

  test.each(FOREIGN)('of %s does nothing', async (_name, put) => {
    await put(k.lease)
    await expect(release({ mark: 'skip', markMs: 1000 })).resolves.toBeUndefined()
    expect(await redis.exists(k.lease)).toBe(1)
  })

  test('goes on when memory is full, with a mark too', async () => {
    await acquire()
    await acquire({ token: 'cd'.repeat(16) })
    await redis.config('SET', 'maxmemory', '1')
    await release({ mark: 'failed|E|m', markMs: 60_000 })
    expect(await redis.get(k.lease)).toBe('failed|E|m')
    expect((await ear.notices()).map((notice) => notice?.operation)).toEqual(['R'])
  })
})

describe('renew', () => {
  const renew = (token = TOKEN, leaseMs = 60_000) => scripts.renew(rig.bucket, k, token, leaseMs)

  test('makes our lease last, with its waiters', async () => {
    await acquire({ leaseMs: 3000 })
    await acquire({ token: 'cd'.repeat(16) })
    expect(await renew()).toBe(true)
    expect(await redis.pttl(k.lease)).toBeGreaterThan(50_000)
    expect(await redis.get(k.lease)).toMatch(/!$/)
  })

  test('does nothing to one past its deadline', async () => {
    await acquire()
    await beLate()
    expect(await renew()).toBe(false)
    expect(await redis.pttl(k.lease)).toBeLessThanOrEqual(6000)
  })

  test("does nothing to another's, or to none", async () => {
    expect(await renew()).toBe(false)
    await acquire({ token: 'cd'.repeat(16), leaseMs: 3000 })
    expect(await renew()).toBe(false)
    expect(await redis.pttl(k.lease)).toBeLessThanOrEqual(3000)
    await redis.set(k.lease, 'skip', 'PX', 3000)
    expect(await renew()).toBe(false)
  })

  test.each(FOREIGN)('does nothing to %s', async (_name, put) => {
    await put(k.lease)
    expect(await renew()).toBe(false)
    expect(await redis.pttl(k.lease)).toBe(-1)
  })
})

describe('discard', () => {
  const discard = (seen: Buffer | string) => scripts.discard(rig.bucket, k.entry, seen)

  test('removes what was seen, by fill stamp or by digest, and nothing else', async () => {
    await set()
    await discard(Buffer.from('stamp--2'))
    await discard('0'.repeat(40))
    await discard('')
    expect(await redis.exists(k.entry)).toBe(1)
    await discard(Buffer.from('stamp--1'))
    expect(await redis.exists(k.entry)).toBe(0)
    await redis.set(k.entry, 'garbage')
    await discard(createHash('sha1').update('garbage').digest('hex'))
    expect(await redis.exists(k.entry)).toBe(0)
    expect(await ear.notices()).toHaveLength(1)
  })

  test('of nothing, or of another type, does nothing', async () => {
    await discard(Buffer.from('stamp--1'))
    await redis.rpush(k.entry, 'x')
    await discard(Buffer.from('stamp--1'))
    expect(await redis.exists(k.entry)).toBe(1)
  })
})

describe('a right that is missing', () => {
  const body = noticeBody('D', 'origin', SUBJECT)
  const shop = { stamp: names.clearStamp('shop'), chain: names.chain }
  const group = () => ({ tip: tip(), body, field: FIELDS[1] as string, lifeMs: 1000 })
  const counter = () => {
    const { storedBody, failedBody: _, tail: __, version: ___, ...call } = setCall()
    return { ...call, body: storedBody, by: 1 }
  }
  const seen = Buffer.from('stamp--1')
  const calls: Readonly<Record<string, (bucket: Bucket) => Promise<unknown>>> = {
    invalidate: (bucket) => scripts.invalidate(bucket, k, tip(), body),
    invalidateGroup: (bucket) => scripts.invalidateGroup(bucket, shop, group()),
    expireTag: (bucket) => scripts.expireTag(bucket, shop, group()),
    expire: (bucket) => scripts.expire(bucket, k, tip(), body),
    touch: (bucket) => scripts.touch(bucket, k, stampKeys, { tip: tip(), body, ttlMs: 1e9 }),
    set: (bucket) => scripts.set(bucket, setCall({ lifeMs: 1e9 })),
    'set with a version': (bucket) => scripts.set(bucket, setCall({ stampKeys: [], stampFields: [], version: 11 })),
    increment: (bucket) => scripts.increment(bucket, counter()),
    acquire: (bucket) => scripts.acquire(bucket, k, { token: 'cd'.repeat(16), leaseMs: 3000, seen, hasWaited: false }),
    commit: (bucket) => scripts.commit(bucket, commitCall({ lifeMs: 1e9 })),
    release: (bucket) => scripts.release(bucket, k, { token: TOKEN, notice: RELEASED, mark: '', markMs: 0 }),
    renew: (bucket) => scripts.renew(bucket, k, TOKEN, 60_000),
    discard: (bucket) => scripts.discard(bucket, k.entry, seen),
  }
  const readers: Readonly<Record<string, readonly (keyof typeof calls)[]>> = {
    get: Object.keys(calls).filter((call) => !['invalidate', 'expire', 'touch', 'set with a version'].includes(call)),
    getrange: ['expire', 'touch', 'set with a version'],
    hget: Object.keys(calls).filter((call) => !['acquire', 'release', 'renew', 'discard'].includes(call)),
    pttl: ['invalidateGroup', 'expireTag', 'touch', 'set', 'increment', 'acquire', 'commit'],
  }

  /** Everything in Redis, as bytes. */
  async function everything(): Promise<unknown> {
    const keys = (await redis.keys('*')).sort()
    return Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)]))
  }

  test.each(Object.entries(readers).flatMap(([right, callers]) => callers.map((call) => [right, call] as const)))(
    '+%s: %s is refused, the right is named, and nothing is half done',
    async (right, call) => {
      await redis.call('ACL', 'SETUSER', 'poor', 'reset', 'on', '>pw', '~*', '&*', '+@all', `-${right}`)
      const poor = rigOf(`redis://poor:pw@${server.host}:${server.port}`)
      await poor.connected()
      await chainAt(N)
      await set({ version: 10 })
      await acquire({ seen })
      await ear.notices()
      const [before, told] = [await everything(), ear.messages.length]
      const failure = await calls[call]?.(poor.bucket).catch((error: unknown) => error)
      poor.client.close()
      expect(failure).toMatchObject({ code: 'ERR_REDIS_REPLY' })
      const detail = expect.objectContaining({ right: expect.stringContaining(`+${right}`) })
      expect(poor.of('warning')).toEqual([expect.objectContaining({ code: 'ERR_MISSING_RIGHT', detail })])
      expect(await everything()).toEqual(before)
      expect(await ear.notices()).toHaveLength(told)
    },
  )

  test('+set: no lease is granted, and that is not called want of memory', async () => {
    await redis.call('ACL', 'SETUSER', 'poor', 'reset', 'on', '>pw', '~*', '&*', '+@all', '-set')
    const poor = rigOf(`redis://poor:pw@${server.host}:${server.port}`)
    await poor.connected()
    for (const call of ['acquire', 'set', 'increment']) {
      const failure = await calls[call]?.(poor.bucket).catch((error: unknown) => error)
      expect([call, failure]).toEqual([call, expect.objectContaining({ code: 'ERR_REDIS_REPLY' })])
    }
    poor.client.close()
    expect(poor.of('warning')).not.toEqual([])
    expect(await redis.exists(k.entry, k.lease)).toBe(0)
  })
})

describe('calling', () => {
  test('a server that has lost its scripts gets them again, without a failure', async () => {
    for (let round = 0; round < 5; round++) {
      await redis.script('FLUSH')
      expect(await set()).toEqual({ word: 'stored' })
      await redis.script('FLUSH')
      expect((await acquire({ seen: Buffer.from('stamp--1') })).word).toBe('granted')
      await redis.del(k.lease)
    }
    expect((await entry())?.value).toBe('value')
    expect([rig.counters.l2Errors.size, rig.of('l2-error'), rig.of('breaker')]).toEqual([0, [], []])
  })

  test('a script is sent once, then called by its digest', async () => {
    await redis.script('FLUSH')
    await redis.config('RESETSTAT')
    for (let call = 0; call < 4; call++) await invalidate()
    const stats = await redis.info('commandstats')
    expect(stats).toMatch(/cmdstat_evalsha:calls=4/)
    expect(stats).toMatch(/cmdstat_eval:calls=1/)
  })

  test('an error of the server is a TierCacheError that tells nothing of the arguments', async () => {
    await chainAt(N)
    await acquire()
    const failure = await scripts.renew(rig.bucket, k, TOKEN, 0.5).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'TierCacheError', code: 'ERR_REDIS_REPLY' })
    expect(String(failure)).toContain('renew-1 failed: ')
    expect(String(failure)).not.toContain(TOKEN)
  })
})
