import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, expect, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { RedisSource } from '../../src/create-cache.ts'
import { createCache } from '../../src/create-cache.ts'
import { current } from '../doubles/caches.ts'
import type { SentinelDeployment, SentinelOptions } from '../doubles/redis-sentinel.ts'
import { startSentinel } from '../doubles/redis-sentinel.ts'

/** The bound on staleness of all caches here, and what the promise after a failover adds to it, in milliseconds. */
export const BOUND_MS = 1000
const AFTER_FAILOVER_MS = 2500
export const COMMAND_TIMEOUT_MS = 800

/** A cache that stands for one process, with what it told. */
export interface Process {
  readonly cache: Cache
  /** The codes of its warnings. */
  readonly warnings: string[]
  /** The servers that it was connected to, in their order. */
  readonly servers: string[]
}

const rejections: unknown[] = []
process.on('unhandledRejection', (error) => rejections.push(error))

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
  expect(rejections).toEqual([])
})

export async function deploy(options?: SentinelOptions): Promise<SentinelDeployment> {
  const deployment = await startSentinel({ demoteAfterMs: 800, ...options })
  open.push(() => deployment.stop())
  return deployment
}

/** What belongs to the application: an instance of ioredis 6, and one of ioredis 5. */
export function instanceOf(version: 5 | 6, options: object): RedisSource {
  const settings = { ...options, autoResendUnfulfilledCommands: false }
  const instance = version === 6 ? new Redis(settings) : new Redis5(settings)
  instance.on('error', () => {})
  open.push(() => instance.disconnect())
  return instance
}

/** Processes by options and by instances of both versions, which hear each other. */
export async function processesOn({ address }: SentinelDeployment): Promise<Process[]> {
  return [
    await processWith(address),
    await processWith(instanceOf(6, address)),
    await processWith(instanceOf(5, address)),
  ]
}

export async function processWith(redis: RedisSource): Promise<Process> {
  const cache = createCache({ redis, maxStaleness: BOUND_MS, commandTimeout: COMMAND_TIMEOUT_MS })
  open.push(() => cache.close())
  const [warnings, servers]: [string[], string[]] = [[], []]
  cache.on('warning', ({ code }) => void warnings.push(code))
  cache.on('connected', ({ server }) => void servers.push(server))
  await current(cache)
  return { cache, warnings, servers }
}

/** Resolves when processes are connected to a server. */
export async function reached(processes: readonly Process[], { host, port }: { host: string; port: number }) {
  const name = `${host}:${port} (main)`
  await vi.waitFor(() => expect(processes.map(({ servers }) => servers.at(-1))).toEqual(processes.map(() => name)), {
    timeout: 30_000,
  })
}

/** Resolves when what was lost has been repeated, within the time that is promised from now on. */
export async function repeated(processes: readonly Process[]): Promise<void> {
  await vi.waitFor(
    () => expect(processes.map(({ cache }) => cache.gauges().journalled)).toEqual(processes.map(() => 0)),
    {
      timeout: BOUND_MS + AFTER_FAILOVER_MS,
      interval: 20,
    },
  )
}

/** Calls of all kinds, one after the other, until it is stopped. Answers how long the longest took, in milliseconds. */
export function callsOf({ cache }: Process) {
  let isOver = false
  let [longest, calls] = [0, 0]
  const verbs = [
    () => cache.getOrSet(`call${calls % 7}`, async () => calls, { waitTimeout: 0 }),
    () => cache.set(`call${calls % 5}`, calls),
    () => cache.get(`call${calls % 3}`),
    () => cache.delete(`call${calls % 4}`),
  ]
  const running = (async () => {
    while (!isOver) {
      const startedAt = performance.now()
      await verbs[calls++ % verbs.length]?.()
      longest = Math.max(longest, performance.now() - startedAt)
      await new Promise(setImmediate)
    }
  })()
  const stop = async () => {
    isOver = true
    await running
    return longest
  }
  open.push(stop)
  return { stop }
}
