import { createRequire } from 'node:module'
import type { Clock } from '../clock.ts'
import { badValue, TierCacheError } from '../errors.ts'

/**
 * What we use of an ioredis connection, in ioredis 5 and 6 alike. Named by its form, so that an application's own
 * instance fits whichever copy of ioredis it was made with.
 */
export interface RedisConnection {
  readonly status: string
  readonly options: { readonly keyPrefix?: string | undefined; readonly db?: number | undefined }
  duplicate(options?: Readonly<Record<string, unknown>>): RedisConnection
  on(event: string, listener: (...values: never[]) => void): unknown
  off(event: string, listener: (...values: unknown[]) => void): unknown
  call(command: string, ...values: (string | number | Buffer)[]): Promise<unknown>
  callBuffer(command: string, ...values: (string | number | Buffer)[]): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  ping(): Promise<unknown>
  connect(): Promise<void>
  disconnect(reconnect?: boolean): void
}

/** A URL (`redis:`, `rediss:`), options of ioredis with or without `url`, or an instance that the application owns. */
export type RedisSource = string | RedisOptions | RedisConnection

/** Options of an ioredis connection, and a `url` if wanted. What they are is for ioredis to say. */
export type RedisOptions = object

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

/** Opens the connections of one cache. Throws `ERR_INVALID_OPTION`, `ERR_KEY_PREFIX` or `ERR_PEER_MISSING`. */
export function open(source: RedisSource, commandTimeoutMs: number, clock: Clock): Opened {
  const ours = {
    ...OURS,
    connectTimeout: Math.max(SILENCE_MOST_MS, commandTimeoutMs),
    // A half-open connection is never answered again: only a new one helps.
    socketTimeout: Math.max(SILENCE_MOST_MS, 2 * commandTimeoutMs),
    retryStrategy: (attempts: number) => Math.min(50 * 2 ** Math.min(attempts, 6), 2000) * (0.5 + clock.random() / 2),
  }
  if (isConnection(source)) {
    if ('nodes' in source) {
      throw badValue('ERR_INVALID_OPTION', 'redis', 'one server (a Redis Cluster is not supported yet)', source)
    }
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

function isConnection(source: RedisSource): source is RedisConnection {
  return typeof source === 'object' && typeof (source as Partial<RedisConnection>).duplicate === 'function'
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

/** Checks the form of `redis`. Throws `ERR_INVALID_OPTION`; a URL's password never gets into the message. */
export function checkSource(source: unknown): asserts source is RedisSource {
  const expected = "a URL ('redis://host:6379', 'rediss://…'), options of ioredis, or an ioredis instance"
  if (typeof source === 'string') {
    if (/^rediss?:\/\/[^\s]+$/.test(source) && URL.canParse(source)) return
    throw badValue('ERR_INVALID_OPTION', 'redis', expected, source.includes('@') ? 'a URL that cannot be read' : source)
  }
  if (typeof source === 'object' && source !== null && !Array.isArray(source)) {
    if ('url' in source && source.url !== undefined) checkSource(typeof source.url === 'string' ? source.url : 0)
    return
  }
  throw badValue('ERR_INVALID_OPTION', 'redis', expected, source)
}
