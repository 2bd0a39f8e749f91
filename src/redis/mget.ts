import type { Bucket } from './bucket.ts'

/** The most keys of one MGET. */
const KEYS_MOST = 512

export type Values = readonly (Buffer | null)[]

/** Some keys of one bucket, and who wants their values. */
export interface Read {
  readonly keys: readonly string[]
  /** Gets the values in the order of the keys, and when the command was sent (monotonic ms). */
  readonly done: (values: Values, sentAt: number) => void
  readonly failed: (error: unknown) => void
}

/** One MGET, for some reads of one bucket. Each key is in it once. */
export class Mget {
  readonly bucket: Bucket
  readonly keys: readonly string[]
  /** Monotonic ms. */
  readonly sentAt: number
  readonly #reads: readonly Read[]
  /** By read, the places of its keys; one that is alone has them all, in its own order. */
  readonly #places: readonly (readonly number[])[] | undefined

  constructor(bucket: Bucket, reads: readonly Read[], sentAt: number) {
    this.bucket = bucket
    this.#reads = reads
    this.sentAt = sentAt
    if (reads.length === 1) {
      this.keys = (reads[0] as Read).keys
      return
    }
    const places = new Map<string, number>()
    this.#places = reads.map(({ keys }) => keys.map((key) => placeIn(places, key)))
    this.keys = [...places.keys()]
  }

  /** Hands the values of its keys to the reads. */
  answered(values: Values): void {
    for (let index = 0; index < this.#reads.length; index++) {
      const found = this.#places?.[index]?.map((place) => values[place] ?? null)
      ;(this.#reads[index] as Read).done(found ?? values, this.sentAt)
    }
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
