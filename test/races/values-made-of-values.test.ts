import { Redis } from 'ioredis'
import { afterEach, expect, test, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { RedisConnection } from '../../src/redis/source.ts'
import { heardAll, withOneRedis } from '../doubles/caches.ts'
import type { FaultProxy } from '../doubles/fault-proxy.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, with A and B two processes; a page is made of data, both cached:
 *   1. B has the data in L1, proven to be current
 *   2. A invalidates the data, acknowledged; the notice does not come to B (it is late, or lost for now)
 *   3. B loads the page: its lease is newer than 2, but its loader finds the old data in L1
 * The page would be old for its whole life, in L2, for all processes. So a lease that is granted tells how far the chain
 * has come, and what B knew before is not believed until B has heard that too.
 */
withOneRedis('L1 and L2', 'notices go another way than commands', (kit) => {
  const cleanUps: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  /** A cache whose subscriber goes another way than its commands. */
  async function withOwnSubscription(): Promise<{ cache: Cache; notices: FaultProxy }> {
    const notices = await startFaultProxy(kit.server())
    const own = new Redis(kit.server().url)
    cleanUps.push(
      () => notices.stop(),
      () => own.disconnect(),
    )
    const source = Object.assign(own, { duplicate: (options: object) => new Redis(notices.url, options) as never })
    const cache = await kit.make({ redis: source as RedisConnection })
    return { cache, notices }
  }

  const proven = (cache: Cache) => vi.waitFor(() => expect(cache.gauges().coherent).toBe(true), { timeout: 5000 })

  test.each(['key', 'tag'] as const)(
    'the %s of the data was invalidated: the page is made of new data',
    async (kind) => {
      const [a, { cache: b, notices }] = [await kit.make(), await withOwnSubscription()]
      let version = 1
      const data = (cache: Cache) => cache.getOrSet('data', () => version, { tags: ['t'] })
      const page = (cache: Cache) => cache.getOrSet('page', async () => `page of ${await data(cache)}`)
      await data(b)
      await proven(b)
      notices.hole('to-client')
      expect(b.peek('data')).toBe(1)
      version = 2
      await (kind === 'key' ? a.delete('data') : a.invalidateTags('t'))
      expect(b.peek('data')).toBe(1)
      expect(await page(b)).toBe('page of 2')
      expect(await page(a)).toBe('page of 2')
      expect(b.gauges().coherent).toBe(false)
    },
  )

  /**
   * The same with a load of the data that is under way in place of L1:
   *   1. B loads the data, and its loader reads them; the load takes its time
   *   2. A changes and invalidates the data, acknowledged; the notice does not come to B
   *   3. B loads the page: its lease is newer than 2, and its loader would join the load of 1
   * The load of 1 goes to its own callers; the page starts another one.
   */
  test.each(['key', 'tag'] as const)(
    'the %s of the data was invalidated while they were loaded: the page does not join that load',
    async (kind) => {
      const [a, { cache: b, notices }] = [await kit.make(), await withOwnSubscription()]
      let version = 1
      const [slow, page] = [new ScriptedLoader<number>(), new ScriptedLoader<string>()]
      const data = () => b.getOrSet('data', () => version, { tags: ['t'] })
      const before = b.getOrSet('data', slow.load, { tags: ['t'] })
      await slow.running()
      await proven(b)
      notices.hole('to-client')
      version = 2
      await (kind === 'key' ? a.delete('data') : a.invalidateTags('t'))
      const made = b.getOrSet('page', page.load)
      await page.running()
      const read = data()
      slow.answer(1)
      expect(await Promise.all([before, read])).toEqual([1, 2])
      page.answer(`page of ${await read}`)
      await made
      expect(await a.get('page')).toBe('page of 2')
      expect(await a.get('data')).toBe(2)
    },
  )

  test('when nothing was missed the page joins the load of its data that is under way', async () => {
    const [a, { cache: b }] = [await kit.make(), await withOwnSubscription()]
    const [slow, page] = [new ScriptedLoader<number>(), new ScriptedLoader<string>()]
    // A lease tells whether all was heard that has happened; if not, the next proof does.
    await b.getOrSet('other', () => 1)
    await proven(b)
    const before = b.getOrSet('data', slow.load)
    await slow.running()
    const made = b.getOrSet('page', page.load)
    await page.running()
    const read = b.getOrSet('data', slow.load)
    slow.answer(1)
    expect(await Promise.all([before, read])).toEqual([1, 1])
    expect([slow.started, b.counters.loadsShared]).toEqual([1, 1])
    page.answer('page of 1')
    await made
    expect(await a.get('page')).toBe('page of 1')
  })

  test('when nothing was missed L1 is believed on', async () => {
    const [a, { cache: b }] = [await kit.make(), await withOwnSubscription()]
    await a.set('data', 1)
    await heardAll(b, a)
    await b.get('data')
    expect(b.peek('data')).toBe(1)
    await b.getOrSet('page', () => 1)
    expect(b.peek('data')).toBe(1)
  })

  test('when the missed notice was only late, L1 is believed again with the next proof', async () => {
    const [a, { cache: b, notices }] = [await kit.make(), await withOwnSubscription()]
    await b.set('data', 1)
    await proven(b)
    notices.hole('to-client')
    await a.delete('other')
    await b.getOrSet('page', () => 1)
    expect(b.peek('data')).toBeUndefined()
    notices.release({ deliver: true })
    await vi.waitFor(() => expect(b.peek('data')).toBe(1))
    expect(b.gauges().coherent).toBe(true)
  })
})
