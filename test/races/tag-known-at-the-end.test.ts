import { expect, test } from 'vitest'
import type { LoadContext } from '../../src/cache/load-context.ts'
import { heardAll, inEveryForm } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/** A value that turns out to have the tag t. */
const tagged = (value: string) => (context: LoadContext) => {
  context.setTags('t')
  return value
}

/**
 * The order of events, with A and B two processes (or two callers of one, with L1 alone):
 *   1. A's loader reads v1 from the database; that the value has tag t is known only at its end
 *   2. B invalidates t
 *   3. the loader answers v1, with t
 * v1 goes to those who asked before 2, and is stored nowhere; who joined after 2 starts over.
 */
inEveryForm((kit) => {
  async function setup() {
    const a = await kit.make()
    const b = kit.isShared ? await kit.make() : a
    const loader = new ScriptedLoader<string>()
    const before = a.getOrSet('k', loader.load)
    await loader.running()
    return { a, b, loader, before }
  }

  test('invalidated meanwhile: stored nowhere', async () => {
    const { a, b, loader, before } = await setup()
    expect(await b.invalidateTags('t')).toEqual({ acknowledged: true })
    loader.answerWith(tagged('v1'))
    expect(await before).toBe('v1')
    expect(await a.getEntry('k')).toBeUndefined()
    expect(await b.getEntry('k')).toBeUndefined()
    expect(a.counters.fillsRefused).toBe(1)
  })

  test.each([
    ['a tag that nothing else has', false],
    ['a tag that other entries carry', true],
  ])('expired meanwhile, %s: stale everywhere, and served where a load fails', async (_, isCarried) => {
    const { a, b, loader, before } = await setup()
    if (isCarried) await b.set('other', 1, { tags: ['t'] })
    await b.expireTags('t')
    loader.answerWith(tagged('v1'))
    expect(await before).toBe('v1')
    for (const cache of [a, b]) {
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getEntry('k')).toMatchObject({ value: 'v1', freshness: 'stale' })
      expect(await cache.getOrSet('k', () => Promise.reject(new Error('no database')))).toBe('v1')
    }
    expect(a.counters.fillsRefused).toBe(0)
  })

  test('expired, and invalidated before or after: stored nowhere', async () => {
    for (const changes of [
      ['expireTags', 'invalidateTags'],
      ['invalidateTags', 'expireTags'],
    ] as const) {
      const { a, b, loader, before } = await setup()
      for (const change of changes) await b[change]('t')
      loader.answerWith(tagged('v1'))
      expect(await before).toBe('v1')
      expect([await a.getEntry('k'), await b.getEntry('k')]).toEqual([undefined, undefined])
    }
  })

  test('invalidated before the load, or another tag meanwhile: stored', async () => {
    const a = await kit.make()
    const b = kit.isShared ? await kit.make() : a
    const loader = new ScriptedLoader<string>()
    await b.invalidateTags('t')
    if (kit.isShared) await heardAll(a, b)
    const load = a.getOrSet('k', loader.load)
    await loader.running()
    await b.invalidateTags('u')
    loader.answerWith(tagged('v1'))
    await load
    expect(await a.get('k')).toBe('v1')
    expect(await b.get('k')).toBe('v1')
  })

  test.each(['invalidateTags', 'expireTags'] as const)('%s: who joined after it starts over', async (change) => {
    const { a, b, loader, before } = await setup()
    await b[change]('t')
    if (kit.isShared) await heardAll(a, b)
    const after = [a.getOrSet('k', loader.load), a.getOrSet('k', loader.load)]
    loader.answerWith(tagged('v1'))
    expect(await before).toBe('v1')
    await loader.running(2)
    loader.answerWith(tagged('v2'))
    expect(await Promise.all(after)).toEqual(['v2', 'v2'])
    expect(loader.started).toBe(2)
    expect(await b.get('k')).toBe('v2')
  })

  test('who joined before it does not start over', async () => {
    const { a, b, loader, before } = await setup()
    const joined = a.getOrSet('k', loader.load)
    await b.invalidateTags('t')
    loader.answerWith(tagged('v1'))
    expect(await Promise.all([before, joined])).toEqual(['v1', 'v1'])
    expect(loader.started).toBe(1)
  })
})
