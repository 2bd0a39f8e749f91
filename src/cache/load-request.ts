import type { Due } from '../entry/refresh-ahead.ts'
import type { RequestCounters } from '../counters/counters.ts'
import type { Audience } from '../stampede/audience.ts'
import type { LoadSettings } from './call-options.ts'
import type { Loader } from './load-context.ts'
import type { Target } from './parts.ts'

/** What a load is to replace. */
export interface Replaced {
  readonly value: unknown
  /** Whether others may get this very value too. */
  readonly shared: boolean
  readonly createdAt: number
  readonly tags: readonly string[]
  /** How many marks had been moved when none of its groups had. */
  readonly mark: number
  readonly groups: readonly string[]
}

/** What a caller is about to be served, for a caller that judges that itself. */
export interface Offer {
  readonly value: unknown
  readonly freshness: 'fresh' | 'stale'
  /** Since it was stored, in ms. */
  readonly age: number
  /** It is served in place of a load, or a wait for one, that came to nothing. */
  readonly failed: boolean
}

/** One load, as its caller wants it. */
export interface LoadRequest {
  readonly target: Target
  readonly loader: Loader<unknown>
  readonly settings: LoadSettings
  readonly requests: RequestCounters
  /** Those who wait for it: its caller, and who joins the run that it begins. */
  readonly audience: Audience
  /**
   * - `read`: a stale value will do, if the reader has it so.
   * - `renew`: a stale value is what is to be replaced.
   * - `fall-back`: whatever is there will do, as nothing could be loaded.
   */
  readonly purpose: 'read' | 'renew' | 'fall-back'
  /** Of a renewal ahead of the end: which fresh values are to be replaced. */
  readonly isDue?: Due | undefined
  /**
   * Which values the caller takes, from L1, L2 or another caller's load; what it does not take is to be replaced. It judges
   * in place of `stale`: a stale one that it takes is served, and renewed behind it. Default: as `stale` says.
   */
  readonly accepts?: ((offer: Offer) => boolean) | undefined
  /** What a renewal behind the caller runs in place of `loader`. */
  readonly behind?: Loader<unknown> | undefined
  /** The transaction that the caller is inside of: from its first change on, what a loader answers is for that caller alone. */
  readonly inside?: Inside | undefined
  /**
   * How many bytes a value takes that is loaded here: it is plain data that nobody changes, so that L1 keeps it as it is. Default:
   * as many as it is encoded to, and L1 keeps what that is decoded to.
   */
  readonly bytesOf?: ((value: unknown) => number) | undefined
  /** What was found and is to be replaced. */
  readonly there?: Replaced | undefined
  /** Its place in a batch, if it is of one. */
  readonly place?: BatchPlace | undefined
}

/** A transaction, as a load sees it. */
export interface Inside {
  /** Whether something was changed inside. */
  readonly holds: boolean
  /** Has something done at the first change inside. Answers how to take that back. */
  whenHolding(act: () => void): () => void
}

/** The place of one key in a batch, which is loaded as soon as each of its keys asks for it, waits, or needs nothing. */
export interface BatchPlace {
  /** What all places of one batch have in common. */
  readonly batch: object
  /** It waits for a load that others run, until the instant `until` at most. */
  waits(until?: number): void
  /** It waits no longer, and may need a load. */
  goesOn(): void
  /** It needs nothing any more. */
  leaves(): void
  /** What a renewal of its value behind its reader goes by: it is of the same batch, and nobody waits for it. */
  behind(): Pick<LoadRequest, 'loader' | 'place'>
}
