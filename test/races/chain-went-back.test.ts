import { expect, test } from 'vitest'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, BOUND_MS, onRedis } from '../doubles/fleet.ts'

const k = { namespace: '_', key: 'k' }

/**
 * The order of events:
 *   1. A has k = v2 in L1, and has heard all links of the chain
 *   2. L2 loses what it acknowledged last (a failover, a restart from older data): it has k = v1, and an older chain
 *   3. A reads the head of the chain: it knows that tip, so that nothing seems to be missing
 * A link behind one that is known is another chain: L1 must not be believed.
 */
onRedis('a Redis that loses what it acknowledged', (fleet) => {
  async function setup() {
    const a = await fleet.process()
    const { chain } = fleet.names(k)
    await a.cache.set('k', 'v1')
    await allHeard(a)
    const [entry, head] = await Promise.all([
      fleet.redis.getBuffer(fleet.names(k).entry(k)),
      fleet.redis.hgetall(chain),
    ])
    await a.cache.set('k', 'v2')
    await allHeard(a)
    expect(a.cache.peek('k')).toBe('v2')
    return { a, entry: entry as Buffer, head, chain }
  }

  /** Lets the process look at the head of the chain once. */
  async function looked({ line }: Process): Promise<void> {
    const gap = line.next()
    fleet.clock.advance(BOUND_MS / 5)
    await gap
  }

  test('the chain went back to a link that was heard: a gap', async () => {
    const { a, entry, head, chain } = await setup()
    await fleet.redis.multi().set(fleet.names(k).entry(k), entry).hset(chain, head).exec()
    await looked(a)
    expect(a.cache.peek('k')).toBeUndefined()
  })

  test('everything is gone, the chain too: a gap', async () => {
    const { a } = await setup()
    await fleet.flush()
    fleet.clock.advance(BOUND_MS / 5)
    await expect.poll(() => a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBeUndefined()
  })
})
