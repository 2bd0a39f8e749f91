import type { Verdict } from '../entry/stamp.ts'
import { TierCacheError } from '../errors.ts'

/** What is said of an entry by its tags. */
export interface Judgement {
  readonly verdict: Verdict
  /** The instant (monotonic ms) up to which all of the stamps are known to have been the current ones. */
  readonly asOf: number
}

/** The first reason why a change of a group was not acknowledged, and in which buckets it was not. */
export class UnacknowledgedIn extends TierCacheError {
  readonly buckets: readonly number[]

  constructor({ code, message }: TierCacheError, buckets: readonly number[]) {
    super(code, message)
    this.buckets = buckets
  }
}

/**
 * The shared truth about groups of entries: making one void for all processes at once, without touching its entries.
 * What a process has heard of it stands in `marks.ts`. Every method rejects when that is not acknowledged: with
 * {@link UnacknowledgedIn} where it is known in which buckets. `buckets`: where it is to be repeated; all by default.
 */
export interface TagIndex {
  /** Makes all entries of a namespace, and of those below it, void everywhere. */
  clear(namespace: string, buckets?: readonly number[]): Promise<void>
  /** Makes all entries of a tag void everywhere. */
  invalidate(tag: string, buckets?: readonly number[]): Promise<void>
  /** Makes all entries of a tag stale everywhere. */
  expire(tag: string): Promise<void>
  /** What the stamps of its tags in its bucket say of an entry that carries these, and is known to follow `n0`. */
  judge(bucket: number, tags: readonly string[], carried: readonly string[], n0: number): Promise<Judgement>
}
