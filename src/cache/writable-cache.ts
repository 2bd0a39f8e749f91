import { checkTags, namespaceGroup, tagGroup } from '../entry/key.ts'
import { badValue, TierCacheError } from '../errors.ts'
import type { Duration } from '../options.ts'
import { readDuration } from '../options.ts'
import { acknowledged, allAcknowledged } from './acknowledgement.ts'
import type { ChangeOptions, CounterOptions, SetOptions } from './call-options.ts'
import { readChangeOptions, readCounterOptions, readSetOptions } from './call-options.ts'
import { incrementThrough } from './counter.ts'
import { deleteManyEverywhere } from './delete-many.ts'
import { deleteInside, HELD } from './inside-transaction.ts'
import {
  clearEverywhere,
  deleteEverywhere,
  expireEverywhere,
  expireTagEverywhere,
  invalidateTagEverywhere,
} from './invalidation.ts'
import type { ManyEntries } from './many-arguments.ts'
import { readEntries, readKeys } from './many-arguments.ts'
import type { Namespace } from './namespace.ts'
import { nowOrHeld, setManyNowOrHeld, setNowOrHeld } from './now-or-held.ts'
import { ObservableCache } from './observable-cache.ts'
import type { Parts } from './parts.ts'
import { entryOf } from './reads.ts'
import type { SetManyResult } from './set-many.ts'
import { readNamed } from './set-many.ts'
import { touchThrough } from './touch.ts'
import type { Outcome, SetResult } from './write-through.ts'

/** What can be done to the values of a cache: now, or held by the transaction that the caller is inside of. */
export class WritableCache extends ObservableCache {
  readonly #space: Namespace

  constructor(space: Namespace) {
    super(space)
    this.#space = space
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
    return this.#space.parts.life.attend(setNowOrHeld(this.#space.parts, target, value, kept, options))
  }

  /**
   * Stores many values, each as {@link WritableCache.set} does: a Map, a plain object, or pairs. Options of an entry's own come
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
    return this.#space.parts.life.attend(setManyNowOrHeld(this.#space.parts, written))
  }

  /** Makes a key gone everywhere. A load of it that is under way answers its callers and stores nothing. */
  async delete(key: string, options?: ChangeOptions): Promise<Outcome> {
    const target = this.#space.target(key)
    const requireAck = readChangeOptions('delete', options, this.#space.defaults)
    const what = { word: 'gone', id: target.id } as const
    return nowOrHeld(this.#space.parts, 'delete', requireAck, what, () => deleteEverywhere(this.#space.parts, target))
  }

  /**
   * Makes many keys gone everywhere, each as {@link WritableCache.delete} does. `acknowledged`: all of them are.
   *
   * @example
   * await cache.deleteMany(['user:1', 'user:2'])
   */
  async deleteMany(keys: Iterable<string>, options?: ChangeOptions): Promise<Outcome> {
    this.#space.assertOpen()
    const targets = Array.from(new Set(readKeys(keys)), (key) => this.#space.target(key))
    const requireAck = readChangeOptions('deleteMany', options, this.#space.defaults)
    const transaction = this.#space.parts.transactions.current()
    if (!transaction) {
      return this.#space.parts.life.attend(
        acknowledged('deleteMany', requireAck, deleteManyEverywhere(this.#space.parts, targets)),
      )
    }
    for (const target of targets) deleteInside(this.#space.parts, transaction, target, requireAck)
    return targets.length === 0 ? { acknowledged: true } : HELD
  }

  /**
   * Makes a key stale everywhere: its value is renewed at the next `getOrSet`. For as long as it would have lived it is
   * served in place of a load that fails; and while it is renewed, to callers whose `stale` is not 0.
   */
  async expire(key: string, options?: ChangeOptions): Promise<Outcome> {
    const target = this.#space.target(key)
    const requireAck = readChangeOptions('expire', options, this.#space.defaults)
    const what = { word: 'stale', id: target.id } as const
    return nowOrHeld(this.#space.parts, 'expire', requireAck, what, () => expireEverywhere(this.#space.parts, target))
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

  /** Makes all entries of this namespace, and of those below it, gone everywhere, in one step. */
  async clear(options?: ChangeOptions): Promise<Outcome> {
    this.#space.assertOpen()
    const requireAck = readChangeOptions('clear', options, this.#space.defaults)
    const what = { word: 'gone', group: namespaceGroup(this.name) } as const
    return nowOrHeld(this.#space.parts, 'clear', requireAck, what, () =>
      clearEverywhere(this.#space.parts, this.name, this.#space.isRoot),
    )
  }

  /**
   * Gives what is stored under a key a new `ttl` from now on, everywhere; default: that of the namespace, or what is left of its
   * own where that is more. For how long it may be served stale after that stays as it was given when it was stored. What `expire` or `expireTags` made stale stays
   * stale, and lives for the new `ttl` at least. `found` tells whether there was something (`false` too when that is not
   * known, for want of an acknowledgement).
   *
   * @example
   * await cache.touch('session:7', '30m')
   */
  async touch(key: string, ttl?: Duration, options?: ChangeOptions): Promise<Outcome & { readonly found: boolean }> {
    const target = this.#space.target(key)
    const requireAck = readChangeOptions('touch', options, this.#space.defaults)
    const { defaults } = this.#space
    const ttlMs = ttl === undefined ? undefined : readDuration('ttl', ttl)
    const ttlFor = (leftMs: number) => ttlMs ?? Math.max(leftMs, defaults.ttlMs)
    const act = () => touchThrough(this.#space.parts, target, defaults, ttlFor)
    const transaction = this.#space.parts.transactions.current()
    if (!transaction) return this.#space.parts.life.attend(acknowledged('touch', requireAck, act()))
    // The transaction may have ended when the look has.
    transaction.touch(target.id, { operation: 'touch', requireAck, act })
    return { ...HELD, found: (await entryOf(this.#space, key)) !== undefined }
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
    if (this.#space.parts.transactions.current()) {
      throw new TierCacheError('ERR_IN_TRANSACTION', 'increment: call it before the transaction, or after it')
    }
    const kept = readCounterOptions(options, this.#space.defaults)
    return this.#space.parts.life.attend(incrementThrough(this.#space.parts, target, by, kept))
  }

  /**
   * Holds the changes that its callback makes through this cache and its namespaces until the callback has resolved, then
   * does them, and answers the callback's value: for a transaction of a database, so that nobody loads what is not committed
   * yet. When the callback throws they are dropped.
   *
   * Inside, a change answers `{ acknowledged: false, held: true }` at once. Reads inside find what was `set` inside, and
   * nothing of what was invalidated inside. From the first change on, what a loader answers inside goes to its caller
   * alone, and is not stored; callers outside that wait for a load begun before that load for themselves. A stale value is
   * served in place of one that fails, or takes longer than `softTimeout`. `increment` rejects with `ERR_IN_TRANSACTION`.
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
    return this.#space.parts.transactions.run(work)
  }

  async #ofTags(
    operation: string,
    word: 'gone' | 'stale',
    tags: readonly string[],
    act: (parts: Parts, tag: string) => Promise<Outcome>,
  ): Promise<Outcome> {
    this.#space.assertOpen()
    const { requireAck } = this.#space.defaults
    const changes = checkTags(tags).map((tag) =>
      nowOrHeld(this.#space.parts, operation, requireAck, { word, group: tagGroup(tag) }, () =>
        act(this.#space.parts, tag),
      ),
    )
    return together(await Promise.all(changes))
  }
}

function together(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.some(({ held }) => held)) return HELD
  return allAcknowledged(outcomes)
}
