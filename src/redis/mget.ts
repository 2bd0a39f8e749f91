import type { Bucket } from './bucket.ts'

/** The most keys of one MGET, beside those that its readers have in common. */
const KEYS_MOST = 256

/**
 * So many readers get their values before those of the others are looked at: what they ask for next is on its way to
 * Redis meanwhile.
 */
const ANSWERED_AT_ONCE = 32

export type Values = readonly (Buffer | null)[]

/** Some keys of one bucket, and who wants their values. */
export interface Read {
  readonly keys: readonly string[]
  /** Further keys, which other readers ask for too, by the very same list. */
  readonly common: readonly string[]
  /**
   * Gets the values in the order of the keys, and when the command was sent (monotonic ms). Readers who asked by the same
   * list of common keys get the same list of values.
   */
  readonly done: (values: Values, common: Values, sentAt: number) => void
  readonly failed: (error: unknown) => void
}

/** One MGET, for some reads of one bucket. Each key is in it once. */
export class Mget {
  readonly bucket: Bucket
  readonly keys: readonly string[]
  /** Monotonic ms. */
  readonly sentAt: number
  readonly #reads: readonly Read[]
  /** The places of the reads' own keys, one read after the other; one that is alone has them in its own order. */
  readonly #places: readonly number[] | undefined
  /** The places of common keys, by their list. */
  readonly #common = new Map<readonly string[], readonly number[]>()

  constructor(bucket: Bucket, reads: readonly Read[], sentAt: number) {
    this.bucket = bucket
    this.#reads = reads
    this.sentAt = sentAt
    if (reads.length === 1) {
      const { keys, common } = reads[0] as Read
      this.keys = [...keys, ...common]
      return
    }
    const taken = new Map<string, number>()
    const places: number[] = []
    for (const { keys, common } of reads) {
      for (const key of keys) places.push(placeIn(taken, key))
      if (!this.#common.has(common)) {
        this.#common.set(
          common,
          common.map((key) => placeIn(taken, key)),
        )
      }
    }
    this.#places = places
    this.keys = [...taken.keys()]
  }

  /** Hands the values of its keys to the reads. */
  answered(values: Values): void {
    if (this.#places) this.#handOut(values, this.#places)
    else this.#handToOne(values, this.#reads[0] as Read)
  }

  #handToOne(values: Values, { keys, done }: Read): void {
    done(values.slice(0, keys.length), values.slice(keys.length), this.sentAt)
  }

  #handOut(values: Values, places: readonly number[]): void {
    const common = new Map<readonly string[], Values>()
    for (const [keys, of] of this.#common) {
      common.set(
        keys,
        of.map((place) => values[place] ?? null),
      )
    }
    let next = 0
    let place = 0
    const some = () => {
      const end = Math.min(next + ANSWERED_AT_ONCE, this.#reads.length)
      for (; next < end; next++) {
        const read = this.#reads[next] as Read
        const found: (Buffer | null)[] = []
        for (const _ of read.keys) found.push(values[places[place++] as number] ?? null)
        read.done(found, common.get(read.common) as Values, this.sentAt)
      }
      // Behind the tick in which what those ask for next will be sent.
      if (next < this.#reads.length) process.nextTick(() => process.nextTick(some))
    }
    some()
  }

  failed(error: unknown): void {
    for (const { failed } of this.#reads) failed(error)
  }
}

/** The commands that some reads of one bucket take: one, unless their keys are too many for one. */
export function mgetsOf(bucket: Bucket, reads: readonly Read[], sentAt: number): Mget[] {
  const mgets: Mget[] = []
  let start = 0
  let count = 0
  for (let index = 0; index < reads.length; index++) {
    count += (reads[index] as Read).keys.length
    if (count < KEYS_MOST && index < reads.length - 1) continue
    mgets.push(
      new Mget(bucket, start === 0 && index === reads.length - 1 ? reads : reads.slice(start, index + 1), sentAt),
    )
    start = index + 1
    count = 0
  }
  return mgets
}

/** The place of a key in the command; a new key takes the next one. */
function placeIn(places: Map<string, number>, key: string): number {
  let place = places.get(key)
  if (place === undefined) {
    place = places.size
    places.set(key, place)
  }
  return place
}
