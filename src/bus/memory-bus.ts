import type { Currency } from '../entry/currency.ts'
import type { Notice, Operation } from '../entry/notice.ts'
import { isLink } from '../entry/notice.ts'
import type { Bus, BusListener } from './bus.ts'
import type { Link } from './chain.ts'
import { Chain } from './chain.ts'

/** Hears every notice, in order. */
export type Ear = (notice: Notice) => void

/** Where memory buses meet: the chain, each of whose links is told to all of them, at once and in order. */
export interface Hub {
  /** The last link of the chain; before the first one, one without a tip. */
  readonly last: Link
  /** Adds a link to the chain and tells it. */
  publish(operation: Operation, origin: string, subject: string): Link
  /** Tells those who wait for a lease; the chain stays as it is. */
  wake(operation: 'F' | 'R', origin: string, subject: string): void
  /** The answer takes the ear off again. */
  join(ear: Ear): () => void
}

/** Numbers stand for tips too: this chain is never lost, so none of its links is made twice. */
export class MemoryHub implements Hub {
  readonly #ears = new Set<Ear>()
  #last: Link = { tip: '', n: 0 }

  get last(): Link {
    return this.#last
  }

  publish(operation: Operation, origin: string, subject: string): Link {
    const previousTip = this.#last.tip
    const n = this.#last.n + 1
    const tip = n.toString(16).padStart(16, '0')
    this.#last = { tip, n }
    this.#tell({ previousTip, tip, n: String(n), operation, origin, subject })
    return this.#last
  }

  wake(operation: 'F' | 'R', origin: string, subject: string): void {
    this.#tell({ previousTip: '', tip: '', n: '0', operation, origin, subject })
  }

  join(ear: Ear): () => void {
    this.#ears.add(ear)
    return () => void this.#ears.delete(ear)
  }

  #tell(notice: Notice): void {
    for (const ear of this.#ears) ear(notice)
  }
}

const ALWAYS_CURRENT: Currency = {
  verifiedAt: Number.POSITIVE_INFINITY,
  behindAt: Number.NEGATIVE_INFINITY,
  emptyAt: Number.NEGATIVE_INFINITY,
}

const ONLY_BUCKET = 0

/**
 * The bus without Redis: caches that share a hub stand for several processes, in tests and examples. A cache with a hub
 * of its own has nobody to hear of and is always current.
 */
export class MemoryBus implements Bus {
  readonly origin: string
  readonly buckets = 1
  readonly #hub: Hub
  readonly #chain = new Chain(1)
  #leave = () => {}

  constructor(origin: string, hub: Hub = new MemoryHub()) {
    this.origin = origin
    this.#hub = hub
  }

  currency(): Currency {
    return ALWAYS_CURRENT
  }

  /** The last link of the chain. */
  get last(): Link {
    return this.#hub.last
  }

  subscribe(listener: BusListener): void {
    // Who joins holds nothing yet, so that it has missed nothing.
    this.#chain.read(this.#hub.last, undefined)
    this.#leave = this.#hub.join((notice) => {
      const link = { tip: notice.tip, n: Number(notice.n) }
      if (isLink(notice) && this.#chain.heard(notice.previousTip, link) === 'gap') {
        listener.gap('a notice does not follow the last one heard', [ONLY_BUCKET])
      }
      listener.noticed(notice, ONLY_BUCKET)
    })
  }

  reached(): void {
    // Whatever is published is heard at once.
  }

  publish(operation: Operation, subject: string): Link {
    return this.#hub.publish(operation, this.origin, subject)
  }

  wake(operation: 'F' | 'R', subject: string): void {
    this.#hub.wake(operation, this.origin, subject)
  }

  close(): void {
    this.#leave()
  }
}
