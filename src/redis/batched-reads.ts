import type { Clock } from '../clock.ts'
import type { Bucket } from './bucket.ts'

/** The most keys of one MGET. */
const KEYS_MOST = 512

interface Read {
  readonly keys: readonly string[]
  readonly done: (values: (Buffer | null)[], sentAt: number) => void
  readonly failed: (error: unknown) => void
}

/** Reads that are asked for in one tick leave as one MGET for each bucket, with every key in it once. */
export class BatchedReads {
  readonly #clock: Clock
  #waiting = new Map<Bucket, Read[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Reads some keys of a bucket; `done` gets their values in the same order, and when the command was sent (monotonic ms). */
  read(bucket: Bucket, keys: Read['keys'], done: Read['done'], failed: Read['failed']): void {
    // A tick queued from a microtask runs when all microtasks are through: readers that go on together meet again.
    if (this.#waiting.size === 0) process.nextTick(() => this.#flush())
    const waiting = this.#waiting.get(bucket)
    if (waiting) waiting.push({ keys, done, failed })
    else this.#waiting.set(bucket, [{ keys, done, failed }])
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = new Map()
    for (const [bucket, reads] of waiting) this.#flushOf(bucket, reads)
  }

  #flushOf(bucket: Bucket, reads: readonly Read[]): void {
    let start = 0
    let count = 0
    for (let index = 0; index < reads.length; index++) {
      count += (reads[index] as Read).keys.length
      if (count < KEYS_MOST && index < reads.length - 1) continue
      this.#send(bucket, start === 0 && index === reads.length - 1 ? reads : reads.slice(start, index + 1))
      start = index + 1
      count = 0
    }
  }

  #send(bucket: Bucket, reads: readonly Read[]): void {
    const places = new Map<string, number>()
    const placesOf = reads.map(({ keys }) => keys.map((key) => placeIn(places, key)))
    const sentAt = this.#clock.now()
    bucket
      .run<(Buffer | null)[]>('MGET', (redis) => redis.callBuffer('MGET', ...places.keys()))
      .then(
        (values) => {
          for (let index = 0; index < reads.length; index++) {
            const found = (placesOf[index] as number[]).map((place) => values[place] ?? null)
            ;(reads[index] as Read).done(found, sentAt)
          }
        },
        (error: unknown) => {
          for (const { failed } of reads) failed(error)
        },
      )
  }
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
