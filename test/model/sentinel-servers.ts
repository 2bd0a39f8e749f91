import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisServer } from '../doubles/redis.ts'
import { until } from '../doubles/redis-deployment.ts'
import type { SentinelDeployment, SentinelFailover } from '../doubles/redis-sentinel.ts'
import { startSentinel } from '../doubles/redis-sentinel.ts'
import { admin } from './admin.ts'
import type { Loss } from './history.ts'
import { natMapOf } from './nat-map.ts'
import type { Random } from './random.ts'
import type { Servers } from './servers.ts'

const FAILOVERS = ['kill', 'freeze', 'sentinel', 'everybody', 'sentinels'] as const

const PASSWORD = 'shut-out'

/** A master with a replica, and three sentinels, which the processes ask past all proxies. */
export class SentinelServers implements Servers {
  readonly buckets = 1
  readonly #deployment: SentinelDeployment
  #master: RedisServer

  private constructor(deployment: SentinelDeployment, master: RedisServer) {
    this.#deployment = deployment
    this.#master = master
  }

  static async start(): Promise<SentinelServers> {
    const deployment = await startSentinel()
    return new SentinelServers(deployment, await deployment.master())
  }

  get ends(): readonly RedisServer[] {
    return this.#deployment.servers
  }

  get masters(): readonly RedisServer[] {
    return [this.#master]
  }

  sourceFor(ports: readonly number[]): object {
    return { ...this.#deployment.address, natMap: natMapOf(this.ends, ports) }
  }

  async restart(server: RedisServer, awayMs: number): Promise<void> {
    await server.kill()
    await sleep(awayMs)
    await server.restart()
  }

  async failOver(random: Random): Promise<string> {
    const [how, backMs] = [random.pick(FAILOVERS), random.between(0, 1500)]
    if (how === 'everybody' || how === 'sentinels') {
      await this.shutOut(how, () => sleep(backMs))
      return `${how} shut out, let in ${backMs} ms after`
    }
    const cutMs = random.chance(0.6) ? random.between(100, 1500) : 0
    await this.failOverBy(how, cutMs > 0 ? () => sleep(cutMs) : undefined, () => sleep(backMs))
    return `${how}, without the last ${cutMs} ms, back after ${backMs} ms`
  }

  /**
   * What is written during `lost` is lost. A master that was killed or frozen is back after `meanwhile`, which begins when
   * the other one has taken over, and takes itself for the master until it is told otherwise.
   */
  async failOverBy(
    how: SentinelFailover,
    lost: (() => Promise<unknown>) | undefined,
    meanwhile: () => Promise<unknown>,
  ): Promise<void> {
    const old = this.#master
    if (lost) {
      await this.#deployment.cutReplication()
      await lost()
    }
    await this.#deployment.failover(how)
    await meanwhile()
    if (how === 'freeze') old.thaw()
    if (how === 'kill') await old.restart()
  }

  /**
   * The master lets nobody in any more, and is taken for dead; it lives, and those who are in go on with it. Who is put
   * out: the sentinels, or with them all but subscribers. During `meanwhile` the other one is the master.
   */
  async shutOut(whom: 'everybody' | 'sentinels', meanwhile: () => Promise<unknown>): Promise<void> {
    const old = this.#master
    const at = { host: old.host, port: old.port }
    await admin(old, ['CONFIG', 'SET', 'requirepass', PASSWORD])
    const list = (await connectedClients(old)).filter(
      ({ name }) => whom === 'everybody' || name.startsWith('sentinel-'),
    )
    await admin({ ...at, password: PASSWORD }, ...list.map(({ id }) => ['CLIENT', 'KILL', 'ID', id] as const))
    try {
      await until('another master is named', async () => (await this.#deployment.master()) !== old || undefined)
      await meanwhile()
    } finally {
      await admin({ ...at, password: PASSWORD }, ['CONFIG', 'SET', 'requirepass', ''])
    }
  }

  async settle(): Promise<readonly Loss[]> {
    const before = this.#master
    this.#master = await this.#deployment.master()
    const others = this.#deployment.servers.filter((server) => server !== this.#master)
    await Promise.all(others.map((server) => this.#deployment.rejoined(server)))
    this.#master = await this.#deployment.master()
    return this.#master === before ? [] : [{ heir: this.ends.indexOf(this.#master) }]
  }

  stop(): Promise<void> {
    return this.#deployment.stop()
  }
}

/** Its clients that are neither subscribers nor replicas. */
async function connectedClients({
  host,
  port,
}: RedisServer): Promise<{ readonly id: string; readonly name: string }[]> {
  const [list] = await admin({ host, port, password: PASSWORD }, ['CLIENT', 'LIST', 'TYPE', 'normal'])
  return String(list)
    .split('\n')
    .flatMap((line) => {
      const [, id, name] = /^id=(\d+) .* name=(\S*) /.exec(line) ?? []
      return id === undefined ? [] : [{ id, name: name ?? '' }]
    })
}
