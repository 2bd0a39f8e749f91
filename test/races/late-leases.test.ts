import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { LoadContext } from '../../src/cache/load-context.ts'
import { assemble } from '../../src/create-cache.ts'
import type { Duration } from '../../src/options.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import type { Fleet, Process, RedisFleet } from '../doubles/fleet.ts'
import { allHeard, inFleets, LEASE_MS, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const k = { namespace: '_', key: 'k' }
const HARD_MS = 4900
const TIMEOUT = { code: 'ERR_LOAD_TIMEOUT' }

const isOnRedis = (fleet: Fleet): fleet is RedisFleet => 'redis' in fleet

/** A value that turns out to have the tag t. */
const tagged = (value: string) => (context: LoadContext) => {
  context.setTags('t')
  return value
}

/**
 * The order of events, with A, B and C three processes:
 *   1. A is granted the lease of k, and its loader reads v1 from the database
 *   2. hardTimeout is over: A's callers get an error, and the load is late
 *   3. nothing; or k is made another one; or B, who has waited for one lease, takes over and loads v2; or both
 *   4. A's loader answers v1 all the same, before or after B's answers v2
 * v1 is stored where nothing happened at 3, and else nowhere.
 */
inFleets((fleet) => {
  async function setup() {
    const [a, b, c] = [await fleet.process(), await fleet.process(), await fleet.process()]
    const [slow, next] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const timedOut = expect(a.cache.getOrSet('k', slow.load, { hardTimeout: HARD_MS })).rejects.toMatchObject(TIMEOUT)
    await slow.running()
    return { a, b, c, slow, next, timedOut }
  }

  /** After 2, which all that is shared knows of. */
  async function late() {
    const setUp = await setup()
    const told = setUp.a.leases.holdAnswer('release')
    await fleet.elapse(HARD_MS)
    await told.arrived
    told.release()
    await setUp.timedOut
    return setUp
  }

  /** A newcomer in a process, who was told that another one is late or busy. */
  async function newcomer({ cache, leases }: Process, { load }: ScriptedLoader<string>, hardTimeout: Duration = '1h') {
    const asking = leases.holdAnswer('acquire')
    const value = cache.getOrSet('k', load, { hardTimeout, waitTimeout: '1h' })
    await asking.arrived
    asking.release()
    await turn()
    return { value }
  }

  /** One lease is over since 2. */
  async function oneLeaseLater() {
    if (isOnRedis(fleet)) {
      // Its server goes by a clock of its own.
      const name = fleet.names(k).lease(k)
      const [, , , keptMs] = (await fleet.redis.get(name))?.split('|') ?? []
      await fleet.redis.pexpire(name, Number(keptMs))
    }
    await fleet.elapse(LEASE_MS + 1)
  }

  /** After 3: B has taken over. */
  async function takenOver() {
    const setUp = await late()
    const { value } = await newcomer(setUp.b, setUp.next)
    await oneLeaseLater()
    await setUp.next.running()
    return { ...setUp, value }
  }

  /** A process's loader answers, and what L2 says to that has come back. */
  async function commits({ far }: Process, answer: () => void) {
    const committed = far.holdAnswer('commit')
    answer()
    await committed.arrived
    committed.release()
    await turn()
  }

  const refused = ({ cache }: Process) => cache.counters.fillsRefused

  describe('nobody takes over', () => {
    test('it is stored, and who waits for it is called', async () => {
      const { a, b, c, slow, next } = await late()
      const { value } = await newcomer(b, next)
      await commits(a, () => slow.answer('v1'))
      expect(await value).toBe('v1')
      expect([a.cache.peek('k'), await c.cache.get('k')]).toEqual(['v1', 'v1'])
      expect([next.started, b.cache.counters.takeovers]).toEqual([0, 0])
    })

    test('after one lease too', async () => {
      const { a, c, slow } = await late()
      await oneLeaseLater()
      await commits(a, () => slow.answer('v1'))
      expect([a.cache.peek('k'), await c.cache.get('k')]).toEqual(['v1', 'v1'])
    })

    test('its lease is evicted: it is refused', async () => {
      const { a, c, slow } = await late()
      await fleet.runOut(k)
      await commits(a, () => slow.answer('v1'))
      expect([a.cache.peek('k'), await c.cache.get('k'), refused(a)]).toEqual([undefined, undefined, 1])
    })

    test('it answers before all that is shared knows that it is late: it is stored, and leaves no lease', async () => {
      const { a, b, c, slow, timedOut } = await setup()
      const telling = a.leases.holdCall('release')
      await fleet.elapse(HARD_MS)
      await telling.arrived
      await timedOut
      await commits(a, () => slow.answer('v1'))
      telling.release()
      await allHeard(a, b, c)
      const found = await c.raw.far.get(k)
      expect(found).toMatchObject({ word: 'entry', entry: { value: 'v1' } })
      const seen = found.word === 'entry' ? found.seen : undefined
      expect(await c.raw.leases.acquire(k, seen, false)).toMatchObject({ word: 'granted' })
    })
  })

  describe('k is made another one', () => {
    const changes: [string, (by: Process) => Promise<unknown>][] = [
      ['deleted', ({ cache }) => cache.delete('k')],
      ['expired', ({ cache }) => cache.expire('k')],
      ['cleared', ({ cache }) => cache.clear()],
      ['a tag of its own invalidated', ({ cache }) => cache.invalidateTags('t')],
    ]

    test.each(changes)('%s while it is late: it is refused', async (_, change) => {
      const { a, b, c, slow } = await late()
      await change(c)
      await commits(a, () => slow.answerWith(tagged('v1')))
      expect([a.cache.peek('k'), await b.cache.get('k'), await c.cache.get('k')]).toEqual(Array(3).fill(undefined))
      expect(refused(a)).toBe(1)
    })

    test.each(changes)('%s before it is late: it is refused', async (_, change) => {
      const { a, b, c, slow, timedOut } = await setup()
      await change(c)
      await fleet.elapse(HARD_MS)
      await timedOut
      await commits(a, () => slow.answerWith(tagged('v1')))
      expect([a.cache.peek('k'), await b.cache.get('k'), await c.cache.get('k')]).toEqual(Array(3).fill(undefined))
      expect(refused(a)).toBe(1)
    })

    test.each(['while', 'before'])(
      '%s it is late, and L2 cannot be reached afterwards: not in L1 either',
      async (when) => {
        const { a, b, c, slow, timedOut } = await setup()
        if (when === 'before') await c.cache.delete('k')
        await fleet.elapse(HARD_MS)
        await timedOut
        if (when === 'while') await c.cache.delete('k')
        await allHeard(a, b)
        a.far.failing('commit')
        slow.answer('v1')
        await turn()
        expect([a.cache.peek('k'), refused(a)]).toEqual([undefined, 1])
      },
    )

    test('deleted: who waits goes on at once; the late value is refused, the new one is stored', async () => {
      const { a, b, c, slow, next } = await late()
      const { value } = await newcomer(b, next)
      await c.cache.delete('k')
      await next.running()
      await commits(a, () => slow.answer('v1'))
      next.answer('v2')
      expect(await value).toBe('v2')
      expect([await a.cache.get('k'), await c.cache.get('k'), refused(a)]).toEqual(['v2', 'v2', 1])
    })

    test('deleted before it is late: newcomers do not wait for it, and get no value but the new one', async () => {
      const { a, b, c, slow, next, timedOut } = await setup()
      await c.cache.delete('k')
      await allHeard(a, b)
      const values = [a.cache.getOrSet('k', next.load)]
      await next.running()
      await fleet.elapse(HARD_MS)
      await timedOut
      values.push(a.cache.getOrSet('k', next.load), b.cache.getOrSet('k', next.load))
      await commits(a, () => slow.answer('v1'))
      next.answer('v2')
      expect(await Promise.all(values)).toEqual(['v2', 'v2', 'v2'])
      expect(next.started).toBe(1)
    })

    test('a tag invalidated: who waits is called by the refusal of the late value', async () => {
      const { a, b, c, slow, next } = await late()
      const { value } = await newcomer(b, next)
      await c.cache.invalidateTags('t')
      await commits(a, () => slow.answerWith(tagged('v1')))
      await next.running()
      next.answerWith(tagged('v2'))
      expect(await value).toBe('v2')
      expect([await a.cache.get('k'), await c.cache.get('k')]).toEqual(['v2', 'v2'])
    })
  })

  describe('another process takes over', () => {
    test('the late value comes first: it is refused, and the new one is stored', async () => {
      const { a, b, c, slow, next, value } = await takenOver()
      await commits(a, () => slow.answer('v1'))
      expect([a.cache.peek('k'), refused(a), b.cache.counters.takeovers]).toEqual([undefined, 1, 1])
      next.answer('v2')
      expect(await value).toBe('v2')
      expect([await a.cache.get('k'), await c.cache.get('k')]).toEqual(['v2', 'v2'])
    })

    test('the new value comes first: it stays', async () => {
      const { a, b, c, slow, next, value } = await takenOver()
      next.answer('v2')
      expect(await value).toBe('v2')
      await commits(a, () => slow.answer('v1'))
      expect([a.cache.peek('k'), refused(a)]).toEqual([undefined, 1])
      expect([await a.cache.get('k'), b.cache.peek('k'), await c.cache.get('k')]).toEqual(['v2', 'v2', 'v2'])
    })

    test('the new value is in L1, and L2 cannot be reached: it stays', async () => {
      const { a, slow, next, value } = await takenOver()
      next.answer('v2')
      await value
      expect(await a.cache.get('k')).toBe('v2')
      a.far.failing('commit')
      slow.answer('v1')
      await turn()
      expect([a.cache.peek('k'), refused(a)]).toEqual(['v2', 1])
    })

    test('deleted after that: neither value is stored', async () => {
      const { a, b, c, slow, next, value } = await takenOver()
      await c.cache.delete('k')
      await commits(a, () => slow.answer('v1'))
      await commits(b, () => next.answer('v2'))
      expect(await value).toBe('v2')
      expect([await a.cache.get('k'), await b.cache.get('k'), await c.cache.get('k')]).toEqual(Array(3).fill(undefined))
      expect([refused(a), refused(b)]).toEqual([1, 1])
    })

    test('the new value is stored and deleted: the late one does not take its place', async () => {
      const { a, b, c, slow, next, value } = await takenOver()
      await commits(b, () => next.answer('v2'))
      await value
      await c.cache.delete('k')
      await commits(a, () => slow.answer('v1'))
      expect([await a.cache.get('k'), await c.cache.get('k'), refused(a)]).toEqual([undefined, undefined, 1])
    })

    test('and fails: the late value is refused all the same', async () => {
      const { a, b, c, slow, next, value } = await takenOver()
      const failed = b.leases.holdAnswer('release')
      next.fail(new Error('no database'))
      await failed.arrived
      failed.release()
      await expect(value).rejects.toThrow('no database')
      await commits(a, () => slow.answer('v1'))
      expect([a.cache.peek('k'), await c.cache.get('k'), refused(a)]).toEqual([undefined, undefined, 1])
    })

    test('the late load fails: that ends nothing of its successor’s', async () => {
      const { a, c, slow, next, value } = await takenOver()
      const failed = a.leases.holdAnswer('release')
      slow.fail(new Error('too late'))
      await failed.arrived
      failed.release()
      expect(await c.raw.leases.acquire(k, undefined, true)).toMatchObject({ word: 'busy' })
      next.answer('v2')
      expect(await value).toBe('v2')
      expect(await a.cache.get('k')).toBe('v2')
    })

    test('before all that is shared knows that the first is late: that it is told then changes nothing', async () => {
      const { a, b, c, slow, next, timedOut } = await setup()
      const { value } = await newcomer(b, next)
      const telling = a.leases.holdCall('release')
      await fleet.elapse(HARD_MS)
      await telling.arrived
      await timedOut
      await fleet.runOut(k)
      await fleet.elapse(LEASE_MS + 1)
      await next.running()
      telling.release()
      await allHeard(a, b, c)
      expect(await c.raw.leases.acquire(k, undefined, true)).toMatchObject({ word: 'busy' })
      await commits(a, () => slow.answer('v1'))
      next.answer('v2')
      expect(await value).toBe('v2')
      expect([await a.cache.get('k'), await c.cache.get('k'), refused(a)]).toEqual(['v2', 'v2', 1])
    })

    test.each(['first', 'last'])(
      'and is late as well: its value is stored, the first one’s is not; that comes %s',
      async (when) => {
        const { a, b, c, slow, next } = await late()
        const { value } = await newcomer(b, next, 2000)
        const timedOut = expect(value).rejects.toMatchObject(TIMEOUT)
        await oneLeaseLater()
        await next.running()
        const told = b.leases.holdAnswer('release')
        await fleet.elapse(2000)
        await told.arrived
        told.release()
        await timedOut
        if (when === 'first') await commits(a, () => slow.answer('v1'))
        await commits(b, () => next.answer('v2'))
        if (when === 'last') await commits(a, () => slow.answer('v1'))
        expect([a.cache.peek('k'), b.cache.peek('k'), await c.cache.get('k')]).toEqual([undefined, 'v2', 'v2'])
        expect([refused(a), refused(b)]).toEqual([1, 0])
      },
    )
  })

  describe('a newcomer of its own process takes over', () => {
    async function replaced() {
      const setUp = await late()
      const value = setUp.a.cache.getOrSet('k', setUp.next.load)
      await oneLeaseLater()
      await setUp.next.running()
      return { ...setUp, value }
    }

    test('the late value comes first: it is refused, and the new one is stored', async () => {
      const { a, b, slow, next, value } = await replaced()
      await commits(a, () => slow.answer('v1'))
      expect([a.cache.peek('k'), refused(a)]).toEqual([undefined, 1])
      next.answer('v2')
      expect(await value).toBe('v2')
      expect([a.cache.peek('k'), await b.cache.get('k')]).toEqual(['v2', 'v2'])
    })

    test('the new value comes first: it stays', async () => {
      const { a, b, slow, next, value } = await replaced()
      next.answer('v2')
      expect(await value).toBe('v2')
      await commits(a, () => slow.answer('v1'))
      expect([a.cache.peek('k'), await b.cache.get('k'), refused(a)]).toEqual(['v2', 'v2', 1])
    })
  })
})

/** The same in one process, where no lease is lost: what comes later is told by when its load began. */
describe('L1 alone', () => {
  async function setup() {
    const clock = new FakeClock()
    const cache = assemble({ lease: LEASE_MS }, clock)
    const [slow, next] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const timedOut = expect(cache.getOrSet('k', slow.load, { hardTimeout: HARD_MS })).rejects.toMatchObject(TIMEOUT)
    await slow.running()
    return { clock, cache, slow, next, timedOut }
  }

  async function late() {
    const setUp = await setup()
    setUp.clock.advance(HARD_MS)
    await setUp.timedOut
    return setUp
  }

  async function takenOver() {
    const setUp = await late()
    const value = setUp.cache.getOrSet('k', setUp.next.load)
    await turn()
    setUp.clock.advance(LEASE_MS)
    await setUp.next.running()
    return { ...setUp, value }
  }

  const changes: [string, (cache: Cache) => Promise<unknown>][] = [
    ['deleted', (cache) => cache.delete('k')],
    ['expired', (cache) => cache.expire('k')],
    ['cleared', (cache) => cache.clear()],
    ['a tag of its own invalidated', (cache) => cache.invalidateTags('t')],
  ]

  test.each(changes)('%s while it is late, or before: it is refused', async (_, change) => {
    for (const when of ['before', 'while']) {
      const { clock, cache, slow, timedOut } = await setup()
      if (when === 'before') await change(cache)
      clock.advance(HARD_MS)
      await timedOut
      if (when === 'while') await change(cache)
      slow.answerWith(tagged('v1'))
      await turn()
      expect([when, cache.peek('k'), cache.counters.fillsRefused]).toEqual([when, undefined, 1])
    }
  })

  test('deleted: a newcomer does not wait for it; it is refused, and the new value is stored', async () => {
    const { cache, slow, next } = await late()
    await cache.delete('k')
    const value = cache.getOrSet('k', next.load)
    await next.running()
    slow.answer('v1')
    await turn()
    expect(cache.peek('k')).toBeUndefined()
    next.answer('v2')
    expect(await value).toBe('v2')
    expect([cache.peek('k'), cache.counters.fillsRefused]).toEqual(['v2', 1])
  })

  test('deleted before it is late: newcomers do not wait for it, and get no value but the new one', async () => {
    const { clock, cache, slow, next, timedOut } = await setup()
    await cache.delete('k')
    const values = [cache.getOrSet('k', next.load)]
    await next.running()
    clock.advance(HARD_MS)
    await timedOut
    values.push(cache.getOrSet('k', next.load))
    slow.answer('v1')
    await turn()
    next.answer('v2')
    expect(await Promise.all(values)).toEqual(['v2', 'v2'])
    expect(next.started).toBe(1)
  })

  test('a newcomer takes over, and the late value comes first: it stays until the new one comes', async () => {
    const { cache, slow, next, value } = await takenOver()
    slow.answer('v1')
    await turn()
    expect(cache.peek('k')).toBe('v1')
    next.answer('v2')
    expect(await value).toBe('v2')
    expect([cache.peek('k'), cache.counters.fillsRefused]).toEqual(['v2', 0])
  })

  test('a newcomer takes over, and the new value comes first: it stays', async () => {
    const { cache, slow, next, value } = await takenOver()
    next.answer('v2')
    expect(await value).toBe('v2')
    slow.answer('v1')
    await turn()
    expect([cache.peek('k'), cache.counters.fillsRefused]).toEqual(['v2', 1])
  })

  test('the new value is stored and deleted: the late one does not take its place', async () => {
    const { cache, slow, next, value } = await takenOver()
    next.answer('v2')
    await value
    await cache.delete('k')
    slow.answer('v1')
    await turn()
    expect([cache.peek('k'), cache.counters.fillsRefused]).toEqual([undefined, 1])
  })

  test('deleted after a newcomer took over: neither value is stored', async () => {
    const { cache, slow, next, value } = await takenOver()
    await cache.delete('k')
    slow.answer('v1')
    next.answer('v2')
    expect(await value).toBe('v2')
    await turn()
    expect([cache.peek('k'), cache.counters.fillsRefused]).toEqual([undefined, 2])
  })
})
