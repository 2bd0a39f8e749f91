import { expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { HeldCall } from '../doubles/chaos.ts'
import type { Process } from '../doubles/fleet.ts'
import { inFleets } from '../doubles/fleet.ts'

/**
 * The order of events, in one process:
 *   1. a change of k is called: what L1 has is forgotten, what is under way may not fill it; the change goes out to L2
 *   2. a read of k begins: it finds the old value in L2
 *   3. the change is carried out in L2, and acknowledged
 * The old value must not be in L1 after 3, whether the read's reply comes before or after: so the change forgets twice.
 */
const changes: [string, hold: (a: Process) => HeldCall, change: (a: Cache) => Promise<unknown>, after: unknown][] = [
  ['delete', ({ far }) => far.holdCall('delete'), (a) => a.delete('k'), undefined],
  ['set', ({ far }) => far.holdCall('set'), (a) => a.set('k', 2), 2],
  ['increment', ({ far }) => far.holdCall('increment'), (a) => a.increment('k'), 2],
  ['clear', ({ tags }) => tags.holdCall('clear'), (a) => a.clear(), undefined],
]
const ofTags: typeof changes = [
  ['invalidateTags', ({ tags }) => tags.holdCall('invalidate'), (a) => a.invalidateTags('t'), undefined],
  ['expireTags', ({ tags }) => tags.holdCall('expire'), (a) => a.expireTags('t'), undefined],
]

inFleets((fleet) => {
  for (const [tags, those] of [
    [[], changes],
    [['t'], ofTags],
  ] as const) {
    test.each(those)('%s: the read’s reply comes before the acknowledgement', async (_, hold, change, after) => {
      const [a, b] = [await fleet.process(), await fleet.process()]
      await a.cache.set('k', 1, { tags })
      const sending = hold(a)
      const changed = change(a.cache)
      await sending.arrived
      expect(await a.cache.get('k')).toBe(1)
      sending.release()
      await changed
      expect(await a.cache.get('k')).toBe(after)
      expect(await b.cache.get('k')).toBe(after)
    })

    test.each(those)('%s: the read’s reply comes after the acknowledgement', async (_, hold, change, after) => {
      const [a, b] = [await fleet.process(), await fleet.process()]
      await a.cache.set('k', 1, { tags })
      const sending = hold(a)
      const changed = change(a.cache)
      await sending.arrived
      const replying = a.far.holdAnswer('get')
      const read = a.cache.get('k')
      await replying.arrived
      sending.release()
      await changed
      replying.release()
      await read
      expect(await a.cache.get('k')).toBe(after)
      expect(await b.cache.get('k')).toBe(after)
    })
  }

  // A deadline in Redis is on the server's clock, which does not stand still.
  test.each<[string, (a: Cache) => Promise<unknown>, ttlLeast: number, ttlMost: number]>([
    ['expire', (a) => a.expire('k'), 0, 60_000],
    ['touch', (a) => a.touch('k', '1h'), 3_000_000, 4_000_000],
  ])('%s: what L1 keeps has the new deadline', async (method, change, ttlLeast, ttlMost) => {
    const a = await fleet.process()
    await a.cache.set('k', 1, { ttl: '5m', jitter: 0 })
    for (const isLate of [false, true]) {
      const sending = a.far.holdCall(method as 'expire' | 'touch')
      const changed = change(a.cache)
      await sending.arrived
      const replying = isLate ? a.far.holdAnswer('get') : undefined
      const read = a.cache.getEntry('k')
      await (replying?.arrived ?? read)
      sending.release()
      await changed
      replying?.release()
      await read
      const ttl = (await a.cache.getEntry('k'))?.ttl
      expect(ttl).toBeGreaterThanOrEqual(ttlLeast)
      expect(ttl).toBeLessThanOrEqual(ttlMost)
      await a.cache.set('k', 1, { ttl: '5m', jitter: 0 })
    }
  })
})
