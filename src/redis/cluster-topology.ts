import type { Clock } from '../clock.ts'
import { withDeadline } from './deadline.ts'
import { withoutArguments } from './failure.ts'
import type { Server } from './server.ts'
import { slotOf } from './slot.ts'
import type { ClusterConnection } from './source.ts'
import type { Move, Topology } from './topology.ts'
import type { Warnings } from './warnings.ts'

/** How often is asked who holds what, while a bucket has no server that can be used. */
const REFRESH_MS = 500

export interface ClusterTopologySettings {
  readonly buckets: number
  readonly commandTimeoutMs: number
  /** Whether the application owns the Cluster: then it is not closed with us. */
  readonly borrowed: boolean
}

/**
 * The masters of a Redis Cluster, as ioredis knows them. It is asked for the map of the slots and for nothing else:
 * each master has connections of our own, so that each has its own run, time, breaker and subscriber.
 */
export class ClusterTopology implements Topology {
  readonly #cluster: ClusterConnection
  readonly #settings: ClusterTopologySettings
  readonly #connect: (address: string) => Server | undefined
  readonly #clock: Clock
  readonly #warnings: Warnings
  readonly #slots: readonly number[]
  readonly #byAddress = new Map<string, Server>()
  #byBucket: (Server | undefined)[]
  readonly #movedListeners = new Set<(buckets: readonly number[], how: Move | 'found') => void>()
  readonly #handlers: readonly [string, (...values: unknown[]) => void][]
  #refreshing: Promise<void> | undefined
  #cancelWatch = () => {}
  #isOutageTold = false
  #closed = false

  /** `connect` makes a server of the node at an address; `undefined` where ioredis does not know that node. */
  constructor(
    cluster: ClusterConnection,
    settings: ClusterTopologySettings,
    connect: (address: string) => Server | undefined,
    clock: Clock,
    warnings: Warnings,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#connect = connect
    this.#clock = clock
    this.#warnings = warnings
    this.#slots = Array.from({ length: settings.buckets }, (_, bucket) => slotOf(String(bucket)))
    this.#byBucket = this.#slots.map(() => undefined)
    this.#handlers = [
      ['refresh', () => this.#align()],
      ['ready', () => this.#align()],
      ['error', (error) => this.#tellOutage(error instanceof Error ? error.message : String(error))],
    ]
    for (const [event, listener] of this.#handlers) cluster.on(event, listener)
    if (cluster.status === 'wait') cluster.connect().catch(() => {})
    this.#align()
    this.#watch()
  }

  get servers(): readonly Server[] {
    return [...new Set(this.#byBucket.filter((server) => server !== undefined))]
  }

  serverOf(bucket: number): Server | undefined {
    return this.#byBucket[bucket]
  }

  whenMoved(listener: (buckets: readonly number[], how: Move | 'found') => void): void {
    this.#movedListeners.add(listener)
  }

  async refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  async #refresh(): Promise<void> {
    const asked = new Promise<void>((resolve, reject) => {
      this.#cluster.refreshSlotsCache((error) => (error ? reject(error) : resolve()))
    })
    try {
      await withDeadline(asked, 'CLUSTER SLOTS', this.#settings.commandTimeoutMs, this.#clock)
      this.#align()
    } catch (error) {
      this.#tellOutage(error instanceof Error ? error.message : String(error))
    }
  }

  serverAt(address: string): Server | undefined {
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
    this.#byBucket = this.#slots.map((slot, bucket) => {
      const address = this.#cluster.slots[slot]?.[0]
      return address === undefined ? before[bucket] : (this.serverAt(address) ?? before[bucket])
    })
    const moved = this.#byBucket.flatMap((server, bucket) => (server === before[bucket] ? [] : [bucket]))
    if (moved.length === 0) return
    this.#isOutageTold = false
    const how = (bucket: number): Move | 'found' => {
      if (before[bucket] === undefined) return 'found'
      return before.includes(this.#byBucket[bucket]) ? 'resharded' : 'succeeded'
    }
    for (const each of ['found', 'resharded', 'succeeded'] as const) {
      const buckets = moved.filter((bucket) => how(bucket) === each)
      if (buckets.length > 0) for (const listener of this.#movedListeners) listener(buckets, each)
    }
    for (const [address, server] of this.#byAddress) {
      if (this.#byBucket.includes(server)) continue
      this.#byAddress.delete(address)
      server.close()
    }
  }

  /** A master that died has a successor that nobody announces. */
  #watch(): void {
    this.#cancelWatch = this.#clock.inBackground(REFRESH_MS, () => {
      if (this.#byBucket.some((server) => server?.usable !== true)) void this.refresh()
      this.#watch()
    })
  }

  /** Once per outage. */
  #tellOutage(reason: string): void {
    if (this.#isOutageTold || this.#closed) return
    this.#isOutageTold = true
    this.#warnings.tell({
      code: 'ERR_REDIS_UNAVAILABLE',
      message: `the Redis Cluster cannot be asked for its slots (${withoutArguments(reason)}): L1 and loaders go on`,
    })
  }

  close(): void {
    this.#closed = true
    this.#cancelWatch()
    for (const server of this.#byAddress.values()) server.close()
    for (const [event, listener] of this.#handlers) this.#cluster.off(event, listener)
    if (!this.#settings.borrowed) this.#cluster.disconnect()
  }
}
