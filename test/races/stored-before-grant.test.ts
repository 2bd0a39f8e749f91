import { expect, test } from 'vitest'
import { inFleets } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A finds nothing that it may use in L2
 *   2. B loads k and stores it; B's lease is over
 *   3. A asks for the lease: nobody holds it
 * The lease is not granted, since an entry is there that A has not seen: A reads it, and no second load runs.
 */
inFleets((fleet) => {
  test('nothing was there before: A gets what B has stored', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    const asking = a.leases.holdCall('acquire')
    const read = a.cache.getOrSet('k', loader.load)
    await asking.arrived
    expect(await b.cache.getOrSet('k', () => 'v')).toBe('v')
    asking.release()
    expect(await read).toBe('v')
    expect(loader.started).toBe(0)
  })

  test('an entry that is void by its tag was there before: it counts as absent, the new one does not', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    await b.cache.set('k', 'old', { tags: ['t'] })
    await b.cache.invalidateTags('t')
    const asking = a.leases.holdCall('acquire')
    const read = a.cache.getOrSet('k', loader.load)
    await asking.arrived
    expect(await b.cache.getOrSet('k', () => 'new', { tags: ['t'] })).toBe('new')
    asking.release()
    expect(await read).toBe('new')
    expect(loader.started).toBe(0)
  })
})
