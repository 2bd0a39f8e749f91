import { createRequire } from 'node:module'
import type { Clock } from '../clock.ts'
import { TierCacheError } from '../errors.ts'
import type { ClusterConnection, ClusterOptions, RedisConnection, RedisOptions, RedisSource } from './source.ts'
import { checkSource, isClusterInstance, isConnection } from './source.ts'

export interface Opened {
  readonly commands: RedisConnection
  readonly subscriber: RedisConnection
  readonly borrowed: boolean
  readonly inCluster: boolean
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
  const ours = settingsOf(commandTimeoutMs, clock)
  if (isConnection(source)) {
    refuseKeyPrefix(source)
    const subscriber = source.duplicate({ ...ours, lazyConnect: false })
    return { commands: source, subscriber, borrowed: true, inCluster: false }
  }
  const { Redis } = loadRedis()
  const commands =
    typeof source === 'string' ? new Redis(source, ours) : fromOptions(Redis, source as RedisOptions, ours)
  return { commands, subscriber: commands.duplicate(), borrowed: false, inCluster: false }
}

/** A Cluster, which is asked for its slots and nodes only. Throws what {@link open} does. */
export function openCluster(
  source: ClusterConnection | ClusterOptions,
  commandTimeoutMs: number,
  clock: Clock,
): { readonly cluster: ClusterConnection; readonly borrowed: boolean } {
  checkSource(source)
  if (isClusterInstance(source)) {
    refuseKeyPrefix(source)
    return { cluster: source, borrowed: true }
  }
  const { cluster: nodes, ...options } = source
  const { Cluster } = loadRedis()
  const { retryStrategy, ...redisOptions } = { ...options, ...settingsOf(commandTimeoutMs, clock) }
  const settings = {
    redisOptions,
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue: false,
    slotsRefreshTimeout: commandTimeoutMs,
    dnsLookup: (address: string, callback: (error: null, address: string) => void) => callback(null, address),
  }
  return { cluster: new Cluster(nodes, settings), borrowed: false }
}

/** Connections of our own to a node of a Cluster, as the Cluster would make them; `undefined` where it knows no such node. */
export function openNode(
  cluster: ClusterConnection,
  address: string,
  commandTimeoutMs: number,
  clock: Clock,
): Opened | undefined {
  const node = cluster.nodes('all').find(({ options: { host, port } }) => `${host}:${port}` === address)
  if (!node) return undefined
  const ours = { ...settingsOf(commandTimeoutMs, clock), lazyConnect: false, readOnly: false }
  const commands = node.duplicate(ours)
  return { commands, subscriber: node.duplicate(ours), borrowed: false, inCluster: true }
}

/** The settings of connections that are ours. */
function settingsOf(commandTimeoutMs: number, clock: Clock) {
  return {
    ...OURS,
    connectTimeout: Math.max(SILENCE_MOST_MS, commandTimeoutMs),
    // A half-open connection is never answered again: only a new one helps.
    socketTimeout: Math.max(SILENCE_MOST_MS, 2 * commandTimeoutMs),
    retryStrategy: (attempts: number) => Math.min(50 * 2 ** Math.min(attempts, 6), 2000) * (0.5 + clock.random() / 2),
  }
}

function refuseKeyPrefix({ options: { keyPrefix } }: RedisConnection | ClusterConnection): void {
  if (!keyPrefix) return
  throw new TierCacheError(
    'ERR_KEY_PREFIX',
    'redis: expected an ioredis instance without keyPrefix (use the option prefix of createCache), ' +
      `got keyPrefix ${JSON.stringify(keyPrefix)}`,
  )
}

type RedisConstructor = new (...values: unknown[]) => RedisConnection
type ClusterConstructor = new (nodes: unknown, options: object) => ClusterConnection

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
function loadRedis(): { readonly Redis: RedisConstructor; readonly Cluster: ClusterConstructor } {
  try {
    return createRequire(import.meta.url)('ioredis')
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
