import type { Cache } from '../../src/cache/cache.ts'
import type { Loader } from '../../src/cache/load-context.ts'
import type { Outcome } from '../../src/cache/write-through.ts'

/** What every value of the model is: it names its key, and the version that the database had given. */
export interface Value {
  readonly key: string
  readonly version: number
}

/** A key of the model. */
export interface ModelKey {
  /** What it is called in the history: `namespace:key`. */
  readonly name: string
  /** `''` for the root. */
  readonly namespace: string
  readonly key: string
  readonly tags: readonly string[]
}

/** One call, as the driver asks a process for it. */
export interface Call {
  readonly operation: OperationName
  readonly key: ModelKey
  /** What a `set` stores. */
  readonly value?: Value
}

/** What a read came to. */
export interface Answer {
  readonly value?: unknown
  readonly freshness?: 'fresh' | 'stale'
  readonly tier?: 'l1' | 'l2' | 'loader'
  readonly joined?: boolean
}

interface ReadOperation {
  readonly kind: 'read'
  readonly weight: number
  run(cache: Cache, call: Call, load: Loader<unknown>): Promise<Answer> | Answer
}

interface WriteOperation {
  readonly kind: 'write'
  readonly weight: number
  /** Which keys it makes others. */
  readonly covers: 'key' | 'namespace' | 'tag' | 'everything' | 'nothing'
  /** Old values may go on being served as stale ones. */
  readonly isSoft?: boolean
  /** Two at one time by different processes have no promised order. */
  readonly isExclusive?: boolean
  run(cache: Cache, call: Call, root: Cache): Promise<Outcome>
}

/** How long `touch` lets an entry live on. */
const TOUCH_MS = 20_000

function tagged({ key }: Call): { tags: readonly string[] } | undefined {
  return key.tags.length > 0 ? { tags: key.tags } : undefined
}

/** The operations, by the name that the history gives them. */
export const operations = {
  getOrSet: {
    kind: 'read',
    weight: 3,
    run: async (cache, call, load) => ({ value: await cache.getOrSet(call.key.key, load, tagged(call)) }),
  },
  getOrSetEntry: {
    kind: 'read',
    weight: 9,
    run: async (cache, call, load) => {
      const { value, freshness, tier, shared } = await cache.getOrSetEntry(call.key.key, load, tagged(call))
      return { value, freshness, tier, joined: shared }
    },
  },
  get: {
    kind: 'read',
    weight: 2,
    run: async (cache, { key }) => ({ value: await cache.get(key.key), freshness: 'fresh' }),
  },
  getEntry: {
    kind: 'read',
    weight: 3,
    run: async (cache, { key }) => {
      const entry = await cache.getEntry(key.key)
      return entry ? { value: entry.value, freshness: entry.freshness, tier: entry.tier } : {}
    },
  },
  peek: {
    kind: 'read',
    weight: 2,
    run: (cache, { key }) => ({ value: cache.peek(key.key), freshness: 'fresh', tier: 'l1' }),
  },
  delete: {
    kind: 'write',
    weight: 8,
    covers: 'key',
    run: (cache, { key }) => cache.delete(key.key),
  },
  set: {
    kind: 'write',
    weight: 5,
    covers: 'key',
    isExclusive: true,
    run: (cache, call) => cache.set(call.key.key, call.value, tagged(call)),
  },
  clear: {
    kind: 'write',
    weight: 2,
    covers: 'namespace',
    run: (cache) => cache.clear(),
  },
  clearEverything: {
    kind: 'write',
    weight: 0.15,
    covers: 'everything',
    run: (_cache, _call, root) => root.clear(),
  },
  invalidateTags: {
    kind: 'write',
    weight: 5,
    covers: 'tag',
    run: (cache, { key }) => cache.invalidateTags(...key.tags),
  },
  expireTags: {
    kind: 'write',
    weight: 2,
    covers: 'tag',
    isSoft: true,
    run: (cache, { key }) => cache.expireTags(...key.tags),
  },
  expire: {
    kind: 'write',
    weight: 2,
    covers: 'key',
    isSoft: true,
    run: (cache, { key }) => cache.expire(key.key),
  },
  touch: {
    kind: 'write',
    weight: 1,
    covers: 'nothing',
    run: (cache, { key }) => cache.touch(key.key, TOUCH_MS),
  },
} as const satisfies Record<string, ReadOperation | WriteOperation>

export type OperationName = keyof typeof operations

/** A row of the table. */
export function operationOf(name: OperationName): ReadOperation | WriteOperation {
  return operations[name]
}

/** The weights of the reads, or of the writes, but for some. */
export function weightsOf(
  kind: 'read' | 'write',
  without: readonly OperationName[] = [],
): Partial<Record<OperationName, number>> {
  const weights: Partial<Record<OperationName, number>> = {}
  for (const name of Object.keys(operations) as OperationName[]) {
    const row = operationOf(name)
    if (row.kind === kind && !without.includes(name)) weights[name] = row.weight
  }
  return weights
}
