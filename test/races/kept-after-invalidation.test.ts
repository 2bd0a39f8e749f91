import { expect, test } from 'vitest'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const kept = { ttl: '1h', stale: '1h', jitter: 0, tags: ['t'] } as const
const { tags: _, ...untagged } = kept

/**
 * The order of events, with A and B two processes:
 *   1. k is stale; A loads it, asks the database whether the value has changed, and hears that it has not
 *   2. the database changes; B invalidates k, or a tag that the stale value has and A's load does not name
 *   3. A's loader says that the value is not modified: it would be kept, and fresh again
 * A's renewal is refused; after 2 nobody has the value any more.
 */
inFleets((fleet) => {
  async function loading(a: Process, b: Process) {
    const loader = new ScriptedLoader<string>()
    await a.cache.set('k', 'old', kept)
    await a.cache.expire('k')
    await allHeard(a, b)
    expect(await a.cache.getOrSet('k', loader.load, untagged)).toBe('old')
    await loader.running()
    return loader
  }

  test.each([
    ['deleted', ({ cache }: Process) => cache.delete('k')],
    ['cleared', ({ cache }: Process) => cache.clear()],
    ['invalidated by a tag of its own', ({ cache }: Process) => cache.invalidateTags('t')],
  ])('%s elsewhere, and heard of or not: it is not kept', async (_, invalidate) => {
    for (const isHeard of [true, false]) {
      const [a, b] = [await fleet.process(), await fleet.process()]
      const loader = await loading(a, b)
      if (!isHeard) a.line.hold()
      await invalidate(b)
      if (isHeard) await allHeard(b, a)
      const storing = a.far.holdAnswer('commit')
      loader.answerWith(({ notModified }) => notModified())
      await storing.arrived
      storing.release()
      await turn()
      expect(a.cache.counters.fillsRefused).toBe(1)
      expect(await b.cache.getEntry('k')).toBeUndefined()
      if (!isHeard) a.line.deliver()
      await allHeard(b, a)
      expect(await a.cache.getEntry('k')).toBeUndefined()
    }
  })

  test('nothing happens meanwhile: it is kept, and fresh for all', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = await loading(a, b)
    loader.answerWith(({ notModified }) => notModified())
    await expect.poll(() => b.cache.get('k')).toBe('old')
    expect(await a.cache.getEntry('k')).toMatchObject({ value: 'old', freshness: 'fresh', tags: ['t'] })
  })
})
