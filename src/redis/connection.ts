import { createRequire } from 'node:module'
import type { Clock } from '../clock.ts'
import { TierCacheError } from '../errors.ts'
import type { RedisOptions } from './options.ts'
import type { ClusterConnection, RedisConnection, RedisSource } from './source.ts'
import { checkSource, isConnection } from './source.ts'

export interface Opened {
  readonly commands: RedisConnection
  readonly subscriber: RedisConnection
  /** Connections to the sentinels that know the server, where the one for commands is ours. */
  readonly sentinels: readonly RedisConnection[]
  readonly borrowed: boolean
  readonly inCluster: boolean
}

/** How long a server may be silent on a connection of ours, when it is to answer, before another one is made. */
const SILENCE_MOST_MS = 2000

/** A sentinel that is away is asked again more seldom than a server. */
const SENTINEL_PAUSES = 5

/** A sentinel that is silent for so long is passed over for the next one. */
const SENTINEL_SILENCE_MS = 1000

/** Settings of connections that are ours: fail at once instead of queueing, never send a command twice. */
const OURS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  // With it ioredis loses the names of commands that are answered in bytes.
  enableAutoPipelining: false,
  // It is for redis/failover-watch.ts: that of ioredis writes to the console when a sentinel is away.
  failoverDetector: false,
  sentinelCommandTimeout: SENTINEL_SILENCE_MS,
  // ioredis waits so long for the other end of a socket that it has closed, and the process with it.
  disconnectTimeout: 50,
} as const

/**
 * Opens the connections of one cache. Throws what {@link checkSource} does, or `ERR_PEER_MISSING`; of an instance also what
 * {@link refuseKeyPrefix} and {@link refuseAutoPipelining} do.
 */
export function open(source: RedisSource, commandTimeoutMs: number, clock: Clock): Opened {
  checkSource(source)
  const ours = settingsOf(commandTimeoutMs, clock)
  if (isConnection(source)) {
    refuseKeyPrefix(source)
    refuseAutoPipelining(source)
    const subscriber = source.duplicate({ ...ours, lazyConnect: false })
    return { commands: source, subscriber, sentinels: [], borrowed: true, inCluster: false }
  }
  const { Redis } = loadRedis()
  const commands =
    typeof source === 'string' ? new Redis(source, ours) : fromOptions(Redis, source as RedisOptions, ours)
  const subscriber = commands.duplicate({ lazyConnect: false })
  return { commands, subscriber, sentinels: openSentinels(Redis, commands, ours), borrowed: false, inCluster: false }
}

/** As ioredis itself connects to them, but for good. */
function openSentinels(Redis: RedisConstructor, { options }: RedisConnection, ours: OurSettings): RedisConnection[] {
  const { sentinels, sentinelUsername, sentinelPassword, sentinelTLS, family, protocol, connectionName } =
    options as SentinelSettings
  const retryStrategy = (attempts: number) => SENTINEL_PAUSES * ours.retryStrategy(attempts)
  const common = {
    username: sentinelUsername,
    password: sentinelPassword,
    tls: sentinelTLS,
    family,
    protocol,
    connectionName,
  }
  const settings = { ...common, ...ours, retryStrategy, enableReadyCheck: false }
  return (sentinels ?? []).map(({ host, port = 26379 }) => new Redis({ ...settings, host, port }))
}

/** The settings of connections that are ours. */
export function settingsOf(commandTimeoutMs: number, clock: Clock) {
  const retryStrategy = (attempts: number) =>
    Math.min(50 * 2 ** Math.min(attempts, 6), 2000) * (0.5 + clock.random() / 2)
  return {
    ...OURS,
    connectTimeout: Math.max(SILENCE_MOST_MS, commandTimeoutMs),
    // A half-open connection is never answered again: only a new one helps.
    socketTimeout: Math.max(SILENCE_MOST_MS, 2 * commandTimeoutMs),
    retryStrategy,
    sentinelRetryStrategy: retryStrategy,
  }
}

type OurSettings = ReturnType<typeof settingsOf>

/** What ioredis has for its connections to sentinels. */
type SentinelSettings = RedisConnection['options'] & Readonly<Record<string, unknown>>

/** Throws `ERR_KEY_PREFIX`. */
export function refuseKeyPrefix({ options: { keyPrefix } }: RedisConnection | ClusterConnection): void {
  if (!keyPrefix) return
  throw new TierCacheError(
    'ERR_KEY_PREFIX',
    'redis: expected an ioredis instance without keyPrefix (use the option prefix of createCache), ' +
      `got keyPrefix ${JSON.stringify(keyPrefix)}`,
  )
}

/** Throws `ERR_INVALID_OPTION`. */
function refuseAutoPipelining({ options }: RedisConnection): void {
  if (!options.enableAutoPipelining) return
  throw new TierCacheError(
    'ERR_INVALID_OPTION',
    'redis: expected an ioredis instance without enableAutoPipelining, with which ioredis loses the names of commands ' +
      '(give the cache one of its own: instance.duplicate({ enableAutoPipelining: false })), got enableAutoPipelining true',
  )
}

type RedisConstructor = new (...values: unknown[]) => RedisConnection
type ClusterConstructor = new (nodes: unknown, options: object) => ClusterConnection

function fromOptions(Redis: RedisConstructor, { url, ...options }: RedisOptions, ours: object): RedisConnection {
  const all = { ...options, ...ours }
  return url === undefined ? new Redis(all) : new Redis(url, all)
}

/** Loads the optional peer only when a connection must be made, so that `import 'tiercache'` works without it. */
export function loadRedis(): { readonly Redis: RedisConstructor; readonly Cluster: ClusterConstructor } {
  try {
    return createRequire(import.meta.url)('ioredis')
  } catch (cause) {
    throw new TierCacheError('ERR_PEER_MISSING', "redis: expected the package ioredis, run 'npm install ioredis'", {
      cause,
    })
  }
}
