import type { Notice } from '../entry/notice.ts'

/** The links of the chain after one number, until another. */
export interface LostLinks {
  readonly after: number
  readonly until: number
}

export interface BusListener {
  /** A notice came, from whichever process: own ones are told by their origin. */
  noticed(notice: Notice): void
  /** Notices may have been missed: nothing that was known before may be believed. */
  gap(reason: string): void
  /**
   * The truth itself may have lost what it had acknowledged: these links, or nobody knows which. That is a gap, too, and
   * told before anything else of the new truth can be read.
   */
  lost(reason: string, links?: LostLinks): void
}

/** How the processes of a fleet hear of each other's changes. */
export interface Bus {
  /** This process, in notices. */
  readonly origin: string
  /**
   * The last instant (monotonic ms) up to which everything is known to have been heard; `Infinity` where there is
   * nobody to hear of, `-Infinity` before the first proof.
   */
  readonly verifiedAt: number
  /**
   * The last instant (monotonic ms) at which this process was found to be behind: what was known before it is not to be
   * believed until it is proven anew. `-Infinity` where that never was.
   */
  readonly behindAt: number
  subscribe(listener: BusListener): void
  /** Says that the chain has reached a number, as somebody was just told. If that link was not heard, this process is behind. */
  reached(n: string): void
  close(): void
}
