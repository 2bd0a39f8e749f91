import type { Clock } from '../clock.ts'
import type { RedisClient } from './client.ts'

/** The most keys of one MGET. */
const KEYS_MOST = 512

interface Read {
  readonly keys: readonly string[]
  readonly done: (values: (Buffer | null)[], sentAt: number) => void
  readonly failed: (error: unknown) => void
}

/** Reads that are asked for in one tick leave as one MGET, with every key in it once. */
export class BatchedReads {
  readonly #client: RedisClient
  readonly #clock: Clock
  #waiting: Read[] = []

  constructor(client: RedisClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** Reads some keys; `done` gets their values in the same order, and when the command was sent (monotonic ms). */
  read(keys: Read['keys'], done: Read['done'], failed: Read['failed']): void {
    this.#waiting.push({ keys, done, failed })
    // A tick queued from a microtask runs when all microtasks are through: readers that go on together meet again.
    if (this.#waiting.length === 1) process.nextTick(() => this.#flush())
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    let start = 0
    let count = 0
    for (let index = 0; index < waiting.length; index++) {
      count += (waiting[index] as Read).keys.length
      if (count < KEYS_MOST && index < waiting.length - 1) continue
      this.#send(start === 0 && index === waiting.length - 1 ? waiting : waiting.slice(start, index + 1))
      start = index + 1
      count = 0
    }
  }

  #send(reads: readonly Read[]): void {
    const places = new Map<string, number>()
    const placesOf = reads.map(({ keys }) => keys.map((key) => placeIn(places, key)))
    const sentAt = this.#clock.now()
    this.#client
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
