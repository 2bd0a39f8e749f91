import { expect, test } from 'vitest'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const kept = { ttl: '1h', stale: '1h', jitter: 0 } as const

/**
 * The order of events, with A, B and C three processes:
 *   1. k is stale: A and B serve it, and both would renew it
 *   2. A is granted the lease, and loads; B is told that A holds it
 *   3. C serves k too, and is about to ask for the lease, naming the stale entry as the one that it saw
 *   4. A stores the new value; then C's question arrives
 * One loader runs, and all three have the new value.
 */
inFleets((fleet) => {
  async function becomesStale(...processes: Process[]): Promise<void> {
    await processes[0]?.cache.set('k', 'old', kept)
    await processes[0]?.cache.expire('k')
    await allHeard(...processes)
    // A deadline in Redis is on the server's clock: beyond what that may have gone on meanwhile.
    await fleet.elapse(1000)
  }

  test('one process renews; the others serve the stale value, and find the new one', async () => {
    const [a, b, c] = [await fleet.process(), await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    await becomesStale(a, b, c)
    expect(await a.cache.getOrSet('k', loader.load, kept)).toBe('old')
    await loader.running()

    const second = b.leases.holdAnswer('acquire')
    expect(await b.cache.getOrSet('k', loader.load, kept)).toBe('old')
    await second.arrived
    second.release()
    await turn()
    const third = c.leases.holdCall('acquire')
    expect(await c.cache.getOrSet('k', loader.load, kept)).toBe('old')
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

  test('the stale value is served for as long as its renewal runs, and replaced by it', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    await becomesStale(a, b)
    expect(await b.cache.getOrSet('k', loader.load, kept)).toBe('old')
    await loader.running()
    expect(await a.cache.getOrSet('k', loader.load, kept)).toBe('old')
    const storing = b.far.holdAnswer('commit')
    loader.answer('new')
    await storing.arrived
    storing.release()
    await turn()
    expect(await b.cache.get('k')).toBe('new')
    expect(await a.cache.get('k')).toBe('new')
  })
})
