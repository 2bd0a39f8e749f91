import { types } from 'node:util'
import { checkKey } from '../entry/key.ts'
import { badValue } from '../errors.ts'
import { checkOptions } from '../options.ts'
import type { Duration } from '../options.ts'
import type { LoadManyContext, ManyLoader } from './batch-loader.ts'
import { isPlain, tellTagsOf } from './batch-loader.ts'
import type { ChangeOptions, LoadOptions, SetOptions } from './call-options.ts'
import { LOAD_NAMES } from './call-options.ts'
import { inChunks } from './in-chunks.ts'
import type { LoadContext, Loader } from './load-context.ts'
import { tellTags } from './told-tags.ts'
import type { Outcome, SetResult } from './write-through.ts'

/** The verbs of the namespace that a handle lives in. */
export interface HandleCache {
  readonly name: string
  peek(key: string): unknown
  getOrSet(key: string, loader: Loader<unknown>, options: LoadOptions | undefined): Promise<unknown>
  set(key: string, value: unknown, options: SetOptions | undefined): Promise<SetResult>
  delete(key: string, options: ChangeOptions | undefined): Promise<Outcome>
  deleteMany(keys: Iterable<string>, options: ChangeOptions | undefined): Promise<Outcome>
  expire(key: string, options: ChangeOptions | undefined): Promise<Outcome>
  clear(options: ChangeOptions | undefined): Promise<Outcome>
}

/** What a handle does there beside. */
export interface HandleSpace {
  /** The fresh value of a key in L1, as `getOrSet` answers it. */
  hit(key: string): Promise<unknown> | undefined
  /** One outcome for each key, in their order; whoever calls this sees to rejections at once. */
  loadEach(keys: readonly string[], loader: ManyLoader<unknown>, options: LoadOptions | undefined): Promise<unknown>[]
  /** Whether the caller is inside of a transaction: then it shares a load with nobody. */
  isInside(): boolean
}

/** How a handle loads and names its values. */
export interface Definition<Id> {
  readonly keyOf: (id: Id) => string
  readonly load: ((id: Id, context: LoadContext) => unknown) | undefined
  readonly loadMany: ((ids: Id[], context: HandleManyContext<Id>) => unknown) | undefined
  readonly tags: ((value: never, id: Id) => readonly string[]) | undefined
}

/** What `loadMany` of a handle is given. */
export interface HandleManyContext<Id> {
  /** Aborted when nobody waits any more for any of these ids. */
  readonly signal: AbortSignal
  /** What is to be replaced of this id, where there is something. See {@link LoadContext.stale}. */
  stale<T = unknown>(id: Id): { readonly value: T; readonly age: number } | undefined
  /** The value of this id that `stale` answers is still right. See {@link LoadContext.notModified}. Throws `ERR_NOTHING_TO_KEEP`. */
  notModified(id: Id): void
  /** Sets how long the value of this id will be fresh. Throws `ERR_INVALID_OPTION`. */
  setTtl(id: Id, ttl: Duration): void
  /** Sets for how long past its ttl the value of this id may be served. Throws `ERR_INVALID_OPTION`. */
  setStale(id: Id, stale: Duration): void
  /** Adds to the tags of the value of this id. Throws `ERR_INVALID_TAG`. */
  setTags(id: Id, ...tags: string[]): void
  /** The value of this id goes to the callers and is not stored. See {@link LoadContext.skip}. */
  skip(id: Id, others?: 'each' | 'next'): void
}

/** Ids of one turn that will be loaded together, by their keys. */
type Gathered<Id> = Map<string, { readonly id: Id; readonly loaded: Promise<unknown>; readonly settle: Settle }>
type Settle = (outcome: Promise<unknown> | undefined) => void

/** Ids by their keys. */
type Asked<Id> = ReadonlyMap<string, { readonly id: Id }>

/**
 * The values of one kind, by their ids, with the one way to load them. Made by `cache.define`. It lives in a namespace of its
 * own.
 *
 * Methods that answer a promise reject with `ERR_INVALID_ARGUMENT` for an id that no key can be made of.
 */
export class Handle<Id, T, Got = T> {
  /** The full name of its namespace. */
  readonly name: string
  readonly #cache: HandleCache
  readonly #space: HandleSpace
  readonly #definition: Definition<Id>
  #gathered: Gathered<Id> | undefined

  /** Not for users: see `cache.define`. */
  constructor(cache: HandleCache, space: HandleSpace, definition: Definition<Id>) {
    this.name = cache.name
    this.#cache = cache
    this.#space = space
    this.#definition = definition
  }

  /**
   * The value of an id; loads and stores it when there is none. Where there is a `loadMany`, the ids that miss in one turn are
   * loaded by one call of it.
   *
   * @example
   * const user = await users.get(7)
   */
  get(id: Id, options?: LoadOptions): Promise<Got> {
    try {
      if (options !== undefined) checkOptions('get', options, LOAD_NAMES)
      const key = this.keyOf(id)
      const hit = options === undefined ? this.#space.hit(key) : undefined
      return (hit ?? this.#loadEach(new Map([[key, { id }]]), options)[0]) as Promise<Got>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The values of many ids, in their order; what `loadMany` knows nothing of, and `load` answers with `undefined`, is not in the
   * Map. Rejects when one of them cannot be had.
   *
   * @example
   * const found = await users.getMany([7, 8])
   */
  async getMany(ids: Iterable<Id>, options?: LoadOptions): Promise<Map<Id, T>> {
    if (options !== undefined) checkOptions('getMany', options, LOAD_NAMES)
    const all = Array.from(ids, (id) => ({ id, key: this.keyOf(id) }))
    const outcomes = new Map<string, Promise<unknown> | undefined>()
    const missing = new Map<string, { readonly id: Id }>()
    for (const each of all) {
      const hit = options === undefined ? this.#space.hit(each.key) : undefined
      outcomes.set(each.key, hit)
      if (hit === undefined) missing.set(each.key, each)
    }
    const loads = this.#loadEach(missing, options)
    for (const [index, key] of [...missing.keys()].entries()) outcomes.set(key, loads[index])
    const values = await Promise.all(all.map(({ key }) => outcomes.get(key)))
    return new Map(all.flatMap(({ id }, index) => (values[index] === undefined ? [] : [[id, values[index] as T]])))
  }

  /** The fresh value of an id in L1, at once. Throws `ERR_INVALID_ARGUMENT`. */
  peek(id: Id): T | undefined {
    return this.#cache.peek(this.keyOf(id)) as T | undefined
  }

  /** Stores a value: see `cache.set`. */
  async set(id: Id, value: T, options?: SetOptions): Promise<SetResult> {
    const { tags } = this.#definition
    const key = this.keyOf(id)
    if (!tags || options?.tags !== undefined) return this.#cache.set(key, value, options)
    const own = { ...options }
    tellTags(own, (checked) => tags(checked as never, id))
    return this.#cache.set(key, value, own)
  }

  /** Makes the value of an id gone everywhere: see `cache.delete`. */
  async delete(id: Id, options?: ChangeOptions): Promise<Outcome> {
    return this.#cache.delete(this.keyOf(id), options)
  }

  /** Makes the values of many ids gone everywhere: see `cache.deleteMany`. */
  async deleteMany(ids: Iterable<Id>, options?: ChangeOptions): Promise<Outcome> {
    return this.#cache.deleteMany(
      Array.from(ids, (id) => this.keyOf(id)),
      options,
    )
  }

  /** Makes the value of an id stale everywhere: see `cache.expire`. */
  async expire(id: Id, options?: ChangeOptions): Promise<Outcome> {
    return this.#cache.expire(this.keyOf(id), options)
  }

  /** Makes all values of this kind gone everywhere, in one step. */
  async clear(options?: ChangeOptions): Promise<Outcome> {
    return this.#cache.clear(options)
  }

  /** The key that stands for an id in the namespace of this handle, as `keys` lists it. Throws `ERR_INVALID_ARGUMENT`. */
  keyOf(id: Id): string {
    return this.#definition.keyOf(id)
  }

  /** One outcome for each of these, in their order. Whose options or transaction is another one shares a call with nobody. */
  #loadEach(asked: Asked<Id>, options: LoadOptions | undefined): Promise<unknown>[] {
    const isAlone = options !== undefined || this.#space.isInside()
    if (isAlone || !this.#definition.loadMany) return this.#loadNow(asked, options)
    // A bad one must not be the failure of the others, nor leave them with nobody who waits.
    for (const key of asked.keys()) checkKey(key)
    return Array.from(asked, ([key, { id }]) => this.#gather(key, id))
  }

  #loadNow(asked: Asked<Id>, options: LoadOptions | undefined): Promise<unknown>[] {
    const { load, loadMany } = this.#definition
    const loadOne = (key: string, id: Id) => this.#cache.getOrSet(key, this.#loaderOf(id), options)
    if (!loadMany || (load && asked.size === 1)) return inChunks([...asked], ([key, { id }]) => loadOne(key, id))
    const together = this.#space.loadEach([...asked.keys()], this.#manyLoaderOf(asked), options)
    if (!load) return together
    return Array.from(asked, async ([key, { id }], index) => {
      const value = await together[index]
      return value === undefined ? loadOne(key, id) : value
    })
  }

  #loaderOf(id: Id): Loader<unknown> {
    const { load, tags } = this.#definition
    return (context) => {
      if (tags) tellTags(context, (value) => tags(value as never, id))
      return load?.(id, context)
    }
  }

  /** Puts an id among those that are loaded together, at the end of this turn. */
  #gather(key: string, id: Id): Promise<unknown> {
    let gathered = this.#gathered
    if (!gathered) {
      gathered = new Map()
      this.#gathered = gathered
      // A tick queued from a microtask runs when all microtasks are through.
      queueMicrotask(() => process.nextTick(() => this.#loadGathered()))
    }
    let place = gathered.get(key)
    if (!place) {
      let settle: Settle = () => {}
      const loaded = new Promise<unknown>((resolve) => {
        settle = resolve
      })
      place = { id, loaded, settle }
      gathered.set(key, place)
    }
    return place.loaded
  }

  #loadGathered(): void {
    const gathered: Gathered<Id> = this.#gathered ?? new Map()
    this.#gathered = undefined
    const outcomes = this.#begun(gathered)
    for (const [index, { settle }] of [...gathered.values()].entries()) settle(outcomes[index])
  }

  #begun(gathered: Gathered<Id>): Promise<unknown>[] {
    try {
      return this.#loadNow(gathered, undefined)
    } catch (error) {
      return Array.from(gathered, () => Promise.reject(error))
    }
  }

  #manyLoaderOf(ids: Asked<Id>): ManyLoader<unknown> {
    const { keyOf, load, loadMany, tags } = this.#definition
    return async (missing, context) => {
      const asked = new Map(missing.map((key) => [key, ids.get(key)?.id as Id]))
      const kept = new Set<string>()
      const answered = await loadMany?.([...asked.values()], contextById(context, keyOf, kept))
      const values = valuesByKey(answered, asked, keyOf)
      for (const [key, id] of asked) {
        if (tags) tellTagsOf(context, key, (value) => tags(value as never, id))
        // Its own load follows, which is to be stored: nobody is told to go without the cache.
        if (load && values.get(key) === undefined && !kept.has(key)) context.skip(key, 'next')
      }
      return values
    }
  }
}

/** What `loadMany` is given; the keys of the ids that are kept as they were are put into `kept`. */
function contextById<Id>(
  context: LoadManyContext,
  keyOf: (id: Id) => string,
  kept: Set<string>,
): HandleManyContext<Id> {
  return {
    get signal() {
      return context.signal
    },
    stale: (id) => context.stale(keyOf(id)),
    notModified: (id) => {
      const key = keyOf(id)
      context.notModified(key)
      kept.add(key)
    },
    setTtl: (id, ttl) => context.setTtl(keyOf(id), ttl),
    setStale: (id, stale) => context.setStale(keyOf(id), stale),
    setTags: (id, ...tags) => context.setTags(keyOf(id), ...tags),
    skip: (id, others) => context.skip(keyOf(id), others),
  }
}

const RESULT_EXPECTED = 'a Map, or a plain object, of values by their ids'

/** What `loadMany` answered, by key: a Map has ids, equal ones for equal keys; an object has them as texts. */
function valuesByKey<Id>(
  values: unknown,
  asked: ReadonlyMap<string, Id>,
  keyOf: (id: Id) => string,
): Map<string, unknown> {
  if (types.isMap(values)) return askedOf(values, asked, keyOf)
  if (!isPlain(values)) {
    throw badValue('ERR_INVALID_LOADER_RESULT', 'the result of loadMany', RESULT_EXPECTED, values)
  }
  const found = new Map<string, unknown>()
  for (const [key, id] of asked) {
    const name = textOf(id, key)
    if (Object.hasOwn(values, name)) found.set(key, values[name])
  }
  return found
}

/** What stands for an id in an object. */
function textOf(id: unknown, key: string): string {
  return typeof id === 'object' ? key : String(id)
}

/**
 * Those that were asked for. Throws when one is not there, and another thing of the same text is, as databases answer large
 * numbers.
 */
function askedOf<Id>(
  values: ReadonlyMap<unknown, unknown>,
  asked: ReadonlyMap<string, Id>,
  keyOf: (id: Id) => string,
): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const others = new Map<string, unknown>()
  for (const [id, value] of values) {
    const key = keyOf(id as Id)
    if (asked.has(key)) found.set(key, value)
    else if (typeof id !== 'object') others.set(String(id), id)
  }
  if (others.size === 0) return found
  for (const [key, id] of asked) {
    const text = textOf(id, key)
    if (found.has(key) || !others.has(text)) continue
    const expected = `a Map with the ids as they were asked for, the ${typeof id} ${text}`
    throw badValue('ERR_INVALID_LOADER_RESULT', 'the result of loadMany', expected, others.get(text))
  }
  return found
}
