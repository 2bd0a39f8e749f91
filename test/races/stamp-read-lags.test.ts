import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import type { RedisConnection } from '../../src/create-cache.ts'
import { chaosOf } from '../doubles/chaos.ts'
import { allHeard, onOneRedis, onRedis } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/** A process without L1 keeps no values, but it remembers stamps of tags and has loads that others may join. */
onRedis('without L1', (fleet) => {
  test('a stamp that is remembered is forgotten with the notice', async () => {
    const [a, b] = [await fleet.process({ l1: false }), await fleet.process()]
    await b.cache.set('k', 'v1', { tags: ['t'] })
    await allHeard(a, b)
    expect(await a.cache.get('k')).toBe('v1')
    expect(await a.cache.get('k')).toBe('v1')
    await b.cache.invalidateTags('t')
    await allHeard(b, a)
    expect(await a.cache.get('k')).toBeUndefined()
  })

  test('a notice during a load: who comes after it does not join', async () => {
    const [a, b] = [await fleet.process({ l1: false }), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    const before = a.cache.getOrSet('k', loader.load)
    await loader.running()
    await b.cache.delete('k')
    await allHeard(b, a)
    const after = a.cache.getOrSet('k', loader.load)
    await loader.running(2)
    loader.answer('v1')
    loader.answer('v2')
    expect(await Promise.all([before, after])).toEqual(['v1', 'v2'])
    expect(await b.cache.get('k')).toBe('v2')
  })
})

onOneRedis('without L1', 'replies are held back on the connection of a process', (fleet) => {
  const opened: Redis[] = []
  afterEach(() => {
    for (const redis of opened.splice(0)) redis.disconnect()
  })

  /**
   * The order of events, with A and B two processes:
   *   1. A reads k, and then the stamp of its tag t, whose reply is on its way
   *   2. B invalidates t, and A hears of it: there is no stamp yet to forget
   *   3. the reply reaches A, which must not remember that stamp
   */
  test('a stamp whose tag was invalidated while it was read is not remembered', async () => {
    const own = new Redis(fleet.server.url)
    opened.push(own)
    const connection = chaosOf(own as unknown as RedisConnection)
    const a = await fleet.process({ l1: false, redis: connection.port })
    const b = await fleet.process()
    await b.cache.set('k', 'v1', { tags: ['t'] })
    await allHeard(a, b)
    const [entry, stamp] = [connection.holdAnswer('mgetBuffer'), connection.holdAnswer('mgetBuffer')]
    const read = a.cache.get('k')
    await entry.arrived
    entry.release()
    await stamp.arrived
    await b.cache.invalidateTags('t')
    await allHeard(b, a)
    stamp.release()
    expect(await read).toBe('v1')
    expect(await a.cache.get('k')).toBeUndefined()
  })
})
