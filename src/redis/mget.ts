import type { Bucket } from './bucket.ts'

/** The most keys of one MGET, beside those that its readers have in common. */
const KEYS_MOST = 256

/**
 * So many readers get their values before those of the others are looked at: what they ask for next is on its way to
 * Redis meanwhile.
 */
const ANSWERED_AT_ONCE = 32

export type Values = readonly (Buffer | null)[]

/** A key of one bucket, and who wants its value. */
export interface Read {
  readonly key: string
  /** Further keys, which other readers ask for too, by the very same list. */
  readonly common: readonly string[]
  /**
   * Gets the value of the key, those of the common keys in their order, and when the command was sent (monotonic ms). Readers
   * who asked by the same list of common keys get the same list of values.
   */
  done(value: Buffer | null, common: Values, sentAt: number): void
  failed(error: unknown): void
}

/** Common keys, and their places in a command. */
interface Common {
  readonly keys: readonly string[]
  readonly places: readonly number[]
}

/** One MGET, for some reads of one bucket. Each key is in it once. */
export class Mget {
  readonly bucket: Bucket
  readonly keys: string[] = []
  /** Monotonic ms. */
  readonly sentAt: number
  readonly #reads: readonly Read[]
  /** The places of the reads' own keys; `undefined`: those of the reads. */
  readonly #places: number[] | undefined
  readonly #common: Common[] = []

  constructor(bucket: Bucket, reads: readonly Read[], sentAt: number) {
    this.bucket = bucket
    this.#reads = reads
    this.sentAt = sentAt
    const { keys } = this
    const taken = reads.length === 1 ? undefined : new Map<string, number>()
    const places: number[] = []
    for (const { key } of reads) places.push(taken ? placeIn(keys, taken, key) : keys.push(key) - 1)
    this.#places = keys.length === reads.length ? undefined : places
    for (const read of reads) {
      if (this.#commonOf(read) >= 0) continue
      const ofCommon = read.common.map((key) => (taken ? placeIn(keys, taken, key) : keys.push(key) - 1))
      this.#common.push({ keys: read.common, places: ofCommon })
    }
  }

  /** Hands the values of its keys to the reads. */
  answered(values: Values): void {
    const common = this.#common.map(({ places }) => places.map((place) => values[place] ?? null))
    let next = 0
    const some = () => {
      const end = Math.min(next + ANSWERED_AT_ONCE, this.#reads.length)
      for (; next < end; next++) {
        const read = this.#reads[next] as Read
        const value = values[this.#places?.[next] ?? next] ?? null
        read.done(value, common[this.#commonOf(read)] as Values, this.sentAt)
      }
      // Behind the tick in which what those ask for next will be sent.
      if (next < this.#reads.length) process.nextTick(() => process.nextTick(some))
    }
    some()
  }

  #commonOf({ common }: Read): number {
    // Most often all have the same.
    return this.#common[0]?.keys === common ? 0 : this.#common.findIndex(({ keys }) => keys === common)
  }

  failed(error: unknown): void {
    for (const read of this.#reads) read.failed(error)
  }
}

/** The commands that some reads of one bucket take: one, unless their keys are too many for one. */
export function mgetsOf(bucket: Bucket, reads: readonly Read[], sentAt: number): Mget[] {
  if (reads.length <= KEYS_MOST) return [new Mget(bucket, reads, sentAt)]
  const mgets: Mget[] = []
  for (let start = 0; start < reads.length; start += KEYS_MOST) {
    mgets.push(new Mget(bucket, reads.slice(start, start + KEYS_MOST), sentAt))
  }
  return mgets
}

/** The place of a key in the command; a new key takes the next one. */
function placeIn(keys: string[], taken: Map<string, number>, key: string): number {
  const place = taken.get(key)
  if (place !== undefined) return place
  taken.set(key, keys.length)
  return keys.push(key) - 1
}
