import { expect, test } from 'vitest'
import { door } from '../../src/cache/seek.ts'
import { inFleets } from '../doubles/fleet.ts'

/** Who takes no other value than this one: a fresh one is replaced, too. */
const V2 = { accepts: ({ value }: { readonly value: unknown }) => value === 'v2' }

inFleets((fleet) => {
  test.each(['get', 'getOrSet'] as const)('a slow read by %s brings no older value over a newer one', async (verb) => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await a.cache.set('k', 'v1', { ttl: '1h' })
    // 1. b reads L2, whose answer is slow
    const held = b.far.holdAnswer('get')
    const slow = verb === 'get' ? b.cache.get('k') : b.cache.getOrSet('k', () => 'none')
    await held.arrived
    // 2. what is there is replaced, though it is fresh, by the same process
    await fleet.elapse(100)
    expect(await b.cache[door].seek('k', () => 'v2', V2)).toMatchObject({ value: 'v2', tier: 'loader' })
    expect(b.cache.peek('k')).toBe('v2')
    // 3. the answer comes, with what is fresh still
    held.release()
    expect(await slow).toBe('v1')
    expect(b.cache.peek('k')).toBe('v2')
  })
})
