import type { Isolation } from '../entry/isolation.ts'
import { checkTags, isWellFormed } from '../entry/key.ts'
import type { RefreshAhead } from '../entry/refresh-ahead.ts'
import type { StandardSchema } from '../entry/schema.ts'
import { isSchema } from '../entry/schema.ts'
import { badValue } from '../errors.ts'
import type { Duration, OptionTable } from '../options.ts'
import { oneOf, readDuration, readFlag, readNumber, readOptions } from '../options.ts'

/** How one value is kept. Given to `createCache` (`defaults`), to `namespace`, and to each call; the nearest wins. */
export interface EntryOptions {
  /** How long a value is fresh. Default `'5m'`. */
  readonly ttl?: Duration | undefined
  /** How long it stays in L1 at most, so that L2 is asked again. Default: as long as `ttl` and `stale` say. */
  readonly l1Ttl?: Duration | undefined
  /**
   * How long past `ttl` a value may be served by `getOrSet` while a newer one is loaded behind it, or when loading
   * fails. Default: 0 for what is stored; what others stored with more is served as they said. A caller that says 0 itself, or
   * whose namespace does, is served none past its `ttl`, whoever stored it, not even when loading fails. What `expire` or
   * `expireTags` made stale is served to callers whose `stale` is 0 when loading fails, and only then.
   */
  readonly stale?: Duration | undefined
  /** Shortens each `ttl` by up to this fraction, by chance, so that what was stored together does not end together. Default 0.05. */
  readonly jitter?: number | undefined
  /** The groups that the value belongs to: `invalidateTags` makes all of a tag's values gone at once. At most 64. */
  readonly tags?: readonly string[] | undefined
  /** How readers are kept apart from each other. Default `'frozen'`. */
  readonly isolation?: Isolation | undefined
  /**
   * What values must be: any [Standard Schema](https://standardschema.dev), such as those of zod and valibot. What it makes
   * of a value is what is stored and handed out, so that it must accept its own output. A cached value that does not pass
   * is a miss; a loaded one is a failure of the loader; one that is set is refused: `ERR_INVALID_VALUE`. `get`, `getEntry`,
   * `has` and `peek` go by that of their namespace. `false`: none, whatever the namespace has. Default: none.
   */
  readonly schema?: StandardSchema | false | undefined
  /**
   * `'l1'`: the very value is kept in this process, neither encoded nor copied nor frozen whatever `isolation` says, and
   * never goes to L2: for what cannot be encoded, such as functions, instances of classes, sockets. One loader runs in each
   * process. It is invalidated as any other, from everywhere, and is as little served while that may not be heard. In L1 it
   * counts for 1 KiB, whatever its size. Give all calls of a key the same. Default `'all'`.
   *
   * To the other processes a `set` is a deletion, and what L2 has under the key is deleted. What reads and changes a
   * namespace with it looks at this process alone: `get`, `keys`, `touch`; `increment` is refused. Refused, too, with
   * `l1: false`.
   */
  readonly tiers?: 'all' | 'l1' | undefined
}

/** How a change answers. */
export interface ChangeOptions {
  /**
   * A change that Redis does not acknowledge rejects with `ERR_NOT_ACKNOWLEDGED`, in place of answering
   * `{ acknowledged: false }`. It holds in this process either way, and its key or
   * tag is invalidated again until Redis acknowledges that (a `touch` is not repeated). Default `false`.
   */
  readonly requireAck?: boolean | undefined
}

/** How a value is written by `set`. */
export interface SetOptions extends EntryOptions, ChangeOptions {
  /**
   * A number that grows with the value, such as a row's version or its time of change: where a value with a higher one
   * is stored, the given value is not (`{ refused: 'older' }`). A value without a version, given or loaded, replaces any
   * other, and any other replaces it. Default: none.
   */
  readonly version?: number | undefined
}

/** How a counter is kept that `increment` makes. It has no tags, and its `ttl` is not shortened by chance. */
export type CounterOptions = Pick<EntryOptions, 'ttl' | 'l1Ttl' | 'stale' | 'isolation'>

/** Which keys are listed by `keys`. */
export interface KeysOptions {
  /** How they begin; nothing in it stands for anything else. Default `''`: all. */
  readonly prefix?: string | undefined
  /** Ends the listing, which rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/** How values are loaded, and kept. */
export interface LoadingOptions extends EntryOptions {
  /** How long a loaded `null` is fresh: that there is no such thing. A `setTtl` of the loader wins. Default: as `ttl`. */
  readonly negativeTtl?: Duration | undefined
  /**
   * Renews a value behind its readers before its `ttl` is over: once this fraction of it has passed (0.8: in its last
   * fifth), or, with `'auto'`, the sooner the longer it took to load (XFetch: Vattani and others, "Optimal Probabilistic
   * Cache Stampede Prevention", 2015); a value that was set took no time to load, and waits for its end. `getOrSet` does
   * it, by the options of its own call. Default `false`.
   */
  readonly refreshAhead?: RefreshAhead | undefined
  /**
   * How long a caller waits for a newer value where there is a stale one; after that it gets the stale one, and the load
   * goes on. It gets that sooner when the load fails, or may not begin: 16 run behind stale values at a time. `hardTimeout`
   * and `waitTimeout` hold beside it. Default 0: not at all.
   */
  readonly softTimeout?: Duration | undefined
  /**
   * After so long a loader is aborted (`ctx.signal`) and its callers get what is stale, or else `ERR_LOAD_TIMEOUT`. When
   * it answers all the same, its value is stored, unless that is too late: newcomers wait for it for one `lease`, then
   * load themselves; and one more `hardTimeout` later it is dropped. Default `'30s'`. `'never'`: a loader that never ends
   * keeps its callers, and the other processes, for as long as they wait.
   */
  readonly hardTimeout?: Duration | undefined
  /**
   * How long a caller waits for a load that another one runs, here or in another process. After that it gets what is
   * stored, stale or fresh, or else runs its own loader, together with others of this process that have waited so long;
   * nothing of that is stored. Default: as `hardTimeout`, also where that alone is given. 0: never wait, and share with
   * nobody.
   */
  readonly waitTimeout?: Duration | undefined
}

/** How a value is loaded, and kept. */
export interface LoadOptions extends LoadingOptions {
  /**
   * Ends the wait of this caller, who gets the signal's reason. The loader goes on for the others, and is aborted
   * (`ctx.signal`) when the last one has left. One that is aborted already rejects before anything is done, unless L1 has a
   * fresh value. A load behind a stale value goes on, whoever leaves. Default: none.
   */
  readonly signal?: AbortSignal | undefined
}

/** What holds for all calls of a cache or namespace, unless one says otherwise. */
export interface DefaultOptions extends LoadingOptions, ChangeOptions {
  /**
   * The version of what is stored here, a whole number or 1 to 64 characters of `[A-Za-z0-9_.-]`: what was stored under
   * another one, or under none, is a miss in L2. Change it when the code changes the shape of its values. Integers carry
   * none. All caches of one process give a namespace the same. Default: none.
   *
   * `'auto'`: each namespace's goes by its own `schema` (a digest of its JSON Schema, which it must tell: zod does from 4.2 on,
   * valibot by `toStandardJsonSchema`), so that a changed schema makes what is stored a miss; none where there is no schema. The
   * name of a handle or wrapped function is part of its keys as it is.
   */
  readonly schemaVersion?: string | number | undefined
}

export interface EntrySettings {
  readonly ttlMs: number
  readonly l1TtlMs: number
  /** `undefined`: nobody has said. */
  readonly staleMs: number | undefined
  readonly jitter: number
  readonly isolation: Isolation
  readonly tags: readonly string[]
  readonly schema: StandardSchema | undefined
  readonly tiers: 'all' | 'l1'
}

export interface LoadSettings extends EntrySettings {
  /** `undefined`: as `ttlMs`. */
  readonly negativeTtlMs: number | undefined
  readonly refreshAhead: RefreshAhead
  readonly softTimeoutMs: number
  readonly hardTimeoutMs: number
  /** `undefined`: as long as `hardTimeoutMs`. */
  readonly waitTimeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

export interface ChangeSettings {
  readonly requireAck: boolean
}

export interface SetSettings extends EntrySettings, ChangeSettings {
  readonly version?: number | undefined
}

/** What a namespace gives to its calls. */
export interface DefaultSettings extends LoadSettings, ChangeSettings {
  readonly schemaVersion: string | undefined
}

export interface KeysSettings {
  readonly prefix: string
  readonly signal: AbortSignal | undefined
}

/** What holds where nobody says otherwise. */
export const DEFAULTS: DefaultSettings = Object.freeze({
  ttlMs: 300_000,
  l1TtlMs: Number.POSITIVE_INFINITY,
  staleMs: undefined,
  jitter: 0.05,
  isolation: 'frozen',
  tags: Object.freeze([]),
  schema: undefined,
  tiers: 'all',
  negativeTtlMs: undefined,
  refreshAhead: false,
  softTimeoutMs: 0,
  hardTimeoutMs: 30_000,
  waitTimeoutMs: undefined,
  signal: undefined,
  requireAck: false,
  schemaVersion: undefined,
})

const COUNTER: OptionTable<CounterOptions, EntrySettings> = {
  ttl: { setting: 'ttlMs', read: readDuration },
  l1Ttl: { setting: 'l1TtlMs', read: readDuration },
  stale: { setting: 'staleMs', read: readDuration },
  isolation: { setting: 'isolation', read: oneOf('frozen', 'copy', 'reference') },
}

const ENTRY: OptionTable<EntryOptions, EntrySettings> = {
  ...COUNTER,
  jitter: { setting: 'jitter', read: (name, value) => readNumber(name, value, 0, 1) },
  tags: { setting: 'tags', read: (_, value) => checkTags(value as readonly string[]) },
  schema: { setting: 'schema', read: readSchema },
  tiers: { setting: 'tiers', read: oneOf('all', 'l1') },
}

const CHANGE: OptionTable<ChangeOptions, ChangeSettings> = {
  requireAck: { setting: 'requireAck', read: readFlag },
}

const SET: OptionTable<SetOptions, SetSettings> = {
  ...ENTRY,
  ...CHANGE,
  version: { setting: 'version', read: readVersion },
}

const LOADING: OptionTable<LoadingOptions, LoadSettings> = {
  ...ENTRY,
  negativeTtl: { setting: 'negativeTtlMs', read: readDuration },
  refreshAhead: { setting: 'refreshAhead', read: readRefreshAhead },
  softTimeout: { setting: 'softTimeoutMs', read: readDuration },
  hardTimeout: { setting: 'hardTimeoutMs', read: readDuration },
  waitTimeout: { setting: 'waitTimeoutMs', read: readDuration },
}

const LOAD: OptionTable<LoadOptions, LoadSettings> = {
  ...LOADING,
  signal: { setting: 'signal', read: readSignal },
}

const DEFAULT: OptionTable<DefaultOptions, DefaultSettings> = {
  ...LOADING,
  ...CHANGE,
  schemaVersion: { setting: 'schemaVersion', read: readSchemaVersion },
}

/** The names of the options that a call takes that loads. */
export const LOAD_NAMES: readonly string[] = Object.keys(LOAD)

/** The names of the options that a namespace takes. */
export const DEFAULT_NAMES: readonly string[] = Object.keys(DEFAULT)

const KEYS: OptionTable<KeysOptions, KeysSettings> = {
  prefix: { setting: 'prefix', read: readKeyPrefix },
  signal: { setting: 'signal', read: readSignal },
}

const NO_KEYS_OPTIONS: KeysSettings = { prefix: '', signal: undefined }

/** Reads the defaults of a cache or namespace, over those above it. */
export function readDefaultOptions(
  owner: string,
  options: DefaultOptions | undefined,
  base: DefaultSettings,
): DefaultSettings {
  return readOptions(owner, options, DEFAULT, base)
}

/** Reads the options of `set`, over those of its namespace. */
export function readSetOptions(options: SetOptions | undefined, base: SetSettings, owner = 'set'): SetSettings {
  return readOptions<SetOptions, SetSettings>(owner, options, SET, base)
}

/** Whether a change has to be acknowledged, by the options of its call and of its namespace. */
export function readChangeOptions(owner: string, options: ChangeOptions | undefined, base: DefaultSettings): boolean {
  return readOptions<ChangeOptions, ChangeSettings>(owner, options, CHANGE, base).requireAck
}

/** Reads the options of `keys`. */
export function readKeysOptions(options: KeysOptions | undefined): KeysSettings {
  return readOptions('keys', options, KEYS, NO_KEYS_OPTIONS)
}

/** Reads the options of `increment`, over those of its namespace that concern counters. Counters are of all processes. */
export function readCounterOptions(options: CounterOptions | undefined, base: LoadSettings): EntrySettings {
  if (base.tiers === 'l1') {
    throw badValue(
      'ERR_INVALID_OPTION',
      'tiers',
      "'all' in the namespace of a counter, which is of all processes",
      'l1',
    )
  }
  return { ...readOptions<CounterOptions, EntrySettings>('increment', options, COUNTER, base), tags: [], jitter: 0 }
}

/** Reads the options of a call that loads, over those of its namespace. */
export function readLoadOptions(owner: string, options: LoadOptions | undefined, base: LoadSettings): LoadSettings {
  return readOptions(owner, options, LOAD, base)
}

/** Throws `ERR_INVALID_OPTION` where L1 alone is to keep a value, and there is none. */
export function checkTiers<Settings extends Pick<EntrySettings, 'tiers'>>(
  settings: Settings,
  hasL1: boolean,
): Settings {
  if (hasL1 || settings.tiers === 'all') return settings
  throw badValue('ERR_INVALID_OPTION', 'tiers', "'all', as this cache has no L1 (l1: false)", settings.tiers)
}

function readVersion(name: string, value: unknown): number {
  if (!Number.isFinite(value)) throw badValue('ERR_INVALID_OPTION', name, 'a finite number', value)
  return value as number
}

function readSchemaVersion(name: string, version: unknown): string {
  const text = Number.isSafeInteger(version) ? String(version) : version
  if (typeof text !== 'string' || !/^[A-Za-z0-9_.-]{1,64}$/.test(text)) {
    throw badValue('ERR_INVALID_OPTION', name, 'a whole number, or 1 to 64 of [A-Za-z0-9_.-]', version)
  }
  return text
}

function readSchema(name: string, value: unknown): StandardSchema | undefined {
  if (value === false) return undefined
  if (!isSchema(value)) {
    throw badValue('ERR_INVALID_OPTION', name, "a Standard Schema (with a '~standard' of version 1) or false", value)
  }
  return value
}

function readRefreshAhead(name: string, value: unknown): RefreshAhead {
  if (value === false || value === 'auto') return value
  if (typeof value !== 'number' || !(value > 0 && value < 1)) {
    throw badValue('ERR_INVALID_OPTION', name, "a fraction between 0 and 1, 'auto' or false", value)
  }
  return value
}

function readSignal(name: string, value: unknown): AbortSignal {
  if (typeof (value as Partial<AbortSignal> | null)?.throwIfAborted !== 'function') {
    throw badValue('ERR_INVALID_OPTION', name, 'an AbortSignal', value)
  }
  return value as AbortSignal
}

function readKeyPrefix(name: string, value: unknown): string {
  if (typeof value !== 'string' || !isWellFormed(value)) {
    throw badValue('ERR_INVALID_OPTION', name, 'a text without lone surrogates', value)
  }
  return value
}
