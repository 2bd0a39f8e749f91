import type { RedisConnection } from './source.ts'

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

function addressName(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
