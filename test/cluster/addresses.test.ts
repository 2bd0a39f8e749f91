import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import type { Redis } from 'ioredis'
import { Cluster, Redis as Client } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { FaultProxy } from '../doubles/fault-proxy.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { ask } from '../doubles/redis-deployment.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'
import type { Member } from './fleet.ts'
import { keyOf, onCluster, slot } from './fleet.ts'

const fleet = onCluster({ replicas: 0 })

/** One before each node, for clients that cannot reach the nodes themselves. */
let proxies: FaultProxy[]
let from: RedisServer
let to: RedisServer
let bucket: number
beforeAll(async () => {
  proxies = await Promise.all(fleet.cluster.servers.map(startFaultProxy))
})
afterAll(() => Promise.all(proxies.map((proxy) => proxy.stop())))
beforeEach(async () => {
  const [first, second] = (await fleet.cluster.masters()) as [RedisServer, RedisServer]
  from = first
  to = second
  bucket = (await fleet.bucketsOf(from))[0] as number
})

const byName = (name: string) => {
  const at = fleet.cluster.servers.findIndex(({ host, port }) => `${host}:${port}` === name)
  const { host, port } = proxies[at] ?? {}
  return host && port ? { host, port } : null
}
const asTable = () =>
  Object.fromEntries(fleet.cluster.nodes.map(({ host, port }) => [`${host}:${port}`, byName(`${host}:${port}`)]))

/** A member follows ASK and MOVED. The slot is left where it was. */
async function follows({ cache, of }: Member, reader: Member): Promise<void> {
  await cache.set(keyOf(bucket), 1)
  await fleet.cluster.moveSlots([slot(bucket)], from, to, async () => {
    await expect.poll(() => reader.cache.stats().l2Usable).toBe(true)
    expect(await reader.cache.get(keyOf(bucket))).toBe(1)
    expect(reader.of('l2-error')).toEqual([])
  })
  await expect.poll(() => cache.set(keyOf(bucket), 2)).toEqual({ acknowledged: true })
  await expect.poll(() => cache.gauges().coherent).toBe(true)
  await fleet.cluster.moveSlots([slot(bucket)], to, from)
  await expect.poll(() => cache.set(keyOf(bucket), 3)).toEqual({ acknowledged: true })
  expect(of('warning')).toEqual([])
}

test.each([
  [
    'a table',
    () => ({ cluster: fleet.cluster.nodes.map(({ host, port }) => byName(`${host}:${port}`)), natMap: asTable() }),
  ],
  ['a function', () => fleet.instance('6', { natMap: byName })],
  ['a function, ioredis 5', () => fleet.instance('5', { natMap: byName })],
])('addresses that servers name are translated as ioredis does: %s', async (_, redis) => {
  const member = await fleet.join({ redis: redis() as never })
  const served = proxies.map((proxy) => proxy.connections())
  expect(served.every((count) => count >= 2)).toBe(true)
  await follows(member, fleet.start({ redis: redis() as never, l1: false }))
})

test('servers that go by names in place of numbers', async () => {
  const named = (word: 'hostname' | 'ip', name: string) =>
    Promise.all(
      fleet.cluster.servers.map(async (server) => {
        await ask(server, 'CONFIG', 'SET', 'cluster-announce-hostname', name)
        await ask(server, 'CONFIG', 'SET', 'cluster-preferred-endpoint-type', word)
      }),
    )
  await named('hostname', 'localhost')
  const views = () => Promise.all(fleet.cluster.servers.map((server) => ask(server, 'CLUSTER', 'SLOTS')))
  const hosts = async () =>
    new Set((await views()).flatMap((view) => (view as string[][][]).map((range) => range[2]?.[0])))
  await expect.poll(hosts, { timeout: 10_000 }).toEqual(new Set(['localhost']))
  const member = await fleet.join()
  expect(member.of('connected').map(({ server }) => String(server).split(':')[0])).toEqual(Array(3).fill('localhost'))
  await follows(member, fleet.start({ l1: false }))
  await named('ip', '')
})

/** Whose connections are refused, and what is told of that, once. */
const refused: [name: string, redis: () => Promise<object>, code: string, words: RegExp][] = [
  [
    'a password that is wrong',
    async () => {
      for (const server of fleet.cluster.servers) {
        await ask(server, 'ACL', 'SETUSER', 'shop', 'on', '>right', '~*', '&*', '+@all')
      }
      return { cluster: fleet.cluster.nodes, username: 'shop', password: 'wrong-and-secret' }
    },
    'ERR_REDIS_UNAVAILABLE',
    /(WRONGPASS|NOAUTH).*username and password/,
  ],
  [
    'a user without the right to ask for slots',
    async () => {
      for (const server of fleet.cluster.servers) {
        await ask(server, 'ACL', 'SETUSER', 'shop', 'on', '>right', '~*', '&*', '+@all', '-cluster')
      }
      return { cluster: fleet.cluster.nodes, username: 'shop', password: 'right' }
    },
    'ERR_MISSING_RIGHT',
    /\+cluster/,
  ],
  [
    'one server that is no Cluster',
    async () => {
      const single = await startRedis()
      fleet.cleanUp(() => single.stop())
      return { cluster: [{ host: single.host, port: single.port }] }
    },
    'ERR_REDIS_UNAVAILABLE',
    /^none of the nodes 127\.0\.0\.1:\d+ .*cluster support disabled.*give its URL/,
  ],
  [
    'nodes that name no addresses',
    async () => {
      const config = async (word: string) => {
        for (const server of fleet.cluster.servers) {
          await ask(server, 'CONFIG', 'SET', 'cluster-preferred-endpoint-type', word)
        }
      }
      await config('unknown-endpoint')
      fleet.cleanUp(() => config('ip'))
      return { cluster: fleet.cluster.nodes }
    },
    'ERR_REDIS_UNAVAILABLE',
    /names no server for slot/,
  ],
  [
    'nodes that cannot be reached',
    async () => {
      const gone = await startRedis()
      await gone.stop()
      return { cluster: [gone.url, `redis://user:wrong-and-secret@[::1]:${gone.port}`] }
    },
    'ERR_REDIS_UNAVAILABLE',
    /^none of the nodes 127\.0\.0\.1:\d+, \[::1\]:\d+ can be asked.*\(connect ECONNREFUSED 127\.0\.0\.1:\d+\): look at the option cluster.*L2 joins when one/,
  ],
]
test.each(refused)('%s: one warning that says what to do; loaders go on', async (_, source, code, words) => {
  const { cache, of } = fleet.start({ redis: (await source()) as never, commandTimeout: 250 })
  expect(await cache.getOrSet('k', () => 1)).toBe(1)
  expect(await cache.delete('k')).toEqual({ acknowledged: false })
  await expect.poll(() => of('warning').length).toBeGreaterThan(0)
  // It goes on trying.
  const asked = vi.spyOn(Cluster.prototype, 'refreshSlotsCache')
  await expect.poll(() => asked.mock.calls.length, { timeout: 5000 }).toBeGreaterThan(1)
  expect(of('warning')).toEqual([expect.objectContaining({ code, message: expect.stringMatching(words) })])
  expect(JSON.stringify(of('warning'))).not.toContain('wrong-and-secret')
})

test.each(['6', '5'] as const)('nodes of an instance of ioredis %s whose names nobody knows', async (line) => {
  const Each = line === '6' ? Cluster : (Cluster5 as unknown as typeof Cluster)
  const redis = new Each([{ host: 'no-such-host.invalid', port: 7000 }])
  redis.on('error', () => {})
  fleet.cleanUp(() => redis.disconnect())
  const { of } = fleet.start({ redis: redis as never })
  await expect.poll(() => of('warning')).toHaveLength(1)
  expect(of('warning')[0]?.message).toMatch(
    /^none of the nodes no-such-host\.invalid:7000 .*\(getaddrinfo (ENOTFOUND|EAI_AGAIN) no-such-host\.invalid\): look at the/,
  )
})

test.each(['6', '5'] as const)('nodes of an instance of ioredis %s that cannot be reached', async (line) => {
  const gone = await startRedis()
  await gone.stop()
  const Each = line === '6' ? Cluster : (Cluster5 as unknown as typeof Cluster)
  const redis = new Each([gone.port, { host: '127.0.0.1', port: gone.port }, `127.0.0.1:${gone.port}`])
  redis.on('error', () => {})
  fleet.cleanUp(() => redis.disconnect())
  const { of } = fleet.start({ redis: redis as never })
  await expect.poll(() => of('warning')).toHaveLength(1)
  const address = `127.0.0.1:${gone.port}`
  expect(of('warning')[0]?.message).toContain(`none of the nodes ${address}, ${address}, ${address} can be asked`)
})

test('nodes that are given as rediss: are spoken to with TLS', async () => {
  const firstBytes = new Promise<Buffer>((resolve) => {
    const listening = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (bytes) => {
        socket.destroy()
        resolve(bytes as Buffer)
      })
    }).listen(0, '127.0.0.1', () => {
      const { port } = listening.address() as AddressInfo
      fleet.start({ redis: { cluster: [`rediss://127.0.0.1:${port}`] } })
    })
    fleet.cleanUp(() => listening.close())
  })
  // RFC 8446, 5.1: a record of the handshake.
  expect((await firstBytes)[0]).toBe(22)
})

test('what all masters are set up like is told once', async () => {
  const config = async (policy: string, memory: string) => {
    for (const server of fleet.cluster.servers) {
      await ask(server, 'CONFIG', 'SET', 'maxmemory-policy', policy, 'maxmemory', memory)
      await ask(server, 'ACL', 'SETUSER', 'shop', 'reset', 'on', '>right', '~*', '&*', '+@all', '-setrange')
    }
  }
  await config('allkeys-random', '1gb')
  const { of } = await fleet.join({
    redis: { cluster: fleet.cluster.nodes, username: 'shop', password: 'right' } as never,
  })
  const codes = () =>
    of('warning')
      .map(({ code }) => code)
      .sort()
  await expect.poll(codes).toEqual(['ERR_EVICTION_POLICY', 'ERR_MISSING_RIGHT'])
  await config('noeviction', '0')
})

test('a keyPrefix is refused, wherever it stands', () => {
  const all: object[] = [
    { cluster: fleet.cluster.nodes, keyPrefix: 'x:' },
    fleet.instance('6', { keyPrefix: 'x:' }),
    fleet.instance('5', { redisOptions: { keyPrefix: 'x:' } }),
  ]
  for (const redis of all) {
    expect(() => fleet.start({ redis: redis as never })).toThrow(expect.objectContaining({ code: 'ERR_KEY_PREFIX' }))
  }
})

test('an instance that the application ends: what is connected goes on, and one warning says what does not', async () => {
  const own = fleet.instance()
  const { cache, of } = await fleet.join({ redis: own as never })
  await own.quit()
  await expect.poll(() => of('warning')).toHaveLength(1)
  expect(of('warning')[0]).toMatchObject({
    message: expect.stringMatching(/^the instance has ended: .*Close the cache first$/),
  })
  expect(await cache.set(keyOf(bucket), 1)).toEqual({ acknowledged: true })
  const redis: Redis = new Client(from.port, from.host)
  fleet.cleanUp(() => redis.disconnect())
  expect(await redis.exists(fleet.names(bucket).entry({ namespace: '_', key: keyOf(bucket) }))).toBe(1)
})
