import type { Clock } from '../clock.ts'
import { whereIs } from './cluster-connection.ts'
import { withDeadline } from './deadline.ts'
import type { Server } from './server.ts'
import type { SlotsInquiry } from './slots-inquiry.ts'
import { hashTags, slotOf } from '../entry/slot.ts'
import type { ClusterConnection } from './source.ts'
import type { Move, Topology } from './topology.ts'

/** How often is asked who holds what, while a bucket has no server that can be used. */
const REFRESH_MS = 500

export interface ClusterTopologySettings {
  readonly buckets: number
  readonly commandTimeoutMs: number
}

/** Makes a server of the node at an address; `undefined` while ioredis knows no node at all. */
export type Connect = (address: string) => Server | undefined

type MovedListener = (buckets: readonly number[], how: Move | 'found') => void

/**
 * The masters of a Redis Cluster, as ioredis knows them. It is asked for the map of the slots and for nothing else:
 * each master has connections of our own, so that each has its own run, time, breaker and subscriber.
 */
export class ClusterTopology implements Topology {
  readonly #cluster: ClusterConnection
  readonly #inquiry: SlotsInquiry
  readonly #settings: ClusterTopologySettings
  readonly #connect: Connect
  readonly #clock: Clock
  readonly #slots: readonly number[]
  readonly #byAddress = new Map<string, Server>()
  #byBucket: readonly (Server | undefined)[]
  readonly #movedListeners = new Set<MovedListener>()
  #cancelWatch = () => {}
  #closed = false

  constructor(
    cluster: ClusterConnection,
    inquiry: SlotsInquiry,
    settings: ClusterTopologySettings,
    connect: Connect,
    clock: Clock,
  ) {
    this.#cluster = cluster
    this.#inquiry = inquiry
    this.#settings = settings
    this.#connect = connect
    this.#clock = clock
    this.#slots = hashTags(settings.buckets).map(slotOf)
    this.#byBucket = this.#slots.map(() => undefined)
    inquiry.whenAnswered(() => this.#align())
    if (cluster.slots.length > 0) this.#align()
    this.#watch()
  }

  get servers(): readonly Server[] {
    return [...new Set(this.#byBucket.filter((server) => server !== undefined))]
  }

  serverOf(bucket: number): Server | undefined {
    return this.#byBucket[bucket]
  }

  whenMoved(listener: MovedListener): void {
    this.#movedListeners.add(listener)
  }

  /** Waits no longer than for a command. */
  async refresh(): Promise<void> {
    const asked = this.#inquiry.ask()
    await withDeadline(asked, 'CLUSTER SLOTS', this.#settings.commandTimeoutMs, this.#clock).catch(() => {
      // It may still be answered: another node is asked then.
    })
  }

  serverNamed(named: string, by: Server): Server | undefined {
    const [address] = [...this.#byAddress].find(([, server]) => server === by) ?? []
    return address === undefined ? undefined : this.#serverAt(whereIs(this.#cluster, named, address))
  }

  #serverAt(address: string): Server | undefined {
    if (this.#closed) return undefined
    let server = this.#byAddress.get(address)
    if (!server) {
      server = this.#connect(address)
      if (server) this.#byAddress.set(address, server)
    }
    return server
  }

  /** Takes over what ioredis knows now. Servers that hold nothing any more are closed. */
  #align(): void {
    if (this.#closed) return
    const before = this.#byBucket
    const owners = this.#slots.map((slot) => this.#ownerOf(slot))
    const after = owners.map((owner, bucket) => owner ?? before[bucket])
    this.#inquiry.tellUnowned(this.#slots.find((_, bucket) => after[bucket] === undefined))
    const moved = after.flatMap((server, bucket) => (server === before[bucket] ? [] : [bucket]))
    if (moved.length === 0) return
    const replicas = this.#replicas()
    const ways = new Map(moved.map((bucket) => [bucket, howMoved(before[bucket], owners, replicas)]))
    this.#byBucket = after
    for (const way of ['found', 'resharded', 'succeeded'] as const) {
      const buckets = moved.filter((bucket) => ways.get(bucket) === way)
      if (buckets.length > 0) for (const listener of this.#movedListeners) listener(buckets, way)
    }
    for (const [address, server] of this.#byAddress) {
      if (after.includes(server)) continue
      this.#byAddress.delete(address)
      server.close()
    }
  }

  #ownerOf(slot: number): Server | undefined {
    const named = this.#cluster.slots[slot]?.[0]
    // What a server said to the application's own commands stands there as it was said.
    return named === undefined ? undefined : this.#serverAt(whereIs(this.#cluster, named, named))
  }

  /** The servers that were masters and are said to follow one now. */
  #replicas(): ReadonlySet<Server> {
    const addresses = this.#slots.flatMap((slot) => this.#cluster.slots[slot]?.slice(1) ?? [])
    return new Set(addresses.flatMap((address) => this.#byAddress.get(address) ?? []))
  }

  /** A master that died has a successor that nobody announces. */
  #watch(): void {
    this.#cancelWatch = this.#clock.inBackground(REFRESH_MS, () => {
      if (this.#byBucket.some((server) => server?.usable !== true)) void this.refresh()
      this.#watch()
    })
  }

  close(): void {
    this.#closed = true
    this.#cancelWatch()
    for (const server of this.#byAddress.values()) server.close()
    this.#inquiry.close()
  }
}

/**
 * A bucket was handed over if the server before it is well and goes on as a master, of other buckets: whoever takes the
 * place of a master takes all that it held. What cannot be told apart counts as a succession: that costs repetitions, the
 * other mistake what was acknowledged.
 */
function howMoved(
  former: Server | undefined,
  owners: readonly (Server | undefined)[],
  replicas: ReadonlySet<Server>,
): Move | 'found' {
  if (former === undefined) return 'found'
  return former.usable && !replicas.has(former) && owners.includes(former) ? 'resharded' : 'succeeded'
}
