import { expect, test } from 'vitest'
import { encode } from '../../src/entry/codec.ts'
import type { Address } from '../../src/entry/entry.ts'
import { bucketOf, localId } from '../../src/entry/key.ts'
import type { Notice } from '../../src/entry/notice.ts'
import type { Lease } from '../../src/stampede/lease.ts'
import type { Candidate, Found } from '../../src/tiers/tier.ts'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets } from '../doubles/fleet.ts'

/** What every form of a far tier keeps to, beside what `conformance/tier.suite.ts` says of all tiers. */

const k: Address = { namespace: 'shop.users', key: 'k' }

inFleets((fleet) => {
  async function setup() {
    const process = await fleet.process()
    const other = await fleet.process()
    const [far, leases, tags] = [process.far.port, process.leases.port, process.tags.port]
    return { process, other, far, leases, tags, heard: await hearing(other) }
  }

  function candidate(value: unknown, change: Partial<Candidate> = {}): Candidate {
    const now = fleet.clock.now()
    const [freshUntil, staleUntil] = [now + 60_000, now + 120_000]
    return { address: k, ...encode(value), createdAt: now, freshUntil, staleUntil, tags: [], loadMs: 0, ...change }
  }

  /** The notices that a process has heard since, but for those of its probes. */
  async function hearing(process: Process): Promise<() => Promise<string[]>> {
    const heard: Notice[] = []
    const { arrive } = process.line
    process.line.arrive = (notice, pass) => {
      if (notice) heard.push(notice)
      arrive.call(process.line, notice, pass)
    }
    return async () => {
      await allHeard(process)
      return heard
        .splice(0)
        .flatMap(({ operation, subject }) => (subject.includes('probe') ? [] : [`${operation} ${subject}`]))
    }
  }

  async function granted({ leases }: Process, seen?: Buffer): Promise<Lease> {
    const reply = await leases.port.acquire(k, seen, false)
    if (reply.word !== 'granted') throw new Error(`expected a lease, got ${reply.word}`)
    return reply.lease
  }

  const entry = (found: Found) => {
    if (found.word !== 'entry') throw new Error(`expected an entry, got ${found.word}`)
    return found
  }

  test('an entry comes back as it was given, with its stamps', async () => {
    const { far } = await setup()
    const given = candidate({ a: [1] }, { tags: ['t', 'u'] })
    expect(await far.set(given)).toBe('stored')
    const found = entry(await far.get(k))
    expect(found.entry).toMatchObject({ value: { a: [1] }, tags: ['t', 'u'] })
    expect(found.entry.freshUntil).toBeCloseTo(given.freshUntil, 5)
    expect(found.entry.staleUntil).toBeCloseTo(given.staleUntil, 5)
    expect(found.tagStamps).toHaveLength(2)
    expect(found.seen).toHaveLength(8)
  })

  test('changes are told, each under its name; a commit only to those who wait', async () => {
    const { process, other, far, heard } = await setup()
    await far.commit(candidate(1), await granted(process))
    expect(await heard()).toEqual([])
    await far.expire(k)
    await far.touch(k, [], 1000)
    await far.delete(k)
    await far.touch(k, [], 1000)
    await far.set(candidate('text'))
    expect(await heard()).toEqual(['E shop.users:k', 'E shop.users:k', 'D shop.users:k', 'S shop.users:k'])
    await far.delete(k)
    const lease = await granted(process)
    await other.leases.port.acquire(k, undefined, false)
    await far.commit(candidate(1), lease)
    expect(await heard()).toEqual(['D shop.users:k', 'F shop.users:k'])
  })

  test('a commit without the lease is refused; so is a second one', async () => {
    const { process, far } = await setup()
    const lease = await granted(process)
    const refused = { word: 'refused', reason: 'lease' }
    expect(await far.commit(candidate(1), { ...lease, token: 'ff' })).toEqual(refused)
    expect(await far.commit(candidate(2), lease)).toEqual({ word: 'stored' })
    expect(await far.commit(candidate(3), lease)).toEqual(refused)
    expect(entry(await far.get(k)).entry.value).toBe(2)
  })

  test.each<[string, (process: Process) => Promise<unknown>]>([
    ['set', ({ far }) => far.port.set(candidate(0))],
    ['deleted', ({ far }) => far.port.delete(k)],
    ['expired', ({ far }) => far.port.expire(k)],
    ['touched', ({ far }) => far.port.touch(k, [], 1000)],
    ['added to', ({ far }) => far.port.increment(candidate(0), 1)],
  ])('%s, a key takes the lease away from who loads it', async (_, change) => {
    const { process, other, far } = await setup()
    await far.set(candidate(0))
    const { seen } = entry(await far.get(k))
    const lease = await granted(process, seen as Buffer)
    await change(other)
    expect(await process.leases.port.renew(lease)).toBe(false)
    expect(await far.commit(candidate('late'), lease)).toEqual({ word: 'refused', reason: 'lease' })
  })

  test.each<[string, (process: Process) => Promise<unknown>, word: string]>([
    ['its tag', ({ tags }) => tags.port.invalidate('t'), 'refused'],
    ['a namespace above it', ({ tags }) => tags.port.clear('shop'), 'refused'],
    ['its own namespace', ({ tags }) => tags.port.clear('shop.users'), 'refused'],
    ['everything', ({ tags }) => tags.port.clear('_'), 'refused'],
    ['another tag', ({ tags }) => tags.port.invalidate('u'), 'stored'],
    ['a namespace beside it', ({ tags }) => tags.port.clear('shop.orders'), 'stored'],
  ])('void since the lease was granted: %s', async (_, change, word) => {
    const { process, other, far } = await setup()
    const lease = await granted(process)
    await change(other)
    expect(await far.commit(candidate('v', { tags: ['t'] }), lease)).toMatchObject({ word })
    expect((await far.get(k)).word).toBe(word === 'stored' ? 'entry' : 'missing')
    expect(await process.leases.port.renew(lease)).toBe(false)
  })

  test('another value of its tag is stored since the lease was granted: the tag has not moved, and the commit is taken', async () => {
    const { process, other, far } = await setup()
    const lease = await granted(process)
    const beside = { namespace: 'shop.users', key: 'beside' }
    await other.far.port.delete(beside)
    expect(await other.far.port.set(candidate('v', { address: beside, tags: ['t'] }))).toBe('stored')
    expect(await far.commit(candidate('v', { tags: ['t'] }), lease)).toEqual({ word: 'stored' })
  })

  test('an entry is named by its fill: the lease is granted to who has seen the one that is there', async () => {
    const { process, far, leases } = await setup()
    await far.set(candidate('first'))
    const { seen } = entry(await far.get(k))
    expect(await leases.acquire(k, undefined, false)).toEqual({ word: 'found' })
    await far.set(candidate('second'))
    expect(await leases.acquire(k, seen, false)).toEqual({ word: 'found' })
    const lease = await granted(process, entry(await far.get(k)).seen as Buffer)
    expect(await far.commit(candidate('third'), lease)).toEqual({ word: 'stored' })
  })

  test('expired it is stale, not earlier than now, and stays so long as it would have', async () => {
    const { far } = await setup()
    const given = candidate('v')
    await far.set(given)
    await far.expire(k)
    const { freshUntil, staleUntil } = entry(await far.get(k)).entry
    expect(freshUntil).toBeLessThan(given.freshUntil)
    expect(staleUntil).toBeCloseTo(given.staleUntil, 5)
    await far.expire(k)
    expect(entry(await far.get(k)).entry.freshUntil).toBe(freshUntil)
  })

  test('touched it lives from now on, and is stale after that for as long as before; what is not there is not touched', async () => {
    const { far } = await setup()
    expect(await far.touch(k, [], 1000)).toBe(false)
    await far.set(candidate('v'))
    expect(await far.touch(k, [], 500_000)).toBe(true)
    const { freshUntil, staleUntil } = entry(await far.get(k)).entry
    expect(staleUntil - freshUntil).toBeCloseTo(60_000, 5)
    expect(freshUntil).toBeGreaterThan(fleet.clock.now() + 400_000)
    expect(await far.touch(k, [], 1)).toBe(true)
    const shortened = entry(await far.get(k)).entry
    expect(shortened.staleUntil - shortened.freshUntil).toBeCloseTo(60_000, 5)
    expect(shortened.freshUntil).toBeLessThan(fleet.clock.now() + 100_000)
    expect(await far.touch(k, [], Number.POSITIVE_INFINITY)).toBe(true)
    const endless = { freshUntil: Number.POSITIVE_INFINITY, staleUntil: Number.POSITIVE_INFINITY }
    expect(entry(await far.get(k)).entry).toMatchObject(endless)
    expect(await far.touch(k, [], 500_000)).toBe(true)
    const ended = entry(await far.get(k)).entry
    expect(ended.staleUntil).toBe(ended.freshUntil)
    expect(ended.freshUntil).toBeGreaterThan(fleet.clock.now() + 400_000)
  })

  test('touched after it was expired it stays stale, and lives for the longer of what it had and has now', async () => {
    const { far } = await setup()
    const given = candidate('v')
    await far.set(given)
    await far.expire(k)
    const expired = entry(await far.get(k)).entry
    expect(await far.touch(k, [], 1000)).toBe(true)
    expect(entry(await far.get(k)).entry).toEqual(expired)
    expect(await far.touch(k, [], 500_000)).toBe(true)
    const { freshUntil, staleUntil } = entry(await far.get(k)).entry
    expect(freshUntil).toBe(expired.freshUntil)
    expect(staleUntil).toBeGreaterThan(fleet.clock.now() + 400_000)
    expect(staleUntil).toBeLessThan(fleet.clock.now() + 600_000)
  })

  test('of another schemaVersion it is none for its reader, and stays; an integer is for all', async () => {
    const { process, far } = await setup()
    await far.set(candidate('v', { schemaVersion: '2', tags: ['t'] }))
    const { entry: there, ...carried } = entry(await far.get(k, '2'))
    expect(there).toMatchObject({ value: 'v' })
    const { bytes: _, sentAt: _at, ...rest } = carried
    for (const version of [undefined, '1']) {
      const none = { ...rest, word: 'incompatible', reason: 'schema-version', sentAt: expect.any(Number) }
      expect(await far.get(k, version)).toEqual(none)
    }
    const lease = await granted(process, carried.seen as Buffer)
    expect(await far.commit(candidate('w', { schemaVersion: '1' }), lease)).toEqual({ word: 'stored' })
    expect(entry(await far.get(k, '1')).entry.value).toBe('w')
    await far.set(candidate(1, { schemaVersion: '2' }))
    expect(await far.increment(candidate(1), 1)).toEqual({ word: 'stored', value: 2 })
    expect(entry(await far.get(k, '1')).entry.value).toBe(2)
  })

  test('of two versions the newer one stays, in whichever order they come', async () => {
    const { far } = await setup()
    expect(await far.set(candidate('two', { version: 2 }))).toBe('stored')
    expect(await far.set(candidate('one', { version: 1 }))).toBe('older')
    expect(entry(await far.get(k)).entry.value).toBe('two')
    expect(await far.set(candidate('none'))).toBe('stored')
    expect(await far.set(candidate('one', { version: 1 }))).toBe('stored')
  })

  test('counters: from nothing, on an integer, never on anything else', async () => {
    const { far, tags } = await setup()
    expect(await far.increment(candidate(5), 5)).toEqual({ word: 'stored', value: 5 })
    expect(await far.increment(candidate(-7), -7)).toEqual({ word: 'stored', value: -2 })
    expect(entry(await far.get(k)).entry.value).toBe(-2)
    expect(await far.increment(candidate(1), Number.MIN_SAFE_INTEGER)).toEqual({ word: 'overflow' })
    await tags.clear('shop')
    expect(await far.increment(candidate(1), 1)).toEqual({ word: 'stored', value: 1 })
    await far.set(candidate('text'))
    expect(await far.increment(candidate(1), 1)).toEqual({ word: 'wrong' })
    await far.set(candidate(1, { tags: ['t'] }))
    expect(await far.increment(candidate(1), 1)).toEqual({ word: 'wrong' })
    expect(entry(await far.get(k)).entry.value).toBe(1)
  })

  test.each(['nan', '0x10', '1.5', '1e3', ' 7', '9007199254740992'])('%j is no counter', async (digits) => {
    const { far } = await setup()
    await far.set({ ...candidate(1), payload: Buffer.from(digits) })
    expect(await far.increment(candidate(1), 1)).toEqual({ word: 'wrong' })
  })

  test('an addition makes it another entry', async () => {
    const { far, leases } = await setup()
    await far.increment(candidate(1), 1)
    const { seen } = entry(await far.get(k))
    await far.increment(candidate(1), 1)
    expect(await leases.acquire(k, seen, false)).toEqual({ word: 'found' })
  })

  test('cleared it is void, and names what was seen; only that one is discarded', async () => {
    const { far, tags } = await setup()
    await far.set(candidate('old'))
    const { seen } = entry(await far.get(k))
    await tags.clear('shop')
    expect(await far.get(k)).toEqual({ word: 'void', seen })
    await far.set(candidate('new'))
    await far.discard(k, seen)
    expect(entry(await far.get(k)).entry.value).toBe('new')
    await far.discard(k, entry(await far.get(k)).seen)
    expect(await far.get(k)).toEqual({ word: 'missing' })
  })

  test('the stamps of its tags judge it: void after an invalidation, stale after an expiry, for what came before', async () => {
    const { process, other, far, tags } = await setup()
    const stored = () => far.set(candidate('v', { tags: ['t'] }))
    const bucket = bucketOf(localId(k.namespace, k.key), process.parts.bus.buckets)
    const judged = async () => {
      await allHeard(process)
      const { entry: found, tagStamps, n0 } = entry(await far.get(k))
      return (await tags.judge(bucket, found.tags, tagStamps, n0)).verdict
    }
    await stored()
    expect(await judged()).toBe('holds')
    await other.tags.port.expire('t')
    expect(await judged()).toBe('stale')
    await stored()
    expect(await judged()).toBe('holds')
    await other.tags.port.invalidate('t')
    expect(await judged()).toBe('void')
    await stored()
    expect(await judged()).toBe('holds')
  })
})
