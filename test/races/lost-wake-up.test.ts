import { expect, test } from 'vitest'
import { allHeard, inFleets, LEASE_MS, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const subject = '_:k'

/**
 * The order of events, with A and B two processes:
 *   1. A holds the lease of k and loads
 *   2. B asks for the lease: another process holds it, says the reply that is on its way
 *   3. A stores the value, and calls those who wait
 *   4. B begins to wait, too late for the call, or the call is lost
 */
inFleets((fleet) => {
  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [loader, other] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const first = a.cache.getOrSet('k', loader.load)
    await loader.running()
    const asking = b.leases.holdAnswer('acquire')
    const second = b.cache.getOrSet('k', other.load)
    await asking.arrived
    return { a, b, loader, other, first, second, asking }
  }

  test('a call that comes before the wait begins is not lost: its place was taken before it asked', async () => {
    const { a, b, loader, other, first, second, asking } = await setup()
    const called = b.line.next('F', subject)
    loader.answer('v')
    await Promise.all([first, called])
    await allHeard(a, b)
    asking.release()
    expect(await second).toBe('v')
    expect(other.started).toBe(0)
  })

  test('a call that is lost costs one lease, and no load', async () => {
    const { b, loader, other, first, second, asking } = await setup()
    asking.release()
    await turn()
    b.line.hold()
    const called = b.line.next('F', subject)
    loader.answer('v')
    await Promise.all([first, called])
    b.line.lose()
    await fleet.elapse(LEASE_MS + 1)
    expect(await second).toBe('v')
    expect(other.started).toBe(0)
  })
})
