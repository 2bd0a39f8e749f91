/** One process of `redis-down`: `redis-down-process.js <L1 and L2|L1 alone> <url of Redis>`. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { collectGarbage } from '../harness/garbage.ts'
import { answerQuestions } from '../harness/program.ts'
import { seeded } from '../harness/random.ts'
import { quantile } from '../harness/statistics.ts'
import { keysOf, productOf } from '../micro/records.ts'
import type { Cache, LoadOptions } from 'tiercache'

/** What the readers of a while saw. */
export interface Load {
  readonly reads: number
  readonly ms: number
  readonly p99Us: number
  readonly coldP50Us: number
  readonly longestMs: number
}

const READERS = 8
const HOT = 1000
const OPTIONS: LoadOptions = { ttl: '1h', stale: '10m' }

let unhandled = 0
process.on('unhandledRejection', () => unhandled++)

const [, , form = '', redisUrl = ''] = process.argv
const cache = await open()
let isOpen = false
cache.on('breaker', ({ to }) => {
  isOpen = to !== 'closed'
})
const hot = keysOf(HOT)
for (const [id, key] of hot.entries()) await cache.getOrSet(key, () => productOf(id), OPTIONS)

answerQuestions({
  'collect garbage': collectGarbage,
  'load for': (ms: number) => {
    const endsAt = performance.now() + ms
    return load(() => performance.now() >= endsAt)
  },
  'load until the breaker is open': () => load(() => isOpen),
  'load until the breaker is closed': () => load(() => !isOpen),
  'unhandled rejections': () => unhandled,
})

async function open(): Promise<Cache> {
  if (form === 'L1 alone') return createCache()
  const shared = createCache({ redis: redisUrl })
  shared.on('warning', () => {})
  await once(shared, 'connected')
  return shared
}

const random = seeded(1)
let colds = 0

/** Eight readers, each with one read in a turn of the event loop, as requests come. */
async function load(isOver: () => boolean): Promise<Load> {
  const latencies: number[] = []
  const coldLatencies: number[] = []
  const startedAt = performance.now()
  const reader = async () => {
    while (!isOver()) {
      const read = nextRead()
      const askedAt = performance.now()
      await read.ask()
      const ms = performance.now() - askedAt
      latencies.push(ms)
      if (read.isCold) coldLatencies.push(ms)
      await nextTurn()
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  const ms = performance.now() - startedAt
  return {
    reads: latencies.length,
    ms,
    p99Us: quantile(latencies, 0.99) * 1000,
    coldP50Us: coldLatencies.length === 0 ? 0 : quantile(coldLatencies, 0.5) * 1000,
    longestMs: latencies.reduce((longest, each) => Math.max(longest, each), 0),
  }
}

interface Read {
  readonly isCold: boolean
  ask(): Promise<unknown>
}

const product = productOf(1)

/** The loader answers at once: what is measured is the cache. */
const loader = () => product

/** Of a hundred reads 71 are `getOrSet` of a hot key, 15 `get` of one, 9 `getOrSet` of a cold one, 5 `get` of one. */
function nextRead(): Read {
  const chance = random()
  const isCold = chance >= 0.86
  const key = isCold ? `cold:${colds++}` : (hot[Math.floor(random() * HOT)] as string)
  const isGet = isCold ? chance >= 0.95 : chance >= 0.71
  return { isCold, ask: isGet ? () => cache.get(key) : () => cache.getOrSet(key, loader, OPTIONS) }
}
