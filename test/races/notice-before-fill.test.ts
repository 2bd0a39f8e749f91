import { expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { allHeard, inFleets } from '../doubles/fleet.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A reads k from L2, which finds v1; the reply is on its way
 *   2. B changes k, and A hears of it: there is nothing in its L1 to drop
 *   3. the reply reaches A, which must not put v1 into L1: no further notice would ever take it away
 */
inFleets((fleet) => {
  test.each<[string, (b: Cache) => Promise<unknown>]>([
    ['deleted', (b) => b.delete('k')],
    ['set', (b) => b.set('k', 2)],
    ['added to', (b) => b.increment('k')],
    ['expired', (b) => b.expire('k')],
    ['touched', (b) => b.touch('k', '1h')],
    ['cleared', (b) => b.clear()],
  ])('%s: the reader gets what it found, L1 keeps nothing', async (_, change) => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await b.cache.set('k', 1)
    await allHeard(a, b)
    const replying = a.far.holdAnswer('get')
    const read = a.cache.get('k')
    await replying.arrived
    await change(b.cache)
    await allHeard(a, b)
    replying.release()
    expect(await read).toBe(1)
    expect(a.cache.peek('k')).toBeUndefined()
    expect(a.cache.counters.fillsRefused).toBe(1)
    expect(await a.cache.get('k')).toBe(await b.cache.get('k'))
  })

  test.each(['invalidateTags', 'expireTags'] as const)('%s: the same for a tag of what was found', async (change) => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await b.cache.set('k', 1, { tags: ['t'] })
    await allHeard(a, b)
    const judging = a.tags.holdAnswer('judge')
    const read = a.cache.get('k')
    await judging.arrived
    await b.cache[change]('t')
    await allHeard(a, b)
    judging.release()
    expect(await read).toBe(1)
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBeUndefined()
  })
})
