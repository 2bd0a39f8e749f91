import { HttpCounters } from './http-counters.ts'

/** How lookups of one namespace ended. Plain numbers, incremented in place. */
export interface RequestCounters {
  l1Fresh: number
  l1Stale: number
  l1Missing: number
  l2Fresh: number
  l2Stale: number
  l2Missing: number
}

/** Durations as counts per bucket: the plain-number form of a histogram. */
export class Timings {
  /** Upper bounds in milliseconds; a last bucket without a bound follows. */
  readonly boundsMs: readonly number[]
  /** Counts per bucket, not cumulated. */
  readonly counts: number[]
  sumMs = 0
  count = 0

  constructor(boundsMs: readonly number[]) {
    this.boundsMs = boundsMs
    this.counts = new Array<number>(boundsMs.length + 1).fill(0)
  }

  add(ms: number): void {
    let bucket = 0
    while (bucket < this.boundsMs.length && ms > (this.boundsMs[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sumMs += ms
    this.count++
  }
}

const LOAD_BOUNDS_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000]
const L2_BOUNDS_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500]

/** Everything that is counted in a cache, read when somebody asks (a scrape, `stats()`). */
export class Counters {
  /** By namespace; beyond {@link Counters.namespacesMost} all further ones are counted under `(other)`. */
  readonly requests = new Map<string, RequestCounters>()
  readonly loadTimings = new Timings(LOAD_BOUNDS_MS)
  /** Round trips to Redis, one per command or batch of reads. */
  readonly l2Timings = new Timings(L2_BOUNDS_MS)
  readonly l2Errors = new Map<string, number>()
  readonly http = new HttpCounters()
  loadsFailed = 0
  /** Loaders that were aborted because the last of their callers had left. */
  loadsAborted = 0
  /** Loaders that run right now. */
  loadsRunning = 0
  /** Callers that wait right now for a load, their own or another's. */
  loadsWaiting = 0
  /** Callers that were answered by a load that another caller of this process had started. */
  loadsShared = 0
  /** Waits for the loads of other processes. */
  waits = 0
  /** Loads in place of another process that did not finish. */
  takeovers = 0
  sets = 0
  deletes = 0
  clears = 0
  /** Tags that were made void or stale from here. */
  tagInvalidations = 0
  /** L1 entries that were pushed out by newer ones. */
  evictions = 0
  noticesReceived = 0
  gaps = 0
  fillsRefused = 0
  unstorable = 0
  undecodable = 0
  incompatible = 0
  /** Cached values that did not pass the schema of their reader. */
  invalid = 0
  unacknowledged = 0
  /** Times that Redis may have lost what it had acknowledged. */
  resyncs = 0
  /** Commands that were not sent, because Redis is not connected or the breaker is open. */
  l2Skipped = 0
  renewalsFailed = 0

  /** At most so many namespaces have counters of their own, so that names made from data stay bounded. */
  static readonly namespacesMost = 64

  requestsOf(namespace: string): RequestCounters {
    const name = this.requests.has(namespace) || this.requests.size < Counters.namespacesMost ? namespace : '(other)'
    let counters = this.requests.get(name)
    if (!counters) {
      counters = { l1Fresh: 0, l1Stale: 0, l1Missing: 0, l2Fresh: 0, l2Stale: 0, l2Missing: 0 }
      this.requests.set(name, counters)
    }
    return counters
  }

  l2Failed(code: string): void {
    this.l2Errors.set(code, (this.l2Errors.get(code) ?? 0) + 1)
  }

  /** For `JSON.stringify`, which writes a Map as `{}`. */
  toJSON(): object {
    return { ...this, requests: Object.fromEntries(this.requests), l2Errors: Object.fromEntries(this.l2Errors) }
  }
}

/** What L1 holds at this moment. */
export interface Gauges {
  readonly l1Entries: number
  readonly l1Bytes: number
  /** Whether L2 would be asked right now; `undefined` for L1 alone. */
  readonly l2Usable: boolean | undefined
  /**
   * Whether L1 is known to be current within the bound on staleness; always so with L1 alone. While it is not, L1 is
   * passed over, unless `onRedisDown: 'serve-l1'` says otherwise.
   */
  readonly coherent: boolean
  /** Invalidations that L2 has not acknowledged yet. */
  readonly journalled: number
  /** Renewals behind stale values that run right now. */
  readonly renewals: number
}
