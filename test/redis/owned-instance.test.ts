import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { RedisSource } from '../../src/create-cache.ts'
import { createCache } from '../../src/create-cache.ts'
import { current } from '../doubles/caches.ts'
import type { Servers } from '../doubles/redis-forms-servers.ts'
import { cluster, oneServer, sentinel } from '../doubles/redis-forms-servers.ts'

/** What an application has of ioredis, by the members that tests look at. */
interface Instance {
  readonly status: string
  readonly options: object
  /** Of a Cluster. */
  nodes?(): readonly Instance[]
  eventNames(): readonly (string | symbol)[]
  listeners(event: string | symbol): readonly unknown[]
  on(event: string, listener: () => void): unknown
  set(key: string, value: string): Promise<unknown>
  get(key: string): Promise<unknown>
  disconnect(): void
}

type Constructor = new (...values: unknown[]) => unknown
const [Redises, Clusters] = [
  [Redis, Redis5],
  [Cluster, Cluster5],
] as unknown as [readonly Constructor[], readonly Constructor[]]

const nodesOf = ({ nodes }: Servers) => nodes.map(({ host, port }) => ({ host, port }))
const sentinels = (servers: Servers) => ({ sentinels: nodesOf(servers), name: 'main' })

/** How an application makes it, in ioredis 6 and 5, with options of its own. */
const kinds: [kind: string, start: () => Promise<Servers>, make: (servers: Servers, line: 0 | 1) => unknown][] = [
  ['one server', oneServer, (servers, line) => new (Redises[line] as Constructor)({ ...nodesOf(servers)[0], ...own })],
  ['Sentinel', sentinel, (servers, line) => new (Redises[line] as Constructor)({ ...sentinels(servers), ...own })],
  [
    'Cluster',
    cluster,
    (servers, line) =>
      new (Clusters[line] as Constructor)(nodesOf(servers), { scaleReads: 'all', redisOptions: { ...own } }),
  ],
]
const own = {
  autoResendUnfulfilledCommands: false,
  autoResubscribe: true,
  maxRetriesPerRequest: 7,
  connectionName: 'of-the-application',
}

/** All that is attached to an instance and the instances in it. */
function listenersOf(instance: Instance): Map<string, readonly unknown[]> {
  const all = [instance, ...(instance.nodes?.() ?? [])]
  return new Map(
    all.flatMap((each, index) =>
      each.eventNames().map((event) => [`${index} ${String(event)}`, [...each.listeners(event)]] as const),
    ),
  )
}

/** The options of an instance and of the instances in it, as they are now. */
function optionsOf(instance: Instance): unknown[] {
  const all = [instance, ...(instance.nodes?.() ?? [])]
  return all.map(({ options }) => {
    const { redisOptions, ...others } = options as { redisOptions?: object }
    return { ...others, redisOptions: { ...redisOptions } }
  })
}

describe.each(kinds)('an instance of the application: %s', (_kind, start, make) => {
  let servers: Servers
  let cache: Cache | undefined
  const instances: Instance[] = []
  beforeAll(async () => {
    servers = await start()
  })
  afterAll(() => servers.stop())
  afterEach(async () => {
    await cache?.close()
    for (const instance of instances.splice(0)) instance.disconnect()
  })

  async function made(line: 0 | 1): Promise<Instance> {
    const instance = make(servers, line) as Instance
    instances.push(instance)
    for (const event of ['error', 'close', 'ready', 'message', 'end', 'node error']) instance.on(event, () => {})
    await expect.poll(() => instance.status).toBe('ready')
    expect(await instance.set('k', 'v')).toBe('OK')
    return instance
  }

  /** How many connections there are, but for those that look. */
  const connections = async () => {
    const lists = await Promise.all(servers.masters().map((master) => master.client('LIST')))
    return String(lists)
      .split('\n')
      .filter((line) => line.includes('name=of-the-application')).length
  }

  test.each([
    ['6', 0],
    ['5', 1],
  ] as const)('of ioredis %s: neither closed nor changed, and rid of all that was ours at close', async (_, line) => {
    const instance = await made(line)
    // A Cluster connects to its nodes as it needs them.
    for (let key = 0; key < 50; key++) await instance.get(`k${key}`)
    const before = { listeners: listenersOf(instance), options: optionsOf(instance), connections: await connections() }
    cache = createCache({ redis: instance as unknown as RedisSource, maxStaleness: 500 })
    await current(cache, servers)
    await cache.set('k', 1, { tags: ['t'] })
    await cache.invalidateTags('t')
    expect(await cache.getOrSet('k', () => 2)).toBe(2)
    expect(await connections()).toBeGreaterThan(before.connections)
    expect(optionsOf(instance)).toEqual(before.options)
    const whileUsed = listenersOf(instance)
    for (const [event, listeners] of before.listeners)
      expect(whileUsed.get(event)).toEqual(expect.arrayContaining([...listeners]))
    await cache.close()
    expect(instance.status).toBe('ready')
    expect(await instance.get('k')).toBe('v')
    expect(listenersOf(instance)).toEqual(before.listeners)
    expect(optionsOf(instance)).toEqual(before.options)
    await vi.waitFor(async () => expect(await connections()).toBe(before.connections))
  })
})

describe('a keyPrefix is refused, and the instance left alone', () => {
  const lazy = { lazyConnect: true, keyPrefix: 'shop:' }
  const nodes = [{ host: '127.0.0.1', port: 1 }]
  test.each<[string, () => unknown]>([
    ['Redis of ioredis 6', () => new Redis(lazy)],
    ['Redis of ioredis 5', () => new Redis5(lazy)],
    ['Cluster of ioredis 6', () => new Cluster(nodes, lazy)],
    ['Cluster of ioredis 5', () => new Cluster5(nodes, lazy)],
    [
      'redisOptions of ioredis 6',
      () => new Cluster(nodes, { lazyConnect: true, redisOptions: { keyPrefix: 'shop:' } }),
    ],
    [
      'redisOptions of ioredis 5',
      () => new Cluster5(nodes, { lazyConnect: true, redisOptions: { keyPrefix: 'shop:' } }),
    ],
  ])('%s', (_, make) => {
    const instance = make() as Instance
    const before = listenersOf(instance)
    const refused = expect.objectContaining({ code: 'ERR_KEY_PREFIX', message: expect.stringContaining('"shop:"') })
    expect(() => createCache({ redis: instance as unknown as RedisSource })).toThrow(refused)
    expect([instance.status, listenersOf(instance)]).toEqual(['wait', before])
  })

  test.each([
    ['options', { keyPrefix: 'shop:' }],
    ['options of a Cluster', { cluster: nodes, keyPrefix: 'shop:' }],
  ])('in %s', (_, redis) => {
    expect(() => createCache({ redis })).toThrow(expect.objectContaining({ code: 'ERR_KEY_PREFIX' }))
  })
})
