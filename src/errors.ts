/**
 * Every error that tiercache makes, by its stable code. `docs/reference/errors.md` shows the same table, and a test
 * compares the two.
 */
export const errorCodes = {
  ERR_UNKNOWN_OPTION: 'An option has a name that does not exist.',
  ERR_INVALID_OPTION: 'An option has a value of the wrong type or out of its range.',
  ERR_INVALID_ARGUMENT:
    'An argument of a method has the wrong type, or the name of a handle is taken by another function.',
  ERR_INVALID_LOADER_RESULT:
    'A loader of many keys returned neither a Map with strings (of a handle: its ids) as its keys nor a plain object.',
  ERR_INVALID_KEY: 'A key is not a string, is empty, longer than 8 KiB of UTF-8, or not well-formed Unicode.',
  ERR_INVALID_NAMESPACE: 'A namespace or prefix has characters outside [A-Za-z0-9_.-], or is too long.',
  ERR_INVALID_TAG: 'A tag is not a well-formed text of 1 to 512 bytes of UTF-8, or an entry has more than 64 of them.',
  ERR_UNSTORABLE_VALUE:
    'A value cannot be encoded: a function, a symbol, undefined, a circular reference. Of a loaded one a warning, one for each namespace.',
  ERR_INVALID_VALUE: 'A value that was set or loaded does not pass its schema; the cause has what is wrong with it.',
  ERR_NOTHING_TO_KEEP: 'A loader called notModified where there is no value that could be kept.',
  ERR_VALUE_TOO_LARGE:
    'An encoded value is larger than `maxEntryBytes` (16 MiB by default). Of a loaded one a warning, one for each namespace.',
  ERR_NOT_A_COUNTER: 'A value that is to be incremented is no integer, has tags, or would leave the exact integers.',
  ERR_OUTCOME_UNKNOWN: 'An increment was sent to Redis and not acknowledged: it may have happened or not.',
  ERR_IN_TRANSACTION: 'An increment inside a transaction: it could neither be held nor taken back.',
  ERR_UNDECODABLE: 'Bytes found in Redis are not an entry that this version can read.',
  ERR_PEER_MISSING: 'An optional peer dependency is needed and not installed.',
  ERR_KEY_PREFIX:
    'A borrowed ioredis instance, or the options of one, have a keyPrefix, which ioredis applies to keys but not to channels.',
  ERR_CLOSED: 'The cache was closed.',
  ERR_NOT_ACKNOWLEDGED:
    'Redis did not acknowledge a change with requireAck; its key or tag is invalidated again until that is acknowledged; a value is not sent again.',
  ERR_LOAD_TIMEOUT: 'A loader did not answer within hardTimeout.',
  ERR_LOAD_ELSEWHERE: 'The process that held the lease of this key failed to load it; the message is its error.',
  ERR_REDIS_TIMEOUT: 'Redis did not answer a command within commandTimeout.',
  ERR_REDIS_UNAVAILABLE:
    'Redis is not connected, or was passed over after repeated failures; or a Cluster does not serve the slot.',
  ERR_REDIS_LOST: 'The connection to Redis was lost before a command that was sent had been answered.',
  ERR_REDIS_REPLY: 'Redis refused a command.',
  ERR_MISSING_RIGHT: 'The user of the connection to Redis lacks a right (a warning, with the ACL rule that grants it).',
  ERR_SERVER_VERSION: 'Redis is older than 6.2 (a warning): it is not used.',
  ERR_NO_DATABASE: 'The database of the connection does not exist in Redis (a warning): it is not used.',
  ERR_READONLY_REPLICA: 'The server is a replica (a warning): it is not used until it is a master.',
  ERR_CLUSTER_NODE:
    'The server is one node of a Redis Cluster (a warning): it is used for as long as it holds our slot.',
  ERR_TWO_SERVERS:
    'Commands and notices reach two different servers, and not only for the time of a failover (a warning): L1 is used for maxStaleness only.',
  ERR_EVICTION_POLICY: 'The maxmemory-policy of Redis evicts leases before anything else (a warning).',
  ERR_MEMORY_FULL: 'The memory of Redis is full (a warning): values are not stored.',
  ERR_RESENDS: 'A borrowed ioredis instance sends commands again after a lost connection (a warning).',
} as const

export type ErrorCode = keyof typeof errorCodes

/**
 * An error of tiercache itself. A failing loader's error is never wrapped, but for callers who waited for it in another
 * process: `ERR_LOAD_ELSEWHERE`.
 *
 * @example
 * try { await cache.set('', 1) } catch (error) {
 *   if (error instanceof TierCacheError && error.code === 'ERR_INVALID_KEY') console.log(error.message)
 * }
 */
export class TierCacheError extends Error {
  override readonly name = 'TierCacheError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The error for a bad value: says its name, what was expected, and what came. */
export function badValue(code: ErrorCode, name: string, expected: string, got: unknown): TierCacheError {
  return new TierCacheError(code, `${name}: expected ${expected}, got ${describe(got)}`)
}

/** A short text for any value, safe to put in a message: its type, and its content where that is small. */
export function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value)
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || value === undefined)
    return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'function') return `a function${value.name ? ` (${cut(value.name)})` : ''}`
  if (typeof value === 'object') return `an object${nameOfClass(value)}`
  return `a ${typeof value}`
}

function nameOfClass(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' && name !== 'Object' && name !== '' ? ` of class ${cut(name)}` : ''
}

function cut(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}…` : name
}
