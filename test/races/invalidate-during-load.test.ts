import { expect, test } from 'vitest'
import { heardAll, inEveryForm } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, with A and B two processes (or two callers of one, with L1 alone):
 *   1. A finds nothing, and its loader reads v1 from the database
 *   2. the database gets v2, and B says so: delete, set or clear
 *   3. A's loader answers v1
 * v1 goes to those who asked before 2, and is stored nowhere.
 */
inEveryForm((kit) => {
  async function setup() {
    const a = (await kit.make()).namespace('n')
    const b = kit.isShared ? (await kit.make()).namespace('n') : a
    const loader = new ScriptedLoader<string>()
    const before = a.getOrSet('k', loader.load)
    await loader.running()
    return { a, b, loader, before }
  }

  test('deleted meanwhile: the value goes to its callers and is stored nowhere', async () => {
    const { a, b, loader, before } = await setup()
    expect(await b.delete('k')).toEqual({ acknowledged: true })
    loader.answer('v1')
    expect(await before).toBe('v1')
    expect(await a.get('k')).toBeUndefined()
    expect(await b.get('k')).toBeUndefined()
    expect(a.counters.fillsRefused).toBe(1)
  })

  test('deleted meanwhile: who comes after the deletion does not join the old load', async () => {
    const { a, b, loader, before } = await setup()
    await b.delete('k')
    if (kit.isShared) await heardAll(a, b)
    const after = a.getOrSet('k', loader.load)
    await loader.running(2)
    loader.answer('v1')
    loader.answer('v2')
    expect(await Promise.all([before, after])).toEqual(['v1', 'v2'])
    expect(await b.getOrSet('k', () => 'v3')).toBe('v2')
    await expect.poll(() => a.peek('k')).toBe('v2')
  })

  test('set meanwhile: the set value stays', async () => {
    const { a, b, loader, before } = await setup()
    await b.set('k', 'v2')
    loader.answer('v1')
    expect(await before).toBe('v1')
    expect(await a.get('k')).toBe('v2')
    expect(await b.get('k')).toBe('v2')
  })

  test('cleared meanwhile: nothing is stored', async () => {
    const { a, b, loader, before } = await setup()
    await b.clear()
    loader.answer('v1')
    expect(await before).toBe('v1')
    expect(await a.get('k')).toBeUndefined()
    expect(await b.get('k')).toBeUndefined()
  })

  test('another namespace cleared meanwhile: the value is stored', async () => {
    const { a, b, loader, before } = await setup()
    await b.namespace('below').clear()
    loader.answer('v1')
    expect(await before).toBe('v1')
    await expect.poll(() => a.peek('k')).toBe('v1')
    expect(await b.get('k')).toBe('v1')
  })
})
