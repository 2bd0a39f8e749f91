import { expect, test } from 'vitest'
import { encode } from '../../src/entry/codec.ts'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets, turn } from '../doubles/fleet.ts'
import { expectOneRenewal } from '../doubles/one-renewal.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const HOUR = 3_600_000
const AHEAD = { ttl: HOUR, jitter: 0, refreshAhead: 0.4 } as const
const k = { namespace: '_', key: 'k' }

/** k is fresh in all processes, and due to be renewed ahead of its end: the order of events is that of `expectOneRenewal`. */
inFleets((fleet) => {
  /** Half of its ttl is over, in L2 and in L1. */
  async function isDue(...processes: Process[]): Promise<void> {
    const createdAt = fleet.clock.now() - HOUR / 2
    const until = createdAt + HOUR
    const deadlines = { createdAt, freshUntil: until, staleUntil: until }
    await processes[0]?.raw.far.set({ address: k, ...encode('old'), ...deadlines, tags: [], loadMs: 0 })
    await allHeard(...processes)
    for (const { cache } of processes) expect(await cache.get('k')).toBe('old')
  }

  test('one process renews; the others serve the value meanwhile, and take the new one', async () => {
    const processes = [await fleet.process(), await fleet.process(), await fleet.process()] as const
    await isDue(...processes)
    await expectOneRenewal(processes, AHEAD)
  })

  test('who comes after another process has renewed it takes that value, and loads nothing', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    await isDue(a, b)
    expect(await a.cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    await loader.running()
    const storing = a.far.holdAnswer('commit')
    loader.answer('new')
    await storing.arrived
    storing.release()
    await turn()
    expect(b.cache.peek('k')).toBe('old')
    const reading = b.far.holdAnswer('get')
    expect(await b.cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    await reading.arrived
    reading.release()
    await turn()
    expect(b.cache.peek('k')).toBe('new')
    expect(loader.started).toBe(1)
  })

  test('deleted elsewhere while it is renewed: nothing is stored', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    await isDue(a, b)
    expect(await a.cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    await loader.running()
    await b.cache.delete('k')
    const storing = a.far.holdAnswer('commit')
    loader.answer('new')
    await storing.arrived
    storing.release()
    await turn()
    expect(await b.cache.get('k')).toBeUndefined()
  })
})
