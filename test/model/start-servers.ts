import { ClusterServers } from './cluster-servers.ts'
import { OneServer } from './one-server.ts'
import { SentinelServers } from './sentinel-servers.ts'
import type { Form, Servers } from './servers.ts'

export interface ServersNeeded {
  readonly form: Form
  /** Whether one server has a replica that can take over. */
  readonly withReplica: boolean
  /** Arguments of the nodes of a Cluster. */
  readonly nodeArgs: readonly string[]
}

/** Starts the servers of a run. */
export async function startServers({ form, withReplica, nodeArgs }: ServersNeeded): Promise<Servers> {
  switch (form) {
    case 'server':
      return OneServer.start(withReplica)
    case 'sentinel':
      return SentinelServers.start()
    case 'cluster':
      return ClusterServers.start(nodeArgs)
    default:
      return form satisfies never
  }
}
