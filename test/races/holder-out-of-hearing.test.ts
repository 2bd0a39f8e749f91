import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { RedisSource } from '../../src/create-cache.ts'
import { createCache } from '../../src/create-cache.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A holds the lease of k, and loads
 *   2. B waits for A's load
 *   3. Redis stands still, or dies: whatever A's load comes to, B will not hear of it
 * B loads for itself then, and does not wait for the end of the lease: here neither that nor any deadline of a load comes
 * within the test.
 */
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const faults: [name: string, fail: (server: RedisServer) => unknown][] = [
  ['stands still', (server) => server.freeze()],
  ['dies', (server) => server.kill('SIGKILL')],
]
const sources: [name: string, of: (url: string) => RedisSource][] = [
  ['a connection of its own', (url) => url],
  ['an instance of the application', borrowed],
]

function borrowed(url: string): RedisSource {
  const own = new Redis(url, { autoResendUnfulfilledCommands: false })
  own.on('error', () => {})
  ends.push(() => own.disconnect())
  return own
}

test.each(faults.flatMap(([fault, fail]) => sources.map(([name, of]) => [fault, name, fail, of] as const)))(
  'Redis %s while B waits with %s',
  async (_fault, _name, fail, of) => {
    const server = await startRedis()
    ends.push(() => server.stop())
    const make = (redis: RedisSource): Cache => {
      const cache = createCache({ redis, lease: '1h', maxStaleness: 500, defaults: { hardTimeout: '1h' } })
      cache.on('warning', () => {})
      ends.push(() => cache.close())
      return cache
    }
    const [a, b] = [make(server.url), make(of(server.url))]
    const [ofA, ofB] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const loadedByA = a.getOrSet('k', ofA.load)
    await ofA.running()
    const waits = new Promise((resolve) => b.on('wait', resolve))
    const loadedByB = b.getOrSet('k', ofB.load)
    await waits
    await fail(server)
    await ofB.running()
    ofB.answer('v of B')
    expect(await loadedByB).toBe('v of B')
    ofA.answer('v of A')
    expect(await loadedByA).toBe('v of A')
  },
  20_000,
)
