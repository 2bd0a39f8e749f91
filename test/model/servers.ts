import { createRequire } from 'node:module'
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

/** The server that the fleet uses, and perhaps a replica of it that takes over in a failover. */
export class Servers {
  /** Where the fleet's proxies lead. */
  readonly target: { host: string; port: number }
  #current: RedisServer
  #standby: RedisServer | undefined
  /** The way from the replica to its master. */
  readonly #replication: FaultProxy | undefined
  readonly #replicationTarget: { host: string; port: number }

  private constructor(
    current: RedisServer,
    standby: RedisServer | undefined,
    replication: FaultProxy | undefined,
    replicationTarget: { host: string; port: number },
  ) {
    this.target = { host: current.host, port: current.port }
    this.#current = current
    this.#standby = standby
    this.#replication = replication
    this.#replicationTarget = replicationTarget
  }

  static async start(withReplica: boolean): Promise<Servers> {
    const current = await startRedis({ args: REPLICA_ARGS })
    const replicationTarget = { host: current.host, port: current.port }
    if (!withReplica) return new Servers(current, undefined, undefined, replicationTarget)
    const standby = await startRedis({ args: REPLICA_ARGS })
    const servers = new Servers(current, standby, await startFaultProxy(replicationTarget), replicationTarget)
    await servers.#follow(standby)
    return servers
  }

  get current(): RedisServer {
    return this.#current
  }

  /** Sends commands to the current server, past all proxies. What fails is no matter: the server may be under a fault. */
  async admin(...commands: (readonly [command: string, ...values: (string | number)[]])[]): Promise<unknown[]> {
    return adminOf(this.#current, commands)
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
    await adminOf(next, [['REPLICAOF', 'NO', 'ONE']])
    this.target.port = next.port
    await moved()
    this.#current = next
    this.#standby = old
    this.#replicationTarget.port = next.port
    await replication.cut()
    await replication.heal()
    await this.#follow(old)
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
    await Promise.all([this.#current.stop(), this.#standby?.stop(), this.#replication?.stop()])
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
