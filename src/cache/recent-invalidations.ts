import type { LostLinks } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { bucketOf } from '../entry/key.ts'
import type { Invalidation } from './journal.ts'

/** How far back a failover may lose what was acknowledged. */
const KEPT_MS = 60_000
/** Beyond so many, one clear of everything takes their place: repeating more would take longer than anybody waits. */
const KEPT_MOST = 10_000

interface Recent {
  readonly invalidation: Invalidation
  readonly at: number
  /** Its numbers in the chains, by bucket; none where only our own call knows of it. */
  readonly numbers: Map<number, number>
}

/** What was heard of one chain. */
interface Heard {
  /** From this number on, all links up to the last one heard are known here. */
  from: number
  last: number
}

/**
 * The invalidations of the last minute, sent from here or heard, for a Redis that turns out to have lost what it had
 * acknowledged. One of each key and group: the last.
 */
export class RecentInvalidations {
  readonly #clock: Clock
  /** The oldest first. */
  readonly #recent = new Map<string, Recent>()
  /** By bucket. */
  readonly #heard: Heard[]
  #overflowedAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, buckets: number) {
    this.#clock = clock
    this.#heard = Array.from({ length: buckets }, nothingHeard)
  }

  /** Notes a link of a bucket's chain that was heard, and what it invalidates, if anything. */
  heard(bucket: number, n: number, invalidation: Invalidation | undefined): void {
    const heard = this.#heard[bucket] as Heard
    // A number that went back is no news of the links that were heard: the head of the chain will tell.
    const isLater = n > heard.last
    if (isLater && n !== heard.last + 1) heard.from = n
    if (isLater) heard.last = n
    if (invalidation) this.#note(invalidation, isLater ? [bucket, n] : undefined)
  }

  /** Notes an invalidation that was acknowledged to this process. Its notice may never come. */
  acknowledged(invalidation: Invalidation): void {
    this.#note(invalidation, undefined)
  }

  /**
   * What is to be repeated when `links` of some buckets may be lost, or nobody knows which. `everything`: not all of them
   * are known here.
   */
  lost(buckets: readonly number[], links: LostLinks | undefined): Invalidation[] | 'everything' {
    this.#forgetOld()
    const heard = buckets.map((bucket) => this.#heard[bucket] as Heard)
    const isAllKnown =
      links === undefined || heard.every(({ from, last }) => from <= links.after + 1 && links.until <= last)
    // The numbers begin anew. Without these links the chain may still turn out to have gone back.
    if (links !== undefined) for (const each of heard) Object.assign(each, nothingHeard())
    if (!isAllKnown || this.#clock.now() - this.#overflowedAt < KEPT_MS) return 'everything'
    const isLost = (invalidation: Invalidation) =>
      invalidation.kind !== 'key' || buckets.includes(bucketOf(invalidation.id, this.#heard.length))
    return [...this.#recent.values()].map(({ invalidation }) => invalidation).filter(isLost)
  }

  #note(invalidation: Invalidation, link: readonly [bucket: number, n: number] | undefined): void {
    const name = invalidation.kind + (invalidation.kind === 'key' ? invalidation.id : invalidation.group)
    // One tag is told in each bucket: its numbers are not copied for each of them.
    const numbers = this.#recent.get(name)?.numbers ?? new Map<number, number>()
    if (link) numbers.set(...link)
    this.#recent.delete(name)
    this.#recent.set(name, { invalidation, at: this.#clock.now(), numbers })
    this.#forgetOld()
  }

  #forgetOld(): void {
    const oldestAt = this.#clock.now() - KEPT_MS
    for (const [name, { at, numbers }] of this.#recent) {
      const isTooMany = this.#recent.size > KEPT_MOST
      if (at >= oldestAt && !isTooMany) return
      if (at >= oldestAt) this.#overflowedAt = this.#clock.now()
      this.#recent.delete(name)
      for (const [bucket, n] of numbers) {
        const heard = this.#heard[bucket] as Heard
        heard.from = Math.max(heard.from, n + 1)
      }
    }
  }
}

function nothingHeard(): Heard {
  return { from: Number.POSITIVE_INFINITY, last: 0 }
}
