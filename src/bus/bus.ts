import type { Notice } from '../entry/notice.ts'

export interface BusListener {
  /** A notice came, from whichever process: own ones are told by their origin. */
  noticed(notice: Notice): void
  /** Notices may have been missed: nothing that was known before may be believed. */
  gap(reason: string): void
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
  subscribe(listener: BusListener): void
  close(): void
}
