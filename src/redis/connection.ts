import { createRequire } from 'node:module'
import type { Clock } from '../clock.ts'
import { TierCacheError } from '../errors.ts'
import type { RedisConnection, RedisSource } from './source.ts'
import { checkSource, isConnection } from './source.ts'

export interface Opened {
  readonly commands: RedisConnection
  readonly subscriber: RedisConnection
  readonly borrowed: boolean
}

/** How long a server may be silent on a connection of ours, when it is to answer, before another one is made. */
const SILENCE_MOST_MS = 2000

/** Settings of connections that are ours: fail at once instead of queueing, never send a command twice. */
const OURS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  // ioredis waits so long for the other end of a socket that it has closed, and the process with it.
  disconnectTimeout: 50,
} as const

/** Opens the connections of one cache. Throws what {@link checkSource} does, `ERR_KEY_PREFIX` or `ERR_PEER_MISSING`. */
export function open(source: RedisSource, commandTimeoutMs: number, clock: Clock): Opened {
  checkSource(source)
  const ours = {
    ...OURS,
    connectTimeout: Math.max(SILENCE_MOST_MS, commandTimeoutMs),
    // A half-open connection is never answered again: only a new one helps.
    socketTimeout: Math.max(SILENCE_MOST_MS, 2 * commandTimeoutMs),
    retryStrategy: (attempts: number) => Math.min(50 * 2 ** Math.min(attempts, 6), 2000) * (0.5 + clock.random() / 2),
  }
  if (isConnection(source)) {
    if (source.options.keyPrefix) {
      throw new TierCacheError(
        'ERR_KEY_PREFIX',
        'redis: expected an ioredis instance without keyPrefix (use the option prefix of createCache), ' +
          `got keyPrefix ${JSON.stringify(source.options.keyPrefix)}`,
      )
    }
    return { commands: source, subscriber: source.duplicate({ ...ours, lazyConnect: false }), borrowed: true }
  }
  const Redis = loadRedis()
  const commands = typeof source === 'string' ? new Redis(source, ours) : fromOptions(Redis, source, ours)
  return { commands, subscriber: commands.duplicate(), borrowed: false }
}

type RedisConstructor = new (...values: unknown[]) => RedisConnection

function fromOptions(
  Redis: RedisConstructor,
  { url, ...options }: { readonly url?: unknown; readonly keyPrefix?: unknown },
  ours: object,
): RedisConnection {
  if (options.keyPrefix) {
    throw new TierCacheError('ERR_KEY_PREFIX', 'redis.keyPrefix: expected none (use the option prefix of createCache)')
  }
  const all = { ...options, ...ours }
  return url === undefined ? new Redis(all) : new Redis(url, all)
}

/** Loads the optional peer only when a connection must be made, so that `import 'tiercache'` works without it. */
function loadRedis(): RedisConstructor {
  try {
    return (createRequire(import.meta.url)('ioredis') as { Redis: RedisConstructor }).Redis
  } catch (cause) {
    throw new TierCacheError('ERR_PEER_MISSING', "redis: expected the package ioredis, run 'npm install ioredis'", {
      cause,
    })
  }
}

/** Host and port for people; never the password. */
export function serverName(connection: RedisConnection): string {
  const { host, port, path } = connection.options as { host?: string; port?: number; path?: string }
  return path ?? `${host ?? 'localhost'}:${port ?? 6379}`
}
