import { Cluster, Redis } from 'ioredis'
import { pack, unpack } from 'msgpackr'
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { pairedRounds } from '../harness/paired-rounds.ts'
import { installedPeers, openPeer, peerVariants, peerVersions } from '../harness/peers.ts'
import { seeded, shuffled } from '../harness/random.ts'
import { keysOf, onceFor, productOf } from './records.ts'
import type { Cache, LoadOptions, RedisSource } from 'tiercache'
import type { PairedOptions } from '../harness/paired-rounds.ts'
import type { PeerName } from '../harness/peers.ts'
import type { Scenario } from '../harness/scenario.ts'
import type { Variant, VariantContext, Variants } from '../harness/variant.ts'
import type { Product } from './records.ts'

const KEYS = 20_000
const READS_BY_64 = 40_000
const READS_BY_1 = 10_000

const common = { bench: import.meta.url, unit: 'reads/s', pairs: 5, rounds: 7, warmUps: 3 }

const by64: PairedOptions = {
  ...common,
  subject: 'tiercache, 64 readers',
  reference: 'ioredis, 64 readers',
  also: ['tiercache filling L1, 64 readers', 'tiercache get, 64 readers'],
}

const by1: PairedOptions = {
  ...common,
  subject: 'tiercache, 1 reader',
  reference: 'ioredis, 1 reader',
  also: ['tiercache filling L1, 1 reader', 'tiercache get, 1 reader'],
}

const onCluster: PairedOptions = {
  ...common,
  subject: 'tiercache on a Cluster, 64 readers',
  reference: 'tiercache, 64 readers',
  also: ['ioredis on a Cluster, 64 readers'],
  masters: 3,
}

export const l2Hit64: Scenario = {
  name: 'l2-hit-64',
  work: '`getOrSet` of 20,000 keys that are in Redis, without L1 (`l1: false`), 64 readers at once',
  reference: '`getBuffer` of ioredis and `unpack` of msgpackr',
  expects: 'Reads of one tick leave as one MGET, so that many readers cost less than as many GETs.',
  bar: 2,
  nodes: [24],
  run: (node, tell) => {
    const also = [...(by64.also ?? []), ...installedPeers(tell)]
    return pairedRounds({ ...by64, also, versions: peerVersions() }, node, tell)
  },
  compare: (against, node, tell) => pairedRounds({ ...by64, against }, node, tell),
}

export const l2Hit1: Scenario = {
  name: 'l2-hit-1',
  work: '`getOrSet` of 10,000 of these keys, one reader',
  reference: '`getBuffer` of ioredis and `unpack` of msgpackr',
  expects: 'Gathering reads costs a lone reader nothing to speak of.',
  bar: 0.95,
  nodes: [24],
  run: (node, tell) => pairedRounds(by1, node, tell),
  compare: (against, node, tell) => pairedRounds({ ...by1, against }, node, tell),
}

export const l2Hit64Cluster: Scenario = {
  name: 'l2-hit-64-cluster',
  work: 'the work of `l2-hit-64`, the keys spread over 32 buckets on a Cluster of three masters',
  reference: 'the same on one server (the subject of `l2-hit-64`)',
  expects: 'A Cluster, which must be asked bucket by bucket, is read about as fast as one server.',
  bar: 0.8,
  nodes: [24],
  run: (node, tell) => pairedRounds(onCluster, node, tell),
  compare: (against, node, tell) => pairedRounds({ ...onCluster, against }, node, tell),
}

export const variants: Variants = {
  'tiercache, 64 readers': ({ redisUrl }) => tiered(redisUrl, getOrSet, READS_BY_64, 64),
  'tiercache on a Cluster, 64 readers': ({ cluster }) => tiered({ cluster }, getOrSet, READS_BY_64, 64),
  'tiercache, 1 reader': ({ redisUrl }) => tiered(redisUrl, getOrSet, READS_BY_1, 1),
  'tiercache get, 64 readers': ({ redisUrl }) => tiered(redisUrl, get, READS_BY_64, 64),
  'tiercache get, 1 reader': ({ redisUrl }) => tiered(redisUrl, get, READS_BY_1, 1),
  'tiercache filling L1, 64 readers': ({ redisUrl }) => filling(redisUrl, getOrSet, KEYS, 64),
  'tiercache filling L1, 1 reader': ({ redisUrl }) => filling(redisUrl, getOrSet, READS_BY_1, 1),
  'ioredis, 64 readers': ({ redisUrl }) => plain(new Redis(redisUrl), READS_BY_64, 64),
  'ioredis on a Cluster, 64 readers': ({ cluster }) => plain(new Cluster([...cluster]), READS_BY_64, 64),
  'ioredis, 1 reader': ({ redisUrl }) => plain(new Redis(redisUrl), READS_BY_1, 1),
  ...peerVariants(peer),
}

type Read = (key: string) => Promise<Product | undefined>

const getOrSet = (cache: Cache): Read => {
  const options: LoadOptions = { ttl: '1h', stale: '10m' }
  const fail = () => {
    throw new Error('a hit was expected')
  }
  return (key) => cache.getOrSet<Product>(key, fail, options)
}

const get =
  (cache: Cache): Read =>
  (key) =>
    cache.get<Product>(key)

/** Without L1, as the reference keeps nothing either, with one cache for all rounds, as the reference has one connection. */
async function tiered(
  redis: RedisSource,
  reader: (cache: Cache) => Read,
  reads: number,
  readers: number,
): Promise<Variant> {
  const { order, open } = await seededKeys(redis, false)
  const cache = await open()
  return { work: () => readAll(order, reads, readers, reader(cache)), close: () => cache.close() }
}

/**
 * With an L1 that has room for all keys and is empty at the start of each round, so that each read is a read of L2 and is
 * charged with keeping what it found. Each round has a new cache.
 */
async function filling(
  redis: RedisSource,
  reader: (cache: Cache) => Read,
  reads: number,
  readers: number,
): Promise<Variant> {
  const { order, open } = await seededKeys(redis, { maxEntries: 2 * KEYS })
  let cache: Cache | undefined
  return {
    prepare: async () => {
      await cache?.close()
      cache = await open()
    },
    work: () => readAll(order, reads, readers, reader(cache as Cache)),
    close: async () => cache?.close(),
  }
}

/** Puts the keys into Redis. Answers the order in which they are read, and how to open a cache on them. */
async function seededKeys(redis: RedisSource, l1: { readonly maxEntries: number } | false) {
  const open = async () => {
    // A machine that stands still for longer than the default deadline would turn a read into a load.
    const cache = createCache({ redis, l1, commandTimeout: '10s', defaults: { ttl: '1h' } })
    await once(cache, 'connected')
    // On a Cluster the first reads wait until all masters are connected.
    await cache.get('(begin)')
    return cache
  }
  const keys = keysOf(KEYS)
  const seeding = await open()
  await eachOf(keys, 64, (key, id) => seeding.set(key, productOf(id)))
  await seeding.close()

  return { order: shuffled(keys, seeded(1)), open }
}

async function plain(redis: Redis | Cluster, reads: number, readers: number): Promise<Variant> {
  const keys = keysOf(KEYS).map((key) => `plain:${key}`)
  await eachOf(keys, 64, (key, id) => redis.set(key, pack(productOf(id)), 'PX', 3_600_000))
  const order = shuffled(keys, seeded(1))
  const read: Read = async (key) => {
    const bytes = await redis.getBuffer(key)
    return bytes === null ? undefined : (unpack(bytes) as Product)
  }
  return {
    work: () => readAll(order, reads, readers, read),
    close: async () => redis.disconnect(),
  }
}

/** With its values in Redis alone, as it comes; 64 readers. */
async function peer(name: PeerName, { redisUrl }: VariantContext): Promise<Variant> {
  const keys = keysOf(KEYS)
  const { read, close } = await openPeer(name, 'onRedis', { redisUrl, ttlMs: 3_600_000, load: onceFor(KEYS) })
  await eachOf(keys, 64, read)
  const order = shuffled(keys, seeded(1))
  return { work: () => readAll(order, READS_BY_64, 64, read), close }
}

/** Makes so many reads, of one key after the other, and of the first again when all have been read. */
async function readAll(keys: readonly string[], reads: number, readers: number, read: Read): Promise<number> {
  let found = 0
  let next = 0
  const work = async () => {
    while (next < reads) if ((await read(keys[next++ % keys.length] as string)) !== undefined) found++
  }
  await Promise.all(Array.from({ length: readers }, work))
  if (found !== reads) throw new Error(`${reads - found} misses`)
  return found
}

/** Does something with each item, so many at once, each worker with the next item as soon as it is done with one. */
async function eachOf<T>(items: readonly T[], workers: number, act: (item: T, index: number) => Promise<unknown>) {
  let next = 0
  const work = async () => {
    while (next < items.length) {
      const index = next++
      await act(items[index] as T, index)
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
}
