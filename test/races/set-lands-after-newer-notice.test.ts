import { expect, test } from 'vitest'
import { allHeard, inFleets } from '../doubles/fleet.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A sets k = v1: it is stored in L2, and the reply is on its way
 *   2. B sets k = v2, or deletes k; A hears of it
 *   3. the reply reaches A: it must not put v1 into L1
 */
inFleets((fleet) => {
  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const replying = a.far.holdAnswer('set')
    const written = a.cache.set('k', 'v1', { tags: ['t'] })
    await replying.arrived
    return { a, b, replying, written }
  }

  test.each<[string, unknown]>([
    ['set', 'v2'],
    ['deleted', undefined],
    ['its tag invalidated', undefined],
    ['cleared', undefined],
  ])('%s elsewhere before the reply came: L1 does not keep the older value', async (change, newest) => {
    const { a, b, replying, written } = await setup()
    if (change === 'set') await b.cache.set('k', 'v2')
    if (change === 'deleted') await b.cache.delete('k')
    if (change === 'its tag invalidated') await b.cache.invalidateTags('t')
    if (change === 'cleared') await b.cache.clear()
    await allHeard(a, b)
    replying.release()
    expect(await written).toEqual({ acknowledged: true })
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBe(newest)
    expect(await b.cache.get('k')).toBe(newest)
  })

  test('its own notice before the reply came: L1 keeps the value', async () => {
    const { a, replying, written } = await setup()
    await allHeard(a)
    replying.release()
    await written
    expect(a.cache.peek('k')).toBe('v1')
  })

  test('an older set of the same process does not land over a later one', async () => {
    const { a, replying, written } = await setup()
    await a.cache.set('k', 'v2')
    replying.release()
    await written
    expect(await a.cache.get('k')).toBe('v2')
  })
})
