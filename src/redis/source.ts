import { badValue, TierCacheError } from '../errors.ts'

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
  on(event: string, listener: (...values: never[]) => void): unknown
  off(event: string, listener: (...values: unknown[]) => void): unknown
  connect(): Promise<void>
  disconnect(): void
}

/**
 * A URL (`redis:`, `rediss:`), options of ioredis with or without `url`, or an instance that the application owns: `Redis`
 * or `Cluster`. For a Cluster of our own, options with the list `cluster` of nodes to begin with.
 */
export type RedisSource = string | RedisOptions | RedisConnection | ClusterConnection

/** Options of an ioredis connection, and a `url` if wanted. What they are is for ioredis to say. */
export type RedisOptions = object

const URL_EXPECTED = "a URL ('redis://host:6379', 'rediss://…')"
const EXPECTED = `${URL_EXPECTED}, options of ioredis, or an ioredis instance`

/** The options of ioredis 5 and 6; `url` is ours. */
const KNOWN_OPTIONS =
  'url cluster host port path family sentinels name role tls username password db keyPrefix connectionName ' +
  'autoPipeliningIgnoredCommands autoResendUnfulfilledCommands autoResubscribe blockingTimeout blockingTimeoutGrace ' +
  'clientInfoTag commandQueue commandTimeout connectTimeout Connector disableClientInfo disconnectTimeout ' +
  'enableAutoPipelining enableOfflineQueue enableReadyCheck enableTLSForSentinelMode failoverDetector himportFieldsets ' +
  'keepAlive lazyConnect maxLoadingRetryTime maxRetriesPerRequest monitor natMap noDelay offlineQueue preferredSlaves ' +
  'protocol readOnly reconnectOnError replyMapping retryStrategy scripts sentinelCommandTimeout sentinelMaxConnections ' +
  'sentinelPassword sentinelReconnectStrategy sentinelRetryStrategy sentinelTLS sentinelUsername showFriendlyErrorStack ' +
  'socketTimeout stringNumbers updateSentinels'
const KNOWN = new Set(KNOWN_OPTIONS.split(' '))

/** Names that are shorter are too near to each other. */
const SLIP_LENGTH_LEAST = 4

/** Checks the form of `redis`. Throws `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`; a password never gets into the message. */
export function checkSource(source: unknown): asserts source is RedisSource {
  if (typeof source === 'string') checkUrl('redis', source, EXPECTED)
  else if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw badValue('ERR_INVALID_OPTION', 'redis', EXPECTED, source)
  } else if ('duplicate' in source) checkInstance(source)
  else checkOptions(source)
}

/** Whether it is a Cluster that the application owns. */
export function isClusterInstance(source: RedisSource): source is ClusterConnection {
  return typeof source === 'object' && 'duplicate' in source && 'nodes' in source
}

/** Where the nodes are, for us, that call themselves `host:port`: as ioredis takes it. */
type NatMap = Readonly<Record<string, NatAddress>> | ((address: string) => NatAddress | null | undefined)
type NatAddress = { readonly host: string; readonly port: number }

/** Options of a Cluster that is to be made. */
export interface ClusterOptions {
  readonly cluster: readonly (string | { readonly host?: string; readonly port?: number })[]
  readonly natMap?: NatMap
}

/** Whether it tells of a Cluster. An instance of one server has a method of the name `cluster`. */
export function isCluster(source: RedisSource): source is ClusterConnection | ClusterOptions {
  return isClusterInstance(source) || (typeof source === 'object' && 'cluster' in source && !('duplicate' in source))
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

function checkUrl(name: string, url: unknown, expected: string): void {
  if (typeof url === 'string' && /^rediss?:\/\/[^\s]+$/.test(url) && URL.canParse(url)) return
  const isSecret = typeof url === 'string' && url.includes('@')
  throw badValue('ERR_INVALID_OPTION', name, expected, isSecret ? 'a URL that cannot be read' : url)
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

/**
 * Which options there are is for ioredis to say. But where none is one of its own, or one is a slip of the pen, it would
 * connect to localhost, or to where nobody meant to.
 */
function checkOptions(options: RedisOptions & { readonly url?: unknown }): void {
  const names = Object.keys(options)
  for (const name of names) {
    const meant = KNOWN.has(name) ? undefined : [...KNOWN].find((known) => isSlipOf(name, known))
    if (meant) throw new TierCacheError('ERR_UNKNOWN_OPTION', `redis: unknown option '${name}', expected '${meant}'`)
  }
  if (names.length === 0 && Object.getPrototypeOf(options) !== Object.prototype) {
    throw badValue('ERR_INVALID_OPTION', 'redis', EXPECTED, options)
  }
  if (names.length > 0 && !names.some((name) => KNOWN.has(name))) {
    const got = names.slice(0, 5).map((name) => `'${name.slice(0, 40)}'`)
    throw new TierCacheError(
      'ERR_INVALID_OPTION',
      `redis: expected ${EXPECTED}, got an object with ${got.join(', ')}, which ioredis does not know`,
    )
  }
  if ('cluster' in options && 'redisOptions' in options) {
    const message = "redis: unknown option 'redisOptions', expected what is in it beside 'cluster'"
    throw new TierCacheError('ERR_UNKNOWN_OPTION', message)
  }
  if ('cluster' in options && (!Array.isArray(options.cluster) || options.cluster.length === 0)) {
    throw badValue('ERR_INVALID_OPTION', 'redis.cluster', 'a list of nodes, { host, port } or URLs', options.cluster)
  }
  if (options.url !== undefined) checkUrl('redis.url', options.url, URL_EXPECTED)
}

/** Whether one letter too many, too few or wrong, or two in each other's place, make one name of the other. */
function isSlipOf(name: string, known: string): boolean {
  if (known.length < SLIP_LENGTH_LEAST) return false
  let start = 0
  while (start < known.length && name[start] === known[start]) start++
  let end = 0
  const most = Math.min(name.length, known.length) - start
  while (end < most && name.at(-1 - end) === known.at(-1 - end)) end++
  const [a, b] = [name.slice(start, name.length - end), known.slice(start, known.length - end)]
  return Math.max(a.length, b.length) <= 1 || (a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0])
}
