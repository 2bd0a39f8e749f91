import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { assemble } from '../../src/create-cache.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const STALE = { ttl: 0, stale: '1h', jitter: 0 } as const
/** A deadline in Redis is on the server's clock: beyond what that may have gone on meanwhile. */
const BEYOND_MS = 1000
const KEPT = { ttl: '1h', stale: '1h', jitter: 0 } as const

interface Limits {
  readonly softTimeout?: number | 'never'
  readonly waitTimeout?: number | 'never'
  readonly hardTimeout?: number | 'never'
}

/**
 * What a caller gets of a load that takes too long, by who runs it, and after how many milliseconds. `own`: what its own
 * loader answers, beside the other one.
 */
type Row = readonly [
  runs: 'this caller' | 'another caller' | 'another process',
  limits: Limits,
  ms: number,
  gets: string,
]

const withStale: readonly Row[] = [
  ['this caller', {}, 0, 'old'],
  ['this caller', { softTimeout: 0, hardTimeout: 100 }, 0, 'old'],
  ['this caller', { softTimeout: 100 }, 100, 'old'],
  ['this caller', { softTimeout: 100, waitTimeout: 50 }, 100, 'old'],
  ['this caller', { softTimeout: 100, waitTimeout: 0 }, 100, 'old'],
  ['this caller', { softTimeout: 200, hardTimeout: 100 }, 100, 'old'],
  ['this caller', { softTimeout: 'never', hardTimeout: 100 }, 100, 'old'],
  ['another caller', { waitTimeout: 100 }, 0, 'old'],
  ['another caller', { softTimeout: 100 }, 100, 'old'],
  ['another caller', { softTimeout: 100, hardTimeout: 50, waitTimeout: 200 }, 100, 'old'],
  ['another caller', { softTimeout: 100, waitTimeout: 50 }, 50, 'old'],
  ['another caller', { softTimeout: 100, hardTimeout: 50 }, 50, 'old'],
  ['another caller', { softTimeout: 100, waitTimeout: 0 }, 0, 'old'],
  ['another process', { waitTimeout: 100 }, 0, 'old'],
  ['another process', { softTimeout: 100 }, 100, 'old'],
  ['another process', { softTimeout: 100, waitTimeout: 50 }, 50, 'old'],
  ['another process', { softTimeout: 100, hardTimeout: 50 }, 50, 'old'],
  ['another process', { softTimeout: 100, waitTimeout: 0 }, 0, 'old'],
]

const withNothing: readonly Row[] = [
  ['this caller', { hardTimeout: 100 }, 100, 'ERR_LOAD_TIMEOUT'],
  ['this caller', { hardTimeout: 100, softTimeout: 50, waitTimeout: 50 }, 100, 'ERR_LOAD_TIMEOUT'],
  ['another caller', { waitTimeout: 50 }, 50, 'own'],
  ['another caller', { waitTimeout: 50, softTimeout: 20, hardTimeout: 200 }, 50, 'own'],
  ['another caller', { waitTimeout: 100, hardTimeout: 50 }, 100, 'own'],
  // Alone, hardTimeout is waitTimeout too.
  ['another caller', { hardTimeout: 50 }, 50, 'own'],
  ['another caller', { waitTimeout: 0 }, 0, 'own'],
  ['another process', { waitTimeout: 50 }, 50, 'own'],
  ['another process', { waitTimeout: 50, softTimeout: 20, hardTimeout: 200 }, 50, 'own'],
  ['another process', { hardTimeout: 50 }, 50, 'own'],
  ['another process', { waitTimeout: 0 }, 0, 'own'],
]

interface Rig {
  readonly cache: Cache
  /** Another process that shares L2. */
  readonly other: Cache | undefined
  elapse(ms: number): Promise<void>
}

function timeouts(kit: { readonly isShared: boolean; rig(): Promise<Rig> }): void {
  const possible = (rows: readonly Row[]) => rows.filter(([runs]) => kit.isShared || runs !== 'another process')

  async function setup(runs: Row[0], limits: Limits, isStale: boolean) {
    const rig = await kit.rig()
    const { cache, other, elapse } = rig
    if (isStale) {
      await (other ?? cache).set('k', 'old', STALE)
      await elapse(BEYOND_MS)
    }
    const [slow, own] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const runner = runs === 'another process' ? other : cache
    const patient = { ...KEPT, hardTimeout: '1h', waitTimeout: '1h' } as const
    const run = runs === 'this caller' ? undefined : runner?.getOrSet('k', slow.load, patient)
    if (run) await slow.running()
    let settledAs: 'pending' | 'settled' = 'pending'
    const controller = new AbortController()
    const options = { ...KEPT, hardTimeout: '1h', waitTimeout: '1h', ...undefinedFor(limits), ...limits } as const
    const loader = run ? own : slow
    const value = cache.getOrSet('k', loader.load, { ...options, signal: controller.signal })
    const settled = () => {
      settledAs = 'settled'
    }
    value.then(settled, settled)
    return { ...rig, run, slow, own, value, elapse, controller, state: () => settledAs }
  }

  /** A caller waits, as soon as all that is asked of L2 has been answered. */
  async function begun({ cache, slow, own, run, state }: Awaited<ReturnType<typeof setup>>, ms: number) {
    if (!run) await slow.running()
    else if (ms > 0) {
      const hasWaited = () => cache.counters.waits + cache.counters.loadsWaiting > 0 && own.started === 0
      await expect.poll(hasWaited).toBe(true)
      await turn()
      expect(state()).toBe('pending')
    }
  }

  test.each(possible(withStale))('a stale value; %s runs the load; %o: after %i ms %s', async (...row) => {
    const [runs, limits, ms, gets] = row
    const all = await setup(runs, limits, true)
    await begun(all, ms)
    if (ms > 0) {
      await all.elapse(ms - 1)
      await turn()
      expect(all.state()).toBe('pending')
      await all.elapse(1)
    }
    expect(await all.value).toBe(gets)
    expect(await all.run).toBe(runs === 'this caller' ? undefined : 'old')
    // It goes on behind, and is the only one.
    all.slow.answer('new')
    await expect.poll(() => all.cache.get('k')).toBe('new')
    if (all.other) await expect.poll(() => all.other?.get('k')).toBe('new')
    expect([all.slow.started, all.own.started]).toEqual([1, 0])
    const isTimedOut = runs === 'this caller' && limits.hardTimeout === 100 && ms === 100
    expect(all.cache.counters.renewalsFailed).toBe(isTimedOut ? 1 : 0)
  })

  test.each(possible(withNothing))('no value; %s runs the load; %o: after %i ms %s', async (...row) => {
    const [runs, limits, ms, gets] = row
    const all = await setup(runs, limits, false)
    await begun(all, ms)
    if (ms > 0) {
      await all.elapse(ms - 1)
      await turn()
      expect([all.state(), all.own.started]).toEqual(['pending', 0])
      await all.elapse(1)
    }
    if (gets === 'own') {
      await all.own.running()
      all.own.answer('own')
      expect(await all.value).toBe('own')
    } else await expect(all.value).rejects.toMatchObject({ code: gets })
    all.slow.answer('new')
    await all.run
    await expect.poll(() => all.cache.get('k')).toBe('new')
  })

  test.each(possible([...withStale, ...withNothing]).filter(([, , ms]) => ms >= 50))(
    '%s runs the load; %o: a signal ends the wait before that (%i ms)',
    async (...row) => {
      const [runs, limits, ms] = row
      const all = await setup(runs, limits, withStale.includes(row))
      await begun(all, ms)
      await all.elapse(ms - 20)
      const reason = new Error('left')
      all.controller.abort(reason)
      await expect(all.value).rejects.toBe(reason)
      await all.elapse(20)
      await turn()
      expect(all.own.started).toBe(0)
      all.slow.answer('new')
      await all.run
      await expect.poll(() => all.cache.get('k')).toBe('new')
    },
  )

  test('softTimeout: the newer value, when it comes in time; who joined the renewal gets it too', async () => {
    const { cache, elapse } = await kit.rig()
    await cache.set('k', 'old', STALE)
    await elapse(BEYOND_MS)
    const loader = new ScriptedLoader<string>()
    const options = { ...KEPT, softTimeout: 100 }
    const callers = [1, 2, 3].map(() => cache.getOrSetEntry('k', loader.load, options))
    await loader.running()
    await turn()
    loader.answer('new')
    const entries = await Promise.all(callers)
    expect(entries.map(({ value, freshness }) => [value, freshness])).toEqual(Array(3).fill(['new', 'fresh']))
    expect(entries.map(({ shared }) => shared)).toEqual([false, true, true])
    expect(loader.started).toBe(1)
  })

  test('softTimeout: the stale value as soon as its renewal fails', async () => {
    const { cache, elapse } = await kit.rig()
    await cache.set('k', 'old', STALE)
    await elapse(BEYOND_MS)
    const loader = new ScriptedLoader<string>()
    const callers = [1, 2].map(() => cache.getOrSetEntry('k', loader.load, { ...KEPT, softTimeout: 100 }))
    await loader.running()
    await turn()
    loader.fail(new Error('broken'))
    expect(await Promise.all(callers)).toMatchObject(Array(2).fill({ value: 'old', freshness: 'stale' }))
    expect([loader.started, cache.counters.renewalsFailed]).toEqual([1, 1])
  })

  test('softTimeout: a value that is deleted meanwhile is not served; the caller waits for the next one', async () => {
    const { cache, elapse } = await kit.rig()
    await cache.set('k', 'old', STALE)
    await elapse(BEYOND_MS)
    const [loader, next] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const soft = cache.getOrSet('k', loader.load, { ...KEPT, softTimeout: 100 })
    await loader.running()
    await cache.delete('k')
    const other = cache.getOrSet('k', next.load, KEPT)
    await next.running()
    await elapse(100)
    await turn()
    next.answer('v2')
    expect(await Promise.all([soft, other])).toEqual(['v2', 'v2'])
    loader.answer('v1')
    await expect.poll(() => cache.counters.fillsRefused).toBe(1)
    expect(await cache.get('k')).toBe('v2')
  })

  test('softTimeout: beyond 16 renewals the stale value at once', async () => {
    const { cache } = await kit.rig()
    const keys = Array.from({ length: 17 }, (_, index) => `k${index}`)
    for (const key of keys) await cache.set(key, 'old', STALE)
    const loader = new ScriptedLoader<string>()
    const soft = keys.map((key) => cache.getOrSet(key, loader.load, { ...KEPT, softTimeout: '1h' }))
    expect(await soft[16]).toBe('old')
    await loader.running(16)
    expect([loader.started, cache.gauges().renewals]).toEqual([16, 16])
    for (let run = 0; run < 16; run++) loader.answer('new')
    expect(await Promise.all(soft.slice(0, 16))).toEqual(Array(16).fill('new'))
    await expect.poll(() => cache.gauges().renewals).toBe(0)
  })
}

/** What a row does not name has its own default, not that of the rig: waitTimeout is as hardTimeout. */
function undefinedFor(limits: Limits): { waitTimeout?: undefined } {
  return limits.hardTimeout === undefined ? {} : { waitTimeout: undefined }
}

describe('L1 alone', () => {
  timeouts({
    isShared: false,
    async rig() {
      const clock = new FakeClock()
      const elapse = async (ms: number) => clock.advance(ms)
      return { cache: assemble(undefined, clock), other: undefined, elapse }
    },
  })
})

inFleets((fleet) => {
  timeouts({
    isShared: true,
    async rig() {
      const [a, b] = [await fleet.process(), await fleet.process()]
      return { cache: a.cache, other: b.cache, elapse: (ms) => fleet.elapse(ms) }
    },
  })
})
