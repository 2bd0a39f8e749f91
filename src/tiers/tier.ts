import type { Address, Entry } from '../entry/entry.ts'
import type { Fence } from '../entry/fence.ts'
import type { FarHealth, Incompatibility } from '../events.ts'
import type { NearEntry } from './near-entry.ts'

/**
 * The near tier (L1): synchronous, in this process, bounded by entries and by bytes. It keeps what it is given until
 * that is deleted, replaced or pushed out; whether an entry may be served is for its reader to judge.
 */
export interface SyncTier {
  get(id: string): NearEntry | undefined
  /** As {@link SyncTier.get}, which is no use of the entry. */
  peek(id: string): NearEntry | undefined
  set(id: string, entry: NearEntry): void
  delete(id: string): void
  clear(): void
  /** All that it keeps, under its names. To be listed is no use of an entry. */
  list(): readonly (readonly [id: string, entry: NearEntry])[]
  /** Empties it, for good: nothing is kept any more. */
  close(): void
  readonly entries: number
  readonly bytes: number
}

/**
 * What a far tier has under an address.
 *
 * - `entry`: one that may be used; how fresh it is is for the reader to judge.
 * - `incompatible`: one that this process may not use, and others may. It stays until another value takes its place.
 * - `void`: one that may not be used (cleared, or not readable); `seen` names it to the lease.
 * - `missing`: nothing.
 */
export type Found =
  | (Carried & { readonly word: 'entry'; readonly entry: Entry; readonly bytes: number; readonly seen: Seen })
  | (Carried & { readonly word: 'incompatible'; readonly reason: Incompatibility; readonly seen: Seen })
  | { readonly word: 'void'; readonly seen: Seen }
  | { readonly word: 'missing' }

/** What an entry carries for the tag index to judge. */
export interface Carried {
  readonly tags: readonly string[]
  /** The stamps of its tags, in their order. */
  readonly tagStamps: readonly string[]
  /** The chain's number that its value is known to follow. */
  readonly n0: number
  /** When the read that brought it was sent. */
  readonly sentAt: number
}

/**
 * What people are told of what a far tier has under an address.
 *
 * - `undecodable`: bytes that are no entry.
 * - `entry`: whatever may be thought of it. Instants are monotonic ms; `bytes` as they are stored. `moved`: the groups that
 *   were made void since; `lost`: those of which nobody knows any more, so that it counts as void; `expired`: those that
 *   were made stale since. `incompatible`, `undecodable`: why this process cannot read its value.
 */
export type Sight =
  | { readonly word: 'missing' }
  | { readonly word: 'undecodable'; readonly bytes: number; readonly message: string }
  | {
      readonly word: 'entry'
      readonly createdAt: number
      readonly freshUntil: number
      readonly staleUntil: number
      readonly bytes: number
      readonly tags: readonly string[]
      readonly version: number | undefined
      readonly schemaVersion: string | undefined
      readonly loadMs: number | undefined
      readonly moved: readonly string[]
      readonly lost: readonly string[]
      readonly expired: readonly string[]
      readonly incompatible?: Incompatibility
      readonly undecodable?: string
    }

/** Names an entry that was seen: its fill stamp, or the SHA-1 of bytes that cannot be read. */
export type Seen = Buffer | string

/** A value on its way into a tier, already encoded. */
export interface Candidate {
  readonly address: Address
  readonly flags: number
  readonly payload: Buffer
  readonly createdAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly tags: readonly string[]
  readonly version?: number | undefined
  /** Only readers that ask for the same one get it; integers are for all. */
  readonly schemaVersion?: string | undefined
  readonly loadMs: number
}

/**
 * - `stored`: it is in the tier.
 * - `late`: the tier got it after the deadline and left everything as it was.
 * - `older`: an entry with a newer version is there, and stays; whether that is void is not looked at.
 * - `failed`: the tier has no room; the old entry is gone.
 */
export type SetOutcome = 'stored' | 'late' | 'older' | 'failed'

/** - `stored`: it is in the tier. - `refused`: something moved since the lease was granted. - `failed`: no room. */
export type CommitOutcome =
  | { readonly word: 'stored' }
  | { readonly word: 'refused' | 'failed'; readonly reason: string }

/**
 * - `stored`: the counter's new value.
 * - `late`: the tier got it after the deadline and left everything as it was.
 * - `wrong`: the entry there is no counter; what its tags say of it is not looked at.
 * - `overflow`: the sum is no exact integer. - `failed`: no room.
 */
export type IncrementOutcome =
  | { readonly word: 'stored'; readonly value: number }
  | { readonly word: 'late' | 'wrong' | 'overflow' | 'failed' }

/**
 * A far tier (L2): asynchronous and shared by processes. What it stores ends at the entry's `staleUntil`. Every method
 * rejects with a `TierCacheError` when the tier cannot be reached within its deadline; the truth may then have moved
 * or not.
 */
export interface Tier {
  /** Whether a call has a chance right now, whatever its bucket. */
  readonly usable: boolean
  /** Whether a call has a chance right now that is about this bucket. */
  reaches(bucket: number): boolean
  /** Whether every call would reject at once right now. */
  readonly passedOver: boolean
  /** How it does, for people. */
  health(): FarHealth
  /** `schemaVersion`: of what the reader asks for. */
  get(address: Address, schemaVersion?: string): Promise<Found>
  /** Stores a given value, whatever was there, and tells all processes. */
  set(candidate: Candidate): Promise<SetOutcome>
  /** Stores a loaded value under its lease, unless something moved since. Tells only those who wait for it. */
  commit(candidate: Candidate, fence: Fence): Promise<CommitOutcome>
  /** Makes the key gone, its lease too, and tells all processes. */
  delete(address: Address): Promise<void>
  /** Makes the entry of a key stale, and tells all processes. */
  expire(address: Address): Promise<void>
  /**
   * Gives the entry of a key, which carries these tags, a new TTL from now on, and tells all processes; see `prolonged` in
   * `entry/freshness.ts`. Answers whether there was one.
   */
  touch(address: Address, tags: readonly string[], ttlMs: number): Promise<boolean>
  /** Adds to a counter, which is made of the candidate where there is none, and tells all processes. */
  increment(candidate: Candidate, by: number): Promise<IncrementOutcome>
  /** Removes what is of no use, void or not readable, if it is still the same. */
  discard(address: Address, seen: Seen): Promise<void>
  /** Looks at what is under an address, for people: nothing is changed, told or taken for a read. */
  inspect(address: Address, schemaVersion: string | undefined): Promise<Sight>
  /**
   * The keys of a namespace that begin with `prefix`, in no order and in pages, of which some may be empty. Those of all
   * entries that are stored, void ones too. The next page is not asked for before it is wanted.
   */
  keys(namespace: string, prefix: string): AsyncIterable<readonly string[]>
}
