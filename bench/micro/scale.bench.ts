import { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { pack, unpack } from 'msgpackr'
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { startProgram } from '../harness/program.ts'
import { seeded, shuffled } from '../harness/random.ts'
import { startRedis } from '../../test/doubles/redis.ts'
import { summarize } from '../harness/statistics.ts'
import { redisVersion } from '../harness/versions.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { Variant, VariantContext, Variants, Work } from '../harness/variant.ts'

const SIZES = [1e3, 1e5, 1e6]
const TAGGED = [10, 1e3, 1e6]
const ROUNDS = 5
const WARM_UPS = 2
const L1_READS = 200_000
const L2_READS = 100_000
const READERS = 64
const INVALIDATIONS = 100
const TTL_MS = 3_600_000
const TEMPLATE = 'template'

const valueAt = (id: number) => ({ id, name: `Product number ${id}`, price: id / 100 })
type Value = ReturnType<typeof valueAt>

export const scale: Scenario = {
  name: 'scale',
  work: '`getOrSet` from L1 with 1,000,000 keys: how much slower than with 1,000',
  reference: 'how much slower `lru-cache` becomes, since a larger one fits no CPU cache',
  expects: 'Nothing is slower for there being more of it: neither hits, nor the invalidation of a tag.',
  bar: { most: 1.5 },
  nodes: [24],
  run,
}

/** What is measured at each size: tiercache and, to tell what CPU caches and Redis do to it, something plain. */
const L1 = ['L1', 'lru-cache'] as const
const L2 = ['L2', 'MGET'] as const

async function run(node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const redis = await startRedis()
  try {
    const rounds: Round[] = []
    const growth: Record<string, number[]> = { L1: [], L2: [] }
    const reported: Record<string, Record<string, number>> = {}
    const least: Record<string, number[]> = {}
    const admin = new Redis(redis.url)
    for (const [pair, size] of SIZES.entries()) {
      await seed(redis.url, admin, pair === 0 ? 0 : (SIZES[pair - 1] as number), size)
      const figures = await measure(node, { redisUrl: redis.url, cluster: [] }, size)
      for (const each of figures) rounds.push({ pair: pair + 1, figures: each })
      const row: Record<string, number> = {}
      for (const [subject, reference] of [L1, L2]) {
        const ratios = figures.map((each) => (each[subject] ?? Number.NaN) / (each[reference] ?? Number.NaN))
        least[subject] ??= ratios
        row[`${subject}: speed against ${reference}`] = Number(summarize(ratios).median.toPrecision(3))
        if (size === SIZES.at(-1)) growth[subject] = quotients(least[subject], ratios)
      }
      const shown = `${size.toLocaleString('en')} keys`
      reported[shown] = row
      tell(`${shown}: ${JSON.stringify(row)}`)
    }
    admin.disconnect()
    const tags = await invalidations(node, redis.url, tell)
    return {
      unit: 'reads/s',
      rounds,
      ratio: summarize(growth.L1 ?? []),
      conditions: {
        'the same of L2, against a bare MGET of 64 keys': { figure: summarize(growth.L2 ?? []).median, most: 1.5 },
        'invalidateTags with 1,000,000 entries against 10': { figure: tags, most: 1.5 },
      },
      reported,
      versions: { redis: await redisVersion(redis.url) },
    }
  } finally {
    await redis.stop()
  }
}

function quotients(first: readonly number[], last: readonly number[]): number[] {
  return last.map((ratio, index) => (first[index] ?? Number.NaN) / ratio)
}

async function measure(node: NodeBinary, context: VariantContext, size: number): Promise<Record<string, number>[]> {
  const names = [...L1, ...L2]
  const programs = await Promise.all(names.map((name) => start(node, `${name} ${size}`, context)))
  try {
    const rounds: Record<string, number>[] = []
    for (let round = -WARM_UPS; round < ROUNDS; round++) {
      const figures: Record<string, number> = {}
      for (const [index, program] of programs.entries()) {
        const { operations, ms } = await program.ask<Work>('round')
        figures[names[index] as string] = Math.round((operations / ms) * 1000)
      }
      if (round >= 0) rounds.push(figures)
    }
    return rounds
  } finally {
    await Promise.all(programs.map((program) => program.stop()))
  }
}

function start(node: NodeBinary, variant: string, context: VariantContext): Promise<Program> {
  return startProgram(
    new URL('../harness/variant-process.js', import.meta.url),
    [import.meta.url, variant, JSON.stringify(context)],
    node,
  )
}

/** How much longer it takes to invalidate a tag of the most entries than one of the fewest. */
async function invalidations(node: NodeBinary, redisUrl: string, tell: (line: string) => void): Promise<number> {
  const medians: number[] = []
  for (const count of TAGGED) {
    const program = await start(node, `tagged ${count}`, { redisUrl, cluster: [] })
    try {
      const times: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const { operations, ms } = await program.ask<Work>('round')
        times.push((ms * 1000) / operations)
      }
      medians.push(summarize(times).median)
    } finally {
      await program.stop()
    }
    tell(`invalidateTags with ${count.toLocaleString('en')} entries: ${medians.at(-1)?.toFixed(0)} µs`)
  }
  return (medians.at(-1) ?? Number.NaN) / (medians[0] ?? Number.NaN)
}

/** Puts entries and plain values from one number to another into Redis. Entries are copies of one that a cache has stored. */
async function seed(redisUrl: string, admin: Redis, from: number, to: number): Promise<void> {
  await copies(redisUrl, admin, from, to, [])
  for (let start = from; start < to; start += 1000) {
    const ids = Array.from({ length: Math.min(1000, to - start) }, (_, index) => start + index)
    await admin.mset(...ids.flatMap((id) => [`plain:${id}`, pack(valueAt(id))]))
  }
}

async function copies(
  redisUrl: string,
  admin: Redis,
  from: number,
  to: number,
  tags: readonly string[],
): Promise<void> {
  const cache = createCache({ redis: redisUrl })
  await once(cache, 'connected')
  await cache.set(TEMPLATE, valueAt(1), { ttl: TTL_MS, tags })
  await cache.close()
  const [name = ''] = await admin.keys(`*${TEMPLATE}`)
  const bytes = await admin.getBuffer(name)
  if (!bytes) throw new Error('the template of all entries is not there')
  for (let start = from; start < to; start += 1000) {
    const ids = Array.from({ length: Math.min(1000, to - start) }, (_, index) => start + index)
    await admin.mset(...ids.flatMap((id) => [name.replace(TEMPLATE, keyOf(id)), bytes]))
  }
}

function keyOf(id: number): string {
  return `k:${id}`
}

export const variants: Variants = {
  ...bySize(SIZES, 'L1', l1),
  ...bySize(SIZES, 'lru-cache', lru),
  ...bySize(SIZES, 'L2', l2),
  ...bySize(SIZES, 'MGET', plain),
  ...bySize(TAGGED, 'tagged', tagged),
}

function bySize(
  sizes: readonly number[],
  name: string,
  open: (size: number, context: VariantContext) => Promise<Variant>,
): Variants {
  return Object.fromEntries(
    sizes.map((size) => [`${name} ${size}`, (context: VariantContext) => open(size, context)] as const),
  )
}

async function l1(size: number): Promise<Variant> {
  const cache = createCache({ l1: { maxEntries: size, maxBytes: 2 ** 32 } })
  for (let id = 0; id < size; id++) await cache.set(keyOf(id), valueAt(id), { ttl: TTL_MS })
  return reading(size, L1_READS, 1, (key) => cache.getOrSet<Value>(key, fail))
}

async function lru(size: number): Promise<Variant> {
  const cache = new LRUCache<string, Value>({ max: size, ttl: TTL_MS, ttlResolution: 0 })
  for (let id = 0; id < size; id++) cache.set(keyOf(id), unpack(pack(valueAt(id))) as Value)
  return reading(size, L1_READS, 1, async (key) => cache.get(key))
}

async function l2(size: number, { redisUrl }: VariantContext): Promise<Variant> {
  const cache = createCache({ redis: redisUrl, l1: false, commandTimeout: '10s' })
  await once(cache, 'connected')
  return reading(size, L2_READS, READERS, (key) => cache.getOrSet<Value>(key, fail))
}

/**
 * What is asked for in one tick by one MGET, as the subject asks: what is farther from the CPU with more keys, in Redis and here, costs each key
 * of an MGET as much as one of a GET, which takes several times as long.
 */
async function plain(size: number, { redisUrl }: VariantContext): Promise<Variant> {
  const redis = new Redis(redisUrl)
  let waiting: { readonly key: string; readonly resolve: (bytes: Buffer | null | undefined) => void }[] = []
  const send = async () => {
    const asked = waiting
    waiting = []
    const found = await redis.mgetBuffer(...asked.map(({ key }) => key))
    for (const [index, { resolve }] of asked.entries()) resolve(found[index])
  }
  return reading(size, L2_READS, READERS, async (key) => {
    const bytes = await new Promise<Buffer | null | undefined>((resolve) => {
      if (waiting.push({ key: `plain${key.slice(1)}`, resolve }) === 1) process.nextTick(send)
    })
    return bytes ? (unpack(bytes) as Value) : undefined
  })
}

/** So many entries of one tag in Redis, as many of them in L1 as it holds by default. */
async function tagged(size: number, { redisUrl }: VariantContext): Promise<Variant> {
  const tag = `of ${size}`
  const admin = new Redis(redisUrl)
  await copies(redisUrl, admin, 0, size, [tag])
  admin.disconnect()
  const cache = createCache({ redis: redisUrl, commandTimeout: '10s' })
  await once(cache, 'connected')
  for (let id = 0; id < Math.min(size, 10_000); id++) await cache.getOrSet<Value>(keyOf(id), fail)
  return {
    work: async () => {
      for (let done = 0; done < INVALIDATIONS; done++) {
        const { acknowledged } = await cache.invalidateTags(tag)
        if (!acknowledged) throw new Error('not acknowledged')
      }
      return INVALIDATIONS
    },
    close: () => cache.close(),
  }
}

function fail(): never {
  throw new Error('a hit was expected')
}

/** Each round goes on where the last one ended, so that with many keys none is read twice in a row. */
function reading(
  size: number,
  reads: number,
  readers: number,
  read: (key: string) => Promise<Value | undefined>,
): Variant {
  const order = shuffled(
    Array.from({ length: size }, (_, id) => keyOf(id)),
    seeded(1),
  )
  let next = 0
  return {
    work: async () => {
      const end = next + reads
      const one = async () => {
        while (next < end) {
          if ((await read(order[next++ % size] as string)) === undefined) throw new Error('a hit was expected')
        }
      }
      await Promise.all(Array.from({ length: readers }, one))
      return reads
    },
  }
}
