import type { Currency } from '../entry/currency.ts'
import type { Notice } from '../entry/notice.ts'

/** The links of the chain after one number, until another. */
export interface LostLinks {
  readonly after: number
  readonly until: number
}

export interface BusListener {
  /** A notice of a bucket came, from whichever process: own ones are told by their origin. */
  noticed(notice: Notice, bucket: number): void
  /** Notices of these buckets may have been missed: nothing that was known of them before may be believed. */
  gap(reason: string, buckets: readonly number[]): void
  /**
   * The truth of these buckets itself may have lost what it had acknowledged: these links, or nobody knows which. That is
   * a gap, too, and told before anything else of the new truth can be read.
   */
  lost(reason: string, buckets: readonly number[], links?: LostLinks): void
}

/** How the processes of a fleet hear of each other's changes. */
export interface Bus {
  /** This process, in notices. */
  readonly origin: string
  /** How many buckets there are, each with a chain of its own. They are numbered from 0. */
  readonly buckets: number
  /** How far this process has heard what happened to a bucket. */
  currency(bucket: number): Currency
  subscribe(listener: BusListener): void
  /**
   * Says that the chain of a bucket has reached a number, as somebody was just told. If that link was not heard, this
   * process is behind.
   */
  reached(bucket: number, n: string): void
  close(): void
}
