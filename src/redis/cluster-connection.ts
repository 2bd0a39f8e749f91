import type { Clock } from '../clock.ts'
import type { Opened } from './connection.ts'
import { loadRedis, refuseKeyPrefix, settingsOf } from './connection.ts'
import type { ClusterNode, ClusterOptions } from './options.ts'
import type { ClusterConnection } from './source.ts'
import { addressOf, checkSource, isClusterInstance } from './source.ts'

/** A Cluster, which is asked for its slots and nodes only. Throws what `open` does. */
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
  const { cluster: nodes, natMap, tls = isSecure(nodes) ? {} : undefined, ...options } = source
  const { Cluster } = loadRedis()
  const { retryStrategy, ...redisOptions } = { ...options, tls, ...settingsOf(commandTimeoutMs, clock) }
  const settings = {
    redisOptions,
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue: false,
    // Each master is greeted by us; a Cluster that is down is not to be connected to anew for it.
    enableReadyCheck: false,
    slotsRefreshTimeout: commandTimeoutMs,
    natMap,
    dnsLookup: (address: string, callback: (error: null, address: string) => void) => callback(null, address),
  }
  return { cluster: new Cluster(nodes, settings), borrowed: false }
}

/** ioredis heeds `rediss:` in the URL of one server only. Either all URLs of a list have it, or none (`checkSource`). */
function isSecure(nodes: readonly ClusterNode[]): boolean {
  return nodes.some((node) => typeof node === 'string' && node.startsWith('rediss:'))
}

/**
 * Connections of our own to a node of a Cluster, with the settings of the Cluster for its nodes; `undefined` while it has
 * none. The node need not be known to it: a master that is given its first slot is not, until that has come.
 */
export function openNode(
  cluster: ClusterConnection,
  address: string,
  commandTimeoutMs: number,
  clock: Clock,
): Opened | undefined {
  const nodes = cluster.nodes('all')
  const known = nodes.find(({ options: { host, port } }) => `${host}:${port}` === address)
  const model = known ?? nodes[0]
  if (!model) return undefined
  const ours = {
    ...settingsOf(commandTimeoutMs, clock),
    ...hostAndPort(address),
    db: 0,
    lazyConnect: false,
    readOnly: false,
  }
  const commands = model.duplicate(ours)
  return { commands, subscriber: commands.duplicate(), sentinels: [], borrowed: false, inCluster: true }
}

/**
 * Where a server is that another one named: by the words of ioredis, which may translate (`natMap`). One that is named
 * without a host is on the host of the server that named it.
 */
export function whereIs(cluster: ClusterConnection, named: string, namedBy: string): string {
  return addressOf(cluster, named.startsWith(':') ? `${hostAndPort(namedBy).host}${named}` : named)
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}
