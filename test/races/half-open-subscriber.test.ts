import { expect, test } from 'vitest'
import { allHeard, BOUND_MS } from '../doubles/fleet.ts'
import { inHalfOpen } from '../doubles/half-open.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A has k = v1 in L1
 *   2. the connection of A's subscriber is half open: nothing comes, and nothing says so
 *   3. B sets k = v2, acknowledged
 * More than the bound later A must not answer with v1. No timer decides that: each read looks at the last proof.
 */
inHalfOpen('a subscriber whose connection is half open', ({ fleet, proxy, source }) => {
  async function setup() {
    const [a, b] = [await fleet.process({ redis: source() }), await fleet.process()]
    await b.cache.set('k', 'v1')
    await allHeard(a, b)
    expect(await a.cache.get('k')).toBe('v1')
    return { a, b }
  }

  test('within the bound L1 answers, beyond it L2 does', async () => {
    const { a, b } = await setup()
    proxy().hole('to-client')
    expect(await b.cache.set('k', 'v2')).toEqual({ acknowledged: true })
    expect(a.cache.peek('k')).toBe('v1')
    for (let beat = 0; beat < 5; beat++) {
      fleet.clock.advance(BOUND_MS / 5)
      // The answers to the beat's commands come, that to its PING does not.
      await a.parts.shared?.far.get({ namespace: '_', key: 'other' })
    }
    fleet.clock.advance(1)
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBe('v2')
  })
})
