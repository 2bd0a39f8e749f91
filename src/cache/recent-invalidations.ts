import type { LostLinks } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Invalidation } from './journal.ts'

/** How far back a failover may lose what was acknowledged. */
const KEPT_MS = 60_000
/** Beyond so many, one clear of everything takes their place: repeating more would take longer than anybody waits. */
const KEPT_MOST = 10_000

interface Recent {
  readonly invalidation: Invalidation
  readonly at: number
  /** Its number in the chain; 0 where only our own call knows of it. */
  readonly n: number
}

/**
 * The invalidations of the last minute, sent from here or heard, for a Redis that turns out to have lost what it had
 * acknowledged. One of each key and group: the last.
 */
export class RecentInvalidations {
  readonly #clock: Clock
  /** The oldest first. */
  readonly #recent = new Map<string, Recent>()
  /** From this number of the chain on, all of its links up to the last one heard are known here. */
  #from = Number.POSITIVE_INFINITY
  #last = 0
  #overflowedAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Notes a link of the chain that was heard, and what it invalidates, if anything. */
  heard(n: number, invalidation: Invalidation | undefined): void {
    // A number that went back is no news of the links that were heard: the head of the chain will tell.
    const isLater = n > this.#last
    if (isLater && n !== this.#last + 1) this.#from = n
    if (isLater) this.#last = n
    if (invalidation) this.#note(invalidation, isLater ? n : 0)
  }

  /** Notes an invalidation that was acknowledged to this process. Its notice may never come. */
  acknowledged(invalidation: Invalidation): void {
    this.#note(invalidation, 0)
  }

  /** What is to be repeated when `links` may be lost, or nobody knows which. `everything`: not all of them are known here. */
  lost(links: LostLinks | undefined): Invalidation[] | 'everything' {
    this.#forgetOld()
    const isAllKnown = links === undefined || (this.#from <= links.after + 1 && links.until <= this.#last)
    if (links !== undefined) {
      // The numbers begin anew. Without these links the chain may still turn out to have gone back.
      this.#from = Number.POSITIVE_INFINITY
      this.#last = 0
    }
    if (!isAllKnown || this.#clock.now() - this.#overflowedAt < KEPT_MS) return 'everything'
    return [...this.#recent.values()].map(({ invalidation }) => invalidation)
  }

  #note(invalidation: Invalidation, n: number): void {
    const name = invalidation.kind + (invalidation.kind === 'key' ? invalidation.id : invalidation.group)
    const before = this.#recent.get(name)
    this.#recent.delete(name)
    this.#recent.set(name, { invalidation, at: this.#clock.now(), n: Math.max(n, before?.n ?? 0) })
    this.#forgetOld()
  }

  #forgetOld(): void {
    const oldestAt = this.#clock.now() - KEPT_MS
    for (const [name, { at, n }] of this.#recent) {
      const isTooMany = this.#recent.size > KEPT_MOST
      if (at >= oldestAt && !isTooMany) return
      if (at >= oldestAt) this.#overflowedAt = this.#clock.now()
      this.#recent.delete(name)
      if (n > 0) this.#from = Math.max(this.#from, n + 1)
    }
  }
}
