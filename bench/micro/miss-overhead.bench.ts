import { Redis } from 'ioredis'
import { pack, unpack } from 'msgpackr'
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { pairedRounds } from '../harness/paired-rounds.ts'
import { productOf } from './records.ts'
import type { PairedOptions } from '../harness/paired-rounds.ts'
import type { Scenario } from '../harness/scenario.ts'
import type { Variant, Variants, Work } from '../harness/variant.ts'
import type { Product } from './records.ts'

const LOADS = 10_000
const CALLERS = 16
const TTL_MS = 600_000

const paired: PairedOptions = {
  bench: import.meta.url,
  subject: 'tiercache',
  reference: 'GET and SET',
  unit: 'µs per load',
  figureOf: ({ ms, operations }: Work) => Number(((ms * 1000) / operations).toPrecision(4)),
  pairs: 5,
  rounds: 9,
  warmUps: 3,
}

export const missOverhead: Scenario = {
  name: 'miss-overhead',
  work: '`getOrSet` of 10,000 cold keys, 16 callers at once: L2, lease, loader (which answers at once), commit; time per load',
  reference: '`getBuffer` of ioredis, the same loader, `pack` and `SET` with `PX`',
  expects:
    'That one process of all loads, and that nothing outdated is stored, charges at most two and a half times what two bare round trips do.',
  bar: { most: 2.5 },
  nodes: [24],
  run: (node, tell) => pairedRounds(paired, node, tell),
  compare: (against, node, tell) => pairedRounds({ ...paired, against }, node, tell),
}

type Read = (key: string, id: number) => Promise<Product | undefined>

export const variants: Variants = {
  tiercache: async ({ redisUrl }) => {
    const cache = createCache({ redis: redisUrl, commandTimeout: '10s' })
    await once(cache, 'connected')
    const read: Read = (key, id) => cache.getOrSet(key, () => productOf(id), { ttl: TTL_MS })
    return { ...loading(read), close: () => cache.close() }
  },
  'GET and SET': async ({ redisUrl }) => {
    const redis = new Redis(redisUrl)
    const read: Read = async (key, id) => {
      const bytes = await redis.getBuffer(`plain:${key}`)
      if (bytes !== null) return unpack(bytes) as Product
      const product = productOf(id)
      await redis.set(`plain:${key}`, pack(product), 'PX', TTL_MS)
      return product
    }
    return { ...loading(read), close: async () => redis.disconnect() }
  },
}

/** Each round has keys that nobody asked for before. */
function loading(read: Read): Variant {
  let last = 0
  const loadAll = async () => {
    const end = last + LOADS
    const work = async () => {
      while (last < end) {
        const id = last++
        if ((await read(`cold:${process.pid}:${id}`, id)) === undefined) throw new Error('no value')
      }
    }
    await Promise.all(Array.from({ length: CALLERS }, work))
    return LOADS
  }
  return { work: loadAll }
}
