import type { RedisServer } from './redis.ts'
import type { View } from './redis-cluster-view.ts'
import { idOf, isFollowing, slotCount, viewOf } from './redis-cluster-view.ts'
import type { Address, Command } from './redis-deployment.ts'
import { ask, askAll, caughtUp, startTogether, stopAll, until } from './redis-deployment.ts'
import { migrate } from './redis-slot-migration.ts'

export interface ClusterOptions {
  /** 3 by default, and no fewer: most of them must agree that one is lost. */
  readonly masters?: number
  /** Of each master; 1 by default. */
  readonly replicas?: number
  /** The silence after which a node takes another for down, in milliseconds; 1,000 by default. */
  readonly nodeTimeoutMs?: number
  /** Arguments of all nodes, such as `--cluster-require-full-coverage no`. */
  readonly args?: readonly string[] | ((port: number) => readonly string[])
}

/**
 * How a master is lost: its process ends, or stands still, or its replica takes over, in agreement with it (`manual`),
 * with the other masters (`force`) or with nobody (`takeover`).
 */
export type ClusterFailover = 'kill' | 'freeze' | 'manual' | 'force' | 'takeover'

/** Masters that share the slots, with their replicas. */
export interface ClusterDeployment {
  /** What ioredis takes: `new Cluster(deployment.nodes)`. */
  readonly nodes: Address[]
  /** The masters of the start in the order of their slots, then the replicas. */
  readonly servers: readonly RedisServer[]
  /** The owners of slots in the order of these: waits while the nodes disagree. */
  masters(): Promise<RedisServer[]>
  /** The replicas of a master that are up. */
  replicasOf(master: RedisServer): Promise<RedisServer[]>
  slotOf(key: string): Promise<number>
  serverOf(slot: number): Promise<RedisServer>
  /**
   * The replicas of a master get nothing any more of what it acknowledges, until they are healed or the master is failed
   * over: all ways lose it but `manual`, which heals them first. What was written before has reached them.
   */
  cutReplication(master: RedisServer): Promise<void>
  /** Resolves when the replicas have what they missed. */
  healReplication(master: RedisServer): Promise<void>
  /** A master is lost. Answers the new one, once all nodes know it and the other replicas follow it. */
  failover(master: RedisServer, how: ClusterFailover): Promise<RedisServer>
  /** Resolves when a server follows a master, as a former one does that was thawed or restarted. */
  rejoined(server: RedisServer): Promise<void>
  /**
   * Moves slots with their keys, while clients go on. `midway` is called when the keys are at the new owner and the old
   * one still owns the slots: it answers ASK.
   */
  moveSlots(
    slots: readonly number[],
    from: RedisServer,
    to: RedisServer,
    midway?: () => Promise<unknown>,
  ): Promise<void>
  stop(): Promise<void>
}

/** A manual failover that is not done after five seconds is given up by its replica. */
const reorderMs = 6_000

/** Starts a cluster, and waits until every node is content with it. A node keeps its name over a restart. */
export async function startCluster(options: ClusterOptions = {}): Promise<ClusterDeployment> {
  const { masters = 3, replicas = 1, nodeTimeoutMs = 1_000, args = [] } = options
  const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf']
  const timing = ['--cluster-node-timeout', String(nodeTimeoutMs), '--cluster-replica-validity-factor', '0']
  const replication = ['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0']
  const argsOf = typeof args === 'function' ? args : () => args
  const node = { args: (port: number) => [...cluster, ...timing, ...replication, ...argsOf(port)] }
  const deployment = new Deployment(await startTogether(Array(masters * (1 + replicas)).fill(node)))
  try {
    await deployment.begin(masters)
  } catch (error) {
    await deployment.stop()
    throw error
  }
  return deployment
}

class Deployment implements ClusterDeployment {
  readonly servers: readonly RedisServer[]
  /** The replicas that their master lets in no more. */
  readonly #cuts = new Map<RedisServer, readonly RedisServer[]>()

  constructor(servers: readonly RedisServer[]) {
    this.servers = servers
  }

  get nodes() {
    return this.servers.map(({ host, port }) => ({ host, port }))
  }

  async begin(count: number): Promise<void> {
    const [masters, replicas] = [this.servers.slice(0, count), this.servers.slice(count)]
    await Promise.all(masters.map((master, nth) => askAll(master, founding(nth, count))))
    await until('all nodes know each other', async () => {
      const known = await Promise.all(this.servers.map((server) => this.#meetOthers(server)))
      return known.every(Boolean) || undefined
    })
    const ids = await Promise.all(masters.map(idOf))
    const joining = (nth: number): Command => ['CLUSTER', 'REPLICATE', String(ids[nth % count])]
    await Promise.all(replicas.map((replica, nth) => ask(replica, ...joining(nth))))
    await Promise.all(replicas.map((replica) => this.rejoined(replica)))
    await this.#view()
  }

  /** Introduces a node to those that it does not know, and answers whether it knows all. A greeting may be lost. */
  async #meetOthers(server: RedisServer): Promise<boolean> {
    const { well } = await viewOf(server)
    const strangers = this.nodes.filter((node) => !well.has(node.port))
    await askAll(server, strangers.map(meeting))
    return strangers.length === 0
  }

  async masters(): Promise<RedisServer[]> {
    const owners = new Set((await this.#view()).owners)
    return [...owners].flatMap((port) => this.#serverAt(port) ?? [])
  }

  async replicasOf(master: RedisServer): Promise<RedisServer[]> {
    const { replicas } = await this.#view()
    return this.servers.filter((server) => server.isUp && replicas.get(server.port) === master.port)
  }

  async slotOf(key: string): Promise<number> {
    const [server] = await this.masters()
    return Number(server && (await ask(server, 'CLUSTER', 'KEYSLOT', key)))
  }

  async serverOf(slot: number): Promise<RedisServer> {
    const owner = this.#serverAt((await this.#view()).owners[slot])
    if (!owner) throw new Error(`slot ${slot} has no owner`)
    return owner
  }

  #serverAt(port: number | undefined): RedisServer | undefined {
    return this.servers.find((server) => server.port === port)
  }

  /** What all nodes that are up say, as soon as they say the same. */
  #view(): Promise<View> {
    return until('all nodes agree', () => this.#agreed())
  }

  async #agreed(): Promise<View | undefined> {
    const up = this.servers.filter((server) => server.isUp)
    const views = await Promise.all(up.map(viewOf))
    const [first, ...others] = views
    const isWhole = views.every(({ state, well }) => state === 'ok' && up.every(({ port }) => well.has(port)))
    if (!first || !isWhole) return undefined
    const differs = (view: View) =>
      view.owners.some((owner, slot) => owner !== first.owners[slot]) ||
      up.some(({ port }) => view.replicas.get(port) !== first.replicas.get(port))
    return others.some(differs) ? undefined : first
  }

  async cutReplication(master: RedisServer): Promise<void> {
    const replicas = await this.replicasOf(master)
    await caughtUp(replicas, master)
    this.#cuts.set(master, replicas)
    await Promise.all(replicas.map((replica) => introduceAs(replica, 'nobody')))
    await ask(master, 'CLIENT', 'KILL', 'TYPE', 'replica')
  }

  async healReplication(master: RedisServer): Promise<void> {
    const replicas = await this.#endCut(master)
    await Promise.all(replicas.map((replica) => this.rejoined(replica)))
    await caughtUp(replicas, master)
  }

  /** Answers the replicas that were cut off, and are up. */
  async #endCut(master: RedisServer): Promise<readonly RedisServer[]> {
    const replicas = (this.#cuts.get(master) ?? []).filter((replica) => replica.isUp)
    await Promise.all(replicas.map((replica) => introduceAs(replica, '')))
    this.#cuts.delete(master)
    return replicas
  }

  async failover(master: RedisServer, how: ClusterFailover): Promise<RedisServer> {
    const slot = (await this.#view()).owners.indexOf(master.port)
    if (slot < 0) throw new Error('it is no master of any slot')
    const heirs = await this.replicasOf(master)
    const [heir] = heirs
    if (!heir) throw new Error('it has no replica that could take over')
    if (how === 'kill') await master.kill()
    if (how === 'freeze') master.freeze()
    if (how === 'manual') await this.healReplication(master)
    let orderedAt = Number.NEGATIVE_INFINITY
    const next = await until(`a master is replaced (${how})`, async () => {
      if (how !== 'kill' && how !== 'freeze' && performance.now() - orderedAt > reorderMs) {
        orderedAt = performance.now()
        await takeOver(heir, how)
      }
      const found = this.#serverAt((await this.#agreed())?.owners[slot])
      return found === master ? undefined : found
    })
    await this.#endCut(master)
    const followers = [...heirs, master].filter((server) => server.isUp && server !== next)
    await Promise.all(followers.map((server) => this.rejoined(server)))
    return next
  }

  async rejoined(server: RedisServer): Promise<void> {
    await until('a server follows a master', async () => {
      const view = await this.#agreed()
      return (view && (await isFollowing(server, view))) || undefined
    })
  }

  async moveSlots(slots: readonly number[], from: RedisServer, to: RedisServer, midway?: () => Promise<unknown>) {
    await migrate(slots, from, to, midway)
    await until('all nodes know the new owner', async () => {
      const view = await this.#agreed()
      return (view && slots.every((slot) => view.owners[slot] === to.port)) || undefined
    })
  }

  stop(): Promise<void> {
    return stopAll(this.servers)
  }
}

/** What makes a server the n-th master: its share of the slots, and a rank of its own in case of conflict. */
function founding(nth: number, count: number): Command[] {
  const [start, end] = [nth, nth + 1].map((n) => Math.round((n * slotCount) / count)) as [number, number]
  const slots = Array.from({ length: end - start }, (_, at) => start + at)
  return [
    ['CLUSTER', 'ADDSLOTS', ...slots],
    ['CLUSTER', 'SET-CONFIG-EPOCH', nth + 1],
  ]
}

const meeting = ({ host, port }: Address): Command => ['CLUSTER', 'MEET', host, port]

/** Without a name a replica is let in by its master; there is nobody of any other name. */
async function introduceAs(replica: RedisServer, name: string): Promise<void> {
  await askAll(replica, [
    ['CONFIG', 'SET', 'masteruser', name],
    ['CONFIG', 'SET', 'masterauth', name],
  ])
}

async function takeOver(heir: RedisServer, how: 'manual' | 'force' | 'takeover'): Promise<void> {
  const words = { manual: [], force: ['FORCE'], takeover: ['TAKEOVER'] }
  await ask(heir, 'CLUSTER', 'FAILOVER', ...words[how])
}
