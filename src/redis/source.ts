import { badValue } from '../errors.ts'
import type { ClusterOptions, NatMap, RedisOptions } from './options.ts'
import { checkOptions, checkUrl, SOURCE_EXPECTED } from './options.ts'

/**
 * What we use of an ioredis connection, in ioredis 5 and 6 alike. Named by its form, so that an application's own
 * instance fits whichever copy of ioredis it was made with.
 */
export interface RedisConnection {
  readonly status: string
  readonly options: {
    readonly host?: string | undefined
    readonly port?: number | undefined
    readonly path?: string | undefined
    /** Through which the server is found, that is the master of the name `name`. */
    readonly sentinels?: readonly SentinelAddress[] | null | undefined
    readonly name?: string | null | undefined
    readonly keyPrefix?: string | undefined
    readonly db?: number | undefined
    readonly enableAutoPipelining?: boolean | undefined
    readonly autoResendUnfulfilledCommands?: boolean | undefined
  }
  /** The socket, once there is one. */
  readonly stream?: Socket | undefined
  duplicate(options?: Readonly<Record<string, unknown>>): RedisConnection
  on(event: string, listener: (...values: never[]) => void): unknown
  off(event: string, listener: (...values: unknown[]) => void): unknown
  call(command: string, ...values: (string | number | Buffer)[]): Promise<unknown>
  callBuffer(command: string, ...values: (string | number | Buffer)[]): Promise<unknown>
  mgetBuffer(...keys: string[]): Promise<(Buffer | null)[]>
  subscribe(channel: string): Promise<unknown>
  ssubscribe(channel: string): Promise<unknown>
  ping(): Promise<unknown>
  connect(): Promise<void>
  disconnect(reconnect?: boolean): void
}

/** What we use of a socket. */
interface Socket {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  cork(): void
  uncork(): void
}

interface SentinelAddress {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** What we use of an ioredis Cluster: what it knows of slots and nodes. */
export interface ClusterConnection {
  readonly status: string
  readonly options: { readonly keyPrefix?: string | undefined; readonly natMap?: NatMap | undefined }
  /** By slot, the addresses (`host:port`) of its master and then of its replicas. */
  readonly slots: readonly (readonly string[] | undefined)[]
  nodes(role?: 'all' | 'master' | 'slave'): readonly RedisConnection[]
  refreshSlotsCache(callback: (error?: Error | null) => void): void
  on(event: string, listener: (...values: unknown[]) => void): unknown
  off(event: string, listener: (...values: unknown[]) => void): unknown
  connect(): Promise<void>
  disconnect(): void
}

/**
 * A URL (`redis:`, `rediss:`), options of ioredis with or without `url`, or an instance that the application owns: `Redis`
 * or `Cluster`. For a Cluster of our own, options with the list `cluster` of nodes to begin with.
 */
export type RedisSource = string | RedisOptions | RedisConnection | ClusterConnection

/**
 * Checks the form of `redis`. Throws `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION` or `ERR_KEY_PREFIX`; a password never gets
 * into the message.
 */
export function checkSource(source: unknown): asserts source is RedisSource {
  if (typeof source === 'string') checkUrl('redis', source, SOURCE_EXPECTED)
  else if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw badValue('ERR_INVALID_OPTION', 'redis', SOURCE_EXPECTED, source)
  } else if ('duplicate' in source) checkInstance(source)
  else checkOptions(source as Readonly<Record<string, unknown>>)
}

/** Whether it is a Cluster that the application owns. */
export function isClusterInstance(source: RedisSource): source is ClusterConnection {
  return typeof source === 'object' && 'duplicate' in source && 'nodes' in source
}

/** Whether it tells of a Cluster. An instance of one server has a method of the name `cluster`. */
export function isCluster(source: RedisSource): source is ClusterConnection | ClusterOptions {
  if (typeof source === 'string' || isConnection(source)) return false
  return isClusterInstance(source) || (source as RedisOptions).cluster !== undefined
}

/** Whether it is an instance of one server that the application owns; what is not, and looks like one, was refused. */
export function isConnection(source: RedisSource): source is RedisConnection {
  return typeof source === 'object' && 'duplicate' in source && !('nodes' in source)
}

/** The address of a node of a Cluster as ioredis has it, of one that a server named. */
export function addressOf({ options: { natMap } }: ClusterConnection, named: string): string {
  const found = typeof natMap === 'function' ? natMap(named) : natMap?.[named]
  return found ? `${found.host}:${found.port}` : named
}

/** Clients of other packages have a `duplicate` too. */
function checkInstance(source: object): void {
  if ('nodes' in source) {
    const { nodes, refreshSlotsCache, slots } = source as Partial<ClusterConnection>
    const isCluster = [nodes, refreshSlotsCache].every((each) => typeof each === 'function') && Array.isArray(slots)
    if (!isCluster) throw badValue('ERR_INVALID_OPTION', 'redis', 'an ioredis Cluster', source)
    return
  }
  const { duplicate, call, callBuffer, status } = source as Partial<RedisConnection>
  const isInstance = [duplicate, call, callBuffer].every((each) => typeof each === 'function')
  if (!isInstance || typeof status !== 'string') {
    throw badValue('ERR_INVALID_OPTION', 'redis', 'an ioredis instance', source)
  }
}
