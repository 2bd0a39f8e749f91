import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '../doubles/fault-proxy.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'
import { admin } from './admin.ts'
import type { Loss } from './history.ts'
import type { Random } from './random.ts'
import type { Servers } from './servers.ts'

const REPLICA_ARGS = [
  '--repl-diskless-sync',
  'yes',
  '--repl-diskless-sync-delay',
  '0',
  '--repl-ping-replica-period',
  '1',
]

/** A server, and the folder that it starts with the content of. */
interface Place {
  readonly server: RedisServer
  readonly folder: string
}

async function startIn(folder: string): Promise<Place> {
  return { server: await startRedis({ args: [...REPLICA_ARGS, '--dir', folder] }), folder }
}

/** One server behind one address, and perhaps a replica of it that takes over in a failover. */
export class OneServer implements Servers {
  readonly ends: readonly [{ host: string; port: number }]
  readonly buckets = 1
  #current: Place
  #standby: Place | undefined
  /** The way from the replica to its master. */
  readonly #replication: FaultProxy | undefined
  readonly #replicationTarget: { host: string; port: number }
  #losses: Loss[] = []

  private constructor(
    current: Place,
    standby: Place | undefined,
    replication: FaultProxy | undefined,
    replicationTarget: { host: string; port: number },
  ) {
    this.ends = [{ host: current.server.host, port: current.server.port }]
    this.#current = current
    this.#standby = standby
    this.#replication = replication
    this.#replicationTarget = replicationTarget
  }

  static async start(withReplica: boolean): Promise<OneServer> {
    const start = async () => startIn(await mkdtemp(join(tmpdir(), 'tiercache-model-')))
    const current = await start()
    const replicationTarget = { host: current.server.host, port: current.server.port }
    if (!withReplica) return new OneServer(current, undefined, undefined, replicationTarget)
    const standby = await start()
    const servers = new OneServer(current, standby, await startFaultProxy(replicationTarget), replicationTarget)
    await servers.#follow(standby.server)
    return servers
  }

  get masters(): readonly RedisServer[] {
    return [this.#current.server]
  }

  sourceFor([port]: readonly number[]): object {
    return { host: this.ends[0].host, port }
  }

  /** The old master becomes the replica of the new one. */
  async failOver(random: Random, move: (which: 'commands' | 'both' | 'subscriber') => Promise<void>): Promise<string> {
    const lostMs = random.between(100, 1500)
    const laterMs = random.chance(0.3) ? random.between(100, 2000) : 0
    await this.#replace(lostMs, () => move(laterMs > 0 ? 'commands' : 'both'))
    this.#losses.push({})
    if (laterMs === 0) return `without the last ${lostMs} ms`
    // Notices still come from the old server, which follows the new one.
    await sleep(laterMs)
    await move('subscriber')
    return `without the last ${lostMs} ms, subscribers ${laterMs} ms later`
  }

  async #replace(lostMs: number, moved: () => Promise<void>): Promise<void> {
    const [old, next, replication] = [this.#current, this.#standby, this.#replication]
    if (!next || !replication) throw new Error('there is no replica to fail over to')
    replication.hole()
    await sleep(lostMs)
    await admin(next.server, ['REPLICAOF', 'NO', 'ONE'])
    this.ends[0].port = next.server.port
    await moved()
    this.#current = next
    this.#standby = old
    this.#replicationTarget.port = next.server.port
    await replication.cut()
    await replication.heal()
    await this.#follow(old.server)
  }

  /** The server starts again as it was before `act`, though what was done then was acknowledged. */
  async rollBack(act: () => Promise<unknown>): Promise<void> {
    const { server } = this.#current
    await admin(server, ['SAVE'])
    await act()
    await server.kill('SIGKILL')
    await server.restart()
    this.#losses.push({})
  }

  async restart(server: RedisServer, awayMs: number): Promise<void> {
    await server.kill('SIGKILL')
    await rm(join(this.#current.folder, 'dump.rdb'), { force: true })
    await sleep(awayMs)
    await server.restart()
  }

  async settle(): Promise<readonly Loss[]> {
    return this.#losses.splice(0)
  }

  async #follow(replica: RedisServer): Promise<void> {
    const { host, port } = this.#replication ?? this.#replicationTarget
    await admin(replica, ['REPLICAOF', host, port])
    for (let attempt = 0; attempt < 200; attempt++) {
      const [info] = await admin(replica, ['INFO', 'replication'])
      if (String(info).includes('master_link_status:up')) return
      await sleep(50)
    }
    throw new Error('a replica did not come up within 10 s')
  }

  async stop(): Promise<void> {
    const places = this.#standby ? [this.#current, this.#standby] : [this.#current]
    await Promise.all([this.#replication?.stop(), ...places.map(({ server }) => server.stop())])
    await Promise.all(places.map(({ folder }) => rm(folder, { recursive: true, force: true })))
  }
}
