import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import { createCache } from '../../src/create-cache.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { hashTags, slotOf } from '../../src/entry/slot.ts'
import { fill, keysSuite, listed } from '../conformance/keys.suite.ts'
import { current, inEveryForm, withOneRedis } from '../doubles/caches.ts'
import { keyInBucket } from '../doubles/redis-forms.ts'
import type { ClusterDeployment } from '../doubles/redis-cluster.ts'
import { startCluster } from '../doubles/redis-cluster.ts'
import { ask } from '../doubles/redis-deployment.ts'

inEveryForm(keysSuite)

/** A machine under load answers late. */
const patient = { commandTimeout: '10s' } as const
const many = Array.from({ length: 3000 }, (_, index) => `key ${index}`)

withOneRedis('on one server', 'it is frozen, killed, and asked what was sent to it', (kit) => {
  const instances: Redis[] = []
  const owned = () => {
    const own = new Redis(kit.server().url, { autoResendUnfulfilledCommands: false })
    instances.push(own)
    return own
  }
  afterEach(() => {
    for (const own of instances.splice(0)) own.disconnect()
  })

  /** A cache whose SCANs are noted; each page has that before it again, as SCAN may do while Redis shrinks its table. */
  async function watched(scanned: (count: number) => void = () => {}) {
    const own = owned()
    const callBuffer = own.callBuffer.bind(own) as (...values: unknown[]) => Promise<unknown>
    const scans = { count: 0, underWay: 0, most: 0 }
    let before: Buffer[] = []
    const watching = async (...values: unknown[]) => {
      if (values[0] !== 'SCAN') return callBuffer(...values)
      scanned(++scans.count)
      scans.most = Math.max(scans.most, ++scans.underWay)
      const [cursor, names] = (await callBuffer(...values)) as [Buffer, Buffer[]]
      scans.underWay--
      const repeated = [...before, ...names]
      before = names
      return [cursor, repeated]
    }
    const cache = await kit.make({ redis: Object.assign(own, { callBuffer: watching }), ...patient })
    return { cache, scans }
  }

  test('what else is in Redis is not listed', async () => {
    const admin = owned()
    const prefix = 'own'
    const cache = await kit.make({ prefix, ...patient })
    for (const other of ['own.', 'own-', 'ow', 'o', 'OWN', 'wn'])
      await (await kit.make({ prefix: other, ...patient })).set('other', 1)
    await cache.set('k', 1, { tags: ['t'] })
    await cache.expireTags('t')
    await cache.namespace('n').clear()
    const loading = new AbortController()
    const loaded = cache.getOrSet('loading', ({ signal }) => {
      return new Promise((resolve) => loading.signal.addEventListener('abort', () => resolve(signal.aborted)))
    })
    const lease = new RedisNames(prefix, 0).lease({ namespace: '_', key: 'loading' })
    await expect.poll(() => admin.exists(lease)).toBe(1)
    const strange = [
      '{0}:v:_:',
      '{1}:v:_:k',
      '{00}:v:_:k',
      '{}:v:_:k',
      '{0',
      '{0}:l:_:a}:v:_:k',
      '{0}:v:_',
      '{x}:v:_:k',
    ]
    for (const name of strange) await admin.set(`${prefix}:${name}`, 'strange')
    await admin.set(Buffer.from(`${prefix}:{0}:v:_:\xff`, 'latin1'), 'strange')
    expect(await listed(cache)).toEqual(['k'])
    expect(await listed(cache.namespace('n'))).toEqual([])
    loading.abort()
    await loaded
    expect(await listed(cache)).toEqual(['k', 'loading'])
  })

  test('Redis is asked step by step, as keys are taken, and a key that it repeats is listed once', async () => {
    const { cache, scans } = await watched()
    await fill(cache, many)
    const listing = cache.keys()
    expect(scans.count).toBe(0)
    await listing.next()
    expect(scans.count).toBe(1)
    await listing.return()
    expect(scans.count).toBe(1)
    expect(await listed(cache)).toEqual([...many].sort())
    expect(scans).toMatchObject({ underWay: 0, most: 1 })
    expect(scans.count).toBeGreaterThan(4)
  })

  test('aborted, nothing is asked for, and nothing more, though nothing was found', async () => {
    const ending = new AbortController()
    const { cache, scans } = await watched((count) => {
      if (count === 2) ending.abort()
    })
    await fill(cache, many)
    const listing = listed(cache, { prefix: 'none', signal: ending.signal })
    await expect(listing).rejects.toMatchObject({ name: 'AbortError' })
    await expect(listed(cache, { signal: ending.signal })).rejects.toMatchObject({ name: 'AbortError' })
    expect(scans.count).toBe(2)
  })

  test('a Redis that cannot be asked is an error, before the first key and after it', async () => {
    const cache = await kit.make({ commandTimeout: '2s' })
    await fill(cache, many)
    const later = cache.keys()
    const listing = cache.keys()
    await listing.next()
    const rest = async () => {
      while (!(await listing.next()).done);
    }
    kit.server().freeze()
    try {
      // Other commands fail as well: after three of them Redis is passed over.
      const refused = { name: 'TierCacheError', code: expect.stringMatching(/^ERR_REDIS_(TIMEOUT|UNAVAILABLE|LOST)$/) }
      await expect(rest()).rejects.toMatchObject(refused)
      await expect(later.next()).rejects.toMatchObject(refused)
    } finally {
      kit.server().thaw()
    }
    await kit.server().kill()
    try {
      await expect.poll(() => cache.stats().l2Usable).toBe(false)
      await expect(listed(cache)).rejects.toMatchObject({ name: 'TierCacheError', code: 'ERR_REDIS_UNAVAILABLE' })
    } finally {
      await kit.server().restart()
    }
  })

  test('without the right to SCAN it rejects, and the right is told', async () => {
    const admin = owned()
    await admin.call('ACL', 'SETUSER', 'someone', 'reset', 'on', '>secret', '~*', '&*', '+@all', '-scan')
    const { host, port } = kit.server()
    const cache = await kit.make({ redis: { host, port, username: 'someone', password: 'secret' }, ...patient })
    const rights: unknown[] = []
    cache.on('warning', ({ code, detail }) => void rights.push([code, detail?.right]))
    await expect(listed(cache)).rejects.toMatchObject({ name: 'TierCacheError', code: 'ERR_REDIS_REPLY' })
    expect(rights).toEqual([['ERR_MISSING_RIGHT', '+scan']])
  })

  test('a Redis that was never there is an error', async () => {
    await kit.server().kill()
    try {
      const cache = createCache({ redis: kit.server().url, commandTimeout: 100 })
      cache.on('warning', () => {})
      await expect(listed(cache)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' })
      await cache.close()
    } finally {
      await kit.server().restart()
    }
  })
})

describe('on a Cluster', () => {
  const BUCKETS = 64
  let deployment: ClusterDeployment
  const caches: Cache[] = []
  let prefixes = 0
  beforeAll(async () => {
    deployment = await startCluster()
  })
  afterAll(() => deployment.stop())
  afterEach(async () => {
    prefixes++
    await Promise.all(caches.splice(0).map((cache) => cache.close()))
  })

  async function make({ clusterBuckets = BUCKETS, ...options }: CreateCacheOptions = {}): Promise<Cache> {
    const cache = createCache({
      redis: { cluster: deployment.nodes },
      prefix: `t${prefixes}`,
      clusterBuckets,
      ...options,
    })
    caches.push(cache)
    await current(cache, { buckets: clusterBuckets })
    return cache
  }

  const slots = hashTags(BUCKETS).map(slotOf)
  const holderOf = (bucket: number) => deployment.serverOf(slots[bucket] as number)

  keysSuite({ isShared: true, make })

  test('another number of buckets is another cache', async () => {
    const [few, usual] = [await make({ clusterBuckets: 8, ...patient }), await make(patient)]
    const keys = many.slice(0, 100)
    await fill(few, keys)
    expect(await listed(few)).toEqual([...keys].sort())
    expect(await listed(usual)).toEqual([])
    expect((await Promise.all(keys.map((key) => usual.has(key)))).filter(Boolean)).toEqual([])
  })

  test('a bucket that moves to a server whose turn is over is listed there', async () => {
    // All that a server has is in one page.
    await Promise.all((await deployment.masters()).map((master) => ask(master, 'FLUSHALL')))
    // So rarely does the cache look itself how things are.
    const cache = await make({ ...patient, maxStaleness: '10m' })
    const holders = await Promise.all(Array.from({ length: BUCKETS }, (_, bucket) => holderOf(bucket)))
    const [first] = holders
    const moving = holders.findIndex((holder) => holder !== first)
    const last = holders[moving]
    if (!first || !last) throw new Error('there are three masters')
    const keys = [0, moving].map((bucket) => keyInBucket(bucket, BUCKETS, 'k'))
    await fill(cache, keys)
    const slot = slots[moving] as number
    const listing: string[] = []
    for await (const key of cache.keys()) {
      listing.push(key)
      if (listing.length === 1) await deployment.moveSlots([slot], last, first)
    }
    await deployment.moveSlots([slot], first, last)
    expect(listing).toEqual(keys)
  })

  test('one dead master of three: an error, and no short list', async () => {
    const cache = await make({ commandTimeout: '5s' })
    await fill(cache, many.slice(0, 300))
    const [, dead] = await deployment.masters()
    if (!dead) throw new Error('there are three masters')
    for (const server of [...(await deployment.replicasOf(dead)), dead]) await server.kill()
    for (let turn = 0; turn < 3; turn++) {
      await expect(listed(cache)).rejects.toMatchObject({
        name: 'TierCacheError',
        code: expect.stringMatching(/^ERR_REDIS_/),
      })
    }
  })
})
