import type { EnvelopeSettings } from '../entry/envelope.ts'
import type { Isolation } from '../entry/isolation.ts'
import { checkPrefix, checkTags, isWellFormed } from '../entry/key.ts'
import { badValue } from '../errors.ts'
import type { Duration } from '../options.ts'
import type { CodecOptions } from './codec-options.ts'
import { readCodecOptions } from './codec-options.ts'
import {
  checkOptions,
  definedOptions,
  readDuration,
  readFiniteDuration,
  readInteger,
  readNumber,
  readWord,
} from '../options.ts'

/** How one value is kept. Given to `createCache` (`defaults`), to `namespace`, and to each call; the nearest wins. */
export interface EntryOptions {
  /** How long a value is fresh. Default `'5m'`. */
  readonly ttl?: Duration | undefined
  /** How long it stays in L1 at most, so that L2 is asked again. Default: as long as `ttl` and `stale` say. */
  readonly l1Ttl?: Duration | undefined
  /**
   * How long past `ttl` a value may be served by `getOrSet` while a newer one is loaded behind it, or when loading
   * fails. Default 0: not at all.
   */
  readonly stale?: Duration | undefined
  /** Shortens each `ttl` by up to this fraction, by chance, so that what was stored together does not end together. Default 0.05. */
  readonly jitter?: number | undefined
  /** The groups that the value belongs to: `invalidateTags` makes all of a tag's values gone at once. At most 64. */
  readonly tags?: readonly string[] | undefined
  /** How readers are kept apart from each other. Default `'frozen'`. */
  readonly isolation?: Isolation | undefined
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
export type CounterOptions = Omit<EntryOptions, 'tags' | 'jitter'>

/** Which keys are listed by `keys`. */
export interface KeysOptions {
  /** How they begin; nothing in it stands for anything else. Default `''`: all. */
  readonly prefix?: string | undefined
  /** Ends the listing, which rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/** How a value is loaded, and kept. */
export interface LoadOptions extends EntryOptions {
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
   * nothing of that is stored. Default: as `hardTimeout`. 0: never wait, and share with nobody.
   */
  readonly waitTimeout?: Duration | undefined
}

/** What holds for all calls of a cache or namespace, unless one says otherwise. */
export interface DefaultOptions extends LoadOptions, ChangeOptions {
  /**
   * The version of what is stored here, a whole number or 1 to 64 characters of `[A-Za-z0-9_.-]`: what was stored under
   * another one, or under none, is a miss in L2. Change it when the code changes the shape of its values. Integers carry
   * none. All caches of one process give a namespace the same. Default: none.
   */
  readonly schemaVersion?: string | number | undefined
}

/** What `createCache` takes, apart from `redis`. */
export interface CacheOptions {
  /** The first word of every name in Redis; caches with one prefix share their entries. Default `'tiercache'`. */
  readonly prefix?: string | undefined
  /** L1: at most so many entries and bytes (encoded size and overhead). Default 10,000 and 64 MiB. `false`: no L1. */
  readonly l1?: { readonly maxEntries?: number | undefined; readonly maxBytes?: number | undefined } | false | undefined
  /** The bound on staleness of L1 behind changes made by other processes. Default `'2s'`. At least 100 ms. */
  readonly maxStaleness?: Duration | undefined
  /** The deadline of each command to Redis. Default 250 ms. */
  readonly commandTimeout?: Duration | undefined
  /**
   * What L1 does while Redis is configured and cannot be reached. `'load'` (the default): it answers within `maxStaleness`
   * only, then loaders do. `'serve-l1'`: it answers for as long as its entries live, though nobody knows whether they are
   * current; `stats().coherent` is false meanwhile.
   */
  readonly onRedisDown?: 'load' | 'serve-l1' | undefined
  /**
   * Into how many buckets keys are shared out on a Redis Cluster, 1 to 1024. Each is in one slot, and has a chain of notices
   * of its own. Part of all names: after a change of it the cache begins empty, and
   * processes that differ in it are two caches. Default 32.
   */
  readonly clusterBuckets?: number | undefined
  /** How long a process that loads a key keeps the others waiting before one of them takes over. Default `'3s'`. */
  readonly lease?: Duration | undefined
  /** The most bytes of one encoded value, before compression. Default 16 MiB; at most 512 MiB. */
  readonly maxEntryBytes?: number | undefined
  /** What becomes of values on their way to Redis. Default: they go as they are encoded. L1 knows nothing of it. */
  readonly codec?: CodecOptions | undefined
  /** Options for all values of the cache, unless a namespace or call says otherwise. */
  readonly defaults?: DefaultOptions | undefined
}

export interface EntrySettings {
  readonly ttlMs: number
  readonly l1TtlMs: number
  readonly staleMs: number
  readonly jitter: number
  readonly isolation: Isolation
  readonly tags: readonly string[]
}

export interface LoadSettings extends EntrySettings {
  readonly hardTimeoutMs: number
  /** `undefined`: as long as `hardTimeoutMs`. */
  readonly waitTimeoutMs: number | undefined
}

export interface SetSettings extends EntrySettings {
  readonly version?: number | undefined
  readonly requireAck: boolean
}

/** What a namespace gives to its calls. */
export interface DefaultSettings extends LoadSettings {
  readonly requireAck: boolean
  readonly schemaVersion: string | undefined
}

export interface KeysSettings {
  readonly prefix: string
  readonly signal: AbortSignal | undefined
}

export interface CacheSettings {
  readonly prefix: string
  readonly l1: { readonly maxEntries: number; readonly maxBytes: number } | undefined
  readonly maxStalenessMs: number
  readonly commandTimeoutMs: number
  readonly leaseMs: number
  readonly onRedisDown: 'load' | 'serve-l1'
  readonly clusterBuckets: number
  readonly maxEntryBytes: number
  readonly codec: EnvelopeSettings
  readonly defaults: DefaultSettings
}

const DEFAULTS: DefaultSettings = Object.freeze({
  ttlMs: 300_000,
  l1TtlMs: Number.POSITIVE_INFINITY,
  staleMs: 0,
  jitter: 0.05,
  isolation: 'frozen',
  tags: Object.freeze([]),
  hardTimeoutMs: 30_000,
  waitTimeoutMs: undefined,
  requireAck: false,
  schemaVersion: undefined,
})

const ENTRY_NAMES = ['ttl', 'l1Ttl', 'stale', 'jitter', 'tags', 'isolation']
const COUNTER_NAMES = ENTRY_NAMES.filter((name) => name !== 'tags' && name !== 'jitter')
const CHANGE_NAMES = ['requireAck']
const SET_NAMES = [...ENTRY_NAMES, 'version', ...CHANGE_NAMES]
const LOAD_NAMES = [...ENTRY_NAMES, 'hardTimeout', 'waitTimeout']
const DEFAULT_NAMES = [...LOAD_NAMES, ...CHANGE_NAMES, 'schemaVersion']
const CACHE_NAMES = [
  'redis',
  'prefix',
  'l1',
  'maxStaleness',
  'commandTimeout',
  'lease',
  'onRedisDown',
  'clusterBuckets',
  'maxEntryBytes',
  'codec',
  'defaults',
]
const KEYS_NAMES = ['prefix', 'signal']
const ISOLATIONS = ['frozen', 'copy', 'reference'] as const

/** Reads the options of a whole cache. Throws `ERR_UNKNOWN_OPTION`, `ERR_INVALID_OPTION`, `ERR_INVALID_NAMESPACE`. */
export function readCacheOptions(options: (CacheOptions & { readonly redis?: unknown }) | undefined): CacheSettings {
  const given = definedOptions('createCache', options, CACHE_NAMES)
  const prefix = given.prefix ?? 'tiercache'
  checkPrefix(prefix)
  return Object.freeze({
    prefix,
    l1: readL1(given.l1),
    maxStalenessMs: readFiniteDuration('maxStaleness', given.maxStaleness ?? 2000, 100),
    commandTimeoutMs: readFiniteDuration('commandTimeout', given.commandTimeout ?? 250),
    leaseMs: Math.ceil(readFiniteDuration('lease', given.lease ?? 3000, 100)),
    onRedisDown: readWord('onRedisDown', given.onRedisDown ?? 'load', ['load', 'serve-l1']),
    clusterBuckets: readInteger('clusterBuckets', given.clusterBuckets ?? 32, 1, 1024),
    maxEntryBytes: readInteger('maxEntryBytes', given.maxEntryBytes ?? 16 * 1024 * 1024, 1, 512 * 1024 * 1024),
    codec: readCodecOptions(given.codec),
    defaults: readDefaultOptions('defaults', given.defaults, DEFAULTS),
  })
}

function readL1(l1: CacheOptions['l1']): CacheSettings['l1'] {
  if (l1 === false) return undefined
  if (l1 !== undefined && (typeof l1 !== 'object' || l1 === null)) {
    throw badValue('ERR_INVALID_OPTION', 'l1', 'false, or { maxEntries, maxBytes }', l1)
  }
  const given = definedOptions('l1', l1, ['maxEntries', 'maxBytes'])
  return Object.freeze({
    maxEntries: readInteger('l1.maxEntries', given.maxEntries ?? 10_000, 1, 2 ** 31),
    maxBytes: readInteger('l1.maxBytes', given.maxBytes ?? 64 * 1024 * 1024, 1),
  })
}

/** Reads the defaults of a cache or namespace, over those above it. */
export function readDefaultOptions(
  owner: string,
  options: DefaultOptions | undefined,
  base: DefaultSettings,
): DefaultSettings {
  if (options === undefined) return base
  checkOptions(owner, options, DEFAULT_NAMES)
  const { schemaVersion } = options
  return {
    ...readOver(options, base),
    requireAck: readRequireAck(options, base),
    schemaVersion: schemaVersion === undefined ? base.schemaVersion : readSchemaVersion(schemaVersion),
  }
}

function readSchemaVersion(version: unknown): string {
  const text = Number.isSafeInteger(version) ? String(version) : version
  if (typeof text !== 'string' || !/^[A-Za-z0-9_.-]{1,64}$/.test(text)) {
    throw badValue('ERR_INVALID_OPTION', 'schemaVersion', 'a whole number, or 1 to 64 of [A-Za-z0-9_.-]', version)
  }
  return text
}

/** Reads the options of `set`, over those of its namespace. */
export function readSetOptions(options: SetOptions | undefined, base: DefaultSettings): SetSettings {
  if (options === undefined) return base
  checkOptions('set', options, SET_NAMES)
  const { version } = options
  if (version !== undefined && !Number.isFinite(version)) {
    throw badValue('ERR_INVALID_OPTION', 'version', 'a finite number', version)
  }
  return { ...readOver(options, base), version, requireAck: readRequireAck(options, base) }
}

/** Whether a change has to be acknowledged, by the options of its call and of its namespace. */
export function readChangeOptions(owner: string, options: ChangeOptions | undefined, base: DefaultSettings): boolean {
  if (options === undefined) return base.requireAck
  checkOptions(owner, options, CHANGE_NAMES)
  return readRequireAck(options, base)
}

/** Reads the options of `keys`. */
export function readKeysOptions(options: KeysOptions | undefined): KeysSettings {
  const { prefix = '', signal } = definedOptions('keys', options, KEYS_NAMES)
  if (typeof prefix !== 'string' || !isWellFormed(prefix)) {
    throw badValue('ERR_INVALID_OPTION', 'prefix', 'a text without lone surrogates', prefix)
  }
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw badValue('ERR_INVALID_OPTION', 'signal', 'an AbortSignal', signal)
  }
  return { prefix, signal }
}

function readRequireAck({ requireAck }: ChangeOptions, base: DefaultSettings): boolean {
  if (requireAck === undefined) return base.requireAck
  if (typeof requireAck !== 'boolean') throw badValue('ERR_INVALID_OPTION', 'requireAck', 'true or false', requireAck)
  return requireAck
}

/** Reads the options of `increment`, over those of its namespace that concern counters. */
export function readCounterOptions(options: CounterOptions | undefined, base: LoadSettings): EntrySettings {
  if (options !== undefined) checkOptions('increment', options, COUNTER_NAMES)
  return { ...readOver(options ?? {}, base), tags: [], jitter: 0 }
}

/** Reads the options of a call that loads, over those of its namespace. */
export function readLoadOptions(owner: string, options: LoadOptions | undefined, base: LoadSettings): LoadSettings {
  if (options === undefined) return base
  checkOptions(owner, options, LOAD_NAMES)
  return readOver(options, base)
}

function readOver(given: LoadOptions, base: LoadSettings): LoadSettings {
  const { ttl, l1Ttl, stale, jitter, tags, isolation, hardTimeout, waitTimeout } = given
  return {
    ttlMs: ttl === undefined ? base.ttlMs : readDuration('ttl', ttl),
    l1TtlMs: l1Ttl === undefined ? base.l1TtlMs : readDuration('l1Ttl', l1Ttl),
    staleMs: stale === undefined ? base.staleMs : readDuration('stale', stale),
    jitter: jitter === undefined ? base.jitter : readNumber('jitter', jitter, 0, 1),
    tags: tags === undefined ? base.tags : checkTags(tags),
    isolation: isolation === undefined ? base.isolation : readWord('isolation', isolation, ISOLATIONS),
    hardTimeoutMs: hardTimeout === undefined ? base.hardTimeoutMs : readDuration('hardTimeout', hardTimeout),
    waitTimeoutMs: waitTimeout === undefined ? base.waitTimeoutMs : readDuration('waitTimeout', waitTimeout),
  }
}
