import { Redis } from 'ioredis'
import { afterEach, beforeEach } from 'vitest'
import type { RedisSource } from '../../src/create-cache.ts'
import type { FaultProxy } from './fault-proxy.ts'
import { startFaultProxy } from './fault-proxy.ts'
import type { OneRedisFleet } from './fleet.ts'
import { onOneRedis } from './fleet.ts'

/** A fleet on Redis, with a way for subscribers that a test can block while commands get through. */
export interface HalfOpen {
  readonly fleet: OneRedisFleet
  /** What stands before the subscribers of processes with such a source. */
  proxy(): FaultProxy
  /** A connection of the application's whose subscriber goes through the proxy. */
  source(): RedisSource
}

/** Runs a suite over processes whose subscribers may be cut off while their commands are not. */
export function inHalfOpen(name: string, suite: (halfOpen: HalfOpen) => void): void {
  onOneRedis(name, 'notices go another way than commands', (fleet) => {
    let proxy: FaultProxy
    const sources: Redis[] = []
    beforeEach(async () => {
      proxy = await startFaultProxy(fleet.server)
    })
    afterEach(async () => {
      for (const source of sources.splice(0)) source.disconnect()
      await proxy.stop()
    })
    suite({
      fleet,
      proxy: () => proxy,
      source: () => {
        const own = new Redis(fleet.server.url)
        sources.push(own)
        return Object.assign(own, { duplicate: (options: object) => new Redis(proxy.url, options) as never })
      },
    })
  })
}
