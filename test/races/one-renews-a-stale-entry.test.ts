import { expect, test } from 'vitest'
import type { LoadContext } from '../../src/cache/load-context.ts'
import type { Fleet, Process, RedisFleet } from '../doubles/fleet.ts'
import { allHeard, inFleets, turn } from '../doubles/fleet.ts'
import { expectOneRenewal } from '../doubles/one-renewal.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const k = { namespace: '_', key: 'k' }
const isOnRedis = (fleet: Fleet): fleet is RedisFleet => 'redis' in fleet
const kept = { ttl: '1h', stale: '1h', jitter: 0 } as const

/** k is stale in all processes: the order of events is that of `expectOneRenewal`. */
inFleets((fleet) => {
  async function becomesStale(...processes: Process[]): Promise<void> {
    await processes[0]?.cache.set('k', 'old', kept)
    await processes[0]?.cache.expire('k')
    await allHeard(...processes)
    // A deadline in Redis is on the server's clock: beyond what that may have gone on meanwhile.
    await fleet.elapse(1000)
  }

  test('one process renews; the others serve the stale value, and find the new one', async () => {
    const processes = [await fleet.process(), await fleet.process(), await fleet.process()] as const
    await becomesStale(...processes)
    await expectOneRenewal(processes, kept)
  })

  test.each([{ waitTimeout: 100 }, { waitTimeout: 0 }, { hardTimeout: 100 }])(
    'who waits for another process’s renewal does not renew when %o is over, and finds its value',
    async (limits) => {
      const [a, b] = [await fleet.process(), await fleet.process()]
      const [loader, own] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
      await becomesStale(a, b)
      expect(await a.cache.getOrSet('k', loader.load, kept)).toBe('old')
      await loader.running()
      const asked = b.leases.holdAnswer('acquire')
      expect(await b.cache.getOrSet('k', own.load, { ...kept, ...limits })).toBe('old')
      await asked.arrived
      expect(b.cache.gauges().renewals).toBe(1)
      asked.release()
      await turn()
      await fleet.elapse(100)
      await expect.poll(() => b.cache.gauges().renewals).toBe(0)
      expect([own.started, b.cache.counters.renewalsFailed]).toEqual([0, 0])
      const storing = a.far.holdAnswer('commit')
      loader.answer('new')
      await storing.arrived
      storing.release()
      await turn()
      expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['new', 'new'])
      expect([loader.started, own.started]).toEqual([1, 0])
    },
  )

  test('what another process says not to store is not loaded behind a stale value', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const own = new ScriptedLoader<string>()
    await becomesStale(a, b)
    const skipped = a.leases.holdAnswer('release')
    const skip = (context: LoadContext) => {
      context.skip()
      return 'private'
    }
    expect(await a.cache.getOrSet('k', skip, kept)).toBe('old')
    await skipped.arrived
    skipped.release()
    const asked = b.leases.holdAnswer('acquire')
    expect(await b.cache.getOrSet('k', own.load, kept)).toBe('old')
    await asked.arrived
    asked.release()
    await expect.poll(() => b.cache.gauges().renewals).toBe(0)
    expect([own.started, b.cache.counters.renewalsFailed]).toEqual([0, 0])
  })

  test('who joined a renewal that gives up waiting, since the stale value expired, begins anew', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [loader, own] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const short = { ttl: 0, stale: 5000, jitter: 0 } as const
    const patient = { ...short, hardTimeout: '1h' } as const
    await a.cache.set('k', 'old', short)
    await fleet.elapse(1000)
    expect(await a.cache.getOrSet('k', loader.load, patient)).toBe('old')
    await loader.running()
    const asked = b.leases.holdAnswer('acquire')
    expect(await b.cache.getOrSet('k', own.load, { ...patient, waitTimeout: 9000 })).toBe('old')
    await asked.arrived
    asked.release()
    const secondsGoBy = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        await fleet.elapse(1000)
        await turn()
      }
    }
    // Its server goes by a clock of its own.
    if (isOnRedis(fleet)) await fleet.redis.del(fleet.names(k).entry(k))
    await secondsGoBy(6)
    const reader = b.cache.getOrSet('k', own.load, patient)
    await expect.poll(() => b.cache.counters.loadsWaiting).toBe(2)
    await turn()
    const again = b.leases.holdAnswer('acquire')
    await secondsGoBy(4)
    await again.arrived
    again.release()
    await turn()
    expect([own.started, b.cache.gauges().renewals]).toEqual([0, 0])
    loader.answer('new')
    expect(await reader).toBe('new')
    expect(own.started).toBe(0)
  })

  test('the stale value is served for as long as its renewal runs, and replaced by it', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const loader = new ScriptedLoader<string>()
    await becomesStale(a, b)
    expect(await b.cache.getOrSet('k', loader.load, kept)).toBe('old')
    await loader.running()
    expect(await a.cache.getOrSet('k', loader.load, kept)).toBe('old')
    const storing = b.far.holdAnswer('commit')
    loader.answer('new')
    await storing.arrived
    storing.release()
    await turn()
    expect(await b.cache.get('k')).toBe('new')
    expect(await a.cache.get('k')).toBe('new')
  })
})
