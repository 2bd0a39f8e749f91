import type { ConnectionOptions } from 'node:tls'
import { badValue, TierCacheError } from '../errors.ts'

/** The options of ioredis 5 and 6; `url` and `cluster` are ours. */
const KNOWN_OPTIONS = [
  'url',
  'cluster',
  'host',
  'port',
  'path',
  'family',
  'sentinels',
  'name',
  'role',
  'tls',
  'username',
  'password',
  'db',
  'keyPrefix',
  'connectionName',
  'autoPipeliningIgnoredCommands',
  'autoResendUnfulfilledCommands',
  'autoResubscribe',
  'blockingTimeout',
  'blockingTimeoutGrace',
  'clientInfoTag',
  'commandQueue',
  'commandTimeout',
  'connectTimeout',
  'Connector',
  'disableClientInfo',
  'disconnectTimeout',
  'enableAutoPipelining',
  'enableOfflineQueue',
  'enableReadyCheck',
  'enableTLSForSentinelMode',
  'failoverDetector',
  'himportFieldsets',
  'keepAlive',
  'lazyConnect',
  'maxLoadingRetryTime',
  'maxRetriesPerRequest',
  'monitor',
  'natMap',
  'noDelay',
  'offlineQueue',
  'preferredSlaves',
  'protocol',
  'readOnly',
  'reconnectOnError',
  'replyMapping',
  'retryStrategy',
  'scripts',
  'sentinelCommandTimeout',
  'sentinelMaxConnections',
  'sentinelPassword',
  'sentinelReconnectStrategy',
  'sentinelRetryStrategy',
  'sentinelTLS',
  'sentinelUsername',
  'showFriendlyErrorStack',
  'socketTimeout',
  'stringNumbers',
  'updateSentinels',
] as const
const KNOWN: ReadonlySet<string> = new Set(KNOWN_OPTIONS)

/** Options by which Redis is found, and that we look at ourselves. */
interface AddressOptions {
  /** `redis:` or `rediss:`; options beside it go before what it says. */
  readonly url?: string | undefined
  /** Nodes of a Redis Cluster, any one of which names the others: `{ host, port }` or URLs. */
  readonly cluster?: readonly ClusterNode[] | undefined
  /** Default: localhost. */
  readonly host?: string | undefined
  /** Default: 6379. */
  readonly port?: number | undefined
  /** The sentinels that know the master of the name `name`; each by default on port 26379. */
  readonly sentinels?: readonly Address[] | undefined
  /** What the sentinels call the master. */
  readonly name?: string | undefined
  /** Default: the user that Redis calls `default`. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** The number of the database; a Cluster has no other than 0. Default: 0. */
  readonly db?: number | undefined
  /** Connects with TLS, and how; `{}` where nothing is to be said of that. Default for `rediss:`: `{}`. */
  readonly tls?: ConnectionOptions | undefined
  /** Where servers are, for us, that the Cluster or the sentinels name otherwise. */
  readonly natMap?: NatMap | undefined
}

/**
 * Options of ioredis, with `url` or `cluster` if wanted. Connections have settings of ours instead of those that would send
 * a command late or twice.
 */
export type RedisOptions = AddressOptions & {
  readonly [Name in Exclude<(typeof KNOWN_OPTIONS)[number], keyof AddressOptions>]?: unknown
}

/** Options of a Cluster that is to be made. */
export type ClusterOptions = RedisOptions & { readonly cluster: readonly ClusterNode[] }

export type ClusterNode = string | Address

interface Address {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** Where the nodes are, for us, that call themselves `host:port`: as ioredis takes it. */
export type NatMap = Readonly<Record<string, NatAddress>> | ((address: string) => NatAddress | null | undefined)
type NatAddress = { readonly host: string; readonly port: number }

const URL_EXPECTED = "a URL ('redis://host:6379', 'rediss://…')"
export const SOURCE_EXPECTED = `${URL_EXPECTED}, options of ioredis, or an ioredis instance`
const NODES_EXPECTED = 'a list of nodes, { host, port } or URLs'
const SENTINELS_EXPECTED = 'a list of sentinels, { host, port }'

/** Names that are shorter are too near to each other. */
const SLIP_LENGTH_LEAST = 4

/** Checks one URL. Throws `ERR_INVALID_OPTION`, with the URL only where there is no password in it. */
export function checkUrl(name: string, url: unknown, expected: string): void {
  if (typeof url !== 'string' || !/^rediss?:\/\/[^\s]+$/.test(url) || !URL.canParse(url)) {
    throw badValue('ERR_INVALID_OPTION', name, `${expected}${hintFor(url)}`, withoutSecret(url))
  }
  if (!isDatabaseOf(new URL(url))) {
    throw badValue(
      'ERR_INVALID_OPTION',
      name,
      "a URL that ends with the number of a database ('/2')",
      withoutSecret(url),
    )
  }
}

/** What was meant by a URL without its beginning. */
function hintFor(url: unknown): string {
  return typeof url === 'string' && /^[\w.-]+(:\d+)?(\/\d+)?$/.test(url) ? ` (did you mean 'redis://${url}'?)` : ''
}

/** Whether what a URL says of the database is a number, or nothing. */
function isDatabaseOf({ pathname, searchParams }: URL): boolean {
  return /^(\/\d*)?$/.test(pathname) && /^\d*$/.test(searchParams.get('db') ?? '')
}

/**
 * Which options there are is for ioredis to say. But where none is one of its own, or one is a slip of the pen, it would
 * connect to localhost, or to where nobody meant to. Throws `ERR_UNKNOWN_OPTION`, `ERR_INVALID_OPTION` or `ERR_KEY_PREFIX`.
 */
export function checkOptions(options: Readonly<Record<string, unknown>>): void {
  checkNames(options)
  const { url, keyPrefix, cluster, sentinels } = options
  if (url !== undefined) checkUrl('redis.url', url, URL_EXPECTED)
  if (keyPrefix) {
    throw new TierCacheError('ERR_KEY_PREFIX', 'redis.keyPrefix: expected none (use the option prefix of createCache)')
  }
  checkTypes(options)
  if (cluster !== undefined) checkCluster(cluster, options)
  // ioredis has `null` for none.
  else if (sentinels !== undefined && sentinels !== null) checkSentinels(sentinels, options)
}

/** Options with which ioredis would fail only when it connects, or connect to somewhere else. It has `null` for none. */
function checkTypes({ host, port, path, family, username, password, db }: Readonly<Record<string, unknown>>): void {
  check('host', host, 'a host name or address', isText(host) && host !== '')
  check('port', port, 'a port, 1 to 65535', isWhole(port) && Number(port) > 0 && Number(port) < 65_536)
  check('path', path, 'the path of a socket', isText(path) && path !== '')
  check('family', family, '4, 6 or 0 for either', [4, 6, 0, 'IPv4', 'IPv6'].includes(family as number))
  check('username', username, 'a string', isText(username))
  check('password', typeof password === 'number' ? 'a number' : password, 'a string', isText(password))
  check('db', db, 'the number of a database', isWhole(db))
}

function check(name: string, value: unknown, expected: string, isRight: boolean): void {
  if (isRight || value === undefined || value === null) return
  throw badValue('ERR_INVALID_OPTION', `redis.${name}`, expected, value)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** Also as a text of digits, as it comes from the environment. */
function isWhole(value: unknown): boolean {
  return typeof value === 'string' ? /^\d+$/.test(value) : Number.isInteger(value) && Number(value) >= 0
}

function checkNames(options: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(options)
  for (const name of names) {
    const meant = KNOWN.has(name) ? undefined : KNOWN_OPTIONS.find((known) => isSlipOf(name, known))
    if (meant) throw new TierCacheError('ERR_UNKNOWN_OPTION', `redis: unknown option '${name}', expected '${meant}'`)
  }
  if (names.length === 0 && Object.getPrototypeOf(options) !== Object.prototype) {
    throw badValue('ERR_INVALID_OPTION', 'redis', SOURCE_EXPECTED, options)
  }
  if (names.length > 0 && !names.some((name) => KNOWN.has(name))) {
    const got = names.slice(0, 5).map((name) => `'${name.slice(0, 40)}'`)
    throw new TierCacheError(
      'ERR_INVALID_OPTION',
      `redis: expected ${SOURCE_EXPECTED}, got an object with ${got.join(', ')}, which ioredis does not know`,
    )
  }
}

function checkCluster(nodes: unknown, { redisOptions, db, ...others }: Readonly<Record<string, unknown>>): void {
  if (redisOptions !== undefined) {
    const message = "redis: unknown option 'redisOptions', expected what is in it beside 'cluster'"
    throw new TierCacheError('ERR_UNKNOWN_OPTION', message)
  }
  for (const name of ['url', 'host', 'path', 'sentinels']) {
    if (others[name] === undefined || others[name] === null) continue
    throw badValue('ERR_INVALID_OPTION', `redis.${name}`, "none beside 'cluster'", withoutSecret(others[name]))
  }
  if (db !== undefined && Number(db) !== 0) {
    throw badValue('ERR_INVALID_OPTION', 'redis.db', "none or 0 beside 'cluster', which has one database", db)
  }
  const list = readList('redis.cluster', nodes, NODES_EXPECTED)
  for (const [index, node] of list.entries()) {
    const name = `redis.cluster[${index}]`
    if (typeof node === 'string') checkUrl(name, node, `${URL_EXPECTED} or { host, port }`)
    else checkAddress(name, node, `{ host, port } or ${URL_EXPECTED}`)
  }
  const schemes = new Set(list.filter((node) => typeof node === 'string').map((url) => url.split(':', 1)[0]))
  if (schemes.size > 1) {
    const expected = "nodes that are all 'redis:' or all 'rediss:'"
    throw new TierCacheError('ERR_INVALID_OPTION', `redis.cluster: expected ${expected}, got both`)
  }
}

function checkSentinels(sentinels: unknown, { name }: Readonly<Record<string, unknown>>): void {
  for (const [index, sentinel] of readList('redis.sentinels', sentinels, SENTINELS_EXPECTED).entries()) {
    checkAddress(`redis.sentinels[${index}]`, sentinel, '{ host, port }')
  }
  if (typeof name !== 'string' || name === '') {
    throw badValue('ERR_INVALID_OPTION', 'redis.name', 'what the sentinels call the master, a text', name)
  }
}

function readList(name: string, value: unknown, expected: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value
  throw badValue('ERR_INVALID_OPTION', name, expected, withoutSecret(value))
}

function checkAddress(name: string, address: unknown, expected: string): void {
  const { host, port } = (typeof address === 'object' && address !== null ? address : {}) as Partial<
    Record<string, unknown>
  >
  const isHost = host === undefined || (typeof host === 'string' && host !== '')
  const isPort = port === undefined || (Number.isInteger(Number(port)) && Number(port) > 0 && Number(port) < 65_536)
  if (isHost && isPort && (host ?? port) !== undefined) return
  throw badValue('ERR_INVALID_OPTION', name, expected, withoutSecret(address))
}

function withoutSecret(value: unknown): unknown {
  return typeof value === 'string' && value.includes('@') ? 'a URL that cannot be read' : value
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
