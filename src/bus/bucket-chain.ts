import type { Clock } from '../clock.ts'
import type { Currency } from '../entry/currency.ts'
import type { Notice } from '../entry/notice.ts'
import { isLink } from '../entry/notice.ts'
import type { BusListener } from './bus.ts'
import type { Link } from './chain.ts'
import { Chain } from './chain.ts'

/**
 * What a process has heard of one bucket: its chain, and how far that is known to be complete. It is told what came, and
 * tells its listener what that means.
 */
export class BucketChain implements Currency {
  readonly index: number
  verifiedAt = Number.NEGATIVE_INFINITY
  behindAt = Number.NEGATIVE_INFINITY
  readonly #beatMs: number
  readonly #clock: Clock
  readonly #listener: BusListener
  readonly #chain = new Chain()
  /** Why the next gap is due, while the last one is too young. */
  #gapDue: string | undefined
  #gapAt = Number.NEGATIVE_INFINITY
  #cancelGap: (() => void) | undefined

  constructor(index: number, beatMs: number, clock: Clock, listener: BusListener) {
    this.index = index
    this.#beatMs = beatMs
    this.#clock = clock
    this.#listener = listener
  }

  /** The last link that is known. */
  get last(): Link | undefined {
    return this.#chain.last
  }

  /** A notice came; `undefined`: something that is none. */
  heard(notice: Notice | undefined): void {
    if (!notice) {
      this.#gap('a notice could not be read')
      return
    }
    const { previousTip, tip, n } = notice
    if (isLink(notice) && this.#chain.heard(previousTip, { tip, n: Number(n) }) === 'gap') {
      this.#gap('a notice does not follow the last one heard')
    }
    this.#listener.noticed(notice, this.index)
  }

  /** Another server holds it now: what was published there before its channel was subscribed to was not heard. */
  moved(): void {
    if (this.#chain.last) this.#gap('another server holds this bucket')
  }

  /** Whether the link of this number was heard. If not, what was known before is not believed until it is proven anew. */
  hasReached(n: string): boolean {
    const { last } = this.#chain
    if (last && last.n >= Number(n) && this.#gapDue === undefined) return true
    this.behindAt = this.#clock.now()
    return false
  }

  /**
   * All that was published before `sentAt` has come, for the head of the chain was read then; `before` is the last link
   * that was known at that time.
   */
  proven(head: Link | undefined, before: Link | undefined, sentAt: number): void {
    if (!head) {
      // A chain that was known before the read is lost, with whatever it told; one that began since is not.
      if (!before) return
      this.#chain.forget()
      this.#listener.lost('the chain of notices is gone', [this.index])
      return
    }
    const found = this.#chain.read(head, before)
    if (found === 'back' && before) {
      this.#listener.lost('the chain of notices went back', [this.index], { after: head.n, until: before.n })
    }
    // A gap that was told since covers all that was published before the read.
    if (found === 'gap' && this.#gapAt < sentAt) this.#gap('the head of the chain was not heard')
    this.#tellGap()
    this.verifiedAt = sentAt
  }

  /**
   * Tells a gap, one in a beat at most: whoever may publish on our channel could make L1 useless otherwise. Nothing is
   * proven while one is due, so the bound on staleness holds meanwhile.
   */
  #gap(reason: string): void {
    if (this.#gapDue !== undefined) return
    this.#gapDue = reason
    const leftMs = this.#gapAt + this.#beatMs - this.#clock.now()
    if (leftMs <= 0) this.#tellGap()
    else this.#cancelGap = this.#clock.inBackground(leftMs, () => this.#tellGap())
  }

  /** Tells the gap that is due, if one is. */
  #tellGap(): void {
    const reason = this.#gapDue
    if (reason === undefined) return
    this.#cancelGap?.()
    this.#gapDue = undefined
    this.#gapAt = this.#clock.now()
    this.#listener.gap(reason, [this.index])
  }

  close(): void {
    this.#cancelGap?.()
  }
}
