import { expect, test } from 'vitest'
import type { LoadOptions } from '../../src/cache/call-options.ts'
import { resync } from '../../src/cache/resync.ts'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets } from '../doubles/fleet.ts'

/**
 * The order of events:
 *   1. A deletes k, which is acknowledged
 *   2. A begins to read k; its command has not left
 *   3. the server is lost; its successor has the old value, and A cannot delete it once more yet
 *   4. the command leaves: the successor answers the old value, which is not to be believed
 */
inFleets((fleet) => {
  async function readingAcross(read: (a: Process) => Promise<unknown>): Promise<unknown> {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await b.cache.set('k', 'older')
    await allHeard(b, a)
    expect(await a.cache.delete('k')).toEqual({ acknowledged: true })
    const leaving = a.far.holdCall('get')
    const heal = a.far.failing('delete')
    const reading = read(a)
    const buckets = Array.from({ length: a.parts.bus.buckets }, (_, bucket) => bucket)
    resync(a.parts, 'another run', buckets)
    await b.cache.set('k', 'old')
    leaving.release()
    return reading.finally(heal)
  }

  const plain: LoadOptions = {}
  const long: LoadOptions = { signal: new AbortController().signal }
  test.each([
    ['get', undefined, ({ cache }: Process) => cache.get('k')],
    ['getEntry', undefined, ({ cache }: Process) => cache.getEntry('k')],
    ['getOrSet', 'loaded', ({ cache }: Process) => cache.getOrSet('k', () => 'loaded', plain)],
    ['getOrSet with a signal', 'loaded', ({ cache }: Process) => cache.getOrSet('k', () => 'loaded', long)],
  ])('%s', async (_, expected, read) => {
    expect(await readingAcross(read)).toBe(expected)
  })
})
