import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Address } from '../entry/entry.ts'
import type { StandardSchema } from '../entry/schema.ts'
import type { Counters } from '../counters/counters.ts'
import type { Events } from '../events.ts'
import type { Leases } from '../stampede/lease.ts'
import type { SingleFlight } from '../stampede/single-flight.ts'
import type { Marks } from '../tags/marks.ts'
import type { TagIndex } from '../tags/tag-index.ts'
import type { NearHome } from '../tiers/near-entry.ts'
import type { SyncTier, Tier } from '../tiers/tier.ts'
import type { BackOff } from './back-off.ts'
import type { Callers } from './callers.ts'
import type { ColdStreak } from './cold-streak.ts'
import type { Flights } from './flights.ts'
import type { Incidents } from './incidents.ts'
import type { Journal } from './journal.ts'
import type { Life } from './life.ts'
import type { CacheSettings } from './cache-options.ts'
import type { RecentInvalidations } from './recent-invalidations.ts'
import type { Renewals } from './renewals.ts'
import type { Transactions } from './transaction.ts'
import type { Unstorable } from './unstorable.ts'

/** What processes share: L2, the leases on its keys, and the truth about its groups. */
export interface SharedParts {
  readonly far: Tier
  readonly leases: Leases
  readonly tags: TagIndex
  /** Calls `listener` whenever L2 can be asked again. */
  whenUsable(listener: () => void): void
}

/** The parts that one cache is made of, handed to every story. Its namespaces share them. */
export interface Parts {
  readonly settings: CacheSettings
  readonly clock: Clock
  readonly events: Events
  readonly counters: Counters
  readonly incidents: Incidents
  readonly unstorable: Unstorable
  /** L1; `undefined` where the cache has none. */
  readonly near: SyncTier | undefined
  /** `undefined` for L1 alone: there is nobody to share with. */
  readonly shared: SharedParts | undefined
  readonly bus: Bus
  readonly marks: Marks
  readonly flights: Flights
  readonly streak: ColdStreak
  readonly journal: Journal
  readonly recent: RecentInvalidations
  /** Loads that callers of this process may join; one past its deadline ends with `undefined` if it takes too long. */
  readonly loads: SingleFlight<Loaded | undefined>
  readonly callers: Callers
  /** The keys whose stale values are being renewed behind their readers. */
  readonly renewing: Renewals
  /** The keys whose renewals have failed lately. */
  readonly backOff: BackOff
  readonly transactions: Transactions
  /** The functions of handles and those that were wrapped, by the namespaces of their values. */
  readonly owners: Map<string, readonly unknown[]>
  readonly life: Life
  /** What ends the parts, in this order. */
  readonly endings: (() => void)[]
}

/** What a load gives to each of its callers. */
export interface Loaded {
  readonly value: unknown
  /** Whether all callers may share the value; otherwise each gets a copy. */
  readonly shared: boolean
  /** It may be what a database has not committed: for the caller inside of the transaction, and nobody who joined it. */
  readonly isApart?: boolean | undefined
  /** It is what its loader answered, not decoded data: all get the very value, which cannot be copied. */
  readonly isAsItIs?: boolean | undefined
  /** Where it came from. */
  readonly tier: 'l1' | 'l2' | 'loader'
  readonly freshness: 'fresh' | 'stale'
  readonly createdAt: number
  readonly freshUntil: number
  /** How long it took to load; 0 where that is not known. */
  readonly loadMs?: number | undefined
  /** What it was checked under. */
  readonly schema?: StandardSchema | undefined
  /** How many marks had been moved when its flight began, and the groups that it turned out to belong to. */
  readonly mark: number
  readonly groups: readonly string[]
  /** Why no newer value could be loaded; this one is served in its place. */
  readonly failure?: unknown
}

/** The key of a call, with the names it goes by. */
export interface Target extends Address {
  /** Its name in this process. */
  readonly id: string
  readonly bucket: number
  /** Of its namespace: what was stored under another one is no entry for it. */
  readonly schemaVersion: string | undefined
  /** The groups that every entry here belongs to. */
  readonly groups: readonly string[]
  readonly home: NearHome
}
