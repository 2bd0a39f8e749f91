import { expect, test } from 'vitest'
import type { LoadOptions } from '../../src/index.ts'
import { allHeard, inFleets } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, with A and B two processes, and the database's row at v1:
 *   1. A, inside a transaction: the row becomes v2, and k is invalidated: held
 *   2. B's loader reads v1, for nothing is committed
 *   3. the database commits
 *   4. the callback has resolved: the invalidation is done
 *   5. B's loader answers v1
 * v1 goes to those who asked before 4, and is stored nowhere.
 */
inFleets((fleet) => {
  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    let commit = () => {}
    const committed = new Promise<void>((resolve) => {
      commit = resolve
    })
    /** Another process loads while a transaction of A changes k, and is answered v1 when that is committed. */
    const loadedAcross = async (change: () => Promise<unknown>, options?: LoadOptions) => {
      const transaction = a.cache.transaction(async () => {
        await change()
        await committed
      })
      const before = b.cache.getOrSet('k', loader.load, options)
      await loader.running()
      commit()
      await transaction
      loader.answer('v1')
      expect(await before).toBe('v1')
      await allHeard(a, b)
    }
    return { a, b, loader, commit, committed, loadedAcross }
  }

  const changes = {
    delete: (cache: Awaited<ReturnType<typeof setup>>['a']['cache']) => cache.delete('k'),
    tag: (cache: Awaited<ReturnType<typeof setup>>['a']['cache']) => cache.invalidateTags('t'),
    clear: (cache: Awaited<ReturnType<typeof setup>>['a']['cache']) => cache.clear(),
  }

  test.each(['delete', 'tag', 'clear'] as const)('%s: the load of another process is refused', async (name) => {
    const { a, b, loadedAcross } = await setup()
    await loadedAcross(() => changes[name](a.cache), { tags: ['t'] })
    expect([await a.cache.get('k'), await b.cache.get('k'), b.cache.peek('k')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(await b.cache.getOrSet('k', () => 'v2')).toBe('v2')
    expect(await a.cache.get('k')).toBe('v2')
  })

  test('a load in the same process, outside: refused too, and who comes after the end does not join it', async () => {
    const { a, loader, commit, committed } = await setup()
    const transaction = a.cache.transaction(async () => {
      await a.cache.delete('k')
      await committed
    })
    const before = a.cache.getOrSet('k', loader.load)
    await loader.running()
    commit()
    await transaction
    expect(await a.cache.getOrSet('k', () => 'v2')).toBe('v2')
    loader.answer('v1')
    expect(await before).toBe('v1')
    expect(await a.cache.get('k')).toBe('v2')
  })

  test('a set is held as well: v1, answered later, does not replace it', async () => {
    const { a, b, loadedAcross } = await setup()
    await loadedAcross(() => a.cache.set('k', 'v2'))
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['v2', 'v2'])
  })

  test('changed inside while L2 is read inside: the reader gets what was made of it', async () => {
    const { a, b } = await setup()
    for (const key of ['set', 'deleted', 'stale']) await b.cache.set(key, 'v1')
    await allHeard(a, b)
    await a.cache.transaction(async () => {
      await a.cache.delete('other')
      const reads = []
      for (const key of ['set', 'deleted', 'stale']) {
        const answer = a.far.holdAnswer('get')
        reads.push(a.cache.getEntry(key))
        await answer.arrived
        if (key === 'set') await a.cache.set(key, 'v2')
        else if (key === 'deleted') await a.cache.delete(key)
        else await a.cache.expire(key)
        answer.release()
      }
      expect(await Promise.all(reads)).toEqual([
        expect.objectContaining({ value: 'v2' }),
        undefined,
        expect.objectContaining({ value: 'v1', freshness: 'stale' }),
      ])
    })
  })

  test('not acknowledged: with requireAck it rejects, after all else has been done; without, it answers', async () => {
    const { a, b } = await setup()
    await a.cache.set('k', 'v1')
    await a.cache.set('tagged', 'v1', { tags: ['t'] })
    await allHeard(a, b)
    const heal = a.far.failing('delete')
    const change = (requireAck: boolean) =>
      a.cache.transaction(async () => {
        await a.cache.delete('k', { requireAck })
        await a.cache.delete('k')
        await a.cache.invalidateTags('t')
        return 'answer'
      })
    await expect(change(true)).rejects.toMatchObject({ code: 'ERR_NOT_ACKNOWLEDGED' })
    await allHeard(b)
    expect([await a.cache.get('tagged'), await b.cache.get('tagged')]).toEqual([undefined, undefined])
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual([undefined, 'v1'])
    expect(a.parts.journal.size).toBe(1)
    expect(await change(false)).toBe('answer')
    heal()
  })
})
