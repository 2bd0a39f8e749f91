import type { ServerReport } from './server-report.ts'
import { evictsLeases, isRecentEnough } from './server-report.ts'
import type { Warning } from './warnings.ts'

/**
 * How fit a server is for us.
 *
 * - `fit`: nothing is to be said of it.
 * - `poor`: it is used, and costs more than it should.
 * - `replica`: it is not used as long as it is one, since its reads may lag.
 * - `unfit`: it is not used.
 */
export type Fitness =
  | { readonly word: 'fit' }
  | { readonly word: 'poor' | 'replica' | 'unfit'; readonly warning: Warning }

/** Judges a server by what it says of itself. `server`: its name for people. */
export function fitnessOf(report: ServerReport, server: string): Fitness {
  if (!isRecentEnough(report)) {
    const found = String(report.version)
    return {
      word: 'unfit',
      warning: {
        code: 'ERR_SERVER_VERSION',
        message: `${server} is Redis ${found}: expected 6.2 or later, or Valkey. It is not used: L1 and loaders go on`,
        detail: { setting: 'version', found, expected: '6.2 or later' },
      },
    }
  }
  if (report.isReplica) return { word: 'replica', warning: replicaWarning(server) }
  if (evictsLeases(report)) {
    const found = String(report.evictionPolicy)
    return {
      word: 'poor',
      warning: {
        code: 'ERR_EVICTION_POLICY',
        message:
          `${server} evicts by ${found}, which takes leases before anything else when memory is full: nothing wrong is ` +
          'served, but keys are loaded more than once. Set maxmemory-policy to volatile-lru or allkeys-lru',
        detail: { setting: 'maxmemory-policy', found, expected: 'volatile-lru, allkeys-lru or noeviction' },
      },
    }
  }
  return { word: 'fit' }
}

/** What to say of a replica that was given as the master, or was the master and is none any more. */
export function replicaWarning(server: string): Warning {
  return {
    code: 'ERR_READONLY_REPLICA',
    message:
      `${server} is a replica: it takes no writes, and its reads may lag. It is not used, and looked at again until it is ` +
      'a master: L1 and loaders go on. Give the address of the master, or the sentinels that know it',
    detail: { setting: 'role', found: 'slave', expected: 'master' },
  }
}

/** What to say of a node of a Cluster that was given as if it were all of it. It is used for what it holds. */
export function clusterNodeWarning(server: string): Warning {
  return {
    code: 'ERR_CLUSTER_NODE',
    message:
      `${server} is a node of a Redis Cluster and holds the keys of its own slots only: it is used for as long as the slot ` +
      'of all our keys is one of these. Give redis: { cluster: [{ host, port }] }, or an ioredis Cluster instance',
    detail: { setting: 'cluster_enabled', found: '1', expected: '0' },
  }
}
