import { expect, test } from 'vitest'
import { allHeard, inFleets, LEASE_MS, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const k = { namespace: '_', key: 'k' }

/**
 * The order of events, with A and B two processes:
 *   1. A is granted the lease, and its loader reads v1 from the database
 *   2. B waits for A
 *   3. A does not renew its lease (it stands still, or is cut off); the lease runs out, and B is granted another one
 *   4. A's loader answers v1, before or after B has stored v2
 * v1 goes to those who asked A, and is stored nowhere.
 */
inFleets((fleet) => {
  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [older, newer] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    a.leases.failing('renew')
    const first = a.cache.getOrSet('k', older.load)
    await older.running()
    const asking = b.leases.holdAnswer('acquire')
    const second = b.cache.getOrSet('k', newer.load)
    await asking.arrived
    asking.release()
    await turn()
    await fleet.runOut(k)
    await fleet.elapse(LEASE_MS + 1)
    await newer.running()
    return { a, b, older, newer, first, second }
  }

  test('the ex-holder answers first: its value is refused, and its successor’s is stored', async () => {
    const { a, b, older, newer, first, second } = await setup()
    older.answer('v1')
    expect(await first).toBe('v1')
    expect(a.cache.peek('k')).toBeUndefined()
    newer.answer('v2')
    expect(await second).toBe('v2')
    expect(await a.cache.get('k')).toBe('v2')
    expect(b.cache.peek('k')).toBe('v2')
    expect(a.cache.counters.fillsRefused).toBe(1)
  })

  test('its successor answers first: the value stays', async () => {
    const { a, b, older, newer, first, second } = await setup()
    newer.answer('v2')
    expect(await second).toBe('v2')
    older.answer('v1')
    expect(await first).toBe('v1')
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBe('v2')
    expect(b.cache.peek('k')).toBe('v2')
  })

  test('the ex-holder’s loader fails: that ends nothing of its successor’s', async () => {
    const { a, b, older, newer, first, second } = await setup()
    older.fail(new Error('too late'))
    await expect(first).rejects.toThrow('too late')
    expect(await b.leases.port.acquire(k, undefined, true)).toMatchObject({ word: 'busy' })
    newer.answer('v2')
    expect(await second).toBe('v2')
    expect(await a.cache.get('k')).toBe('v2')
  })

  test('a holder that lives renews its lease: nobody takes over, however long it loads', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [slow, other] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const first = a.cache.getOrSet('k', slow.load)
    await slow.running()
    const second = b.cache.getOrSet('k', other.load)
    for (let third = 0; third < 6; third++) {
      const renewal = a.leases.holdAnswer('renew')
      await fleet.elapse(LEASE_MS / 3)
      await renewal.arrived
      renewal.release()
      await allHeard(a, b)
    }
    slow.answer('v')
    expect(await Promise.all([first, second])).toEqual(['v', 'v'])
    expect(other.started).toBe(0)
  })
})
