import { expect, test } from 'vitest'
import { allHeard, inFleets } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, in process A:
 *   1. A finds nothing in L2, and asks for the lease
 *   2. the key is deleted, here or in process B: A's flight is poisoned
 *   3. A is granted the lease, and its loader reads v2 from the database
 * The load begins after 2, so that nothing is wrong with v2: the poison is cleared at the grant, once.
 */
inFleets((fleet) => {
  test.each(['here', 'elsewhere'])('deleted %s before the grant: the value is stored', async (place) => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    const asking = a.leases.holdCall('acquire')
    const load = a.cache.getOrSet('k', loader.load)
    await asking.arrived
    await (place === 'here' ? a : b).cache.delete('k')
    await allHeard(a, b)
    asking.release()
    await loader.running()
    loader.answer('v2')
    expect(await load).toBe('v2')
    expect(a.cache.peek('k')).toBe('v2')
    expect(await b.cache.get('k')).toBe('v2')
  })

  test.each(['here', 'elsewhere'])('deleted %s before the grant and again after it: stored nowhere', async (place) => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const deleting = (place === 'here' ? a : b).cache
    const loader = new ScriptedLoader<string>()
    const asking = a.leases.holdCall('acquire')
    const load = a.cache.getOrSet('k', loader.load)
    await asking.arrived
    await deleting.delete('k')
    asking.release()
    await loader.running()
    await deleting.delete('k')
    await allHeard(a, b)
    loader.answer('v2')
    expect(await load).toBe('v2')
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await b.cache.get('k')).toBeUndefined()
  })

  test('deleted between the grant and its arrival: the lease is gone, nothing is stored', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    const asking = a.leases.holdAnswer('acquire')
    const load = a.cache.getOrSet('k', loader.load)
    await asking.arrived
    await b.cache.delete('k')
    await allHeard(a, b)
    asking.release()
    await loader.running()
    loader.answer('v2')
    expect(await load).toBe('v2')
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await b.cache.get('k')).toBeUndefined()
  })
})
