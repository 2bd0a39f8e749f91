import type { ErrorCode } from './errors.ts'
import type { Counters, Gauges } from './counters/counters.ts'

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
    readonly code: ErrorCode
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
  readonly lastWarning?: { readonly code: ErrorCode; readonly message: string }
}

export type CacheEventName = keyof CacheEvents

export type CacheListener<Name extends CacheEventName> = (event: CacheEvents[Name]) => void

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
