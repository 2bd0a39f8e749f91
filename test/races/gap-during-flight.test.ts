import { expect, test } from 'vitest'
import { allHeard, inFleets } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A reads, loads or sets k, or has it in L1
 *   2. B changes k; A misses the notice
 *   3. A hears the next notice: it has a gap, and cannot know what it missed
 *   4. A's flight lands: it may not fill L1, since nobody will tell of 2 again
 */
inFleets((fleet) => {
  test('what L1 holds is not believed any more, at once', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await b.cache.set('k', 'v1')
    await allHeard(a, b)
    expect(await a.cache.get('k')).toBe('v1')
    await fleet.misses(a, () => b.cache.set('k', 'v2'))
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBe('v2')
  })

  test('a read that was under way fills no L1', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await b.cache.set('k', 'v1')
    await allHeard(a, b)
    const replying = a.far.holdAnswer('get')
    const read = a.cache.get('k')
    await replying.arrived
    await fleet.misses(a, () => b.cache.set('k', 'v2'))
    replying.release()
    expect(await read).toBe('v1')
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBe('v2')
  })

  test('a set that was under way fills no L1', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const replying = a.far.holdAnswer('set')
    const written = a.cache.set('k', 'v1')
    await replying.arrived
    await fleet.misses(a, () => b.cache.set('k', 'v2'))
    replying.release()
    await written
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBe('v2')
  })

  test('a load that was under way fills no L1; who comes after the gap does not join it', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    const before = a.cache.getOrSet('k', loader.load)
    await loader.running()
    await fleet.misses(a, () => b.cache.delete('k'))
    const after = a.cache.getOrSet('k', loader.load)
    await loader.running(2)
    loader.answer('v1')
    expect(await before).toBe('v1')
    expect(a.cache.peek('k')).toBeUndefined()
    loader.answer('v2')
    expect(await after).toBe('v2')
    expect(await b.cache.get('k')).toBe('v2')
  })

  test('a load of a key that nobody changed is in L2 all the same: nothing moved there', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    const load = a.cache.getOrSet('k', loader.load)
    await loader.running()
    await fleet.misses(a, () => b.cache.delete('other'))
    loader.answer('v')
    await load
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await b.cache.get('k')).toBe('v')
  })
})
