import type { FaultProxy } from './fault-proxy.ts'
import { startFaultProxy } from './fault-proxy.ts'
import type { RedisServer } from './redis.ts'
import type { Address } from './redis-deployment.ts'
import { ask, askAll, caughtUp, fieldsOf, startTogether, stopAll, until } from './redis-deployment.ts'

export interface SentinelOptions {
  /** 1 by default. */
  readonly replicas?: number
  /** The silence after which a sentinel takes a server for down, in milliseconds; 1,000 by default. */
  readonly downAfterMs?: number
  /**
   * How long a former master that is back goes on as a master, until the sentinels make it a replica, in milliseconds;
   * 2,000 by default, and up to a second more. In the field, and before Redis 7, it is 8,000.
   */
  readonly demoteAfterMs?: number
  /** Arguments of the master and its replicas. */
  readonly args?: readonly string[]
}

/** How a master is lost: its process ends, or stands still, or it goes on and a sentinel is told to replace it. */
export type SentinelFailover = 'kill' | 'freeze' | 'sentinel'

/** A master with its replicas, and three sentinels of which two must agree. */
export interface SentinelDeployment {
  /** What ioredis takes: `new Redis(deployment.address)`. */
  readonly address: { readonly sentinels: Address[]; readonly name: string }
  /** The master of the start, then its replicas. */
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** The master that all sentinels name, and that is one: waits while they disagree or exchange it. */
  master(): Promise<RedisServer>
  /**
   * The replicas get nothing any more of what their master acknowledges, and look well: for a minute, or until it is
   * healed or failed over. What was written before has reached them.
   */
  cutReplication(): Promise<void>
  /** Resolves when the replicas have what they missed. */
  healReplication(): Promise<void>
  /**
   * The master is lost. Answers the new one, once all sentinels name it, it is a master and the other replicas follow it.
   * The old one, if it runs, is a master meanwhile: {@link SentinelDeployment.rejoined}.
   */
  failover(how: SentinelFailover): Promise<RedisServer>
  /** Resolves when a server follows the master, as a former one does that was thawed or restarted. */
  rejoined(server: RedisServer): Promise<void>
  stop(): Promise<void>
}

const name = 'main'
const quorum = 2
/** Failovers that fail, because votes were split or a step took longer, are begun anew after twice this time. */
const failoverTimeoutMs = 3_000
/** A sentinel leads a replica back to its master when the replica has followed something else for so long. */
const cutTimeoutMs = 60_000

/** Starts a deployment, and waits until the sentinels know each other and all servers. */
export async function startSentinel(options: SentinelOptions = {}): Promise<SentinelDeployment> {
  const { replicas = 1, downAfterMs = 1_000, demoteAfterMs = 2_000, args = [] } = options
  // Servers keep their role over a restart, and sentinels what they know: both write it to their configuration.
  const data = { config: '', args: ['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0', ...args] }
  const watch = { config: '', args: ['--sentinel'] }
  const started = await startTogether([...Array(replicas + 1).fill(data), ...Array(3).fill(watch)])
  const deployment = new Deployment(started.slice(0, -3), started.slice(-3))
  try {
    await deployment.begin(downAfterMs, demoteAfterMs)
  } catch (error) {
    await deployment.stop()
    throw error
  }
  return deployment
}

class Deployment implements SentinelDeployment {
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** What stands between a replica and its master while replication is cut. */
  readonly #cuts: { readonly replica: RedisServer; readonly proxy: FaultProxy }[] = []

  constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.servers = servers
    this.sentinels = sentinels
  }

  get address() {
    return { sentinels: this.sentinels.map(({ host, port }) => ({ host, port })), name }
  }

  async begin(downAfterMs: number, demoteAfterMs: number): Promise<void> {
    const [master, ...replicas] = this.servers
    if (!master) throw new Error('there is no master')
    await Promise.all(replicas.map((replica) => follow(replica, master)))
    await Promise.all(this.sentinels.map((sentinel) => watch(sentinel, master, downAfterMs, demoteAfterMs)))
    await until('all sentinels know all', async () => {
      const known = await Promise.all(this.sentinels.map((sentinel) => this.#knowsAll(sentinel)))
      return known.every(Boolean) || undefined
    })
  }

  async #knowsAll(sentinel: RedisServer): Promise<boolean> {
    const [found, replies] = await askAll(sentinel, [
      ['SENTINEL', 'MASTER', name],
      ['SENTINEL', 'REPLICAS', name],
    ])
    const master = fieldsOf(found)
    const replicas = (replies as unknown[]).map(fieldsOf)
    const isComplete = replicas.length === this.servers.length - 1
    const others = Number(master['num-other-sentinels'])
    const areWell = replicas.every((each) => each.flags === 'slave' && each['master-link-status'] === 'ok')
    return isComplete && areWell && others === this.sentinels.length - 1 && master.flags === 'master'
  }

  master(): Promise<RedisServer> {
    return until('all sentinels name one master', () => this.#agreed())
  }

  async #agreed(): Promise<RedisServer | undefined> {
    const watching = this.sentinels.filter((sentinel) => sentinel.isUp)
    const named = await Promise.all(watching.map((sentinel) => ask(sentinel, 'SENTINEL', 'MASTER', name)))
    const [first, ...others] = named.map(fieldsOf).map(({ ip, port, flags }) => `${flags} ${ip}:${port}`)
    const found = this.servers.find((server) => first === `master ${server.host}:${server.port}`)
    if (!found?.isUp || others.some((each) => each !== first)) return undefined
    return (await roleOf(found)).name === 'master' ? found : undefined
  }

  async cutReplication(): Promise<void> {
    const master = await this.master()
    await this.#letReplicasStray(cutTimeoutMs)
    for (const replica of this.servers.filter((server) => server !== master && server.isUp)) {
      const proxy = await startFaultProxy(master)
      this.#cuts.push({ replica, proxy })
      await follow(replica, proxy)
    }
    await caughtUp(
      this.#cuts.map(({ replica }) => replica),
      master,
    )
    for (const { proxy } of this.#cuts) proxy.hole('to-client')
  }

  async healReplication(): Promise<void> {
    const master = await this.master()
    for (const { proxy } of this.#cuts) proxy.release({ deliver: true })
    const replicas = this.#cuts.map(({ replica }) => replica)
    await Promise.all(replicas.map((replica) => follow(replica, master)))
    await caughtUp(replicas, master)
    await this.#endCuts()
  }

  async failover(how: SentinelFailover): Promise<RedisServer> {
    const old = await this.master()
    const heirs = this.servers.filter((server) => server !== old && server.isUp)
    if (heirs.length === 0) throw new Error('it has no replica that could take over')
    if (how === 'kill') await old.kill()
    if (how === 'freeze') old.freeze()
    if (how !== 'sentinel') await this.#letReplicasStray(failoverTimeoutMs)
    const next = await until(`the sentinels replace a master (${how})`, async () => {
      if (how === 'sentinel') await this.#order(old)
      const found = await this.#agreed()
      if (!found || found === old) return undefined
      const roles = await Promise.all(heirs.filter((heir) => heir !== found).map(roleOf))
      return roles.every((role) => role.isAfter(found)) ? found : undefined
    })
    await this.#endCuts()
    return next
  }

  /** Tells a sentinel to replace the master, unless it has done so or is about it. */
  async #order(old: RedisServer): Promise<void> {
    const [sentinel] = this.sentinels.filter((each) => each.isUp)
    if (!sentinel) throw new Error('no sentinel is up')
    const { ip, port, flags } = fieldsOf(await ask(sentinel, 'SENTINEL', 'MASTER', name))
    if (ip === old.host && Number(port) === old.port && flags === 'master')
      await ask(sentinel, 'SENTINEL', 'FAILOVER', name)
  }

  async rejoined(server: RedisServer): Promise<void> {
    await until('a server follows the master', async () => {
      const master = await this.#agreed()
      return (master && (await roleOf(server)).isAfter(master)) || undefined
    })
  }

  async stop(): Promise<void> {
    await Promise.all([stopAll([...this.sentinels, ...this.servers]), ...this.#cuts.map(({ proxy }) => proxy.stop())])
  }

  /** How long the sentinels let a replica follow something else than its master. */
  async #letReplicasStray(ms: number): Promise<void> {
    const watching = this.sentinels.filter((sentinel) => sentinel.isUp)
    await Promise.all(watching.map((sentinel) => ask(sentinel, 'SENTINEL', 'SET', name, 'failover-timeout', ms)))
  }

  async #endCuts(): Promise<void> {
    await this.#letReplicasStray(failoverTimeoutMs)
    await Promise.all(this.#cuts.splice(0).map(({ proxy }) => proxy.stop()))
  }
}

/** Makes a server a replica of what is at an address, and waits until it has its data. */
async function follow(replica: RedisServer, address: Address): Promise<void> {
  await askAll(replica, [
    ['REPLICAOF', address.host, address.port],
    ['CONFIG', 'REWRITE'],
  ])
  await until('a replica is up', async () => (await roleOf(replica)).isAfter(address) || undefined)
}

async function watch(sentinel: RedisServer, master: Address, downAfterMs: number, demoteAfterMs: number) {
  // Sentinels tell each other of themselves so often, and wait four times as long before they demote a master. A busy
  // machine lets them stand still, which they take for a clock that jumped, and do nothing for half a minute. Redis 6.2
  // has no such settings.
  const periods = ['publish-period', demoteAfterMs / 4, 'info-period', 500, 'tilt-trigger', 60_000]
  await ask(sentinel, 'SENTINEL', 'DEBUG', ...periods).catch(() => {})
  await askAll(sentinel, [
    ['SENTINEL', 'MONITOR', name, master.host, master.port, quorum],
    ['SENTINEL', 'SET', name, 'down-after-milliseconds', downAfterMs, 'failover-timeout', failoverTimeoutMs],
  ])
}

/** What a server says of its place in the replication. */
async function roleOf(server: RedisServer) {
  const [role, host, port, link] = (await ask(server, 'ROLE')) as [string, string, number, string]
  return {
    name: role,
    isAfter: (master: Address) =>
      role === 'slave' && host === master.host && port === master.port && link === 'connected',
  }
}
