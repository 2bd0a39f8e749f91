import { afterEach, beforeAll, afterAll, describe, expect, test, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import { assemble } from '../../src/create-cache.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import type { FaultProxy } from '../doubles/fault-proxy.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'

/**
 * The order of events:
 *   1. A has k in L1, proven to be current; from now on it hears nothing more, and does not know
 *   2. B changes k, acknowledged
 *   3. more than the bound on staleness passes, by whichever clock
 * A must not answer from L1 after 3, and no timer may have to run for that.
 */
const BOUND_MS = 1000
let server: RedisServer
let proxy: FaultProxy
const made: Cache[] = []
beforeAll(async () => {
  server = await startRedis()
  proxy = await startFaultProxy(server)
})
afterEach(async () => {
  await proxy.heal()
  for (const cache of made.splice(0)) {
    cache.on('warning', () => {})
    void cache.close()
  }
})
afterAll(async () => {
  await proxy.stop()
  await server.stop()
})

let prefixes = 0
/** A cache with k in L1, whose clock stands still, and whose connections are then held. */
async function proven(options?: CreateCacheOptions) {
  const clock = new FakeClock()
  const cache = assemble(
    { redis: proxy.url, prefix: `b${prefixes++}`, maxStaleness: BOUND_MS, defaults: { ttl: '1d' }, ...options },
    clock,
  )
  made.push(cache)
  const beat = () => clock.advance(BOUND_MS / 5)
  await vi.waitFor(() => expect(cache.stats().l2Usable).toBe(true))
  await vi.waitFor(
    async () => {
      beat()
      // What is told before the channel is subscribed to is not heard.
      if (cache.counters.noticesReceived === 0) await cache.delete('chain')
      expect(cache.counters.noticesReceived).toBeGreaterThan(0)
      expect(cache.gauges().coherent).toBe(true)
    },
    { timeout: 10_000, interval: 20 },
  )
  await cache.set('k', 'v1')
  expect(cache.peek('k')).toBe('v1')
  proxy.hole()
  return { cache, clock }
}

describe('L1 answers within the bound after the last proof, and not beyond it', () => {
  test('in monotonic time: a process that was stopped', async () => {
    const { cache, clock } = await proven()
    clock.advance(BOUND_MS)
    expect(cache.peek('k')).toBe('v1')
    clock.advance(1)
    expect(cache.peek('k')).toBeUndefined()
    expect(cache.gauges().coherent).toBe(false)
  })

  test('in wall time: a machine that slept', async () => {
    const { cache, clock } = await proven()
    clock.jumpWall(BOUND_MS)
    expect(cache.peek('k')).toBe('v1')
    clock.jumpWall(1)
    expect(cache.peek('k')).toBeUndefined()
  })

  test('a clock that is set back does not make it longer', async () => {
    const { cache, clock } = await proven()
    clock.jumpWall(-3_600_000)
    clock.advance(BOUND_MS + 1)
    expect(cache.peek('k')).toBeUndefined()
  })
})

describe("onRedisDown: 'serve-l1'", () => {
  test('L1 answers for as long as its entries live while Redis cannot be reached, and says that it is not coherent', async () => {
    const { cache, clock } = await proven({ onRedisDown: 'serve-l1' })
    await proxy.cut()
    await vi.waitFor(() => expect(cache.stats().l2Usable).toBe(false))
    clock.advance(3_600_000)
    expect(cache.peek('k')).toBe('v1')
    expect(await cache.getOrSet('new', () => 'loaded')).toBe('loaded')
    clock.advance(3_600_000)
    expect(cache.peek('new')).toBe('loaded')
    expect(cache.stats()).toMatchObject({ coherent: false, l2Usable: false })
    clock.advance(24 * 3_600_000)
    expect(cache.peek('k')).toBeUndefined()
  })

  test('while Redis can be asked, L1 is passed over as ever when it is not proven', async () => {
    const { cache, clock } = await proven({ onRedisDown: 'serve-l1' })
    clock.jumpWall(BOUND_MS + 1)
    expect(cache.stats().l2Usable).toBe(true)
    expect(cache.peek('k')).toBeUndefined()
  })

  test('is one of two words', () => {
    expect(() => assemble({ onRedisDown: 'hope' as 'load' }, new FakeClock())).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: expect.stringContaining('onRedisDown') }),
    )
  })
})
