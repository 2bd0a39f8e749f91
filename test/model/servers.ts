import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '../doubles/fault-proxy.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'

interface AdminConnection {
  call(command: string, ...values: (string | number)[]): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}
type RedisConstructor = new (options: object) => AdminConnection
const { Redis } = createRequire(import.meta.url)('ioredis') as { Redis: RedisConstructor }

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

/** The server that the fleet uses, and perhaps a replica of it that takes over in a failover. */
export class Servers {
  /** Where the fleet's proxies lead. */
  readonly target: { host: string; port: number }
  #current: Place
  #standby: Place | undefined
  /** The way from the replica to its master. */
  readonly #replication: FaultProxy | undefined
  readonly #replicationTarget: { host: string; port: number }

  private constructor(
    current: Place,
    standby: Place | undefined,
    replication: FaultProxy | undefined,
    replicationTarget: { host: string; port: number },
  ) {
    this.target = { host: current.server.host, port: current.server.port }
    this.#current = current
    this.#standby = standby
    this.#replication = replication
    this.#replicationTarget = replicationTarget
  }

  static async start(withReplica: boolean): Promise<Servers> {
    const start = async () => startIn(await mkdtemp(join(tmpdir(), 'tiercache-model-')))
    const current = await start()
    const replicationTarget = { host: current.server.host, port: current.server.port }
    if (!withReplica) return new Servers(current, undefined, undefined, replicationTarget)
    const standby = await start()
    const servers = new Servers(current, standby, await startFaultProxy(replicationTarget), replicationTarget)
    await servers.#follow(standby.server)
    return servers
  }

  get current(): RedisServer {
    return this.#current.server
  }

  /** Sends commands to the current server, past all proxies. What fails is no matter: the server may be under a fault. */
  async admin(...commands: (readonly [command: string, ...values: (string | number)[]])[]): Promise<unknown[]> {
    return adminOf(this.current, commands)
  }

  /**
   * The replica takes over without what was written in the last `lostMs`, though that was acknowledged. The old master
   * becomes its replica. `moved` is called when connections must go to the new one.
   */
  async failOver(lostMs: number, moved: () => Promise<void>): Promise<void> {
    const [old, next, replication] = [this.#current, this.#standby, this.#replication]
    if (!next || !replication) throw new Error('there is no replica to fail over to')
    replication.hole()
    await sleep(lostMs)
    await adminOf(next.server, [['REPLICAOF', 'NO', 'ONE']])
    this.target.port = next.server.port
    await moved()
    this.#current = next
    this.#standby = old
    this.#replicationTarget.port = next.server.port
    await replication.cut()
    await replication.heal()
    await this.#follow(old.server)
  }

  /** The server starts again as it was before `act`, though what was done then was acknowledged. */
  async rollBack(act: () => Promise<unknown>): Promise<string> {
    await this.admin(['SAVE'])
    await act()
    await this.current.kill('SIGKILL')
    await this.current.restart()
    return 'with older content'
  }

  /** The server is away for a while and comes back empty. */
  async restart(awayMs: number): Promise<void> {
    await this.current.kill('SIGKILL')
    await rm(join(this.#current.folder, 'dump.rdb'), { force: true })
    await sleep(awayMs)
    await this.current.restart()
  }

  async #follow(replica: RedisServer): Promise<void> {
    const { host, port } = this.#replication ?? this.#replicationTarget
    await adminOf(replica, [['REPLICAOF', host, port]])
    for (let attempt = 0; attempt < 200; attempt++) {
      const [info] = await adminOf(replica, [['INFO', 'replication']])
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

async function adminOf(
  { host, port }: RedisServer,
  commands: readonly (readonly [command: string, ...values: (string | number)[]])[],
): Promise<unknown[]> {
  const redis = new Redis({ host, port, maxRetriesPerRequest: 0, retryStrategy: () => null, commandTimeout: 3000 })
  redis.on('error', () => {})
  try {
    const replies: unknown[] = []
    for (const [command, ...values] of commands) {
      replies.push(await redis.call(command, ...values).catch((error: Error) => error))
    }
    return replies
  } finally {
    redis.disconnect()
  }
}
