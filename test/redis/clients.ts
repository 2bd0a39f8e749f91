import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'
import type { Rig } from './rig.ts'
import { rigOf } from './rig.ts'

/** Clients for the tests of one file, and one server for all of them. */
export interface TestClients {
  readonly server: () => RedisServer
  /** Makes a client that is closed when the test ends. */
  readonly rig: (...values: Parameters<typeof rigOf>) => Rig
  /** Makes an instance of the application, of which nothing is to be warned, that is disconnected when the test ends. */
  readonly ioredis: (url: string, options?: object) => Redis
  /** Does something when the test ends; what was named last is done first. */
  readonly cleanUp: (action: () => unknown) => void
}

export function testClients(): TestClients {
  let server: RedisServer
  const cleanUps: (() => unknown)[] = []
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })
  return {
    server: () => server,
    rig(...values) {
      const made = rigOf(...values)
      cleanUps.push(() => made.client.close())
      return made
    },
    ioredis(url, options = {}) {
      const made = new Redis(url, { autoResendUnfulfilledCommands: false, ...options })
      made.on('error', () => {})
      cleanUps.push(() => made.disconnect())
      return made
    },
    cleanUp: (action) => void cleanUps.push(action),
  }
}

export const ping = ({ bucket }: Rig) => bucket.run<string>('PING', (redis) => redis.call('PING'))

/** The code of the error that a call ends with; `answered` if it ends with none. */
export const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: { code?: unknown }) => error.code,
  )

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as AddressInfo
  await new Promise((resolve) => holder.close(resolve))
  return port
}
