import type { ClusterConnection, RedisConnection } from './source.ts'

/**
 * What people call the server behind a connection: the host and port that were given, or the path; behind Sentinel the
 * address that is connected now, with the name of the master. Never the password.
 *
 * @example '10.0.0.1:6379', '10.0.0.1:6379 (mymaster)'
 */
export function serverName(connection: RedisConnection): string {
  const given = givenName(connection)
  const { remoteAddress, remotePort } = connection.stream ?? {}
  const isFound = connection.options.sentinels && remoteAddress && remotePort
  return isFound ? `${addressName(remoteAddress, remotePort)} (${given})` : given
}

/** What was given for a server, whichever it is now. */
export function givenName({ options: { host, port, path, sentinels, name } }: RedisConnection): string {
  return sentinels ? String(name) : (path ?? addressName(host ?? 'localhost', port ?? 6379))
}

/** The sentinels that were given, for people. */
export function sentinelNames({ options: { sentinels } }: RedisConnection): string {
  return (sentinels ?? []).map(({ host, port }) => addressName(host ?? 'localhost', port ?? 26379)).join(', ')
}

/** The addresses of the nodes of a Cluster that were given. ioredis keeps them where its types do not tell of them. */
export function startupAddresses(
  cluster: ClusterConnection,
): readonly { readonly host: string; readonly port: number }[] {
  const { startupNodes } = cluster as { readonly startupNodes?: readonly unknown[] }
  return (startupNodes ?? [])
    .map(addressIn)
    .map(({ host, port }) => ({ host: host || '127.0.0.1', port: Number(port) || 6379 }))
}

/** The nodes of a Cluster that were given, for people. */
export function startupNames(cluster: ClusterConnection): string {
  return startupAddresses(cluster)
    .map(({ host, port }) => addressName(host, port))
    .join(', ')
}

/** Of what ioredis takes for a node: a URL, a port, or an address. */
function addressIn(node: unknown): { readonly host?: string; readonly port?: number | string } {
  if (typeof node === 'number') return { port: node }
  if (typeof node !== 'string') return (node ?? {}) as { readonly host?: string; readonly port?: number }
  const url = node.includes('://') ? node : `redis://${node}`
  if (!URL.canParse(url)) return {}
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port }
}

/** @example '10.0.0.1:6379', '[::1]:6379' */
export function addressName(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
