import type { Clock } from '../clock.ts'
import type { Counters } from '../counters/counters.ts'
import type { Events } from '../events.ts'

/** Gaps of one reason are told once in so long at most. */
const GAPS_EVERY_MS = 1000

/** What is invalidated again, for one reason. */
interface Resync {
  readonly buckets: Set<number>
  readonly repeated: Set<string>
}

/**
 * Gaps and losses are found bucket by bucket, and each is acted upon at once. They are counted and told together: what is
 * found for one reason in one turn of the event loop is one incident. Further gaps of that reason, as the buckets of a
 * Cluster have when their first notices come, are a single one, when a second is over.
 */
export class Incidents {
  readonly #counters: Counters
  readonly #events: Events
  readonly #clock: Clock
  /** The buckets whose gaps are not told yet, by reason. */
  readonly #gaps = new Map<string, Set<number>>()
  /** When gaps of a reason were told last. */
  readonly #gapsToldAt = new Map<string, number>()
  readonly #resyncs = new Map<string, Resync>()

  constructor(counters: Counters, events: Events, clock: Clock) {
    this.#counters = counters
    this.#events = events
    this.#clock = clock
  }

  /** What L1 held of these buckets was dropped. */
  gap(reason: string, buckets: readonly number[]): void {
    const found = this.#gaps.get(reason) ?? new Set()
    for (const bucket of buckets) found.add(bucket)
    if (this.#gaps.has(reason)) return
    this.#gaps.set(reason, found)
    const toldAt = this.#gapsToldAt.get(reason) ?? Number.NEGATIVE_INFINITY
    const leftMs = toldAt + GAPS_EVERY_MS - this.#clock.now()
    if (leftMs <= 0) setImmediate(() => this.#tellGaps(reason, found))
    else this.#clock.inBackground(leftMs, () => this.#tellGaps(reason, found))
  }

  #tellGaps(reason: string, found: ReadonlySet<number>): void {
    this.#gaps.delete(reason)
    this.#gapsToldAt.set(reason, this.#clock.now())
    this.#counters.gaps++
    this.#events.tell('gap', () => ({ reason, buckets: found.size }))
  }

  /** What these names stand for is invalidated again in these buckets. */
  resync(reason: string, buckets: readonly number[], names: readonly string[]): void {
    const found = this.#resyncs.get(reason) ?? { buckets: new Set(), repeated: new Set() }
    for (const bucket of buckets) found.buckets.add(bucket)
    for (const name of names) found.repeated.add(name)
    if (this.#resyncs.has(reason)) return
    this.#resyncs.set(reason, found)
    setImmediate(() => this.#tellResync(reason, found))
  }

  #tellResync(reason: string, { buckets, repeated }: Resync): void {
    this.#resyncs.delete(reason)
    this.#counters.resyncs++
    this.#events.tell('resync', () => ({ reason, buckets: buckets.size, repeated: repeated.size }))
  }
}
