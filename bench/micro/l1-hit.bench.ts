import { LRUCache } from 'lru-cache'
import { Registry } from 'prom-client'
import { createCache } from 'tiercache'
import { prometheus } from 'tiercache/metrics/prometheus'
import { once } from '../harness/events.ts'
import { pairedRounds } from '../harness/paired-rounds.ts'
import { installedPeers, openPeer, peerVariants, peerVersions } from '../harness/peers.ts'
import { seeded, shuffled } from '../harness/random.ts'
import { keysOf, onceFor, productOf } from './records.ts'
import type { Cache, LoadOptions } from 'tiercache'
import type { PairedOptions } from '../harness/paired-rounds.ts'
import type { PeerName } from '../harness/peers.ts'
import type { Scenario } from '../harness/scenario.ts'
import type { Variant, VariantContext, Variants } from '../harness/variant.ts'
import type { Product } from './records.ts'

const KEYS = 1000
const PASSES = 200
/** Most peers take 20 to 50 times as long. */
const PEER_PASSES = 10
const TTL_MS = 3_600_000

const paired: PairedOptions = {
  bench: import.meta.url,
  subject: 'tiercache',
  reference: 'lru-cache',
  also: ['tiercache, L1 alone'],
  unit: 'reads/s',
  pairs: 7,
  rounds: 15,
  warmUps: 8,
}

export const l1Hit: Scenario = {
  name: 'l1-hit',
  work: '`await cache.getOrSet(key, loader, options)` over 1,000 hot keys in L1, with tags, stale, metrics, and Redis behind',
  reference: '`lru-cache` with `ttl` and an exact clock (`ttlResolution: 0`), `get` in an async function',
  expects: 'A hit with all features on charges no more than a plain lru-cache behind an await.',
  bar: 1,
  nodes: [24, 20],
  // One of the peers asks for Node 22.
  run: (node, tell) => (node.major >= 22 ? withPeers(node, tell) : pairedRounds(paired, node, tell)),
  compare: (against, node, tell) => pairedRounds({ ...paired, against }, node, tell),
}

const withPeers: Scenario['run'] = (node, tell) => {
  const also = [...(paired.also ?? []), ...installedPeers(tell)]
  return pairedRounds({ ...paired, also, versions: peerVersions() }, node, tell)
}

export const variants: Variants = {
  tiercache: async ({ redisUrl }) => {
    const cache = createCache({ redis: redisUrl })
    await once(cache, 'connected')
    return tiered(cache)
  },
  'tiercache, L1 alone': () => tiered(createCache()),
  'lru-cache': async () => {
    const lru = new LRUCache<string, Product>({ max: 10_000, ttl: TTL_MS, ttlResolution: 0 })
    const keys = keysOf(KEYS)
    for (const [id, key] of keys.entries()) lru.set(key, productOf(id))
    return reading(keys, async (key) => lru.get(key))
  },
  ...peerVariants(peer),
}

/** Without tags, stale and metrics, as it comes. */
async function peer(name: PeerName, { redisUrl }: VariantContext): Promise<Variant> {
  const keys = keysOf(KEYS)
  const { read, close } = await openPeer(name, 'inMemory', { redisUrl, ttlMs: TTL_MS, load: onceFor(KEYS) })
  for (const key of keys) await read(key)
  return { ...reading(keys, read, PEER_PASSES), close }
}

async function tiered(cache: Cache): Promise<Variant> {
  prometheus(cache, { register: new Registry() })
  const keys = keysOf(KEYS)
  const options: LoadOptions = { ttl: TTL_MS, stale: '10m', tags: ['catalogue', 'products'] }
  const fail = () => {
    throw new Error('a hit was expected')
  }
  for (const [id, key] of keys.entries()) await cache.getOrSet(key, () => productOf(id), options)
  return { ...reading(keys, (key) => cache.getOrSet<Product>(key, fail, options)), close: () => cache.close() }
}

/** The loop that all variants share, each in its own process. */
function reading(
  keys: readonly string[],
  read: (key: string) => Promise<Product | undefined>,
  passes = PASSES,
): Variant {
  const order = shuffled(keys, seeded(1))
  return {
    work: async () => {
      let found = 0
      for (let pass = 0; pass < passes; pass++) {
        for (const key of order) if ((await read(key)) !== undefined) found++
      }
      if (found !== passes * KEYS) throw new Error(`${passes * KEYS - found} misses`)
      return found
    },
  }
}
