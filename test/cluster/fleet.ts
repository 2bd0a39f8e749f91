import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import { createCache } from '../../src/create-cache.ts'
import { RedisNames } from '../../src/entry/key.ts'
import type { CacheEventName } from '../../src/events.ts'
import { hashTags, slotOf } from '../../src/entry/slot.ts'
import { current } from '../doubles/caches.ts'
import type { ClusterDeployment, ClusterOptions } from '../doubles/redis-cluster.ts'
import { startCluster } from '../doubles/redis-cluster.ts'
import { keyInBucket } from '../doubles/redis-forms.ts'
import type { RedisServer } from '../doubles/redis.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

export const BUCKETS = 12

/** A cache on the cluster, with everything that it told. */
export interface Member {
  readonly cache: Cache
  readonly told: [name: CacheEventName, event: Readonly<Record<string, unknown>>][]
  /** The events of one name. */
  of(name: CacheEventName): Readonly<Record<string, unknown>>[]
}

const NAMES: readonly CacheEventName[] = [
  'warning',
  'connected',
  'disconnected',
  'breaker',
  'l2-error',
  'gap',
  'resync',
  'unacknowledged',
  'acknowledged',
]

/** The Cluster of one file, and caches on it that are closed after each test. */
export function onCluster(options?: ClusterOptions) {
  let cluster: ClusterDeployment
  let prefixes = 0
  const cleanUps: (() => unknown)[] = []
  beforeAll(async () => {
    cluster = await startCluster(options)
  })
  afterAll(() => cluster.stop())
  afterEach(async () => {
    prefixes++
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })
  const prefix = () => `t${prefixes}`
  const fleet = {
    get cluster() {
      return cluster
    },
    prefix,
    cleanUp: (action: () => unknown) => void cleanUps.push(action),
    /** A Cluster instance of the application. */
    instance(library: '5' | '6' = '6', more: object = {}): Cluster {
      const Each = library === '5' ? (Cluster5 as unknown as typeof Cluster) : Cluster
      const made = new Each(cluster.nodes, more)
      made.on('error', () => {})
      cleanUps.push(() => made.disconnect())
      return made
    },
    /** An instance of the application that does not find out what moves, until it is told to look. */
    blind(library: '5' | '6' = '6'): Cluster & { see(): void } {
      const made = fleet.instance(library)
      const refresh = made.refreshSlotsCache.bind(made)
      let isBlind = false
      made.refreshSlotsCache = (callback) => (isBlind ? callback?.() : refresh(callback))
      made.once('ready', () => {
        isBlind = true
      })
      return Object.assign(made, {
        see() {
          isBlind = false
        },
      })
    },
    /** A cache that need not be ready. A machine under load answers late, so the deadline is a long one. */
    start(more: CreateCacheOptions = {}): Member {
      const all = {
        redis: { cluster: cluster.nodes },
        prefix: prefix(),
        clusterBuckets: BUCKETS,
        commandTimeout: '2s',
        ...more,
      }
      const cache = createCache(all as CreateCacheOptions)
      cleanUps.push(() => cache.close())
      const told: Member['told'] = []
      for (const name of NAMES) cache.on(name, (event) => void told.push([name, event as never]))
      return { cache, told, of: (name) => told.flatMap(([each, event]) => (each === name ? [event] : [])) }
    },
    /** A cache that has proven to be current, of all buckets. */
    async join(more?: CreateCacheOptions): Promise<Member> {
      const member = fleet.start(more)
      await current(member.cache, { buckets: BUCKETS })
      return member
    },
    /** The buckets that a server holds now. */
    async bucketsOf(server: RedisServer): Promise<number[]> {
      const owners = await Promise.all(all.map((bucket) => cluster.serverOf(slot(bucket))))
      return all.filter((bucket) => owners[bucket] === server)
    },
    names: (bucket: number) => new RedisNames(prefix(), 0, tags[bucket]),
  }
  return fleet
}

const tags = hashTags(BUCKETS)
const all = Array.from({ length: BUCKETS }, (_, bucket) => bucket)

/** A key of a bucket. */
export const keyOf = (bucket: number, name = 'k') => keyInBucket(bucket, BUCKETS, name)

export const slot = (bucket: number) => slotOf(tags[bucket] as string)
