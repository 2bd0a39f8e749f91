import type { RefreshAhead } from '../entry/refresh-ahead.ts'
import type { OutputOf, StandardSchema } from '../entry/schema.ts'
import { badValue } from '../errors.ts'
import type { RequestCounters } from '../counters/counters.ts'
import type { NearEntry } from '../tiers/near-entry.ts'
import type { CallTrace } from '../tracing.ts'
import {
  foundAs,
  getCalls,
  getOrSetCalls,
  isGetOrSetTraced,
  isGetTraced,
  isPeekTraced,
  peekCalls,
  traced,
  traceVerbs,
} from '../tracing.ts'
import type { ManyLoader } from './batch-loader.ts'
import type { DefaultOptions, LoadOptions } from './call-options.ts'
import { close } from './closing.ts'
import type { LoadedEntry } from './get-or-load.ts'
import { loadedEntry } from './get-or-load.ts'
import type { Definition, HandleSpace } from './handle.ts'
import { Handle } from './handle.ts'
import type {
  AnyDefineOptions,
  AnyFunction,
  AnyWrapOptions,
  DefineOptions,
  LoadsMany,
  LoadsOne,
  WrapOptions,
} from './handle-options.ts'
import { readDefineOptions, readWrapOptions } from './handle-options.ts'
import { isIdentical, isOfOneSource, noteOwners } from './handle-owners.ts'
import type { Loader } from './load-context.ts'
import { lookForGet, lookForLoad } from './look.ts'
import { checkLoader, loadEach, loadEachValue, loadOne } from './loads.ts'
import { readKeys } from './many-arguments.ts'
import type { Namespace } from './namespace.ts'
import { handOut, isFresh } from './near.ts'
import type { Parts, Target } from './parts.ts'
import type { CacheEntry } from './read-entry.ts'
import { entriesOf, entryOf, peeked } from './reads.ts'
import { Door, door } from './seek.ts'
import type { AsyncFunction, Wrapped, WrappedResults } from './wrap.ts'
import { wrapped } from './wrap.ts'
import { WritableCache } from './writable-cache.ts'

/** What a hit in L1 is to those who trace. */
const NEAR_HIT = { tier: 'l1', freshness: 'fresh' } as const

/**
 * A cache: L1 in this process, L2 behind it when there is a Redis. Made by `createCache`; opened for a part of the keys
 * by {@link Cache.namespace}.
 *
 * Methods that answer a promise reject with a `TierCacheError` for bad arguments, and never for a Redis that fails: that
 * is an event, and a miss. Exceptions are {@link Cache.increment}, {@link Cache.keys}, and changes with `requireAck`.
 */
export class Cache extends WritableCache {
  readonly #parts: Parts
  readonly #space: Namespace
  readonly #requests: RequestCounters

  /** Not for users: `createCache` puts the parts together. */
  constructor(parts: Parts, space: Namespace) {
    super(space)
    this.#parts = parts
    this.#space = space
    this.#requests = space.requests
  }

  /**
   * The value of a key; loads, stores and answers it when there is none. However many callers ask, in this process and
   * in others, one loader runs. A failing loader rejects all of its callers, unless a stale value may be served.
   *
   * Options are read when a value is loaded: a hit does not look at them, but for `isolation`, `schema` and `refreshAhead`.
   *
   * @example
   * const user = await cache.getOrSet(`user:${id}`, () => database.user(id), { ttl: '1m', stale: '10m' })
   */
  getOrSet<Schema extends StandardSchema>(
    key: string,
    loader: Loader<unknown, OutputOf<Schema>>,
    options: LoadOptions & { readonly schema: Schema },
  ): Promise<OutputOf<Schema>>
  getOrSet<T, Stale = T>(key: string, loader: Loader<T, Stale>, options?: LoadOptions): Promise<T>
  getOrSet<T>(key: string, loader: Loader<T, never>, options?: LoadOptions): Promise<T> {
    if (isGetOrSetTraced()) return this.#tracedGetOrSet(key, loader, options)
    if (typeof key === 'string' && typeof loader === 'function' && options?.isolation === undefined) {
      const { schema, refreshAhead } = this.#space.defaults
      const near = this.#fresh(key, options?.schema ?? schema, options?.refreshAhead ?? refreshAhead)
      if (near !== undefined) return (near.ready ?? this.#answer(near)) as Promise<T>
      const looked = lookForLoad(this.#space, key, loader, options)
      if (looked !== undefined) return looked as Promise<T>
    }
    return loadOne(this.#space, key, loader, options).then(({ loaded }) => loaded.value as T)
  }

  /** As {@link Cache.getOrSet}, with where the value came from. */
  getOrSetEntry<Schema extends StandardSchema>(
    key: string,
    loader: Loader<unknown, OutputOf<Schema>>,
    options: LoadOptions & { readonly schema: Schema },
  ): Promise<LoadedEntry<OutputOf<Schema>>>
  getOrSetEntry<T, Stale = T>(key: string, loader: Loader<T, Stale>, options?: LoadOptions): Promise<LoadedEntry<T>>
  async getOrSetEntry<T>(key: string, loader: Loader<T, never>, options?: LoadOptions): Promise<LoadedEntry<T>> {
    return loadedEntry(this.#parts, await loadOne(this.#space, key, loader, options))
  }

  /**
   * The fresh value of a key, from L1 or L2; `undefined` is always a miss. A stale value is a miss here, since nobody
   * would renew it: see {@link Cache.getEntry}.
   */
  get<T>(key: string): Promise<T | undefined> {
    if (isGetTraced()) return this.#tracedGet(key)
    const near = typeof key === 'string' ? this.#fresh(key, this.#space.defaults.schema, false) : undefined
    if (near !== undefined) return (near.ready ?? this.#answer(near)) as Promise<T>
    const looked = lookForGet(this.#space, key)
    if (looked !== undefined) return looked as Promise<T>
    return entryOf<T>(this.#space, key).then((entry) => (entry?.freshness === 'fresh' ? entry.value : undefined))
  }

  /**
   * The fresh value of a key in L1, at once, if it was checked under the `schema` of this namespace. A miss is not counted: the
   * read that follows it is. Throws `ERR_INVALID_KEY`.
   */
  peek<T>(key: string): T | undefined {
    return isPeekTraced() ? this.#tracedPeek(key) : this.#peek(key)
  }

  #peek<T>(key: string): T | undefined {
    const near = typeof key === 'string' ? this.#fresh(key, this.#space.defaults.schema, false) : undefined
    return near === undefined ? peeked<T>(this.#space, key) : (handOut(near.value, near.shared) as T)
  }

  /** What the cache has under a key, stale or fresh, with its age. Loads nothing. */
  async getEntry<T>(key: string): Promise<CacheEntry<T> | undefined> {
    return entryOf(this.#space, key)
  }

  /** Whether a fresh value is there, in L1 or L2. */
  async has(key: string): Promise<boolean> {
    return (await entryOf(this.#space, key))?.freshness === 'fresh'
  }

  /**
   * For how many ms the value of a key will still be fresh, in L1 or L2: 0 for one that is stale, `Infinity` for one without
   * an end, `undefined` where there is none.
   *
   * @example
   * if ((await cache.ttl('session:7') ?? 0) < 60_000) await cache.touch('session:7', '30m')
   */
  async ttl(key: string): Promise<number | undefined> {
    return (await entryOf(this.#space, key))?.ttl
  }

  /**
   * The fresh values of many keys, from L1 or L2: what is missing, or stale, is not in the Map. In the order of the keys, of
   * which each counts once. L2 is asked in one step (on a Cluster in one for each slot). Rejects with `ERR_INVALID_KEY`, or
   * with `ERR_INVALID_ARGUMENT` for what is no iterable of keys.
   *
   * @example
   * const users = await cache.getMany<User>(['user:1', 'user:2'])
   * const ada = users.get('user:1')
   */
  async getMany<T>(keys: Iterable<string>): Promise<Map<string, T>> {
    const found = new Map<string, T>()
    const missing = this.#freshOf(keys, found, true, this.#space.defaults.schema, false)
    if (missing.length === 0) return found
    const entries = await entriesOf<T>(this.#space, missing)
    for (const [index, entry] of entries.entries()) {
      const { key } = missing[index] as Target
      if (entry?.freshness === 'fresh') found.set(key, entry.value)
      else found.delete(key)
    }
    return found
  }

  /**
   * The values of many keys, in their order; loads at once what is missing, and stores each record by itself: with its own
   * tags and TTL, and as missing where it is. A key of which the loader says nothing is not in the Map. `null` is a value,
   * as everywhere.
   *
   * Each key is as good as one of {@link Cache.getOrSet}: loads are shared, in this process and with the others, with
   * batches and single calls that want some of the same keys; a stale value is served, and renewed behind, together with the
   * others of the call. The loader runs for the keys that are nobody else's to load; what others load is awaited beside it.
   * It runs once more for keys whose load elsewhere comes to nothing. Rejects when there is a key that cannot be served:
   * with the error of its load, which all of the loader's keys share.
   *
   * @example
   * const users = await cache.getOrSetMany(ids, async (missing, ctx) => {
   *   const rows = await database.users(missing)
   *   for (const { id, team } of rows) ctx.setTags(id, `team:${team}`)
   *   return new Map(rows.map((row) => [row.id, row]))
   * }, { ttl: '1m', stale: '10m' })
   */
  getOrSetMany<Schema extends StandardSchema>(
    keys: Iterable<string>,
    loader: ManyLoader<unknown>,
    options: LoadOptions & { readonly schema: Schema },
  ): Promise<Map<string, OutputOf<Schema>>>
  getOrSetMany<T>(keys: Iterable<string>, loader: ManyLoader<T>, options?: LoadOptions): Promise<Map<string, T>>
  async getOrSetMany<T>(keys: Iterable<string>, loader: ManyLoader<T>, options?: LoadOptions): Promise<Map<string, T>> {
    checkLoader(loader)
    const found = new Map<string, T>()
    const { schema, refreshAhead } = this.#space.defaults
    const [wanted, ahead] = [options?.schema ?? schema, options?.refreshAhead ?? refreshAhead]
    const targets = this.#freshOf(keys, found, options?.isolation === undefined, wanted, ahead)
    if (targets.length === 0) return found
    const outcomes = await this.#parts.life.attend(Promise.all(loadEach(this.#space, targets, loader, options)))
    for (const [index, { loaded }] of outcomes.entries()) {
      const { key } = targets[index] as Target
      if (loaded.value !== undefined) found.set(key, loaded.value as T)
      else found.delete(key)
    }
    return found
  }

  /**
   * The same cache for keys of their own, with defaults of their own. Names nest: `users` opened within `shop` is
   * `shop.users`, and clearing `shop` clears it too. Throws `ERR_INVALID_NAMESPACE` or for bad options.
   *
   * A `schema` among the defaults checks all values, and gives calls no type: that is the loader's, or what the call says. Give
   * the schema to the call, or to {@link Cache.define}, for its type.
   *
   * @example
   * const users = cache.namespace('users', { ttl: '1h' })
   */
  namespace(name: string, defaults?: DefaultOptions): Cache {
    return new Cache(this.#parts, this.#space.within(name, defaults))
  }

  /**
   * The values of one kind: their name, their type and the way to load them are said once. They live in a namespace of their
   * own. Ids that miss in one turn are loaded by one call of `loadMany`, where there is one. Types are those of the loaders, or
   * of the `schema`.
   *
   * Throws `ERR_INVALID_NAMESPACE`, `ERR_INVALID_ARGUMENT` when the values of another loader live under its name (one of the same
   * source is the same: a module may be read twice), or for bad options.
   *
   * @example
   * const users = cache.define({
   *   name: 'users',
   *   load: (id: number) => database.user(id),
   *   loadMany: async (ids: number[]) => new Map((await database.users(ids)).map((user) => [user.id, user])),
   *   tags: (user) => [`team:${user.team}`],
   *   ttl: '10m',
   * })
   * const [ada, eve] = await Promise.all([users.get(1), users.get(2)])
   * await users.delete(1)
   */
  define<Id, Loaded, T = Loaded, Stale = T>(
    options: DefineOptions<Id, Loaded, T, Stale> & LoadsOne<Id, Loaded, Stale>,
  ): Handle<Id, T>
  define<Id, Loaded, T = Loaded>(
    options: DefineOptions<Id, Loaded, T> & LoadsMany<Id, Loaded>,
  ): Handle<Id, T, T | undefined>
  define(options: AnyDefineOptions): unknown {
    const { name, definition, defaults } = readDefineOptions(options)
    const space = this.namespace(name, defaults)
    noteOwners(this.#parts, 'define', space.name, [options.load, options.loadMany], isOfOneSource)
    return space.#handle(definition)
  }

  /**
   * A function of the same type, whose results are cached by its arguments. They live in a namespace of their own. `this` is
   * passed on, and is not part of the key; neither is what the function reads elsewhere.
   *
   * Throws `ERR_INVALID_NAMESPACE`, `ERR_INVALID_ARGUMENT` when another function was wrapped under its name (under a given
   * `name`, one of the same source is the same: it may be wrapped anew in each request), or for bad options.
   * Its calls reject with `ERR_INVALID_ARGUMENT` for arguments that no key can be made of, unless there is a `key`.
   *
   * @example
   * const userById = cache.wrap(async (id: number) => database.user(id), { name: 'userById', ttl: '10m' })
   * const ada = await userById(1)
   * await userById.invalidate(1)
   */
  wrap<This, Args extends unknown[], Schema extends StandardSchema>(
    fn: (this: This, ...args: Args) => unknown,
    options: WrapOptions<Args, OutputOf<Schema>> & { readonly schema: Schema },
  ): ((this: This, ...args: Args) => Promise<OutputOf<Schema>>) & WrappedResults<Args, OutputOf<Schema>>
  wrap<F extends AsyncFunction>(fn: F, options?: WrapOptions<Parameters<F>, Awaited<ReturnType<F>>>): Wrapped<F>
  wrap<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
    options?: WrapOptions<Args, Awaited<Result>>,
  ): ((this: This, ...args: Args) => Promise<Awaited<Result>>) & WrappedResults<Args, Awaited<Result>>
  wrap(fn: unknown, options?: AnyWrapOptions): unknown {
    if (typeof fn !== 'function') throw badValue('ERR_INVALID_ARGUMENT', 'fn', 'a function', fn)
    const { name, definition, defaults } = readWrapOptions(fn as AnyFunction, options)
    const space = this.namespace(name, defaults)
    noteOwners(this.#parts, 'wrap', space.name, [fn], options?.name === undefined ? isIdentical : isOfOneSource)
    return wrapped(fn as AnyFunction, space.#handle(definition))
  }

  /** For the faces above this cache. */
  get [door](): Door {
    return new Door(this.#parts, this.#space)
  }

  /** A handle of the values that live here. */
  #handle<Id, T>(definition: Definition<Id>): Handle<Id, T> {
    const { schema, refreshAhead } = this.#space.defaults
    const space: HandleSpace = {
      hit: (key) => {
        const near = this.#fresh(key, schema, refreshAhead)
        if (near === undefined) return undefined
        return isGetOrSetTraced() ? this.#tracedHit(key, near) : (near.ready ?? this.#answer(near))
      },
      loadEach: (keys, loader, options) => loadEachValue(this.#space, keys, loader, options),
      isInside: () => this.#parts.transactions.current() !== undefined,
    }
    return new Handle(this, space, definition)
  }

  /**
   * Ends the cache and all its namespaces: nothing is accepted any more (`ERR_CLOSED`); what was called before is waited for,
   * with its loads and transactions, 5 seconds at most; then the connections that it opened are closed. Calls that go on after
   * that reject with `ERR_CLOSED`, and their loaders' `signal` is aborted. No loader begins any more.
   */
  close(): Promise<void> {
    return close(this.#parts)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The hit path: no promise, no event, no check of what was checked when it was stored. */
  #fresh(key: string, schema: StandardSchema | false | undefined, ahead: RefreshAhead): NearEntry | undefined {
    const parts = this.#parts
    if (parts.transactions.holder() !== undefined) return undefined
    const near = parts.near?.get(this.#space.idOf(key))
    if (near === undefined || near.home.isRoot !== this.#space.isRoot) return undefined
    const now = parts.clock.now()
    if (!isFresh(parts, near, now)) return undefined
    if (schema !== undefined && near.schema !== schema) return undefined
    if (ahead !== false && !near.isCalm(ahead, now)) return undefined
    this.#requests.l1Fresh++
    return near
  }

  /**
   * Puts what L1 has fresh into `found`, and answers the other keys, which take their places there. Nothing is checked of
   * what was checked when it was stored.
   */
  #freshOf(
    keys: Iterable<string>,
    found: Map<string, unknown>,
    mayServe: boolean,
    schema: StandardSchema | false | undefined,
    ahead: RefreshAhead,
  ): Target[] {
    const others: Target[] = []
    for (const key of readKeys(keys)) {
      if (found.has(key)) continue
      const near = mayServe && typeof key === 'string' ? this.#fresh(key, schema, ahead) : undefined
      if (near === undefined) others.push(this.#space.target(key))
      found.set(key, near && handOut(near.value, near.shared))
    }
    return others
  }

  #answer(near: NearEntry): Promise<unknown> {
    if (!near.shared) return Promise.resolve(handOut(near.value, false))
    near.ready = Promise.resolve(near.value)
    return near.ready
  }

  /** As {@link Cache.getOrSet} when nobody traces: also on a hit its options are not looked at. */
  #tracedGetOrSet<T>(key: string, loader: Loader<T, never>, options: LoadOptions | undefined): Promise<T> {
    const context: CallTrace = { namespace: this.name, key }
    return traced(getOrSetCalls, context, async () => {
      const isPlain = typeof key === 'string' && typeof loader === 'function' && options?.isolation === undefined
      const { schema, refreshAhead } = this.#space.defaults
      const near = isPlain
        ? this.#fresh(key, options?.schema ?? schema, options?.refreshAhead ?? refreshAhead)
        : undefined
      if (near !== undefined) {
        Object.assign(context, foundAs(NEAR_HIT))
        return this.#answer(near) as Promise<T>
      }
      const { loaded } = await loadOne(this.#space, key, loader, options)
      Object.assign(context, foundAs(loaded))
      return loaded.value as T
    })
  }

  #tracedHit(key: string, near: NearEntry): Promise<unknown> {
    return traced(getOrSetCalls, { namespace: this.name, key, ...foundAs(NEAR_HIT) }, async () => this.#answer(near))
  }

  #tracedGet<T>(key: string): Promise<T | undefined> {
    const context: CallTrace = { namespace: this.name, key }
    return traced(getCalls, context, async () => {
      const entry = await entryOf<T>(this.#space, key)
      const fresh = entry?.freshness === 'fresh' ? entry : undefined
      Object.assign(context, foundAs(fresh))
      return fresh?.value
    })
  }

  #tracedPeek<T>(key: string): T | undefined {
    const context: CallTrace = { namespace: this.name, key }
    return peekCalls.traceSync(() => {
      const value = this.#peek<T>(key)
      Object.assign(context, foundAs(value === undefined ? undefined : NEAR_HIT))
      return value
    }, context)
  }
}

traceVerbs(Cache.prototype)
