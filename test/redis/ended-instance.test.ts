import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { describe, expect, test } from 'vitest'
import type { RedisSource } from '../../src/redis/source.ts'
import { codeOf, freePort, ping, testClients } from './clients.ts'

const { server, rig, cleanUp } = testClients()

/** An early call would wait for longer than the test. */
const commandTimeoutMs = 600_000

interface Instance {
  once(event: 'ready' | 'end', listener: () => void): unknown
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}

function quiet<Made extends Instance>(made: Made): Made {
  made.on('error', () => {})
  cleanUp(() => made.disconnect())
  return made
}

const lazy = { lazyConnect: true, autoResendUnfulfilledCommands: false }
const redises: [string, () => Redis][] = [
  ['Redis', () => quiet(new Redis(server().url, lazy))],
  ['Redis of ioredis 5', () => quiet(new Redis5(server().url, lazy) as unknown as Redis)],
]
const nodes = [{ host: '127.0.0.1', port: 1 }]
const clusters: [string, () => Cluster][] = [
  ['Cluster', () => quiet(new Cluster(nodes, lazy))],
  ['Cluster of ioredis 5', () => quiet(new Cluster5(nodes, lazy) as unknown as Cluster)],
]

const oneWarning = [
  {
    code: 'ERR_REDIS_UNAVAILABLE',
    message: expect.stringMatching(/^the instance has ended: .*Close the cache first$/),
  },
]

test.each<[string, () => Instance]>([...redises, ...clusters])(
  'a %s that had ended before: one warning, and nobody waits for it',
  async (_kind, make) => {
    const own = make()
    const ended = new Promise<void>((resolve) => own.once('end', resolve))
    own.disconnect()
    await ended
    const made = rig(own as unknown as RedisSource, { commandTimeoutMs })
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    expect(made.of('warning')).toEqual(oneWarning)
  },
)

describe.each(redises)('a %s', (_kind, make) => {
  test('that its owner closes: one warning', async () => {
    const own = make()
    const made = rig(own, { commandTimeoutMs })
    await made.connected()
    await own.quit()
    await expect.poll(() => made.of('warning')).toEqual(oneWarning)
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
  })

  test('that its owner connects again is used again', async () => {
    const own = make()
    const made = rig(own, { commandTimeoutMs })
    await made.connected()
    await own.quit()
    await expect.poll(() => made.of('warning')).toEqual(oneWarning)
    await own.connect()
    await expect.poll(() => made.of('connected').length).toBe(2)
    expect(await ping(made)).toBe('PONG')
  })
})

test('one that gives up: who waited for it waits no longer', async () => {
  const own = quiet(new Redis({ host: '127.0.0.1', port: await freePort(), retryStrategy: null, ...lazy }))
  const made = rig(own, { commandTimeoutMs })
  expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
  expect(made.of('warning')).toEqual([
    { code: 'ERR_REDIS_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') },
    ...oneWarning,
  ])
})

test('a process in which nothing else is alive gets its value', async () => {
  const program = join(import.meta.dirname, '../../build/test/redis/ended-instance.program.js')
  const child = spawn(process.execPath, [program])
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => void said.push(String(bytes)))
  const [code] = await once(child, 'close')
  expect([code, said.join('')]).toEqual([
    0,
    expect.stringMatching(/^the instance has ended: the Redis Cluster .*\nloaded\n$/),
  ])
})
