import type { EnvelopeSettings } from '../entry/envelope.ts'
import { checkPrefix, namespaceWithin, ROOT_NAMESPACE } from '../entry/key.ts'
import { badValue } from '../errors.ts'
import type { Duration } from '../options.ts'
import { definedOptions, readFiniteDuration, readInteger, readWord } from '../options.ts'
import type { DefaultOptions, DefaultSettings } from './call-options.ts'
import { checkTiers, DEFAULTS, readDefaultOptions } from './call-options.ts'
import type { CodecOptions } from './codec-options.ts'
import { readCodecOptions } from './codec-options.ts'

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
  /**
   * How long after the death of a process that loads a key one of those that wait takes over: a living one renews its lease.
   * For slow loaders there is `waitTimeout`. Default `'3s'`.
   */
  readonly lease?: Duration | undefined
  /** The most bytes of one encoded value, before compression. Default 16 MiB; at most 512 MiB. */
  readonly maxEntryBytes?: number | undefined
  /** What becomes of values on their way to Redis. Default: they go as they are encoded. L1 knows nothing of it. */
  readonly codec?: CodecOptions | undefined
  /**
   * The namespace that the cache is opened in, as by `cache.namespace(name)`: `clear` and `keys` go no further. Default: the
   * root, which has all. What several applications share has one `prefix`, and a namespace for each.
   */
  readonly namespace?: string | undefined
  /** Options for all values of the cache, unless a namespace or call says otherwise. */
  readonly defaults?: DefaultOptions | undefined
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
  /** `undefined`: the root. */
  readonly namespace: string | undefined
  readonly defaults: DefaultSettings
}

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
  'namespace',
  'defaults',
]

/** Reads the options of a whole cache. Throws `ERR_UNKNOWN_OPTION`, `ERR_INVALID_OPTION`, `ERR_INVALID_NAMESPACE`. */
export function readCacheOptions(options: (CacheOptions & { readonly redis?: unknown }) | undefined): CacheSettings {
  const given = definedOptions('createCache', options, CACHE_NAMES)
  const { prefix = 'tiercache', maxStaleness = 2000, commandTimeout = 250, lease = 3000 } = given
  const { onRedisDown = 'load', clusterBuckets = 32, maxEntryBytes = 16 * 1024 * 1024 } = given
  checkPrefix(prefix)
  const l1 = readL1(given.l1)
  return Object.freeze({
    prefix,
    l1,
    maxStalenessMs: readFiniteDuration('maxStaleness', maxStaleness, 100),
    commandTimeoutMs: readFiniteDuration('commandTimeout', commandTimeout),
    leaseMs: Math.ceil(readFiniteDuration('lease', lease, 100)),
    onRedisDown: readWord('onRedisDown', onRedisDown, ['load', 'serve-l1']),
    clusterBuckets: readInteger('clusterBuckets', clusterBuckets, 1, 1024),
    maxEntryBytes: readInteger('maxEntryBytes', maxEntryBytes, 1, 512 * 1024 * 1024),
    codec: readCodecOptions(given.codec),
    namespace: given.namespace === undefined ? undefined : namespaceWithin(ROOT_NAMESPACE, given.namespace),
    defaults: checkTiers(readDefaultOptions('defaults', given.defaults, DEFAULTS), l1 !== undefined),
  })
}

function readL1(l1: CacheOptions['l1']): CacheSettings['l1'] {
  if (l1 === false) return undefined
  if (l1 !== undefined && (typeof l1 !== 'object' || l1 === null)) {
    throw badValue('ERR_INVALID_OPTION', 'l1', 'false, or { maxEntries, maxBytes }', l1)
  }
  const { maxEntries = 10_000, maxBytes = 64 * 1024 * 1024 } = definedOptions('l1', l1, ['maxEntries', 'maxBytes'])
  return Object.freeze({
    maxEntries: readInteger('l1.maxEntries', maxEntries, 1, 2 ** 31),
    maxBytes: readInteger('l1.maxBytes', maxBytes, 1),
  })
}
