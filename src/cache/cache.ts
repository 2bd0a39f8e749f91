import { checkKey, checkTags, namespaceGroup, tagGroup } from '../entry/key.ts'
import type { RefreshAhead } from '../entry/refresh-ahead.ts'
import type { OutputOf, StandardSchema } from '../entry/schema.ts'
import { badValue, TierCacheError } from '../errors.ts'
import type { CacheEventName, CacheListener, Counters, Gauges, Observable, RequestCounters } from '../events.ts'
import { eventNames } from '../events.ts'
import { Audience } from '../stampede/audience.ts'
import type { NearEntry } from '../tiers/near-entry.ts'
import { acknowledged } from './acknowledgement.ts'
import { incrementThrough } from './counter.ts'
import {
  deleteInside,
  HELD,
  loadInside,
  loadManyInside,
  peekInside,
  readEachInside,
  readEntryInside,
  setInside,
  setManyInside,
} from './inside-transaction.ts'
import {
  clearEverywhere,
  deleteEverywhere,
  expireEverywhere,
  expireTagEverywhere,
  invalidateTagEverywhere,
} from './invalidation.ts'
import type { Duration } from '../options.ts'
import { readDuration } from '../options.ts'
import type { CacheHealth, NamespaceStats } from './health.ts'
import { gaugesOf, healthOf, namespaceStatsOf, whenReady } from './health.ts'
import { touchThrough } from './touch.ts'
import type { ManyLoader } from './batch-loader.ts'
import { deleteManyEverywhere } from './delete-many.ts'
import { readEach } from './get-many.ts'
import { getOrLoadMany } from './get-or-load-many.ts'
import type { ManyEntries } from './many-arguments.ts'
import { readEntries, readKeys } from './many-arguments.ts'
import { handOut, isFresh } from './near.ts'
import type {
  ChangeOptions,
  CounterOptions,
  DefaultOptions,
  KeysOptions,
  LoadOptions,
  SetOptions,
  SetSettings,
} from './call-options.ts'
import {
  readChangeOptions,
  readCounterOptions,
  readKeysOptions,
  readLoadOptions,
  readSetOptions,
} from './call-options.ts'
import type { Parts } from './parts.ts'
import { Namespace } from './namespace.ts'
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
import type { AsyncFunction, Wrapped, WrappedResults } from './wrap.ts'
import { isIdentical, isOfOneSource, noteOwners } from './handle-owners.ts'
import { wrapped } from './wrap.ts'
import type { Target } from './parts.ts'
import type { SetManyResult, Written } from './set-many.ts'
import { givenOf, readNamed, writeManyThrough } from './set-many.ts'
import type { HandedOut } from './get-or-load.ts'
import { getOrLoad } from './get-or-load.ts'
import type { Inspection } from './inspection.ts'
import { inspectKey } from './inspection.ts'
import { listKeys } from './keys.ts'
import type { Loader } from './loader.ts'
import type { CacheEntry } from './read-entry.ts'
import { readEntry } from './read-entry.ts'
import { replayLast } from './replay.ts'
import { Door, door } from './seek.ts'
import { within } from './time-limit.ts'
import type { Invalidated } from './transaction.ts'
import type { Outcome, SetResult } from './write-through.ts'
import { readGiven, writeThrough } from './write-through.ts'
import type { CallTrace } from '../tracing.ts'
import { foundAs, getCalls, getOrSetCalls, getOrSetManyCalls, peekCalls, traced, traceVerbs } from '../tracing.ts'

/** A value with where it came from: see {@link Cache.getOrSetEntry}. */
export interface LoadedEntry<T> {
  readonly value: T
  readonly freshness: 'fresh' | 'stale'
  readonly age: number
  readonly ttl: number
  readonly tier: 'l1' | 'l2' | 'loader'
  /** Whether this caller waited for a load that another caller of this process had started. */
  readonly shared: boolean
}

/** What a whole cache has done and holds. */
export interface CacheStats extends Gauges {
  /** By name; `_` is the root. Those beyond the first 64 are `(other)`. */
  readonly namespaces: Readonly<Record<string, NamespaceStats>>
  readonly counters: Counters
}

/** What a hit in L1 is to those who trace. */
const NEAR_HIT = { tier: 'l1', freshness: 'fresh' } as const

/** How long `close` waits for what is under way. */
const DRAIN_MS = 5000

/**
 * A cache: L1 in this process, L2 behind it when there is a Redis. Made by `createCache`; opened for a part of the keys
 * by {@link Cache.namespace}.
 *
 * Methods that answer a promise reject with a `TierCacheError` for bad arguments, and never for a Redis that fails: that
 * is an event, and a miss. Exceptions are {@link Cache.increment}, {@link Cache.keys}, and changes with `requireAck`.
 */
export class Cache implements Observable {
  /** The full name of this namespace; `_` for the root. */
  readonly name: string
  readonly counters: Counters
  readonly #parts: Parts
  readonly #space: Namespace
  readonly #requests: RequestCounters

  /** Not for users: `createCache` puts the parts together. */
  constructor(parts: Parts, space = new Namespace(parts)) {
    this.name = space.name
    this.counters = parts.counters
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
    if (getOrSetCalls.hasSubscribers) return this.#tracedGetOrSet(key, loader, options)
    if (typeof key === 'string' && typeof loader === 'function' && options?.isolation === undefined) {
      const { schema, refreshAhead } = this.#space.defaults
      const near = this.#fresh(key, options?.schema ?? schema, options?.refreshAhead ?? refreshAhead)
      if (near !== undefined) return (near.ready ?? this.#answer(near)) as Promise<T>
    }
    return this.#load(key, loader, options).then(({ loaded }) => loaded.value as T)
  }

  /** As {@link Cache.getOrSet}, with where the value came from. */
  getOrSetEntry<Schema extends StandardSchema>(
    key: string,
    loader: Loader<unknown, OutputOf<Schema>>,
    options: LoadOptions & { readonly schema: Schema },
  ): Promise<LoadedEntry<OutputOf<Schema>>>
  getOrSetEntry<T, Stale = T>(key: string, loader: Loader<T, Stale>, options?: LoadOptions): Promise<LoadedEntry<T>>
  async getOrSetEntry<T>(key: string, loader: Loader<T, never>, options?: LoadOptions): Promise<LoadedEntry<T>> {
    const { loaded, joined } = await this.#load(key, loader, options)
    const { value, freshness, createdAt, freshUntil, tier } = loaded
    const now = this.#parts.clock.now()
    const ttl = Math.max(0, freshUntil - now)
    return { value: value as T, freshness, age: Math.max(0, now - createdAt), ttl, tier, shared: joined }
  }

  /**
   * The fresh value of a key, from L1 or L2; `undefined` is always a miss. A stale value is a miss here, since nobody
   * would renew it: see {@link Cache.getEntry}.
   */
  get<T>(key: string): Promise<T | undefined> {
    if (getCalls.hasSubscribers) return this.#tracedGet(key)
    const near = typeof key === 'string' ? this.#fresh(key, this.#space.defaults.schema, false) : undefined
    if (near !== undefined) return (near.ready ?? this.#answer(near)) as Promise<T>
    return this.#entry<T>(key).then((entry) => (entry?.freshness === 'fresh' ? entry.value : undefined))
  }

  /**
   * The fresh value of a key in L1, at once, if it was checked under the `schema` of this namespace. A miss is not counted: the
   * read that follows it is. Throws `ERR_INVALID_KEY`.
   */
  peek<T>(key: string): T | undefined {
    return peekCalls.hasSubscribers ? this.#tracedPeek(key) : this.#peek(key)
  }

  #peek<T>(key: string): T | undefined {
    const near = typeof key === 'string' ? this.#fresh(key, this.#space.defaults.schema, false) : undefined
    return near === undefined ? this.#peekInside(key) : (handOut(near.value, near.shared) as T)
  }

  /** What L1 does not answer at once. */
  #peekInside<T>(key: string): T | undefined {
    checkKey(key)
    const transaction = this.#parts.transactions.holder()
    if (!transaction) return undefined
    const { defaults } = this.#space
    return peekInside(this.#parts, transaction, this.#space.target(key), defaults, this.#requests) as T
  }

  /** What the cache has under a key, stale or fresh, with its age. Loads nothing. */
  async getEntry<T>(key: string): Promise<CacheEntry<T> | undefined> {
    return this.#entry(key)
  }

  /** Whether a fresh value is there, in L1 or L2. */
  async has(key: string): Promise<boolean> {
    return (await this.#entry(key))?.freshness === 'fresh'
  }

  /**
   * For how many ms the value of a key will still be fresh, in L1 or L2: 0 for one that is stale, `Infinity` for one without
   * an end, `undefined` where there is none.
   *
   * @example
   * if ((await cache.ttl('session:7') ?? 0) < 60_000) await cache.touch('session:7', '30m')
   */
  async ttl(key: string): Promise<number | undefined> {
    return (await this.#entry(key))?.ttl
  }

  /**
   * Stores a value: in L2 first, then here; the other processes drop theirs. Rejects with `ERR_UNSTORABLE_VALUE`,
   * `ERR_VALUE_TOO_LARGE`, `ERR_INVALID_VALUE` or for bad options, and then nothing was stored; with `requireAck`, with
   * `ERR_NOT_ACKNOWLEDGED`.
   *
   * @example
   * const { acknowledged } = await cache.set('rates', rates, { ttl: '1h' })
   */
  async set(key: string, value: unknown, options?: SetOptions): Promise<SetResult> {
    const target = this.#space.target(key)
    const kept = this.#space.kept(readSetOptions(options, this.#space.defaults))
    return this.#parts.life.attend(this.#set(target, value, kept, options))
  }

  async #set(target: Target, value: unknown, kept: SetSettings, options: SetOptions | undefined): Promise<SetResult> {
    const made = readGiven(this.#parts, value, kept, options)
    const given = made instanceof Promise ? await made : made
    const settings = given.tags ? { ...kept, tags: given.tags } : kept
    const transaction = this.#parts.transactions.current()
    if (!transaction) {
      return acknowledged('set', settings.requireAck, writeThrough(this.#parts, target, given, settings))
    }
    setInside(this.#parts, transaction, target, given, settings)
    return HELD
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
    const { defaults } = this.#space
    const transaction = this.#parts.transactions.holder()
    const entries = await this.#parts.life.attend(
      transaction
        ? readEachInside<T>(this.#parts, transaction, missing, defaults, this.#requests)
        : readEach<T>(this.#parts, missing, defaults, this.#requests),
    )
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
    readLoader(loader)
    const found = new Map<string, T>()
    const { schema, refreshAhead } = this.#space.defaults
    const [wanted, ahead] = [options?.schema ?? schema, options?.refreshAhead ?? refreshAhead]
    const targets = this.#freshOf(keys, found, options?.isolation === undefined, wanted, ahead)
    if (targets.length === 0) return found
    const loads = this.#loadEach(targets, loader, options)
    const outcomes = await this.#parts.life.attend(Promise.all(loads))
    for (const [index, { loaded }] of outcomes.entries()) {
      const { key } = targets[index] as Target
      if (loaded.value !== undefined) found.set(key, loaded.value as T)
      else found.delete(key)
    }
    return found
  }

  /**
   * Stores many values, each as {@link Cache.set} does: a Map, a plain object, or pairs. Options of an entry's own come
   * before those of the call. Of several entries with one key the last one counts. Rejects as `set` does, and then nothing
   * was stored; with `requireAck`, with `ERR_NOT_ACKNOWLEDGED` when one of those that ask for it was not acknowledged.
   *
   * @example
   * await cache.setMany([['rate:eur', 1.1], ['rate:try', 0.03, { ttl: '1m' }]], { ttl: '1h' })
   * const { acknowledged, results } = await cache.setMany({ a: 1, b: 2 })
   */
  async setMany(entries: ManyEntries, options?: SetOptions): Promise<SetManyResult> {
    this.#space.assertOpen()
    const settings = readSetOptions(options, this.#space.defaults, 'setMany')
    const written = Array.from(readEntries(entries).values(), ([key, value, own]) => {
      const target = this.#space.target(key)
      const ofOwn = readNamed(target, () => readSetOptions(own, settings, 'setMany'))
      return { target, value, settings: this.#space.kept(ofOwn) }
    })
    return this.#parts.life.attend(this.#setMany(written))
  }

  async #setMany(written: readonly Written[]): Promise<SetManyResult> {
    const made = givenOf(this.#parts, written)
    const ready = made instanceof Promise ? await made : made
    const transaction = this.#parts.transactions.current()
    if (transaction) return setManyInside(this.#parts, transaction, ready)
    const outcome = await writeManyThrough(this.#parts, ready)
    const awaited = written.filter((entry) => entry.settings.requireAck)
    const isAcknowledged = awaited.every(({ target: { key } }) => outcome.results.get(key)?.acknowledged)
    return acknowledged('setMany', !isAcknowledged, Promise.resolve(outcome))
  }

  /**
   * Makes many keys gone everywhere, each as {@link Cache.delete} does. `acknowledged`: all of them are.
   *
   * @example
   * await cache.deleteMany(['user:1', 'user:2'])
   */
  async deleteMany(keys: Iterable<string>, options?: ChangeOptions): Promise<Outcome> {
    this.#space.assertOpen()
    const targets = Array.from(new Set(readKeys(keys)), (key) => this.#space.target(key))
    const requireAck = readChangeOptions('deleteMany', options, this.#space.defaults)
    const transaction = this.#parts.transactions.current()
    if (!transaction) {
      return this.#parts.life.attend(acknowledged('deleteMany', requireAck, deleteManyEverywhere(this.#parts, targets)))
    }
    for (const target of targets) deleteInside(this.#parts, transaction, target, requireAck)
    return targets.length === 0 ? { acknowledged: true } : HELD
  }

  /** Makes a key gone everywhere. A load of it that is under way answers its callers and stores nothing. */
  async delete(key: string, options?: ChangeOptions): Promise<Outcome> {
    const target = this.#space.target(key)
    const requireAck = readChangeOptions('delete', options, this.#space.defaults)
    const what = { word: 'gone', id: target.id } as const
    return this.#invalidate('delete', requireAck, what, () => deleteEverywhere(this.#parts, target))
  }

  /**
   * Makes a key stale everywhere: its value is renewed at the next `getOrSet`. For as long as it would have lived it is
   * served in place of a load that fails; and while it is renewed, to callers whose `stale` is not 0.
   */
  async expire(key: string, options?: ChangeOptions): Promise<Outcome> {
    const target = this.#space.target(key)
    const requireAck = readChangeOptions('expire', options, this.#space.defaults)
    const what = { word: 'stale', id: target.id } as const
    return this.#invalidate('expire', requireAck, what, () => expireEverywhere(this.#parts, target))
  }

  /**
   * Makes all entries that carry one of these tags gone everywhere, in all namespaces, in one step per tag. A load under
   * way whose value turns out to carry one answers its callers and stores nothing. Rejects with `ERR_INVALID_TAG`.
   * `requireAck` is that of the namespace.
   *
   * @example
   * await cache.set('product:7', product, { tags: ['products', 'brand:3'] })
   * await cache.invalidateTags('brand:3')
   */
  async invalidateTags(...tags: string[]): Promise<Outcome> {
    return this.#ofTags('invalidateTags', 'gone', tags, invalidateTagEverywhere)
  }

  /** Makes all entries that carry one of these tags stale everywhere, as `expire` does. Rejects with `ERR_INVALID_TAG`. */
  async expireTags(...tags: string[]): Promise<Outcome> {
    return this.#ofTags('expireTags', 'stale', tags, expireTagEverywhere)
  }

  async #ofTags(
    operation: string,
    word: Invalidated['word'],
    tags: string[],
    change: (parts: Parts, tag: string) => Promise<Outcome>,
  ): Promise<Outcome> {
    this.#space.assertOpen()
    const { requireAck } = this.#space.defaults
    const changes = checkTags(tags).map((tag) =>
      this.#invalidate(operation, requireAck, { word, group: tagGroup(tag) }, () => change(this.#parts, tag)),
    )
    return together(await Promise.all(changes))
  }

  /** Does it now, or leaves it to the end of the transaction that the caller is inside of. */
  async #invalidate(
    operation: string,
    requireAck: boolean,
    what: Invalidated,
    act: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const transaction = this.#parts.transactions.current()
    if (!transaction) return this.#parts.life.attend(acknowledged(operation, requireAck, act()))
    transaction.invalidate(what, { operation, requireAck, act })
    return HELD
  }

  /**
   * Gives what is stored under a key a new `ttl` from now on, everywhere; default: that of the namespace. For how long it
   * may be served stale after that stays as it was given when it was stored. What `expire` or `expireTags` made stale stays
   * stale, and lives for the new `ttl` at least. `found` tells whether there was something (`false` too when that is not
   * known, for want of an acknowledgement).
   *
   * @example
   * await cache.touch('session:7', '30m')
   */
  async touch(key: string, ttl?: Duration, options?: ChangeOptions): Promise<Outcome & { readonly found: boolean }> {
    const target = this.#space.target(key)
    const requireAck = readChangeOptions('touch', options, this.#space.defaults)
    const kept = ttl === undefined ? this.#space.defaults : { ...this.#space.defaults, ttlMs: readDuration('ttl', ttl) }
    const act = () => touchThrough(this.#parts, target, kept)
    const transaction = this.#parts.transactions.current()
    if (!transaction) return this.#parts.life.attend(acknowledged('touch', requireAck, act()))
    // The transaction may have ended when the look has.
    transaction.touch(target.id, { operation: 'touch', requireAck, act })
    return { ...HELD, found: (await this.#entry(key)) !== undefined }
  }

  /**
   * Adds to a counter, which starts at 0 and then has the `ttl` of this call, without `jitter`; answers its new value. In
   * L2 in one step, so that no process's addition is lost. A counter has no tags: those of its namespace's defaults do not
   * apply to it.
   *
   * Rejects with `ERR_NOT_A_COUNTER`; with `ERR_REDIS_UNAVAILABLE` when it was not sent; with `ERR_OUTCOME_UNKNOWN` when it
   * was sent and not acknowledged. It is never repeated; an ioredis instance of yours that sends it again adds once, unless
   * another addition came in between.
   *
   * @example
   * const calls = await cache.increment(`calls:${userId}`, 1, { ttl: '1m' })
   */
  async increment(key: string, by = 1, options?: CounterOptions): Promise<number> {
    const target = this.#space.target(key)
    if (!Number.isSafeInteger(by)) throw badValue('ERR_INVALID_ARGUMENT', 'by', 'an integer', by)
    if (this.#parts.transactions.current()) {
      throw new TierCacheError('ERR_IN_TRANSACTION', 'increment: call it before the transaction, or after it')
    }
    const kept = readCounterOptions(options, this.#space.defaults)
    return this.#parts.life.attend(incrementThrough(this.#parts, target, by, kept))
  }

  /** Makes all entries of this namespace, and of those below it, gone everywhere, in one step. */
  async clear(options?: ChangeOptions): Promise<Outcome> {
    this.#space.assertOpen()
    const requireAck = readChangeOptions('clear', options, this.#space.defaults)
    const what = { word: 'gone', group: namespaceGroup(this.name) } as const
    return this.#invalidate('clear', requireAck, what, () =>
      clearEverywhere(this.#parts, this.name, this.#space.isRoot),
    )
  }

  /**
   * Holds the changes that its callback makes through this cache and its namespaces until the callback has resolved, then
   * does them, and answers the callback's value: for a transaction of a database, so that nobody loads what is not committed
   * yet. When the callback throws they are dropped.
   *
   * Inside, a change answers `{ acknowledged: false, held: true }` at once. Reads inside find what was `set` inside, and
   * nothing of what was invalidated inside. From the first change on, what a loader answers inside goes to its caller alone,
   * and is not stored; a stale value is served in place of one that fails, or takes longer than `softTimeout`. `increment`
   * rejects with `ERR_IN_TRANSACTION`.
   *
   * A transaction inside of another is part of it; should it throw, and the outer one go on, what was `set` so far is deleted
   * instead. What the callback leaves running is outside once the callback has ended.
   *
   * Rejects with the callback's error; with `ERR_NOT_ACKNOWLEDGED` when a change that had `requireAck` was not acknowledged:
   * then the callback has been carried out all the same, and so were the other changes.
   *
   * @example
   * await cache.transaction(async () => {
   *   await database.transaction(async (sql) => {
   *     await sql.rename(7, 'Ada')
   *     await cache.delete('user:7')
   *   })
   * })
   */
  async transaction<T>(work: () => T | PromiseLike<T>): Promise<T> {
    this.#space.assertOpen()
    if (typeof work !== 'function') throw badValue('ERR_INVALID_ARGUMENT', 'work', 'a function', work)
    return this.#parts.transactions.run(work)
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
    return listKeys(this.#parts, this.name, readKeysOptions(options), this.#space.defaults.tiers)
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

  /** A handle of the values that live here. */
  #handle<Id, T>(definition: Definition<Id>): Handle<Id, T> {
    const { transactions } = this.#parts
    const { schema, refreshAhead } = this.#space.defaults
    const space: HandleSpace = {
      name: this.name,
      peek: (key) => this.peek(key),
      hit: (key) => {
        const near = this.#fresh(key, schema, refreshAhead)
        if (near === undefined) return undefined
        return getOrSetCalls.hasSubscribers ? this.#tracedHit(key, near) : (near.ready ?? this.#answer(near))
      },
      load: (key, loader, options) => this.getOrSet(key, loader, options),
      loadEach: (keys, loader, options) => {
        const targets = keys.map((key) => this.#space.target(key))
        const { life } = this.#parts
        const loadedBy = async (load: Promise<HandedOut>) => (await load).loaded.value
        const begin = () => this.#loadEach(targets, loader, options).map((load) => life.attend(loadedBy(load)))
        return getOrSetManyCalls.hasSubscribers ? this.#tracedEach(keys, begin) : begin()
      },
      set: (key, value, options) => this.set(key, value, options),
      delete: (key, options) => this.delete(key, options),
      deleteMany: (keys, options) => this.deleteMany(keys, options),
      expire: (key, options) => this.expire(key, options),
      clear: (options) => this.clear(options),
      isInside: () => transactions.current() !== undefined,
    }
    return new Handle(space, definition)
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
    return this.#parts.events.on(name, listener)
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
    return this.#parts.life.attend(inspectKey(this.#parts, this.#space.target(key), this.#space.defaults))
  }

  gauges(): Gauges {
    return gaugesOf(this.#parts)
  }

  /** What the whole cache has done and holds, and the lookups of each namespace. */
  stats(): CacheStats {
    return { ...this.gauges(), namespaces: namespaceStatsOf(this.#parts), counters: this.counters }
  }

  /**
   * How the whole cache does: plain data, for a health endpoint.
   *
   * @example
   * app.get('/health', (_request, response) => response.json(cache.health()))
   */
  health(): CacheHealth {
    return healthOf(this.#parts)
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
    await whenReady(this.#parts)
    return this.health()
  }

  /**
   * Ends the cache and all its namespaces: nothing is accepted any more (`ERR_CLOSED`); what was called before is waited for,
   * with its loads and transactions, 5 seconds at most; then the connections that it opened are closed. Calls that go on after
   * that reject with `ERR_CLOSED`, and their loaders' `signal` is aborted. No loader begins any more.
   */
  async close(): Promise<void> {
    this.#parts.life.closing ??= this.#drain()
    await this.#parts.life.closing
  }

  async #drain(): Promise<void> {
    const { clock, life, near, endings } = this.#parts
    await within(clock, this.#settled(), DRAIN_MS)
    life.end()
    await replayLast(this.#parts)
    for (const end of endings) end()
    near?.close()
  }

  /** Resolves when nothing goes on that was called before. */
  async #settled(): Promise<void> {
    const { life, loads, transactions } = this.#parts
    await transactions.settled()
    await life.idle()
    await loads.settled()
  }

  /** For the faces above this cache. */
  get [door](): Door {
    return new Door(this.#parts, this.#space)
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

  /** One outcome for each key, in their order. */
  #loadEach(
    targets: readonly Target[],
    loader: ManyLoader<unknown>,
    options: LoadOptions | undefined,
  ): Promise<HandedOut>[] {
    const settings = this.#space.kept(readLoadOptions('getOrSetMany', options, this.#space.defaults))
    const request = { targets, loader, settings, requests: this.#requests }
    const transaction = this.#parts.transactions.current()
    return transaction ? loadManyInside(this.#parts, transaction, request) : getOrLoadMany(this.#parts, request)
  }

  #answer(near: NearEntry): Promise<unknown> {
    if (!near.shared) return Promise.resolve(handOut(near.value, false))
    near.ready = Promise.resolve(near.value)
    return near.ready
  }

  #entry<T>(key: string): Promise<CacheEntry<T> | undefined> {
    try {
      const target = this.#space.target(key)
      const { defaults } = this.#space
      const transaction = this.#parts.transactions.holder()
      return this.#parts.life.attend(
        transaction
          ? readEntryInside<T>(this.#parts, transaction, target, defaults, this.#requests)
          : readEntry<T>(this.#parts, target, defaults, this.#requests),
      )
    } catch (error) {
      return Promise.reject(error as Error)
    }
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
      const { loaded } = await this.#load(key, loader, options)
      Object.assign(context, foundAs(loaded))
      return loaded.value as T
    })
  }

  #tracedHit(key: string, near: NearEntry): Promise<unknown> {
    return traced(getOrSetCalls, { namespace: this.name, key, ...foundAs(NEAR_HIT) }, async () => this.#answer(near))
  }

  /** One call that tells of many keys, of which each has an outcome of its own. */
  #tracedEach(keys: readonly string[], begin: () => Promise<unknown>[]): Promise<unknown>[] {
    let loads: Promise<unknown>[] = []
    const all = traced(getOrSetManyCalls, { namespace: this.name, keys }, () => {
      loads = begin()
      return Promise.all(loads)
    })
    // It is the failure of those who wait for their keys.
    all.catch(() => {})
    return loads
  }

  #tracedGet<T>(key: string): Promise<T | undefined> {
    const context: CallTrace = { namespace: this.name, key }
    return traced(getCalls, context, async () => {
      const entry = await this.#entry<T>(key)
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

  #load(key: string, loader: Loader<unknown, never>, options: LoadOptions | undefined): Promise<HandedOut> {
    try {
      const target = this.#space.target(key)
      readLoader(loader)
      const settings = this.#space.kept(readLoadOptions('getOrSet', options, this.#space.defaults))
      const audience = new Audience()
      const asked = loader as Loader<unknown>
      const request = { target, loader: asked, settings, requests: this.#requests, audience, purpose: 'read' } as const
      const transaction = this.#parts.transactions.current()
      return this.#parts.life.attend(
        transaction ? loadInside(this.#parts, transaction, request) : getOrLoad(this.#parts, request),
      )
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }
}

traceVerbs(Cache.prototype)

function together(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.some(({ held }) => held)) return HELD
  return { acknowledged: outcomes.every((outcome) => outcome.acknowledged) }
}

function readLoader(loader: unknown): void {
  if (typeof loader !== 'function') throw badValue('ERR_INVALID_ARGUMENT', 'loader', 'a function', loader)
}
