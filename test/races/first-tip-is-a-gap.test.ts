import { expect, test } from 'vitest'
import { inHalfOpen } from '../doubles/half-open.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A starts: its commands get through, its subscription is not there yet
 *   2. A reads k = v1 from L2 into L1
 *   3. B sets k = v2: A does not hear it
 *   4. A's subscription is there, and it reads the head of the chain for the first time
 * From 4 on A would prove to be current again and again, with v1 in L1: the first tip that it knows is a gap.
 */
inHalfOpen('a subscriber that is late', ({ fleet, proxy, source }) => {
  test('what L1 took before the first tip was known is not believed after it', async () => {
    const b = await fleet.process()
    await b.cache.set('k', 'v1')
    proxy().hole()
    const a = await fleet.unheard({ redis: source() })
    expect(await a.cache.get('k')).toBe('v1')
    expect(a.cache.peek('k')).toBe('v1')
    await b.cache.set('k', 'v2')
    await proxy().heal()
    await expect.poll(() => a.parts.bus.currency(0).verifiedAt).toBeGreaterThan(0)
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBe('v2')
    expect(a.cache.peek('k')).toBe('v2')
  })
})
