import { Cluster, Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { RedisSource } from '../../src/create-cache.ts'
import { createCache } from '../../src/create-cache.ts'
import { bucketOf, localId, RedisNames } from '../../src/entry/key.ts'
import { hashTags, slotOf } from '../../src/entry/slot.ts'
import type { Carrier } from '../doubles/documented-rights.ts'
import { documentedRights, documentedUser } from '../doubles/documented-rights.ts'
import type { ClusterDeployment } from '../doubles/redis-cluster.ts'
import { startCluster } from '../doubles/redis-cluster.ts'
import { ask, askAll, fieldsOf } from '../doubles/redis-deployment.ts'
import { keyInBucket } from '../doubles/redis-forms.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { SentinelDeployment } from '../doubles/redis-sentinel.ts'
import { startSentinel } from '../doubles/redis-sentinel.ts'
import { startRedis } from '../doubles/redis.ts'

const CLUSTER_BUCKETS = 32
const hashTagOf = (key: string) => hashTags(CLUSTER_BUCKETS)[bucketOf(localId('_', key), CLUSTER_BUCKETS)] as string
const caches: Cache[] = []
afterEach(async () => {
  await Promise.all(caches.splice(0).map((cache) => cache.close()))
  vi.restoreAllMocks()
})

/** Redis with a user of the page, to whom rights are granted. */
interface Strict {
  readonly carrier: Carrier
  readonly admin: Redis | Cluster
  masters(): readonly Redis[]
  readonly source: RedisSource
  /** The name of an entry. */
  entry(key: string): string
}

/** A cache of the user, and what it tells of Redis. */
function make({ source }: Strict) {
  const cache = createCache({ redis: source, maxStaleness: 500, commandTimeout: '2s' })
  caches.push(cache)
  const warnings: { readonly code: string; readonly detail?: Readonly<Record<string, string>> }[] = []
  const errors: unknown[] = []
  cache.on('warning', (event) => void warnings.push(event))
  cache.on('l2-error', (event) => void errors.push(event))
  return { cache, warnings, errors }
}

/** Everything that a cache sends to Redis, in one process; each call by itself, since some of them may fail. */
async function useAll(cache: Cache, { admin, entry }: Strict): Promise<unknown[]> {
  const shop = cache.namespace('shop')
  const outcomes: unknown[] = []
  const all: (() => Promise<unknown>)[] = [
    () => cache.set('k', 1, { tags: ['t'] }),
    () => cache.set('v', 1, { version: 1 }),
    () => cache.set('v', 2, { version: 2 }),
    () => cache.get('k'),
    () => cache.getOrSet('loaded', () => 'v', { tags: ['t', 'u'] }),
    () => cache.getOrSet('failed', () => Promise.reject(new Error('no'))).catch(() => 'failed'),
    () => cache.getOrSet('skipped', ({ skip }) => skip()),
    () => cache.expire('k'),
    () => cache.touch('loaded', '2h'),
    () => cache.touch('loaded', 'never'),
    () => cache.increment('n', 2),
    () => cache.increment('n'),
    () => cache.expireTags('u'),
    () => cache.invalidateTags('t'),
    () => cache.delete('v'),
    () => admin.set(entry('unreadable'), 'no entry'),
    () => cache.get('unreadable'),
    () => cache.keys()[Symbol.asyncIterator]().next(),
    () => cache.inspect('loaded'),
    () => shop.set('k', 1),
    () => shop.clear(),
    () => cache.clear(),
  ]
  for (const call of all) outcomes.push(await call().catch((error: unknown) => error))
  return outcomes
}

/** Grants the user of the page its rights, less one. */
async function grant({ carrier, masters }: Strict, less?: string): Promise<void> {
  const { user, rules } = documentedUser(carrier)
  const granted = rules.filter((rule) => rule !== less)
  await Promise.all(
    masters().map(async (master) => {
      await master.flushall()
      await master.script('FLUSH')
      await master.call('ACL', 'SETUSER', user, ...granted)
    }),
  )
}

const forget = ({ masters }: Strict) => Promise.all(masters().map((master) => master.script('FLUSH')))

/** Resolves when a first link of each chain is there and heard: then there is something to prove. */
async function proven({ cache }: { readonly cache: Cache }, buckets: number): Promise<void> {
  await expect.poll(() => cache.stats().l2Usable).toBe(true)
  for (let bucket = 0; bucket < buckets; bucket++) await cache.delete(keyInBucket(bucket, buckets, 'first'))
  await expect.poll(() => cache.stats().coherent, { timeout: 5000 }).toBe(true)
}

async function allGoesWell(strict: Strict, buckets: number): Promise<void> {
  await grant(strict)
  const [a, b] = [make(strict), make(strict)]
  for (const each of [a, b]) await proven(each, buckets)
  await a.cache.set('shared', 1)
  expect(await b.cache.get('shared')).toBe(1)
  await a.cache.set('shared', 2)
  await expect.poll(() => b.cache.get('shared')).toBe(2)
  for (const turn of ['with the scripts that were sent ahead', 'after they were forgotten']) {
    const outcomes = await useAll(a.cache, strict)
    expect(outcomes.filter((outcome) => outcome instanceof Error)).toEqual([])
    expect(outcomes.filter((outcome) => (outcome as { acknowledged?: boolean })?.acknowledged === false)).toEqual([])
    if (turn === 'after they were forgotten') break
    await forget(strict)
  }
  // Longer than a beat: the subscriber's connection has been pinged.
  await expect.poll(() => a.cache.stats().coherent).toBe(true)
  for (const { warnings, errors } of [a, b]) expect([warnings, errors]).toEqual([[], []])
}

/** The rights that a cache told that it lacks, each once. */
const lacking = (warnings: ReturnType<typeof make>['warnings']) => [
  ...new Set(warnings.filter(({ code }) => code === 'ERR_MISSING_RIGHT').map(({ detail }) => detail?.right)),
]

const rights = {
  server: documentedUser('server').rights,
  cluster: documentedUser('cluster').rights,
  sentinel: documentedUser('sentinel').rights,
}
const ofCluster = rights.cluster.filter((right) => !rights.server.includes(right))

test('the page explains each right of the lines, and no other', () => {
  expect(rights.server.length).toBeGreaterThan(20)
  expect(documentedRights.map(({ right }) => right)).toEqual([...rights.server, ...ofCluster, ...rights.sentinel])
})

test('what a Cluster needs beyond one server, and what it does not', () => {
  expect(ofCluster).toEqual(['+spublish', '+ssubscribe', '+asking', '+cluster|slots'])
  expect(rights.server.filter((right) => !rights.cluster.includes(right))).toEqual([
    '+publish',
    '+subscribe',
    '+select',
  ])
})

describe('one server', () => {
  const DATABASE = 1
  let server: RedisServer
  let strict: Strict & { readonly admin: Redis }
  beforeAll(async () => {
    server = await startRedis()
    const { user, password } = documentedUser('server')
    const admin = new Redis(server.url, { db: DATABASE })
    const { host, port } = server
    const names = new RedisNames('tiercache', DATABASE)
    strict = {
      carrier: 'server',
      admin,
      masters: () => [admin],
      source: { host, port, db: DATABASE, username: user, password },
      entry: (key) => names.entry({ namespace: '_', key }),
    }
  })
  afterAll(async () => {
    strict.admin.disconnect()
    await server.stop()
  })

  test('under exactly this user all goes well, and nothing is told', () => allGoesWell(strict, 1))

  test.each(rights.server)('without %s', async (right) => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await grant(strict, right)
    const { cache, warnings } = make(strict)
    await cache.get('k')
    await forget(strict)
    await useAll(cache, strict)
    const without = documentedRights.find((each) => each.right === right)?.without
    if (without?.includes('nothing is told')) {
      await expect.poll(() => cache.stats().coherent).toBe(true)
      expect(warnings).toEqual([])
    } else await expect.poll(() => lacking(warnings)).toEqual([right])
    expect(warned.mock.calls.length > 0).toBe(without?.includes('on the console') === true)
  })
})

describe('a Cluster', () => {
  let deployment: ClusterDeployment
  let strict: Strict & { readonly admin: Cluster }
  beforeAll(async () => {
    deployment = await startCluster({ replicas: 0 })
    const { user, password } = documentedUser('cluster')
    const admin = new Cluster(deployment.nodes)
    strict = {
      carrier: 'cluster',
      admin,
      masters: () => admin.nodes('master'),
      source: { cluster: deployment.nodes, username: user, password },
      entry: (key) => {
        const address = { namespace: '_', key }
        return new RedisNames('tiercache', 0, hashTagOf(key)).entry(address)
      },
    }
    await admin.ping()
  })
  afterAll(async () => {
    strict.admin.disconnect()
    await deployment.stop()
  })

  test('under exactly this user all goes well, and nothing is told', () => allGoesWell(strict, CLUSTER_BUCKETS))

  test.each(['+spublish', '+ssubscribe'])('without %s', async (right) => {
    await grant(strict, right)
    const { cache, warnings } = make(strict)
    await cache.get('k')
    await expect.poll(() => lacking(warnings)).toEqual([right])
    expect(await cache.set('k', 1)).toEqual({ acknowledged: right === '+ssubscribe' })
  })

  test('without +info it is taken for one below 7', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    await grant(strict, '+info')
    const { cache, warnings } = make(strict)
    await cache.get('k')
    await expect.poll(() => lacking(warnings).sort()).toEqual(['+info', '+publish', '+subscribe'])
  })

  test('without +cluster|slots it is not used, and that is told', async () => {
    await grant(strict, '+cluster|slots')
    const { cache, warnings } = make(strict)
    expect(await cache.set('k', 1)).toEqual({ acknowledged: false })
    await expect
      .poll(() => warnings)
      .toContainEqual(expect.objectContaining({ message: expect.stringMatching(/slots/) }))
    expect(cache.stats().l2Usable).toBe(false)
  })

  /** What is found of a key whose slot is on the move, after it was moved itself. */
  async function midway(less?: string) {
    await grant(strict, less)
    const { cache, warnings } = make(strict)
    await proven({ cache }, CLUSTER_BUCKETS)
    await make(strict).cache.set('k', 'v')
    const slot = slotOf(hashTagOf('k'))
    const from = await deployment.serverOf(slot)
    const to = (await deployment.masters()).find((master) => master !== from) as RedisServer
    let found: unknown
    await deployment.moveSlots([slot], from, to, async () => {
      found = await cache.get('k')
    })
    return { found, lacking: lacking(warnings) }
  }

  test('a slot that is on the move: what was moved already is found, but without +asking', async () => {
    expect(await midway()).toEqual({ found: 'v', lacking: [] })
    expect(await midway('+asking')).toEqual({ found: undefined, lacking: ['+asking'] })
  })
})

describe('sentinels', () => {
  const { user, password, rules } = documentedUser('sentinel')
  let deployment: SentinelDeployment
  beforeAll(async () => {
    deployment = await startSentinel()
  })
  afterAll(() => deployment.stop())

  /** Whether the server is used by a user with these rights, and what the sentinels refused. */
  async function use(granted: readonly string[]) {
    const { sentinels, address } = deployment
    const commands = [['ACL', 'SETUSER', user, ...granted] as const, ['ACL', 'LOG', 'RESET'] as const]
    await Promise.all(sentinels.map((sentinel) => askAll(sentinel, commands)))
    const redis = { ...address, sentinelUsername: user, sentinelPassword: password }
    await using cache = createCache({ redis, maxStaleness: 500, commandTimeout: '2s' })
    const { acknowledged } = await cache.set('k', 1)
    const refused = async () => {
      const logs = await Promise.all(sentinels.map((sentinel) => ask(sentinel, 'ACL', 'LOG')))
      return [...new Set((logs.flat() as string[][]).map((entry) => fieldsOf(entry).object))]
    }
    return { acknowledged, refused }
  }

  test('under exactly this user the master is found, and nothing is refused', async () => {
    const { acknowledged, refused } = await use(rules)
    expect([acknowledged, await refused()]).toEqual([true, []])
  })

  test.each(rights.sentinel)('without %s', async (right) => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { acknowledged, refused } = await use(rules.filter((rule) => rule !== right))
    await expect.poll(refused).toEqual([right.slice(1)])
    const without = documentedRights.findLast((each) => each.right === right)?.without
    expect(acknowledged).toBe(without !== 'the server is not used')
  })
})
