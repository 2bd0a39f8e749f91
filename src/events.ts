/**
 * What happens in a cache, as events. Payloads are plain data; keys are there for people and never become labels.
 *
 * An event is built only while somebody listens to it; numbers that are always wanted stand in {@link Counters}.
 */
export interface CacheEvents {
  /**
   * Something that an operator should know once, such as a Redis that cannot be reached. The cache goes on. With no
   * listener it is printed as a warning of the process. `detail` has for programs what the message says: the `setting` with
   * what was `found` and `expected`, or the `command` and the ACL `right` that it lacks.
   */
  warning: {
    readonly code: string
    readonly message: string
    readonly detail?: Readonly<Record<string, string>>
  }
  /** L2 is connected, for the first time or again. */
  connected: { readonly server: string }
  /** L2 was lost; L1 and loaders go on. */
  disconnected: { readonly server: string; readonly reason: string }
  /** The breaker around one server of L2 changed its state. While it is open, that server is passed over. */
  breaker: { readonly from: BreakerState; readonly to: BreakerState; readonly server: string }
  /**
   * A command to Redis failed or was late; the call went on without it. No `server` where a script ran and had no room: a
   * `warning` names it.
   */
  'l2-error': { readonly command: string; readonly code: string; readonly message: string; readonly server?: string }
  /**
   * Notices may have been missed: what L1 holds of these buckets is not believed any more. One event for all `buckets` of
   * which that is found for one reason in one turn of the event loop; and one for all that follow within a second, when
   * that is over. One server is one bucket.
   */
  gap: { readonly reason: string; readonly buckets: number }
  /**
   * Redis may have lost what it had acknowledged of these buckets (a failover, a restart): what was invalidated lately is
   * invalidated again, `repeated` keys and groups. Until that is acknowledged, L2 is passed over for them here. One
   * event for all `buckets` of which that is found for one reason in one turn of the event loop. It is a `gap`, too.
   */
  resync: { readonly reason: string; readonly buckets: number; readonly repeated: number }
  /** A loader ran. `ms` is its run time. */
  load: { readonly namespace: string; readonly key: string; readonly ms: number; readonly error?: unknown }
  /** A loaded value was given to its callers but not stored, because it may be older than an invalidation. */
  'fill-refused': { readonly namespace: string; readonly key: string; readonly reason: string }
  /** A loaded value could not be encoded, or was too large: it was given to its callers and not stored. */
  unstorable: { readonly namespace: string; readonly key: string; readonly error: unknown }
  /** Bytes under a key of ours were no entry: counted as a miss and removed. */
  undecodable: { readonly namespace: string; readonly key: string; readonly error: unknown }
  /** An entry in L2 is none for this process. Counted as a miss; it stays until another value takes its place. */
  incompatible: { readonly namespace: string; readonly key: string; readonly reason: Incompatibility }
  /** A cached value does not pass the schema of its reader: counted as a miss there. It stays until another takes its place. */
  invalid: { readonly namespace: string; readonly key: string; readonly tier: 'l1' | 'l2'; readonly error: unknown }
  /**
   * A change was not acknowledged by Redis. It holds here, and its key, namespace or tag is invalidated again until that is
   * acknowledged; a value that was set is not sent again. Meanwhile L2 is passed over for its keys here.
   */
  unacknowledged: InvalidationSubject & { readonly operation: string; readonly error: unknown }
  /** An invalidation that had not been acknowledged was repeated, and now is: it holds for all processes. */
  acknowledged: InvalidationSubject
  /** A caller began to wait for a load that another process runs, and that may hold the key for `leftMs` more. */
  wait: { readonly namespace: string; readonly key: string; readonly leftMs: number }
  /** This process loads a key in place of another one, for which it had waited and which did not finish. */
  takeover: { readonly namespace: string; readonly key: string }
  /** A renewal behind a stale value, or ahead of a value's end, failed; that value goes on being served until it expires. */
  'renewal-failed': { readonly namespace: string; readonly key: string; readonly error: unknown }
}

/** What an invalidation is about: a key, a namespace, or a tag. */
export interface InvalidationSubject {
  readonly namespace?: string
  readonly key?: string
  readonly tag?: string
}

/**
 * Why an entry is none for this process, though it may be one for others:
 *
 * - `schema-version`: it is of another `schemaVersion`.
 * - `not-encrypted`: it is in the clear, and this process encrypts.
 * - `unknown-key`: it was encrypted with a key that this process does not have.
 * - `algorithm`: it was compressed in a way that this Node does not have.
 * - `too-large`: it is larger than this process takes.
 */
export type Incompatibility = 'schema-version' | 'not-encrypted' | 'unknown-key' | 'algorithm' | 'too-large'

const events: Readonly<Record<CacheEventName, true>> = {
  warning: true,
  connected: true,
  disconnected: true,
  breaker: true,
  'l2-error': true,
  gap: true,
  resync: true,
  load: true,
  'fill-refused': true,
  unstorable: true,
  undecodable: true,
  incompatible: true,
  invalid: true,
  unacknowledged: true,
  acknowledged: true,
  wait: true,
  takeover: true,
  'renewal-failed': true,
}

/** The names of all events there are. */
export const eventNames: readonly string[] = Object.keys(events)

/** - `closed`: commands pass. - `open`: none passes. - `half-open`: one probe is on its way. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** How one server of L2 does. */
export interface ServerHealth {
  /** What people call it: host and port, never the password. */
  readonly server: string
  /** Whether a command would be sent to it right now. */
  readonly usable: boolean
  readonly breaker: BreakerState
  /** The last command that failed, whenever that was: `at` in ms since 1970. */
  readonly lastError?: {
    readonly command: string
    readonly code: string
    readonly message: string
    readonly at: number
  }
}

/** What is known of L2, for people. */
export interface FarHealth {
  /** Those that hold keys; none while a Cluster cannot be asked which these are. */
  readonly servers: readonly ServerHealth[]
  /** The last `warning` about Redis, whether it still holds or not. */
  readonly lastWarning?: { readonly code: string; readonly message: string }
}

export type CacheEventName = keyof CacheEvents

export type CacheListener<Name extends CacheEventName> = (event: CacheEvents[Name]) => void

/** How lookups of one namespace ended. Plain numbers, incremented in place. */
export interface RequestCounters {
  l1Fresh: number
  l1Stale: number
  l1Missing: number
  l2Fresh: number
  l2Stale: number
  l2Missing: number
}

/**
 * How requests to a response cache are answered.
 *
 * - `hit`: by a fresh stored response. `stale`: by one that is past its lifetime, while it is revalidated or in place of an
 *   error.
 * - `revalidated`: by one that the application has just confirmed.
 * - `collapsed`: by the response to another request that came at the same time.
 * - `miss`: by the application, for want of a stored response that would do. `bypass`: by the application, as the cache was not
 *   to deal with it.
 */
export const httpOutcomes = ['hit', 'stale', 'revalidated', 'collapsed', 'miss', 'bypass'] as const
export type HttpOutcome = (typeof httpOutcomes)[number]

/** Why a response is not stored, or the cache not asked: the words of `detail` in Cache-Status. */
export const httpRefusals = [
  ...['authorization', 'client-certificate', 'cookie', 'set-cookie', 'audit', 'deception', 'tags', 'too-many-tags'],
  ...[
    'status',
    'no-store',
    'private',
    'no-cache',
    'vary',
    'coding',
    'no-vary-search',
    'endless',
    'trailers',
    'no-lifetime',
    'expired',
    'too-large',
  ],
  ...['skip', 'head', 'range', 'request-no-store', 'x-forwarded-host', 'x-forwarded-proto'],
  ...['method', 'precondition', 'request-body', 'override', 'mismatch', 'default-port', 'length'],
  ...['target', 'target-length', 'query-parameters', 'content'],
] as const

/** What makes responses invalid: the answer to an unsafe method, or a purge by URL, tag or group. */
export const httpInvalidators = ['method', 'url', 'tag', 'group'] as const

/** What response caches have done over one cache. */
export class HttpCounters {
  readonly outcomes = zeros(httpOutcomes)
  /** Reasons that are none of {@link httpRefusals} count together. */
  readonly refusals: Record<string, number> = zeros([...httpRefusals, 'other'])
  readonly invalidations = zeros(httpInvalidators)

  refused(reason: string): void {
    const name = Object.hasOwn(this.refusals, reason) ? reason : 'other'
    this.refusals[name] = (this.refusals[name] as number) + 1
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
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

/** What metrics need of a cache: its numbers and its events. */
export interface Observable {
  readonly counters: Counters
  gauges(): Gauges
  on<Name extends CacheEventName>(name: Name, listener: CacheListener<Name>): () => void
}

/**
 * A typed emitter. A listener that throws or rejects becomes a process warning, never the cache's failure. One that is
 * added while an event is told hears the next one; one that is taken off hears nothing more.
 */
export class Events {
  readonly #listeners = new Map<CacheEventName, Set<(event: never) => unknown>>()

  /** Registers `listener`; the answer takes it off again. */
  on<Name extends CacheEventName>(name: Name, listener: CacheListener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    // A function of our own: the same listener may be registered twice, and each answer takes off its own.
    const registered: CacheListener<Name> = (event) => listener(event)
    listeners.add(registered)
    return () => void listeners.delete(registered)
  }

  /** Tells an event. `build` runs only if somebody listens; a `warning` that nobody hears becomes a process warning. */
  tell<Name extends CacheEventName>(name: Name, build: () => CacheEvents[Name]): void {
    const listeners = this.#listeners.get(name)
    if (!listeners || listeners.size === 0) {
      if (name === 'warning') warnUnheard(build() as CacheEvents['warning'])
      return
    }
    const event = build()
    // A copy: what is added to a set while it is gone through would be come to as well.
    for (const listener of [...listeners]) if (listeners.has(listener)) call(listener as CacheListener<Name>, event)
  }
}

function call<Event>(listener: (event: Event) => unknown, event: Event): void {
  try {
    const result = listener(event)
    if (result instanceof Promise) result.catch(warnOfListener)
  } catch (error) {
    warnOfListener(error)
  }
}

function warnUnheard({ code, message }: CacheEvents['warning']): void {
  process.emitWarning(message, { type: 'TierCacheWarning', code })
}

function warnOfListener(error: unknown): void {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : typeof error
  process.emitWarning(`a listener of cache events failed: ${reason}`, { type: 'TierCacheWarning' })
}
