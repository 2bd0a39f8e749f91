import type { Clock } from '../clock.ts'
import type { Currency } from '../entry/currency.ts'
import type { Notice } from '../entry/notice.ts'
import { isLink } from '../entry/notice.ts'
import type { BusListener, LostLinks } from './bus.ts'
import type { Link } from './chain.ts'
import { Chain } from './chain.ts'
import { PacedGaps } from './paced-gaps.ts'

/** Between two times that the chain is said to have gone back: within the bound, together with the beat that finds it. */
const BEATS_BETWEEN_LOSSES = 4

/**
 * What a process has heard of one bucket: its chain, and how far that is known to be complete. It is told what came, and
 * tells its listener what that means.
 */
export class BucketChain implements Currency {
  readonly index: number
  verifiedAt = Number.NEGATIVE_INFINITY
  behindAt = Number.NEGATIVE_INFINITY
  emptyAt = Number.NEGATIVE_INFINITY
  readonly #beatMs: number
  readonly #clock: Clock
  readonly #listener: BusListener
  readonly #chain: Chain
  readonly #gaps: PacedGaps
  /** When a link that does not follow last had the head of the chain read. */
  #lookedAt = Number.NEGATIVE_INFINITY
  /** What the chain lost, not told yet, while the last loss is too young. */
  #lossDue: LostLinks | undefined
  #lossAt = Number.NEGATIVE_INFINITY

  constructor(index: number, buckets: number, beatMs: number, clock: Clock, listener: BusListener) {
    this.index = index
    this.#chain = new Chain(buckets)
    this.#beatMs = beatMs
    this.#clock = clock
    this.#listener = listener
    this.#gaps = new PacedGaps(clock, beatMs, (reason) => listener.gap(reason, [index]))
  }

  /** The last link that is known. */
  get last(): Link | undefined {
    return this.#chain.last
  }

  /**
   * A notice came; `undefined`: something that is none. Answers whether the head of the chain is to be read soon, once in
   * a beat at most. Only that tells a link behind missed ones from a forged one; and a chain that goes back before such a
   * link is known to be of it is not noticed.
   */
  heard(notice: Notice | undefined): 'in order' | 'look' {
    if (!notice) {
      this.#gaps.found('a notice could not be read')
      return 'in order'
    }
    if (isLink(notice)) this.emptyAt = Number.NEGATIVE_INFINITY
    const { previousTip, tip, n } = notice
    const isGap = isLink(notice) && this.#chain.heard(previousTip, { tip, n: Number(n) }) === 'gap'
    if (isGap) this.#gaps.found('a notice does not follow the last one heard')
    this.#listener.noticed(notice, this.index)
    return isGap && this.#mayLook() ? 'look' : 'in order'
  }

  #mayLook(): boolean {
    const now = this.#clock.now()
    if (now - this.#lookedAt < this.#beatMs) return false
    this.#lookedAt = now
    return true
  }

  /** Another server holds it now: what was published there before its channel was subscribed to was not heard. */
  moved(): void {
    if (this.last) this.#gaps.found('another server holds this bucket')
  }

  /** Whether the link of this number was heard. If not, what was known before is not believed until it is proven anew. */
  hasReached(n: string): boolean {
    const { last } = this
    if (last && last.n >= Number(n) && !this.#gaps.isDue) return true
    this.behindAt = this.#clock.now()
    return false
  }

  /**
   * All that was published before `sentAt` has come, for the head of the chain was read then; `before` is the last link
   * that was known at that time. Answers whether that head was heard.
   */
  proven(head: Link | undefined, before: Link | undefined, sentAt: number): 'heard' | 'unheard' {
    if (!head) {
      this.emptyAt = sentAt
      // A chain that was known before the read is lost, with whatever it told; one that began since is not.
      if (!before) return 'heard'
      this.#chain.forget()
      this.#listener.lost('the chain of notices is gone', [this.index])
      return 'heard'
    }
    const found = this.#chain.read(head, before)
    if (found === 'back' && before) this.#wentBack({ after: head.n, until: before.n })
    if (found === 'gap') this.#gaps.found('the head of the chain was not heard')
    if (this.#tellLoss()) {
      this.#gaps.tellDue()
      this.verifiedAt = sentAt
    }
    return found === 'gap' ? 'unheard' : 'heard'
  }

  #wentBack({ after, until }: LostLinks): void {
    const due = this.#lossDue ?? { after, until }
    this.#lossDue = { after: Math.min(due.after, after), until: Math.max(due.until, until) }
  }

  /**
   * Tells that the chain went back, if that is due. Answers whether nothing is due any more; as long as something is,
   * nothing is proven. Not sooner after another time than the bound allows: who may publish on our channel, and knows the
   * last link, can forge one that follows it, which the head then is behind.
   */
  #tellLoss(): boolean {
    const links = this.#lossDue
    if (links === undefined) return true
    const now = this.#clock.now()
    if (now - this.#lossAt < BEATS_BETWEEN_LOSSES * this.#beatMs) return false
    this.#lossAt = now
    this.#lossDue = undefined
    this.#listener.lost('the chain of notices went back', [this.index], links)
    return true
  }

  close(): void {
    this.#gaps.close()
  }
}
