import type { Counters, Gauges } from '../counters/counters.ts'
import type { CacheEventName, CacheListener, Observable } from '../events.ts'
import { eventNames } from '../events.ts'
import { badValue } from '../errors.ts'
import { tracedListing } from '../tracing.ts'
import type { KeysOptions } from './call-options.ts'
import { readKeysOptions } from './call-options.ts'
import type { CacheHealth, CacheStats } from './health.ts'
import { gaugesOf, healthOf, statsOf, whenReady } from './health.ts'
import type { Inspection } from './inspection.ts'
import { inspectKey } from './inspection.ts'
import { listKeys } from './keys.ts'
import type { Namespace } from './namespace.ts'

/** What people, and the tools that they use, may see of a cache. */
export class ObservableCache implements Observable {
  /** The full name of this namespace; `_` for the root. */
  readonly name: string
  readonly counters: Counters
  readonly #space: Namespace

  constructor(space: Namespace) {
    this.name = space.name
    this.counters = space.parts.counters
    this.#space = space
  }

  /**
   * Listens to an event of the whole cache; the answer takes the listener off again. See `CacheEvents`. Throws
   * `ERR_INVALID_ARGUMENT` for a name that is no event.
   */
  on<Name extends CacheEventName>(name: Name, listener: CacheListener<Name>): () => void {
    if (!eventNames.includes(name)) {
      throw badValue('ERR_INVALID_ARGUMENT', 'name', `one of ${eventNames.join(', ')}`, name)
    }
    if (typeof listener !== 'function') throw badValue('ERR_INVALID_ARGUMENT', 'listener', 'a function', listener)
    return this.#space.parts.events.on(name, listener)
  }

  /**
   * The keys of this namespace, not of those below it, that begin with `prefix`, in no order. For people and tools, not for
   * requests: Redis looks at all names of its database, on a Cluster those of each master, 500 in a step, one step after the
   * other as keys are taken.
   *
   * With Redis these are the keys of what L2 stores, whether it may still be served or not: fresh, stale, and made void by a
   * tag or a `clear`; not of what L1 alone has, for want of L2. Without Redis they are those of what L1 may serve, fresh or
   * stale, when the listing begins.
   *
   * A key that is there all the time is listed, and once. One that comes or goes meanwhile may be listed or not; while slots
   * of a Cluster move between servers, keys on their way may be missed; and of more than 100,000 keys one may be listed again.
   *
   * Throws `ERR_CLOSED` or for bad options. The listing rejects when Redis cannot be asked, and never ends early:
   * `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT`, `ERR_REDIS_REPLY`, or `ERR_REDIS_LOST`, also when the connection was lost
   * and came back between two keys. It ends with the loop that takes the keys, or when `signal` is aborted.
   *
   * @example
   * for await (const key of cache.keys({ prefix: 'user:' })) console.log(key)
   */
  keys(options?: KeysOptions): AsyncGenerator<string, void> {
    this.#space.assertOpen()
    const settings = readKeysOptions(options)
    const list = listKeys(this.#space.parts, this.name, settings, this.#space.defaults.tiers)
    return tracedListing(() => ({ namespace: this.name, prefix: settings.prefix }), list)
  }

  /**
   * What is known of a key, for people: which tier has what, its age and deadlines, its tags and versions, who loads it and how
   * many wait, and why it is served or not. A look changes nothing: it is no use of an entry, no request that is counted, and
   * fills nothing. With Redis it takes two round trips or three of its own. Rejects with `ERR_INVALID_KEY` or `ERR_CLOSED`.
   *
   * @example
   * const { answer, why } = await cache.inspect('user:1')
   * console.log(answer, why) // fresh L1 has it: stored 3.2 s ago, fresh for 57.2 s more
   */
  async inspect(key: string): Promise<Inspection> {
    return this.#space.parts.life.attend(inspectKey(this.#space.parts, this.#space.target(key), this.#space.defaults))
  }

  gauges(): Gauges {
    return gaugesOf(this.#space.parts)
  }

  /** What the whole cache has done and holds, and the lookups of each namespace. */
  stats(): CacheStats {
    return statsOf(this.#space.parts)
  }

  /**
   * How the whole cache does: plain data, for a health endpoint.
   *
   * @example
   * app.get('/health', (_request, response) => response.json(cache.health()))
   */
  health(): CacheHealth {
    return healthOf(this.#space.parts)
  }

  /**
   * Waits until L2 works and L1 is known to be current, for `maxStaleness` at most, and answers how the cache does then. It
   * need not be waited for: calls made before are answered, if need be without L2. Never rejects. In a database where nothing
   * was told before, the first change is followed by one `gap` all the same.
   *
   * @example
   * const { ok } = await cache.ready()
   * if (!ok) console.warn('the cache begins without Redis', cache.health())
   */
  async ready(): Promise<CacheHealth> {
    await whenReady(this.#space.parts)
    return this.health()
  }
}
