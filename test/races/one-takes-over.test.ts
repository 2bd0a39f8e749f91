import { expect, test } from 'vitest'
import { inFleets, LEASE_MS, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const k = { namespace: '_', key: 'k' }

/**
 * The order of events, with A to D four processes:
 *   1. A is granted the lease of a key and loads; B, C and D wait for it
 *   2. A is gone: nothing more is heard of it
 *   3. the lease runs out, and B, C and D ask for it at the same time
 * One of them loads, the others wait for that one.
 */
inFleets((fleet) => {
  test('of those who wait for a holder that is gone, exactly one takes over', async () => {
    const a = await fleet.process()
    const waiting = [await fleet.process(), await fleet.process(), await fleet.process()]
    const [gone, loader] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    a.leases.failing('renew')
    const lost = a.cache.getOrSet('k', gone.load)
    await gone.running()

    const first = waiting.map(({ leases }) => leases.holdAnswer('acquire'))
    const values = waiting.map(({ cache }) => cache.getOrSet('k', loader.load))
    for (const asked of first) await asked.arrived
    const second = waiting.map(({ leases }) => leases.holdAnswer('acquire'))
    for (const asked of first) asked.release()
    await turn()
    await fleet.runOut(k)
    await fleet.elapse(LEASE_MS + 1)
    for (const asked of second) await asked.arrived
    for (const asked of second) asked.release()
    await loader.running()
    await turn()

    loader.answer('v')
    expect(await Promise.all(values)).toEqual(['v', 'v', 'v'])
    expect(loader.started).toBe(1)
    gone.answer('too late')
    expect(await lost).toBe('too late')
    for (const { cache } of waiting) expect(await cache.get('k')).toBe('v')
  })
})
