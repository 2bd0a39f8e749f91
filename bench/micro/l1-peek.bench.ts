import { setTimeout } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { pairedRounds } from '../harness/paired-rounds.ts'
import { seeded, shuffled } from '../harness/random.ts'
import { keysOf, productOf } from './records.ts'
import type { PairedOptions } from '../harness/paired-rounds.ts'
import type { Scenario } from '../harness/scenario.ts'
import type { Variant, Variants } from '../harness/variant.ts'
import type { Product } from './records.ts'

const KEYS = 1000
const PASSES = 200
const TTL_MS = 3_600_000

const paired: PairedOptions = {
  bench: import.meta.url,
  subject: 'tiercache',
  reference: 'lru-cache',
  unit: 'reads/s',
  pairs: 5,
  rounds: 15,
  warmUps: 8,
}

export const l1Peek: Scenario = {
  name: 'l1-peek',
  work: '`cache.peek(key)` over 1,000 hot keys in L1, with tags and Redis behind',
  reference: '`get` of `lru-cache` with `ttl` and an exact clock (`ttlResolution: 0`)',
  expects: 'Without a promise, what tags and the bound on staleness charge is seen.',
  bar: 0.8,
  nodes: [24],
  run: (node, tell) => pairedRounds(paired, node, tell),
  compare: (against, node, tell) => pairedRounds({ ...paired, against }, node, tell),
}

export const variants: Variants = {
  tiercache: async ({ redisUrl }) => {
    const cache = createCache({ redis: redisUrl })
    await once(cache, 'connected')
    const keys = keysOf(KEYS)
    const options = { ttl: TTL_MS, tags: ['catalogue', 'products'] }
    const prepare = async () => {
      // The first to store something begins the chain of notices, and drops what it had in L1 before it heard of that.
      while (keys.some((key) => cache.peek(key) === undefined)) {
        for (const [id, key] of keys.entries()) await cache.getOrSet(key, () => productOf(id), options)
        await setTimeout(10)
      }
    }
    return { ...reading(keys, (key) => cache.peek<Product>(key)), prepare, close: () => cache.close() }
  },
  'lru-cache': async () => {
    const lru = new LRUCache<string, Product>({ max: 10_000, ttl: TTL_MS, ttlResolution: 0 })
    const keys = keysOf(KEYS)
    for (const [id, key] of keys.entries()) lru.set(key, productOf(id))
    return reading(keys, (key) => lru.get(key))
  },
}

function reading(keys: readonly string[], read: (key: string) => Product | undefined): Variant {
  const order = shuffled(keys, seeded(1))
  return {
    work: async () => {
      let found = 0
      for (let pass = 0; pass < PASSES; pass++) for (const key of order) if (read(key) !== undefined) found++
      if (found !== PASSES * KEYS) throw new Error(`${PASSES * KEYS - found} misses`)
      return found
    },
  }
}
