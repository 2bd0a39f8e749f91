import { expect, test } from 'vitest'
import { encode } from '../../src/entry/codec.ts'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const HOUR = 3_600_000
const AHEAD = { ttl: HOUR, jitter: 0, refreshAhead: 0.4 } as const
const k = { namespace: '_', key: 'k' }

/**
 * The order of events, with A, B and C three processes:
 *   1. k is fresh in all three, and due to be renewed ahead of its end: A and B serve it, and both would renew it
 *   2. A is granted the lease, and loads; B is told that A holds it
 *   3. C serves k too, reads it in L2 where it is still the old one, and is about to ask for the lease
 *   4. A stores the new value; then C's question arrives
 * One loader runs, and all three have the new value, though the old one was still fresh.
 */
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
    const [a, b, c] = [await fleet.process(), await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    await isDue(a, b, c)
    expect(await a.cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    await loader.running()

    const second = b.leases.holdAnswer('acquire')
    expect(await b.cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    await second.arrived
    second.release()
    await turn()
    const third = c.leases.holdCall('acquire')
    expect(await c.cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    await third.arrived

    const [atB, atC] = [b, c].map(({ far }) => far.holdAnswer('get'))
    loader.answer('new')
    await atB?.arrived
    atB?.release()
    third.release()
    await atC?.arrived
    atC?.release()
    await turn()
    for (const { cache } of [a, b, c]) expect(await cache.get('k')).toBe('new')
    expect(loader.started).toBe(1)
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
