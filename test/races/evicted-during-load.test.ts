import { expect, test } from 'vitest'
import type { RedisFleet } from '../doubles/fleet.ts'
import { onRedis } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const k = { namespace: 'shop', key: 'k' }

/**
 * The order of events:
 *   1. A is granted the lease of a key, and its loader reads v1 from the database
 *   2. Redis evicts, or loses, a key that the protocol keeps beside the entry; before or after an invalidation or not
 *   3. A stores v1
 * What is absent never means "nothing happened": if it may have, v1 is refused.
 */
onRedis('a Redis that evicts', (fleet) => {
  type Names = ReturnType<RedisFleet['names']>
  const stamps = (names: Names) => [names.tagStamp('t'), names.clearStamp('shop')]

  async function setup() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    // The stamps are there before.
    await b.cache.namespace('shop').set(fleet.beside(k, 'other'), 1, { tags: ['t'] })
    const load = a.cache.namespace('shop').getOrSet('k', loader.load, { tags: ['t'] })
    await loader.running()
    const ends = async () => {
      loader.answer('v1')
      expect(await load).toBe('v1')
      return b.cache.namespace('shop').get('k')
    }
    return { a, b, loader, load, ends }
  }

  test.each<[string, evicted: (names: Names) => string[]]>([
    ['the lease', (names) => [names.lease(k)]],
    ['the chain', ({ chain }) => [chain]],
  ])('%s, without an invalidation: refused', async (_, evicted) => {
    const { ends } = await setup()
    await fleet.redis.del(...evicted(fleet.names(k)))
    expect(await ends()).toBeUndefined()
  })

  test('the stamps, without an invalidation: stored, with stamps that are made anew', async () => {
    const { ends } = await setup()
    await fleet.redis.del(...stamps(fleet.names(k)))
    expect(await ends()).toBe('v1')
    expect(await fleet.redis.exists(...stamps(fleet.names(k)))).toBe(2)
  })

  test.each(['the tag', 'the namespace', 'everything'])(
    'the stamp of what was invalidated (%s): refused',
    async (what) => {
      const { b, ends } = await setup()
      if (what === 'the tag') await b.cache.invalidateTags('t')
      if (what === 'the namespace') await b.cache.namespace('shop').clear()
      if (what === 'everything') await b.cache.clear()
      await fleet.redis.del(...stamps(fleet.names(k)), fleet.names(k).clearStamp('_'))
      expect(await ends()).toBeUndefined()
    },
  )

  test('the stamps and the chain, which another change has begun anew: refused, as the new one has a later floor', async () => {
    const { b, ends } = await setup()
    await b.cache.invalidateTags('t')
    await fleet.redis.del(fleet.names(k).chain, ...stamps(fleet.names(k)), fleet.names(k).clearStamp('_'))
    await b.cache.namespace('shop').delete(fleet.beside(k, 'other'))
    expect(await ends()).toBeUndefined()
  })

  test('all of it: refused', async () => {
    const { b, ends } = await setup()
    await b.cache.invalidateTags('t')
    await fleet.flush()
    expect(await ends()).toBeUndefined()
  })
})
