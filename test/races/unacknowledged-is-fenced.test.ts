import { expect, test } from 'vitest'
import { allHeard, BOUND_MS, inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/** The first pause before what was not acknowledged is repeated. */
const REPETITION_MS = 500

/**
 * The order of events, with A and B two processes:
 *   1. A and B know k = v1
 *   2. A deletes k: L2 does not acknowledge it, and may still have v1
 *   3. A reads k: what L2 has must not be believed
 *   4. the deletion is repeated and acknowledged: from then on it holds everywhere
 */
inFleets((fleet) => {
  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const shop = a.cache.namespace('shop')
    await shop.set('k', 'v1', { tags: ['t'] })
    await allHeard(a, b)
    return { a, b, shop, atB: b.cache.namespace('shop') }
  }

  /** Lets time go by until what failed was repeated. */
  async function repeated({ a, b }: Awaited<ReturnType<typeof setup>>): Promise<void> {
    const acknowledged = new Promise((resolve) => a.cache.on('acknowledged', resolve))
    await fleet.elapse(REPETITION_MS)
    await acknowledged
    await allHeard(a, b)
    expect(a.parts.journal.size).toBe(0)
  }

  test.each<['delete' | 'invalidate' | 'clear', string]>([
    ['delete', 'its key was deleted'],
    ['invalidate', 'its tag was invalidated'],
    ['clear', 'its namespace was cleared'],
  ])('%s: %s here, and nowhere else until that is repeated', async (method) => {
    const processes = await setup()
    const { a, shop, atB } = processes
    const heal = method === 'delete' ? a.far.failing('delete') : a.tags.failing(method)
    const change = {
      delete: () => shop.delete('k'),
      invalidate: () => a.cache.invalidateTags('t'),
      clear: () => shop.clear(),
    }[method]
    expect(await change()).toEqual({ acknowledged: false })
    expect(await shop.get('k')).toBeUndefined()
    expect(await atB.get('k')).toBe('v1')
    expect(await shop.get('k')).toBeUndefined()
    heal()
    await repeated(processes)
    expect(await atB.get('k')).toBeUndefined()
    await atB.set('k', 'v2', { tags: ['t'] })
    expect(await shop.get('k')).toBe('v2')
  })

  test('what is loaded meanwhile stays in this process, for no longer than the bound', async () => {
    const processes = await setup()
    const { a, shop, atB } = processes
    const heal = a.far.failing('delete')
    await shop.delete('k')
    const loader = new ScriptedLoader<string>()
    const load = shop.getOrSet('k', loader.load)
    await loader.running()
    loader.answer('v2')
    expect(await load).toBe('v2')
    expect(shop.peek('k')).toBe('v2')
    await fleet.elapse(BOUND_MS)
    expect(shop.peek('k')).toBeUndefined()
    expect(await atB.get('k')).toBe('v1')
    heal()
  })

  test('a set that was not acknowledged is read here, and never the value before it', async () => {
    const processes = await setup()
    const { a, b, shop, atB } = processes
    const heals = [a.far.failing('set'), a.far.failing('delete')]
    expect(await shop.set('k', 'v2')).toEqual({ acknowledged: false })
    expect(await shop.get('k')).toBe('v2')
    await fleet.elapse(BOUND_MS)
    expect(await shop.get('k')).toBeUndefined()
    await turn()
    for (const heal of heals) heal()
    const acknowledged = new Promise((resolve) => a.cache.on('acknowledged', resolve))
    await fleet.elapse(5000)
    await acknowledged
    await allHeard(a, b)
    expect(await atB.get('k')).toBeUndefined()
  })

  /** The answer is lost, not the call: the deletion was carried out at 2, and what B has stored since is deleted at 4. */
  test('a deletion whose answer was lost is repeated too: that costs a load, and is never wrong', async () => {
    const processes = await setup()
    const { a, b, shop, atB } = processes
    const answering = a.far.holdAnswer('delete')
    const deleted = shop.delete('k')
    await answering.arrived
    answering.fail()
    expect(await deleted).toEqual({ acknowledged: false })
    await atB.set('k', 'v2')
    await allHeard(b, a)
    expect(await shop.get('k')).toBeUndefined()
    await repeated(processes)
    expect(await atB.get('k')).toBeUndefined()
  })
})
