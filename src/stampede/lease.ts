import type { Address } from '../entry/entry.ts'
import type { Fence } from '../entry/fence.ts'

/**
 * The right to be the one process that loads a key, for a short while.
 *
 * A lease is a promise about time, not about truth: a holder may be paused past its deadline and go on believing. So
 * it is shown when the value is stored, and a lease that is not the newest of its key stores nothing.
 */
export interface Lease extends Fence {
  readonly address: Address
}

/**
 * - `granted`: load, then commit or release.
 * - `found`: an entry that the caller has not seen is there; read it.
 * - `busy`: another process loads, and may hold the lease for `leftMs` more.
 * - `late`: another process loads, past its deadline; it may be waited for, `leftMs` more, and is then replaced.
 * - `skip`: the last load said that its value must not be stored, and another process, for which nobody waits, may store
 *   the next one: load for yourself; or do without, as a renewal.
 * - `failed`: the load that the caller waited for has failed, with this error.
 * - `full`: there is no room for a lease; load without one.
 */
export type Acquired =
  | { readonly word: 'granted'; readonly lease: Lease }
  | { readonly word: 'found' | 'skip' }
  | { readonly word: 'busy' | 'late'; readonly leftMs: number }
  | { readonly word: 'full'; readonly message: string }
  | { readonly word: 'failed'; readonly code: string; readonly message: string }

/**
 * How a load ended that stores nothing; or, as `late`, that it is past its deadline: those who waited share its failure,
 * newcomers wait for one more lease, and for `keptMs` after that its value may be stored if nobody took over. As
 * `deserted`: nobody waits for it here any more; whoever asks is granted the lease, and until then, for `keptMs`, its
 * value may be stored.
 */
export type Ending =
  | { readonly word: 'refused' }
  | { readonly word: 'skipped' }
  | { readonly word: 'failed'; readonly code: string; readonly message: string }
  | { readonly word: 'late'; readonly keptMs: number; readonly code: string; readonly message: string }
  | { readonly word: 'deserted'; readonly keptMs: number }

/** A place among those who wait for the holder of a lease. Taken before asking for the lease, so that no call is lost. */
export interface Waiter {
  /** Resolves when the holder is done, or after `ms`. Answers whether it was the former. */
  called(ms: number): Promise<boolean>
  /** Leaves the place. Ends a wait there, uncalled. */
  leave(): void
}

/**
 * What stands under a key, for people.
 *
 * - `held`: somebody loads. - `late`: somebody loads, past its deadline or with nobody left who waits for it.
 * - `failed`, `skipped`: what the last holder left for those who come a moment later.
 *
 * `holder`: the process that loads, by its name in notices, where that is known. `isAwaited`: whether a process was told to
 * wait for it. `leftMs`: until it ends by itself, or may be replaced.
 */
export interface LeaseSight {
  readonly word: 'held' | 'late' | 'failed' | 'skipped'
  readonly leftMs: number
  readonly holder?: string | undefined
  readonly isAwaited?: boolean
  readonly failure?: string | undefined
}

export interface Leases {
  wait(address: Address): Waiter
  /**
   * `seen` names the entry that the caller saw and may not use: that one counts as absent. Only who has waited for a
   * holder shares its failure: a newcomer may try again. `renews`: it can do without, since a stale value is served meanwhile.
   */
  acquire(address: Address, seen: Buffer | string | undefined, hasWaited: boolean, renews?: boolean): Promise<Acquired>
  /** Makes the lease last another length from now. Answers whether it is still held. */
  renew(lease: Lease): Promise<boolean>
  /** Gives the lease back without a value, or lets it be late. Giving back a lease that has run out does nothing. */
  release(lease: Lease, ending: Ending): Promise<void>
  /** Looks at what stands under a key, and changes nothing. */
  inspect(address: Address): Promise<LeaseSight | undefined>
  /** Says that the holder of a key is done: those who wait here go on. */
  call(address: Address): void
  /** Redis does not answer for these buckets: nobody will be called, so all who wait here for keys of them go on. */
  callAll(buckets: readonly number[]): void
}
