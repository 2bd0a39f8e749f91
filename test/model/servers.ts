import type { RedisServer } from '../doubles/redis.ts'
import type { Address } from '../doubles/redis-deployment.ts'
import type { Loss } from './history.ts'
import type { Random } from './random.ts'

/** What the processes connect to: one server, a master behind sentinels, or the masters of a Cluster. */
export type Form = 'server' | 'sentinel' | 'cluster'

export const forms: readonly Form[] = ['server', 'sentinel', 'cluster']

/** How many buckets a Cluster has here: few, so that each is in use, and the move of one slot matters. */
export const CLUSTER_BUCKETS = 8

/** The servers of one form, as faults break them. */
export interface Servers {
  /** What the ways of a process lead to, one for each; looked at for each new connection. */
  readonly ends: readonly Address[]
  /** Those that take writes, as far as is known. */
  readonly masters: readonly RedisServer[]
  /** How many buckets there are. */
  readonly buckets: number
  /** The option `redis` of a process. `ports`: where its way to each end begins. */
  sourceFor(ports: readonly number[]): object
  /** A server is away for a while and comes back empty. */
  restart(server: RedisServer, awayMs: number): Promise<void>
  /**
   * Another server takes over from a master, by any of the ways that this form knows, and mostly without the last that
   * was acknowledged. Answers what exactly happened. `move` leads the ways of all processes to where the ends are now.
   */
  failOver(random: Random, move: (which: 'commands' | 'both' | 'subscriber') => Promise<void>): Promise<string>
  /**
   * Waits until all servers are in their places. Answers by whom masters were replaced since it was last asked, whether
   * a fault was to do that or a sentinel or node just lost its patience.
   */
  settle(): Promise<readonly Loss[]>
  stop(): Promise<void>
}
