import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { LoadContext } from '../../src/cache/load-context.ts'
import { assemble } from '../../src/create-cache.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import type { Process } from '../doubles/fleet.ts'
import { inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const k = { namespace: '_', key: 'k' }
const HARD_MS = 900
const KEPT = { ttl: '1h', stale: '1h', jitter: 0 } as const

const warnings: Error[] = []
const warned = (warning: Error) => warnings.push(warning)
beforeEach(() => process.on('warning', warned))
afterEach(() => {
  process.off('warning', warned)
  expect(warnings.splice(0)).toEqual([])
})

/** A loader that answers when told to, and keeps the signals that it is given; `obeys`: it fails as soon as they are aborted. */
class WatchedLoader extends ScriptedLoader<string> {
  readonly signals: AbortSignal[] = []
  readonly aborted: unknown[] = []

  readonly watched = (context: LoadContext): Promise<string> => {
    this.signals.push(context.signal)
    context.signal.addEventListener('abort', () => this.aborted.push(context.signal.reason))
    return this.load(context)
  }

  readonly obedient = (context: LoadContext): Promise<string> => {
    const value = this.watched(context)
    return new Promise((resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason))
      value.then(resolve, reject)
    })
  }
}

/** A caller who may leave. */
function caller(cache: Cache, loader: WatchedLoader, options = {}) {
  const controller = new AbortController()
  const reason = new Error(`left ${Math.random()}`)
  const value = cache.getOrSet('k', loader.watched, { ...options, signal: controller.signal })
  // What becomes of it is looked at later.
  value.catch(() => {})
  return {
    value,
    reason,
    signal: controller.signal,
    leave: () => controller.abort(reason),
    left: () => expect(value).rejects.toBe(reason),
  }
}

const listeners = (...callers: { readonly signal: AbortSignal }[]) =>
  callers.map(({ signal }) => getEventListeners(signal, 'abort').length)

function inOneProcess(make: () => Promise<{ readonly cache: Cache; readonly clock: FakeClock }>): void {
  async function loading(options = {}) {
    const made = await make()
    const loader = new WatchedLoader()
    const first = caller(made.cache, loader, options)
    await loader.running()
    return { ...made, loader, first }
  }

  /** Everything that has its answer has gone on, with Redis too. */
  const idle = (cache: Cache) => expect.poll(() => cache.counters.loadsWaiting).toBe(0)

  test('the first caller leaves, another one has joined: that one gets the value', async () => {
    const { cache, loader, first } = await loading()
    const second = caller(cache, loader)
    first.leave()
    await first.left()
    expect(cache.counters.loadsWaiting).toBe(1)
    loader.answer('v')
    expect(await second.value).toBe('v')
    expect([loader.started, loader.aborted, cache.counters.loadsAborted]).toEqual([1, [], 0])
    expect(cache.peek('k')).toBe('v')
    expect(listeners(first, second)).toEqual([0, 0])
  })

  test('one who joined leaves: the first one gets the value', async () => {
    const { cache, loader, first } = await loading()
    const second = caller(cache, loader)
    second.leave()
    await second.left()
    loader.answer('v')
    expect([await first.value, loader.started, loader.aborted]).toEqual(['v', 1, []])
    expect(listeners(first, second)).toEqual([0, 0])
  })

  test('the loader is aborted when the last one leaves, with its reason; those who joined later count', async () => {
    const { cache, loader, first } = await loading()
    const second = caller(cache, loader)
    first.leave()
    const third = caller(cache, loader)
    second.leave()
    await Promise.all([first.left(), second.left()])
    expect(loader.aborted).toEqual([])
    third.leave()
    expect(loader.aborted).toEqual([third.reason])
    await third.left()
    await idle(cache)
    const { loadsAborted, loadsFailed, loadsRunning } = cache.counters
    expect({ loadsAborted, loadsFailed, loadsRunning }).toEqual({ loadsAborted: 1, loadsFailed: 0, loadsRunning: 0 })
    expect(listeners(first, second, third)).toEqual([0, 0, 0])
  })

  test('one who stays has no signal: nothing is aborted', async () => {
    const { cache, loader, first } = await loading()
    const stays = cache.getOrSet('k', loader.watched)
    first.leave()
    await first.left()
    loader.answer('v')
    expect([await stays, loader.started, loader.aborted]).toEqual(['v', 1, []])
  })

  test('all have left: the next caller gets a run of its own', async () => {
    const { loader, first, cache } = await loading()
    first.leave()
    const next = caller(cache, loader)
    await first.left()
    await loader.running(2)
    loader.fail(first.reason)
    await turn()
    loader.answer('v2')
    expect([await next.value, loader.started, loader.aborted.length]).toEqual(['v2', 2, 1])
    expect(cache.peek('k')).toBe('v2')
  })

  test('all have left, and the loader answers all the same: its value is stored', async () => {
    const { cache, loader, first } = await loading()
    first.leave()
    await first.left()
    loader.answer('v')
    await expect.poll(() => cache.peek('k')).toBe('v')
    expect(await cache.getOrSet('k', loader.load)).toBe('v')
    expect(loader.started).toBe(1)
  })

  test('all have left, and k is deleted: what the loader answers all the same is not stored', async () => {
    const { cache, loader, first } = await loading()
    first.leave()
    await cache.delete('k')
    loader.answer('v')
    await expect.poll(() => cache.counters.fillsRefused).toBe(1)
    expect(await cache.get('k')).toBeUndefined()
  })

  test('all have left, and another load took over: its value stays', async () => {
    const { cache, clock, loader, first } = await loading()
    first.leave()
    clock.advance(1)
    const next = new WatchedLoader()
    const value = cache.getOrSet('k', next.load)
    await next.running()
    next.answer('v2')
    expect(await value).toBe('v2')
    loader.answer('v1')
    await expect.poll(() => cache.counters.fillsRefused).toBe(1)
    expect([cache.peek('k'), await cache.get('k')]).toEqual(['v2', 'v2'])
  })

  test.each(['before', 'after'])('the last one leaves in the turn in which the loader answers, %s it', async (when) => {
    const { cache, loader, first } = await loading()
    if (when === 'before') first.leave()
    loader.answer('v')
    if (when === 'after') first.leave()
    await first.left()
    await expect.poll(() => cache.peek('k')).toBe('v')
    await idle(cache)
    expect([loader.started, cache.counters.fillsRefused]).toEqual([1, 0])
  })

  test('the loader fails, and the last one leaves in the same turn: nobody’s failure', async () => {
    const { cache, loader, first } = await loading()
    loader.fail(new Error('broken'))
    first.leave()
    await first.left()
    const next = caller(cache, loader)
    await loader.running(2)
    loader.answer('v')
    expect(await next.value).toBe('v')
  })

  test('a loader that sends its last caller away itself', async () => {
    const { cache } = await make()
    const controller = new AbortController()
    const reason = new Error('by the loader')
    let signal: AbortSignal | undefined
    const value = cache.getOrSet(
      'k',
      (context) => {
        controller.abort(reason)
        signal = context.signal
        return 'v'
      },
      { signal: controller.signal },
    )
    await expect(value).rejects.toBe(reason)
    expect(signal?.reason).toBe(reason)
    await expect.poll(() => cache.peek('k')).toBe('v')
  })

  test('a signal that a thousand callers share: all leave, one run is aborted once', async () => {
    const { cache } = await make()
    const loader = new WatchedLoader()
    const controller = new AbortController()
    const callers = Array.from({ length: 1000 }, () =>
      cache.getOrSet('k', loader.obedient, { signal: controller.signal }),
    )
    await loader.running()
    await expect.poll(() => cache.counters.loadsWaiting).toBe(1000)
    controller.abort()
    const outcomes = await Promise.allSettled(callers)
    expect(new Set(outcomes.map((each) => each.status === 'rejected' && each.reason))).toEqual(
      new Set([controller.signal.reason]),
    )
    expect([loader.started, loader.aborted]).toEqual([1, [controller.signal.reason]])
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    const next = cache.getOrSet('k', loader.load)
    await loader.running(2)
    loader.answer('aborted long ago')
    loader.answer('v')
    expect(await next).toBe('v')
  })

  test('a signal that lives on keeps no listeners, whatever the calls came to', async () => {
    const { cache } = await make()
    const { signal } = new AbortController()
    await cache.getOrSet('k', () => 1, { signal })
    await cache.getOrSet('k', () => 1, { signal })
    await cache.getOrSetEntry('other', () => 1, { signal })
    await cache.getOrSet('bad', () => Promise.reject(new Error('x')), { signal }).catch(() => {})
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('an aborted signal rejects before anything is done; what L1 has fresh is answered', async () => {
    const { cache } = await make()
    const signal = AbortSignal.abort(new Error('before'))
    const never = () => expect.unreachable()
    const before = cache.counters.l2Timings.count
    await expect(cache.getOrSet('k', never, { signal })).rejects.toBe(signal.reason)
    expect([cache.counters.loadsWaiting, cache.counters.l2Timings.count - before]).toEqual([0, 0])
    await cache.set('k', 'v')
    expect(await cache.getOrSet('k', never, { signal })).toBe('v')
    expect((await cache.getOrSetEntry('k', never, { signal })).value).toBe('v')
    await cache.set('old', 'v', { ttl: 0, stale: '1h' })
    await expect(cache.getOrSet('old', never, { signal })).rejects.toBe(signal.reason)
    expect(cache.gauges().renewals).toBe(0)
  })

  test.each(['the caller leaves', 'hardTimeout is over'])('both at one moment: first %s', async (what) => {
    const { cache, clock, loader, first } = await loading({ hardTimeout: HARD_MS })
    const acts = [first.leave, () => clock.advance(HARD_MS)]
    if (what !== 'the caller leaves') acts.reverse()
    for (const act of acts) act()
    await first.left()
    expect(loader.aborted).toHaveLength(1)
    if (what === 'the caller leaves') expect(loader.aborted).toEqual([first.reason])
    else expect(loader.aborted).toMatchObject([{ code: 'ERR_LOAD_TIMEOUT' }])
    loader.answer('v')
    await expect.poll(() => cache.peek('k')).toBe('v')
    const { loadsAborted, loadsFailed, fillsRefused } = cache.counters
    const isAborted = what === 'the caller leaves'
    expect([loadsAborted, loadsFailed, fillsRefused]).toEqual(isAborted ? [1, 0, 0] : [0, 1, 0])
    expect(loader.started).toBe(1)
  })

  test('a load past its deadline is aborted once, and joined still: who joins and leaves ends nothing', async () => {
    const { cache, clock, loader, first } = await loading({ hardTimeout: HARD_MS })
    clock.advance(HARD_MS)
    await expect(first.value).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
    const next = [caller(cache, loader), caller(cache, loader)] as const
    await turn()
    next[0].leave()
    await next[0].left()
    expect(loader.aborted).toHaveLength(1)
    loader.answer('v')
    expect([await next[1].value, loader.started]).toEqual(['v', 1])
  })

  test('one whose waitTimeout is over waits no more: the load is aborted when the other one leaves', async () => {
    const { cache, clock, loader, first } = await loading()
    const impatient = cache.getOrSet('k', () => 'own', { waitTimeout: 50 })
    await expect.poll(() => cache.counters.loadsWaiting).toBe(2)
    await turn()
    clock.advance(51)
    expect(await impatient).toBe('own')
    first.leave()
    expect(loader.aborted).toEqual([first.reason])
  })

  test('those who have waited too long share a load, which is aborted when the last of them leaves', async () => {
    const { cache, clock, loader, first } = await loading()
    const spare = new WatchedLoader()
    const late = [caller(cache, spare, { waitTimeout: 50 }), caller(cache, spare, { waitTimeout: 50 })] as const
    await expect.poll(() => cache.counters.loadsWaiting).toBe(3)
    await turn()
    clock.advance(51)
    await spare.running()
    await turn()
    late[0].leave()
    expect(spare.aborted).toEqual([])
    late[1].leave()
    expect([spare.aborted, spare.started, loader.aborted]).toEqual([[late[1].reason], 1, []])
    loader.answer('v')
    expect(await first.value).toBe('v')
  })

  test('a caller that has left has no load of its own when its waitTimeout is over', async () => {
    const { cache, clock, loader, first } = await loading()
    const own = new WatchedLoader()
    const gone = caller(cache, own, { waitTimeout: 50 })
    await expect.poll(() => cache.counters.loadsWaiting).toBe(2)
    await turn()
    gone.leave()
    clock.advance(51)
    await turn()
    expect(own.started).toBe(0)
    loader.answer('v')
    expect(await first.value).toBe('v')
  })

  test('a renewal goes on though its reader has left, and though one who waited for it has', async () => {
    const { cache } = await make()
    const loader = new WatchedLoader()
    await cache.set('k', 'old', { ...KEPT, ttl: 0 })
    const reader = caller(cache, loader, KEPT)
    expect(await reader.value).toBe('old')
    await loader.running()
    reader.leave()
    const waits = caller(cache, loader, { ...KEPT, softTimeout: '1h' })
    await turn()
    waits.leave()
    await waits.left()
    expect(loader.aborted).toEqual([])
    loader.answer('new')
    await expect.poll(() => cache.peek('k')).toBe('new')
    expect([loader.started, listeners(reader, waits)]).toEqual([1, [0, 0]])
  })

  test('close() waits for no load that everybody has left', async () => {
    const { cache, first, loader } = await loading()
    const closing = cache.close()
    first.leave()
    await first.left()
    await closing
    loader.answer('v')
    await turn()
    expect(cache.peek.bind(cache, 'k')).not.toThrow()
  })
}

describe('L1 alone', () => {
  inOneProcess(async () => {
    const clock = new FakeClock()
    return { clock, cache: assemble(undefined, clock) }
  })
})

/** A is a process whose loader runs, under the lease of k; the others wait for it. */
inFleets((fleet) => {
  inOneProcess(async () => ({ clock: fleet.clock, cache: (await fleet.process()).cache }))

  async function holding() {
    const [a, b, c] = [await fleet.process(), await fleet.process(), await fleet.process()]
    const [held, own] = [new WatchedLoader(), new WatchedLoader()]
    const first = caller(a.cache, held)
    await held.running()
    return { a, b, c, held, own, first }
  }

  /** A caller in another process that was told that the lease is held. */
  async function waiting({ cache, leases }: Process, loader: WatchedLoader, options = {}) {
    const asked = leases.holdAnswer('acquire')
    const waits = caller(cache, loader, options)
    await asked.arrived
    asked.release()
    await turn()
    expect(cache.counters.waits).toBe(1)
    return waits
  }

  test('a caller leaves while it waits for another process: no load begins here when that one ends', async () => {
    const { b, held, own, first } = await holding()
    const waits = await waiting(b, own)
    const pending = fleet.clock.pending
    const asked = vi.spyOn(b.raw.leases, 'acquire')
    waits.leave()
    await waits.left()
    expect(fleet.clock.pending).toBe(pending - 1)
    await turn()
    held.fail(new Error('broken'))
    await expect(first.value).rejects.toThrow('broken')
    await fleet.elapse(5000)
    await turn()
    expect([own.started, asked.mock.calls, listeners(waits)]).toEqual([0, [], [0]])
  })

  test('one of two callers who wait for another process leaves: the other one gets its value', async () => {
    const { b, held, own } = await holding()
    const one = await waiting(b, own)
    const other = b.cache.getOrSet('k', own.watched)
    one.leave()
    await one.left()
    held.answer('v')
    expect([await other, own.started]).toEqual(['v', 0])
  })

  test('close() while a caller waits for another process, who then leaves', async () => {
    const { b, own } = await holding()
    const waits = await waiting(b, own)
    const closing = b.cache.close()
    waits.leave()
    await waits.left()
    await closing
    expect(own.started).toBe(0)
  })

  test('a caller leaves while the answer of L2 is on its way: no load begins', async () => {
    const { cache, far, leases } = await fleet.process()
    const [read, asked] = [far.holdAnswer('get'), leases.holdCall('acquire')]
    const own = new WatchedLoader()
    const gone = caller(cache, own)
    await read.arrived
    gone.leave()
    await gone.left()
    read.release()
    await turn()
    const next = caller(cache, own)
    await asked.arrived
    expect(own.started).toBe(0)
    asked.release()
    await own.running()
    own.answer('v')
    expect([await next.value, own.started]).toEqual(['v', 1])
  })

  test('… nor does it join the load that another one has begun meanwhile', async () => {
    const { cache, far } = await fleet.process()
    const read = far.holdAnswer('get')
    const own = new WatchedLoader()
    const gone = caller(cache, own)
    await read.arrived
    gone.leave()
    const other = caller(cache, own)
    await own.running()
    read.release()
    await turn()
    other.leave()
    expect([own.started, own.aborted]).toEqual([1, [other.reason]])
    await Promise.all([gone.left(), other.left()])
  })

  test('a caller leaves while the answer of the lease is on its way: no load begins, and the lease is free', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const own = new WatchedLoader()
    const asked = a.leases.holdAnswer('acquire')
    const gone = caller(a.cache, own)
    await asked.arrived
    gone.leave()
    await gone.left()
    const freed = a.leases.holdAnswer('release')
    asked.release()
    await freed.arrived
    freed.release()
    expect(await b.raw.leases.acquire(k, undefined, true)).toMatchObject({ word: 'granted' })
    expect(own.started).toBe(0)
  })

  test('the last caller of the holder leaves: one who waits elsewhere goes on at once, and loads', async () => {
    const { a, b, c, held, own, first } = await holding()
    const waits = await waiting(b, own)
    first.leave()
    await own.running()
    own.answer('v2')
    expect(await waits.value).toBe('v2')
    const committed = a.far.holdAnswer('commit')
    held.answer('v1')
    await committed.arrived
    committed.release()
    await turn()
    expect([a.cache.peek('k'), await c.cache.get('k'), a.cache.counters.fillsRefused]).toEqual([undefined, 'v2', 1])
  })

  test('… also when the loader obeys: its failure is nobody’s', async () => {
    const { b, c } = await holding()
    const [held, own] = [new WatchedLoader(), new WatchedLoader()]
    await c.cache.delete('k')
    const controller = new AbortController()
    const first = c.cache.getOrSet('k', held.obedient, { signal: controller.signal })
    await held.running()
    const waits = await waiting(b, own)
    controller.abort()
    await expect(first).rejects.toBe(controller.signal.reason)
    await own.running()
    own.answer('v')
    expect(await waits.value).toBe('v')
  })

  test('the last caller leaves while the value is being stored: it is, and a newcomer gets it', async () => {
    const { a, c, held, own, first } = await holding()
    const storing = a.far.holdCall('commit')
    held.answer('v')
    await storing.arrived
    first.leave()
    await first.left()
    const next = caller(a.cache, own)
    await turn()
    storing.release()
    expect([await next.value, own.started]).toEqual(['v', 0])
    expect([a.cache.peek('k'), await c.cache.get('k')]).toEqual(['v', 'v'])
    expect([held.aborted, a.cache.counters.loadsAborted, a.cache.counters.fillsRefused]).toEqual([[], 0, 0])
  })

  test('the late value of a load that everybody left is found by the other processes', async () => {
    const { a, c, held, first } = await holding()
    const reads = vi.spyOn(a.raw.far, 'get')
    first.leave()
    await first.left()
    await turn()
    expect(reads).not.toHaveBeenCalled()
    const committed = a.far.holdAnswer('commit')
    held.answer('v')
    await committed.arrived
    committed.release()
    await turn()
    expect([a.cache.peek('k'), await c.cache.get('k')]).toEqual(['v', 'v'])
  })
})
