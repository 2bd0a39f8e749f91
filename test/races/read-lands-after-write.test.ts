import { expect, test } from 'vitest'
import { heardAll, withRedis } from '../doubles/caches.ts'

/**
 * The order of events in one process:
 *   1. a reader finds nothing in L1; its read of L2 goes out and finds v1
 *   2. set k = v2, or delete k, goes out behind it
 *   3. the read's answer arrives: it must not put v1 into L1 over 2
 */
withRedis('on one connection', (kit) => {
  test('set: the read answers v1, L1 keeps v2', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await b.set('k', 'v1')
    await heardAll(a, b)
    const read = a.get('k')
    await new Promise(process.nextTick)
    const written = a.set('k', 'v2')
    expect(await read).toBe('v1')
    expect(await written).toEqual({ acknowledged: true })
    expect(a.peek('k')).toBe('v2')
    expect(a.counters.fillsRefused).toBe(1)
  })

  test('delete: the read answers v1, L1 keeps nothing', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await b.set('k', 'v1')
    await heardAll(a, b)
    const read = a.get('k')
    await new Promise(process.nextTick)
    const deleted = a.delete('k')
    expect(await read).toBe('v1')
    expect(await deleted).toEqual({ acknowledged: true })
    expect(a.peek('k')).toBeUndefined()
    expect(await a.get('k')).toBeUndefined()
  })
})
