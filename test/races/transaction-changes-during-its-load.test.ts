import { expect, test } from 'vitest'
import { inEveryForm } from '../doubles/caches.ts'
import { turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'
import { ScriptedManyLoader } from '../doubles/scripted-many-loader.ts'

const kept = { ttl: '1h', stale: '1h', jitter: 0 } as const

/**
 * The order of events, with the database's row at v1:
 *   1. A, inside of a transaction that has changed nothing yet, begins to load k
 *   2. B, outside, asks for k, and joins that load
 *   3. inside, the row becomes v2, and something is invalidated: held
 *   4. C, outside, asks for k
 *   5. A's loader reads v2, which is not committed, and may never be
 * v2 is for A alone: B and C load for themselves, and C does not wait for A.
 */
inEveryForm((kit) => {
  function gate() {
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    return { open, opened }
  }

  test('who joined the load of a transaction before its first change gets nothing of what it read', async () => {
    const cache = await kit.make()
    const [ofA, others] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const [change, changed, end] = [gate(), gate(), gate()]
    let inside: Promise<string> | undefined
    const transaction = cache.transaction(async () => {
      inside = cache.getOrSet('k', ofA.load)
      await change.opened
      await cache.delete('other')
      changed.open()
      expect(await inside).toBe('v2, not committed')
      await end.opened
    })
    await ofA.running()
    const b = cache.getOrSet('k', others.load)
    await turn()
    expect(others.started).toBe(0)
    change.open()
    await changed.opened

    const c = cache.getOrSet('k', others.load)
    await others.running()
    others.answer('v1')
    expect(await c).toBe('v1')
    ofA.answer('v2, not committed')
    expect(await b).toBe('v1')
    expect(others.started).toBe(1)
    expect(await cache.get('k')).toBe('v1')
    end.open()
    await transaction
  })

  test('the same of a batch', async () => {
    const cache = await kit.make()
    const [ofA, others] = [new ScriptedManyLoader<string>(), new ScriptedManyLoader<string>()]
    const [change, changed] = [gate(), gate()]
    const transaction = cache.transaction(async () => {
      const inside = cache.getOrSetMany(['a', 'b'], ofA.load)
      await change.opened
      await cache.delete('other')
      changed.open()
      expect(Object.fromEntries(await inside)).toEqual({ a: 'v2', b: 'v2' })
    })
    await ofA.running()
    const outside = cache.getOrSetMany(['a', 'b'], others.load)
    await turn()
    change.open()
    await changed.opened
    ofA.answer(() => 'v2')
    await others.running()
    others.answer(() => 'v1')
    expect(Object.fromEntries(await outside)).toEqual({ a: 'v1', b: 'v1' })
    await transaction
    expect(Object.fromEntries(await cache.getMany(['a', 'b']))).toEqual({ a: 'v1', b: 'v1' })
  })

  test('who joined a renewal that a transaction began gets nothing of it, either', async () => {
    const cache = await kit.make()
    const [ofA, others] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    await cache.set('k', 'v1', kept)
    await cache.expire('k')
    const [change, changed, end] = [gate(), gate(), gate()]
    const transaction = cache.transaction(async () => {
      expect(await cache.getOrSet('k', ofA.load, kept)).toBe('v1')
      await change.opened
      await cache.delete('other')
      changed.open()
      await end.opened
    })
    await ofA.running()
    const joined = cache.getOrSet('k', others.load, { ...kept, softTimeout: '1h' })
    await turn()
    expect(others.started).toBe(0)
    change.open()
    await changed.opened
    ofA.answer('v2, not committed')
    await others.running()
    others.answer('v3')
    expect(await joined).toBe('v3')
    end.open()
    await transaction
    expect(await cache.get('k')).toBe('v3')
  })
})
