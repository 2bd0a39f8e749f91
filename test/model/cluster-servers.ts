import { setTimeout as sleep } from 'node:timers/promises'
import { hashTags, slotOf } from '../../src/entry/slot.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { ClusterDeployment, ClusterFailover } from '../doubles/redis-cluster.ts'
import { startCluster } from '../doubles/redis-cluster.ts'
import { viewOf } from '../doubles/redis-cluster-view.ts'
import type { Loss } from './history.ts'
import { natMapOf } from './nat-map.ts'
import type { Random } from './random.ts'
import type { Servers } from './servers.ts'
import { CLUSTER_BUCKETS } from './servers.ts'

const FAILOVERS: readonly ClusterFailover[] = ['kill', 'freeze', 'manual', 'force', 'takeover']

/** Three masters with a replica each, which share a few buckets. */
export class ClusterServers implements Servers {
  readonly buckets = CLUSTER_BUCKETS
  readonly #deployment: ClusterDeployment
  /** The owner of each bucket, as far as is known. */
  #owners: readonly RedisServer[] = []

  private constructor(deployment: ClusterDeployment) {
    this.#deployment = deployment
  }

  /** `args` of all nodes. */
  static async start(args: readonly string[]): Promise<ClusterServers> {
    const servers = new ClusterServers(await startCluster({ args }))
    servers.#owners = await servers.#findOwners()
    return servers
  }

  get ends(): readonly RedisServer[] {
    return this.#deployment.servers
  }

  get masters(): readonly RedisServer[] {
    return [...new Set(this.#owners)]
  }

  ownerOf(bucket: number): RedisServer {
    return this.#owners[bucket] as RedisServer
  }

  sourceFor(ports: readonly number[]): object {
    const cluster = this.ends.map(({ host }, index) => ({ host, port: ports[index] }))
    return { cluster, natMap: natMapOf(this.ends, ports) }
  }

  async restart(server: RedisServer, awayMs: number): Promise<void> {
    await server.kill()
    await sleep(awayMs)
    await server.restart()
  }

  async failOver(random: Random): Promise<string> {
    const [master, how] = [random.pick(this.masters), random.pick(FAILOVERS)]
    const [cutMs, backMs] = [random.chance(0.6) ? random.between(100, 1500) : 0, random.between(0, 1500)]
    const lost = cutMs > 0 ? () => sleep(cutMs) : undefined
    await this.failOverBy(master, how, lost, () => sleep(backMs))
    return `${master.port} ${how}, without the last ${cutMs} ms, back after ${backMs} ms`
  }

  /**
   * What is written during `lost` is lost, unless the master hands over (`manual`). One that was killed or frozen is back
   * after `meanwhile`, which begins when its replica has taken over.
   */
  async failOverBy(
    master: RedisServer,
    how: ClusterFailover,
    lost: (() => Promise<unknown>) | undefined,
    meanwhile: () => Promise<unknown>,
  ): Promise<void> {
    if (lost) {
      await this.#deployment.cutReplication(master)
      await lost()
    }
    await this.#deployment.failover(master, how)
    await meanwhile()
    if (how === 'freeze') master.thaw()
    if (how === 'kill') await master.restart()
  }

  /** A master gives buckets to another one, and perhaps gets them back. */
  async reshard(random: Random): Promise<string> {
    const from = random.pick(this.masters)
    const to = random.pick((await this.#deployment.masters()).filter((master) => master !== from))
    const held = this.#owners.flatMap((owner, bucket) => (owner === from ? [bucket] : []))
    const moved = held.filter(() => random.chance(0.5))
    const buckets = moved.length > 0 ? moved : held.slice(0, 1)
    const asking = () => sleep(random.chance(0.5) ? random.between(1, 600) : 0)
    await this.moveBuckets(buckets, to, asking)
    const text = `buckets ${buckets.join(', ')} from ${from.port} to ${to.port}`
    if (random.chance(0.5)) return text
    const ms = random.between(0, 1500)
    await sleep(ms)
    await this.moveBuckets(buckets, from, asking)
    return `${text}, and back after ${ms} ms`
  }

  /** A master that does not own a bucket. */
  stranger(bucket: number): RedisServer {
    const found = this.masters.find((master) => master !== this.ownerOf(bucket))
    if (!found) throw new Error('one master owns all buckets')
    return found
  }

  /** Moves buckets of one owner. `midway`: while that one answers ASK. */
  async moveBuckets(buckets: readonly number[], to: RedisServer, midway?: () => Promise<unknown>): Promise<void> {
    const slots = buckets.map((bucket) => slotOfBucket(bucket))
    await this.#deployment.moveSlots(slots, this.ownerOf(buckets[0] as number), to, midway)
    this.#owners = this.#owners.map((owner, bucket) => (buckets.includes(bucket) ? to : owner))
  }

  async settle(): Promise<readonly Loss[]> {
    const before = this.#owners
    const masters = await this.#deployment.masters()
    const others = this.#deployment.servers.filter((server) => !masters.includes(server))
    await Promise.all(others.map((server) => this.#deployment.rejoined(server)))
    this.#owners = await this.#findOwners()
    const lost = this.#owners.flatMap((owner, bucket) => (owner === before[bucket] ? [] : [bucket]))
    const heirs = new Set(lost.map((bucket) => this.ownerOf(bucket)))
    return [...heirs].map((heir) => ({
      heir: this.ends.indexOf(heir),
      buckets: lost.filter((bucket) => this.ownerOf(bucket) === heir),
    }))
  }

  async #findOwners(): Promise<readonly RedisServer[]> {
    const [master] = await this.#deployment.masters()
    if (!master) throw new Error('the cluster has no master')
    const { owners } = await viewOf(master)
    return Array.from({ length: this.buckets }, (_, bucket) => {
      const owner = this.ends.find(({ port }) => port === owners[slotOfBucket(bucket)])
      if (!owner) throw new Error(`bucket ${bucket} has no owner`)
      return owner
    })
  }

  stop(): Promise<void> {
    return this.#deployment.stop()
  }
}

const tags = hashTags(CLUSTER_BUCKETS)

function slotOfBucket(bucket: number): number {
  return slotOf(tags[bucket] as string)
}
