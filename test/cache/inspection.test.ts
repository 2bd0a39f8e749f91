import { describe, expect, test } from 'vitest'
import { inEveryForm, withOneRedis, withRedis } from '../doubles/caches.ts'
import { allHeard, inFleets } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/** What people are told of a key. */

const k = { namespace: '_', key: 'k' } as const

inEveryForm((kit) => {
  /** What L2 has to say, where there is one. */
  const inL2 = <T>(expected: T) => (kit.isShared ? expected : undefined)

  test('of a key that is there: what each tier has', async () => {
    const cache = await kit.make()
    await cache.set('k', 'value', { ttl: '1m', stale: '1h', tags: ['a', 'b'], version: 3, jitter: 0 })
    const inspection = await cache.inspect('k')
    expect(inspection).toMatchObject({ ...k, answer: 'fresh', tier: 'l1', load: { state: 'none', waiting: 0 } })
    expect(inspection.why).toMatch(/^L1 has it: stored .* ago, fresh for \d+\.\d s more$/)
    expect(inspection).not.toHaveProperty('lease')
    for (const found of kit.isShared ? [inspection.l1, inspection.l2] : [inspection.l1]) {
      expect(found).toMatchObject({ state: 'fresh', entry: { tags: ['a', 'b'], version: 3, stale: 3_600_000 } })
      expect(found?.entry?.age).toBeGreaterThanOrEqual(0)
      expect(found?.entry?.ttl).toBeLessThanOrEqual(60_000)
      expect(found?.entry?.ttl).toBeGreaterThan(30_000)
      expect(found?.entry?.bytes).toBeGreaterThan(3)
    }
    expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection)
  })

  test('of a key that is not there', async () => {
    const cache = await kit.make()
    const nothing = { state: 'missing', why: 'nothing is there' }
    expect(await cache.inspect('k')).toEqual({
      ...k,
      answer: 'none',
      why: kit.isShared ? 'L1: nothing is there. L2: nothing is there' : 'L1: nothing is there',
      l1: nothing,
      ...(kit.isShared && { l2: nothing }),
      load: { state: 'none', waiting: 0 },
    })
    await expect(cache.inspect('')).rejects.toMatchObject({ code: 'ERR_INVALID_KEY' })
  })

  test('without L1, or of L1 alone', async () => {
    const far = await kit.make({ l1: false })
    await far.set('k', 1)
    const inspection = await far.inspect('k')
    expect(inspection).not.toHaveProperty('l1')
    expect(inspection).toMatchObject(kit.isShared ? { answer: 'fresh', tier: 'l2' } : { answer: 'none' })
    const alone = (await kit.make()).namespace('n', { tiers: 'l1' })
    await alone.set('k', () => 1)
    expect(await alone.inspect('k')).toMatchObject({ answer: 'fresh', l1: { entry: { tiers: 'l1' } } })
    expect(await alone.inspect('k')).not.toHaveProperty('l2')
  })

  test('of an entry without an end, in words that JSON keeps', async () => {
    const cache = await kit.make()
    await cache.set('k', 1, { ttl: 'never' })
    const inspection = await cache.inspect('k')
    expect(inspection.l1?.entry).toMatchObject({ ttl: 'never', stale: 0 })
    expect(inspection.l2?.entry?.ttl).toBe(inL2('never'))
    expect(inspection.why).toMatch(/fresh without an end$/)
  })

  test('a look is no use of an entry, is not counted, and fills nothing', async () => {
    const cache = await kit.make({ l1: { maxEntries: 2 } })
    for (const key of ['a', 'b']) await cache.set(key, key)
    const events: unknown[] = []
    for (const name of ['load', 'undecodable', 'incompatible', 'fill-refused'] as const) {
      cache.on(name, (event) => void events.push(event))
    }
    const counted = () => {
      // Notices of what was set before may still come.
      const { l2Timings: _, noticesReceived: __, requests, ...numbers } = cache.counters
      return structuredClone({ ...numbers, requests: [...requests] })
    }
    const before = counted()
    await cache.inspect('a')
    await cache.inspect('none')
    expect(counted()).toEqual(before)
    await cache.set('c', 'c')
    expect([cache.peek('a'), cache.peek('b')]).toEqual([undefined, 'b'])
    await cache.inspect('a')
    expect(cache.peek('a')).toBeUndefined()
    expect(events).toEqual([])
  })

  test('a tag that was invalidated, a namespace that was cleared: which one it was', async () => {
    const cache = await kit.make()
    const users = cache.namespace('shop').namespace('users')
    const put = () => users.set('k', 1, { tags: ['a', 'b "x"'] })
    for (const [change, why] of [
      [() => cache.invalidateTags('b "x"'), 'the tag "b \\"x\\"" was invalidated'],
      [() => cache.namespace('shop').clear(), 'the namespace shop was cleared'],
    ] as const) {
      await put()
      await change()
      const { answer, l1, l2, why: sentence } = await users.inspect('k')
      expect(answer).toBe('none')
      expect(sentence).toContain(why)
      expect(l1).toMatchObject({ state: 'void', why: `${why} since it was kept`, entry: { tags: ['a', 'b "x"'] } })
      expect(l2).toEqual(inL2(expect.objectContaining({ state: 'void', why: `${why} since it was stored` })))
    }
  })

  test('what was made stale, and by what', async () => {
    const cache = await kit.make()
    await cache.set('k', 1, { stale: '1h', tags: ['a', 'b'] })
    await cache.expireTags('b')
    const byTag = await cache.inspect('k')
    expect(byTag).toMatchObject({ answer: 'stale', l1: { state: 'stale' } })
    expect(byTag.l1?.why).toContain('the tag "b" was expired')
    if (kit.isShared) expect(byTag.l2?.why).toContain('the tag "b" was expired')
    await cache.set('k', 1, { stale: '1h' })
    await cache.expire('k')
    const byKey = await cache.inspect('k')
    expect(byKey).toMatchObject({ answer: 'stale', tier: kit.isShared ? 'l2' : 'l1' })
    expect(byKey.why).toContain('it was made stale; it may be served stale for')
    expect(byKey[kit.isShared ? 'l2' : 'l1']?.entry?.ttl).toBe(0)
    await cache.set('k', 1, { stale: '1h', ttl: 1, jitter: 0 })
    await expect.poll(async () => (await cache.inspect('k')).l1?.state).toBe('stale')
    expect((await cache.inspect('k')).l1?.why).toContain('its ttl is over')
  })

  test('what L1 keeps no longer, though L2 has it', async () => {
    const cache = await kit.make()
    await cache.set('k', 1, { l1Ttl: 1 })
    await expect.poll(async () => (await cache.inspect('k')).l1?.state).toBe('void')
    const { l1, l2 } = await cache.inspect('k')
    expect(l1?.why).toBe('its time in L1 (l1Ttl) is over')
    expect(l2?.state).toBe(inL2('fresh'))
  })

  test('how many wait for a load, and for a renewal behind a stale value', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<number>()
    const options = { stale: '1h' } as const
    const load = [1, 2, 3].map(() => cache.getOrSet('k', loader.load, options))
    await loader.running(1)
    const loading = await cache.inspect('k')
    expect(loading.load).toEqual({ state: 'loading', waiting: 3 })
    expect(loading.lease).toEqual(inL2(expect.objectContaining({ state: 'held', isOurs: true, awaited: false })))
    loader.answer(1)
    await Promise.all(load)
    await cache.expire('k')
    expect(await cache.getOrSet('k', loader.load, options)).toBe(1)
    await loader.running(2)
    expect((await cache.inspect('k')).load).toEqual({ state: 'renewing', waiting: 0 })
    loader.answer(2)
    await expect.poll(async () => (await cache.inspect('k')).load.state).toBe('none')
  })

  test('what other code has stored', async () => {
    const cache = await kit.make()
    await cache.namespace('n', { schemaVersion: 2 }).set('k', 1.5)
    const { l1, l2 } = await (await kit.make()).namespace('n', { schemaVersion: 3 }).inspect('k')
    expect(l1?.state).toBe('missing')
    expect(l2).toEqual(
      inL2(
        expect.objectContaining({
          state: 'incompatible',
          reason: 'schema-version',
          entry: expect.objectContaining({ schemaVersion: '2' }),
        }),
      ),
    )
  })
})

inFleets((fleet) => {
  describe('of two processes', () => {
    const two = async () => [await fleet.process(), await fleet.process()] as const

    test('who holds the lease, and that somebody waits', async () => {
      const [a, b] = await two()
      const loader = new ScriptedLoader<number>()
      const load = a.cache.getOrSet('k', loader.load)
      await loader.running(1)
      const held = { state: 'held', holder: a.parts.bus.origin }
      expect((await a.cache.inspect('k')).lease).toMatchObject({ ...held, isOurs: true, awaited: false })
      expect(await b.cache.inspect('k')).toMatchObject({
        answer: 'none',
        lease: { ...held, isOurs: false, awaited: false },
        load: { state: 'none', waiting: 0 },
      })
      const waits = new Promise((resolve) => b.cache.on('wait', resolve))
      const wait = b.cache.getOrSet('k', () => 2)
      await waits
      const awaited = await b.cache.inspect('k')
      expect(awaited).toMatchObject({ lease: { ...held, awaited: true }, load: { state: 'loading', waiting: 1 } })
      expect(awaited.lease?.left).toBeGreaterThan(0)
      loader.answer(1)
      expect(await Promise.all([load, wait])).toEqual([1, 1])
    })

    test('what was heard from the other', async () => {
      const [a, b] = await two()
      await b.cache.set('k', 1, { tags: ['t'] })
      await a.cache.invalidateTags('t')
      await allHeard(a, b)
      expect((await b.cache.inspect('k')).l1).toMatchObject({ state: 'void' })
    })

    test('what was not', async () => {
      const [a, b] = await two()
      await b.cache.set('k', 1)
      await fleet.misses(b, () => a.cache.set('other', 1))
      const { l1, l2, tier } = await b.cache.inspect('k')
      expect(l1).toMatchObject({ state: 'void', why: expect.stringContaining('(a gap)') })
      expect([tier, l2?.state]).toEqual(['l2', 'fresh'])
    })

    test('what Redis has not acknowledged', async () => {
      const [a] = await two()
      await a.cache.set('k', 1)
      const heal = a.far.failing('delete')
      await a.cache.delete('k')
      expect((await a.cache.inspect('k')).l2).toMatchObject({ state: 'fenced', entry: { tags: [] } })
      expect((await a.cache.inspect('k')).answer).toBe('none')
      heal()
    })
  })
})

withRedis('in Redis', (kit) => {
  const text = async (lease: string) => {
    const cache = await kit.make()
    await kit.redis().set(kit.names(k).ofEntry(k).lease, lease, 'PX', 60_000)
    return (await cache.inspect('k')).lease
  }

  test('what a lease says', async () => {
    const token = 'aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb'
    const holder = 'bbbbbbbbbbbbbbbb'
    expect(await text(`${token}|17`)).toMatchObject({ state: 'held', holder, isOurs: false, awaited: false })
    expect(await text(`${token}|17!`)).toMatchObject({ state: 'held', holder, awaited: true })
    expect(await text('skip')).toMatchObject({ state: 'skipped', isOurs: false })
    expect(await text('failed|E_CODE|so|so')).toMatchObject({ state: 'failed', failure: 'E_CODE: so|so' })
    const late = await text(`late|${token}|17|50000|E_CODE|too late`)
    expect(late).toMatchObject({ state: 'late', holder, failure: 'E_CODE: too late' })
    expect(late?.left).toBeLessThanOrEqual(10_000)
    const deserted = await text(`late|${token}|17|60000||`)
    expect(deserted).toEqual({ state: 'late', left: 0, holder, isOurs: false, awaited: false })
    expect(await text('something else')).toBeUndefined()
  })

  test('a stamp that was evicted', async () => {
    const cache = await kit.make()
    await cache.set('k', 1, { tags: ['t'] })
    await kit.redis().del(kit.names(k).tagStamp('t'))
    const { l2 } = await cache.inspect('k')
    expect(l2).toMatchObject({ state: 'void', why: expect.stringContaining('Redis knows nothing of t any more') })
  })

  test('bytes that are no entry', async () => {
    const cache = await kit.make()
    await kit.redis().set(kit.names(k).entry(k), 'no entry')
    expect((await cache.inspect('k')).l2).toMatchObject({ state: 'undecodable' })
    expect(await kit.redis().exists(kit.names(k).entry(k))).toBe(1)
  })

  test('how long its load took', async () => {
    const cache = await kit.make()
    await cache.getOrSet('k', () => new Promise((resolve) => setTimeout(resolve, 20, 1)))
    expect((await cache.inspect('k')).l2?.entry?.loadMs).toBeGreaterThan(10)
  })
})

withOneRedis('a Redis that stands still', 'it is frozen', (kit) => {
  test('L1 is not proven, and L2 cannot be asked', async () => {
    const cache = await kit.make({ commandTimeout: 50, maxStaleness: 100 })
    cache.on('warning', () => {})
    await cache.set('k', 1)
    kit.server().freeze()
    try {
      await expect
        .poll(() => cache.inspect('k'), { timeout: 5000 })
        .toMatchObject({ answer: 'none', l1: { state: 'unproven' }, l2: { state: 'unreachable' } })
      expect((await cache.inspect('k')).l1?.why).toMatch(/^it was known to be current \d+ ms ago/)
    } finally {
      kit.server().thaw()
    }
  })
})
