import { expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { allHeard, inFleets } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A finds a stale v0, is granted the lease, and its loader reads v1 from the database
 *   2. the database gets v2, and B says so, in one of the ways other than to delete or set the key
 *   3. A's loader answers v1
 * v1 goes to those who asked A, and is stored nowhere as fresh.
 */
const kept = { ttl: '1h', stale: '1h', jitter: 0, tags: ['t'] } as const

inFleets((fleet) => {
  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [atA, atB] = [a, b].map(({ cache }) => cache.namespace('shop.users')) as [Cache, Cache]
    await atB.set('k', 'v0', kept)
    await atB.expire('k')
    await allHeard(a, b)
    // A deadline in Redis is on the server's clock: beyond what that may have gone on meanwhile.
    await fleet.elapse(1000)
    const loader = new ScriptedLoader<string>()
    expect(await atA.getOrSet('k', loader.load, kept)).toBe('v0')
    await loader.running()
    return { a, b, atA, atB, loader }
  }

  test.each<[string, (b: Cache, root: Cache) => Promise<unknown>]>([
    ['expired again', (b) => b.expire('k')],
    ['touched', (b) => b.touch('k', '1h')],
    ['its tag invalidated', (b) => b.invalidateTags('t')],
    ['its tag expired', (b) => b.expireTags('t')],
    ['its namespace cleared', (b) => b.clear()],
    ['the namespace above cleared', (_, root) => root.namespace('shop').clear()],
    ['everything cleared', (_, root) => root.clear()],
  ])('%s meanwhile: what was loaded is nowhere fresh', async (_, change) => {
    const { a, b, atA, atB, loader } = await setup()
    await change(atB, b.cache)
    await allHeard(a, b)
    const landing = new Promise((resolve) => a.cache.on('load', resolve))
    const committing = a.far.holdAnswer('commit')
    loader.answer('v1')
    await Promise.all([landing, committing.arrived])
    committing.release()
    await fleet.elapse(1000)
    expect(await atA.get('k')).toBeUndefined()
    expect(await atB.get('k')).toBeUndefined()
  })

  test.each<[string, (b: Cache, root: Cache) => Promise<unknown>]>([
    ['another tag invalidated', (b) => b.invalidateTags('u')],
    ['a namespace beside it cleared', (_, root) => root.namespace('shop.orders').clear()],
    ['a namespace below it cleared', (b) => b.namespace('old').clear()],
    ['another key deleted', (b) => b.delete('K')],
  ])('%s meanwhile: what was loaded is stored', async (_, change) => {
    const { a, b, atA, atB, loader } = await setup()
    await change(atB, b.cache)
    await allHeard(a, b)
    const committing = a.far.holdAnswer('commit')
    loader.answer('v1')
    await committing.arrived
    committing.release()
    expect(await atB.get('k')).toBe('v1')
    await expect.poll(() => atA.get('k')).toBe('v1')
  })

  test('added to meanwhile: the counter stays', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<number>()
    const load = a.cache.getOrSet('n', loader.load)
    await loader.running()
    expect(await b.cache.increment('n', 5)).toBe(5)
    loader.answer(1)
    expect(await load).toBe(1)
    expect(await a.cache.get('n')).toBe(5)
    expect(await b.cache.increment('n')).toBe(6)
  })
})
