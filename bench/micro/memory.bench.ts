import { LRUCache } from 'lru-cache'
import { pack, unpack } from 'msgpackr'
import { createCache } from 'tiercache'
import { collectGarbage } from '../harness/garbage.ts'
import { startProgram } from '../harness/program.ts'
import { summarize } from '../harness/statistics.ts'
import { keysOf, productOf } from './records.ts'
import type { Scenario } from '../harness/scenario.ts'
import type { Variant, Variants, Work } from '../harness/variant.ts'
import type { Product } from './records.ts'

const ENTRIES = 100_000
const TTL_MS = 3_600_000
const PAIRS = 3
const SUBJECT = 'tiercache'
const REFERENCE = 'lru-cache'

export const memory: Scenario = {
  name: 'memory',
  work: 'heap per entry of L1: 100,000 entries of 300 bytes with a `ttl`',
  reference: '`lru-cache` with `ttl`, the same values',
  expects: 'What an entry knows of itself beside its value takes little.',
  bar: undefined,
  nodes: [24],
  run: async (node, tell) => {
    const file = new URL('../harness/variant-process.js', import.meta.url)
    const rounds = []
    for (let pair = 1; pair <= PAIRS; pair++) {
      const figures: Record<string, number> = {}
      for (const name of [SUBJECT, REFERENCE]) {
        const program = await startProgram(file, [import.meta.url, name, '{}'], node)
        const { operations } = await program.ask<Work>('round')
        await program.ask('close')
        await program.stop()
        figures[name] = operations
      }
      tell(`pair ${pair}: ${JSON.stringify(figures)}`)
      rounds.push({ pair, figures })
    }
    const of = (name: string, { figures }: { figures: Record<string, number> }) => figures[name] ?? Number.NaN
    const more = summarize(rounds.map((round) => of(SUBJECT, round) - of(REFERENCE, round)))
    return {
      unit: 'bytes per entry',
      rounds,
      ratio: summarize(rounds.map((round) => of(SUBJECT, round) / of(REFERENCE, round))),
      conditions: { 'bytes of an entry beyond those of lru-cache': { figure: more.median, most: 160 } },
    }
  },
}

/** What is filled and counted. */
interface Store {
  put(key: string, product: Product): Promise<unknown>
  count(): number
}

/** The answer is no count of operations but of bytes. */
export const variants: Variants = {
  [SUBJECT]: async () =>
    filling(() => {
      const cache = createCache({ l1: { maxEntries: ENTRIES, maxBytes: 2 ** 30 } })
      return {
        put: (key, product) => cache.set(key, product, { ttl: TTL_MS }),
        count: () => cache.stats().l1Entries,
      }
    }),
  [REFERENCE]: async () =>
    filling(() => {
      const lru = new LRUCache<string, Product>({ max: ENTRIES, ttl: TTL_MS })
      return {
        put: async (key, product) => lru.set(key, unpack(pack(product)) as Product),
        count: () => lru.size,
      }
    }),
}

function filling(open: () => Store): Variant {
  return {
    work: async () => {
      // What is compiled, and what is made once, is there before bytes are counted.
      await fill(open(), keysOf(1000))
      const keys = keysOf(ENTRIES)
      const before = heapBytes()
      const store = open()
      await fill(store, keys)
      const bytes = heapBytes() - before
      if (store.count() !== ENTRIES) throw new Error(`${store.count()} entries`)
      return Math.round(bytes / ENTRIES)
    },
  }
}

async function fill(store: Store, keys: readonly string[]): Promise<void> {
  for (const [id, key] of keys.entries()) await store.put(key, productOf(id))
}

function heapBytes(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
