/**
 * How far a process has heard what happened to a bucket: the part of all keys that one chain of notices tells of. Live:
 * its numbers move on. Instants are monotonic milliseconds.
 */
export interface Currency {
  /**
   * The last instant up to which everything is known to have been heard; `Infinity` where there is nobody to hear of,
   * `-Infinity` before the first proof.
   */
  readonly verifiedAt: number
  /**
   * The last instant at which this process was found to be behind: what was known before it is not to be believed until
   * it is proven anew. `-Infinity` where that never was.
   */
  readonly behindAt: number
  /**
   * The last instant at which there was no chain to hear of. Nothing is believed by it: a chain may have been and gone.
   * `-Infinity` where that never was.
   */
  readonly emptyAt: number
}
