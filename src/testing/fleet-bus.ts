import type { Bus, BusListener } from '../bus/bus.ts'
import { Chain } from '../bus/chain.ts'
import type { Hub } from '../bus/memory-bus.ts'
import type { Clock } from '../clock.ts'
import type { Currency } from '../entry/currency.ts'
import type { Notice, Operation } from '../entry/notice.ts'
import { isLink } from '../entry/notice.ts'
import type { NoticeLine } from './notice-line.ts'

const BEATS_PER_BOUND = 5
const ONLY_BUCKET = 0

export interface FleetBusSettings {
  readonly origin: string
  /** The stated bound on staleness: where the line is not intact, being current is proven five times as often. */
  readonly maxStalenessMs: number
}

/**
 * The bus of one process of a fleet in memory. Notices come over a line that may be cut, slow, or lose some; what has been
 * heard is proven as it is with Redis: the head of the chain is read, and behind all that came before it arrives what says so.
 */
export class FleetBus implements Bus {
  readonly origin: string
  readonly buckets = 1
  readonly #hub: Hub
  readonly #line: NoticeLine
  readonly #beatMs: number
  readonly #clock: Clock
  readonly #chain = new Chain(1)
  readonly #currency: Currency
  #listener: BusListener | undefined
  #provenAt: number
  #behindAt = Number.NEGATIVE_INFINITY
  #leave = () => {}
  #cancelBeat: (() => void) | undefined

  constructor(hub: Hub, line: NoticeLine, { origin, maxStalenessMs }: FleetBusSettings, clock: Clock) {
    this.origin = origin
    this.#hub = hub
    this.#line = line
    this.#beatMs = maxStalenessMs / BEATS_PER_BOUND
    this.#clock = clock
    this.#provenAt = clock.now()
    this.#currency = this.#liveCurrency()
  }

  /** While nothing disturbs the line it needs no beat: at every instant all has been heard. */
  #liveCurrency(): Currency {
    const provenAt = () => (this.#isCurrent ? this.#clock.now() : this.#provenAt)
    const behindAt = () => this.#behindAt
    return {
      get verifiedAt() {
        return provenAt()
      },
      get behindAt() {
        return behindAt()
      },
      emptyAt: Number.NEGATIVE_INFINITY,
    }
  }

  get #isCurrent(): boolean {
    return this.#line.isIntact && this.#chain.last?.n === this.#hub.last.n
  }

  currency(): Currency {
    return this.#currency
  }

  /** The last link of the chain, which all processes share. */
  get last(): { readonly tip: string; readonly n: number } {
    return this.#hub.last
  }

  subscribe(listener: BusListener): void {
    this.#listener = listener
    // Who joins holds nothing yet, so that it has missed nothing.
    this.#chain.read(this.#hub.last, undefined)
    this.#leave = this.#hub.join((notice) => this.#line.bringNotice(() => this.#heard(notice)))
  }

  #heard(notice: Notice): void {
    const link = { tip: notice.tip, n: Number(notice.n) }
    if (isLink(notice) && this.#chain.heard(notice.previousTip, link) === 'gap') {
      this.#listener?.gap('a notice does not follow the last one heard', [ONLY_BUCKET])
    }
    this.#listener?.noticed(notice, ONLY_BUCKET)
  }

  /** Changes the line. What was proven before holds on; from now on each proof has to arrive. */
  disturb(change: (line: NoticeLine) => void): void {
    this.#provenAt = this.#currency.verifiedAt
    change(this.#line)
    this.#cancelBeat?.()
    this.#beat()
  }

  #beat(): void {
    if (!this.#listener) return
    this.#prove()
    this.#cancelBeat = this.#isCurrent ? undefined : this.#clock.inBackground(this.#beatMs, () => this.#beat())
  }

  #prove(): void {
    const [head, before, sentAt] = [this.#hub.last, this.#chain.last, this.#clock.now()]
    this.#line.bring(() => {
      if (this.#chain.read(head, before) === 'gap') {
        this.#listener?.gap('the head of the chain was not heard', [ONLY_BUCKET])
      }
      this.#provenAt = sentAt
    })
  }

  reached(_bucket: number, n: string): void {
    if (this.#chain.last && this.#chain.last.n >= Number(n)) return
    this.#behindAt = this.#clock.now()
    this.#prove()
  }

  publish(operation: Operation, subject: string) {
    return this.#hub.publish(operation, this.origin, subject)
  }

  wake(operation: 'F' | 'R', subject: string): void {
    this.#hub.wake(operation, this.origin, subject)
  }

  close(): void {
    this.#listener = undefined
    this.#leave()
    this.#cancelBeat?.()
  }
}
