import type { Address } from '../doubles/redis-deployment.ts'

/** For each server, by the address that it is announced with, where somebody's way to it begins. */
export function natMapOf(servers: readonly Address[], ports: readonly number[]): Record<string, Address> {
  return Object.fromEntries(
    servers.map(({ host, port }, index) => [`${host}:${port}`, { host, port: ports[index] as number }]),
  )
}
