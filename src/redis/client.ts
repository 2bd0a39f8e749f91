import type { Clock } from '../clock.ts'
import type { Address } from '../entry/entry.ts'
import { bucketOf, localId, RedisNames } from '../entry/key.ts'
import { TierCacheError } from '../errors.ts'
import type { Counters, Events } from '../events.ts'
import type { Carrier } from './bucket.ts'
import { Bucket } from './bucket.ts'
import { ClusterTopology } from './cluster-topology.ts'
import { open, openCluster, openNode } from './connection.ts'
import { redirectionOf } from './failure.ts'
import { FirstAttempt } from './first-attempt.ts'
import type { Sender } from './guarded-connection.ts'
import type { ServerParts, ServerSettings } from './parts.ts'
import { Server } from './server.ts'
import type { ClusterConnection, ClusterOptions, RedisSource } from './source.ts'
import { isCluster } from './source.ts'
import type { Topology } from './topology.ts'
import { OneServer } from './topology.ts'
import { Warnings } from './warnings.ts'

export interface RedisClientSettings extends ServerSettings {
  readonly source: RedisSource
  /** How many buckets there are on a Cluster; one server has one. */
  readonly clusterBuckets: number
}

/**
 * The Redis of one cache: one server, or the masters of a Cluster. Every command goes through {@link RedisClient.run}:
 * first attempt, server of the bucket, breaker, deadline, count, redirection.
 */
export class RedisClient implements Carrier {
  readonly buckets: readonly Bucket[]
  readonly #topology: Topology
  readonly #firstAttempt: FirstAttempt
  readonly #warnings: Warnings
  readonly #counters: Counters
  readonly #usableListeners = new Set<() => void>()
  readonly #failingListeners = new Set<() => void>()
  readonly #anotherRunListeners = new Set<(buckets: readonly number[]) => void>()

  constructor(settings: RedisClientSettings, clock: Clock, events: Events, counters: Counters) {
    const { source, commandTimeoutMs, prefix, clusterBuckets } = settings
    this.#warnings = new Warnings(events, prefix)
    this.#counters = counters
    const parts = { settings, clock, events, counters, warnings: this.#warnings }
    this.#topology = isCluster(source) ? this.#cluster(source, clusterBuckets, parts) : this.#one(source, parts)
    this.#firstAttempt = new FirstAttempt(commandTimeoutMs, clock)
    const count = isCluster(source) ? clusterBuckets : 1
    const database = this.#topology.serverOf(0)?.database ?? 0
    this.buckets = Array.from(
      { length: count },
      (_, index) => new Bucket(index, new RedisNames(prefix, database, index), this),
    )
  }

  #one(source: RedisSource, parts: ServerParts): Topology {
    const server = new Server(open(source, parts.settings.commandTimeoutMs, parts.clock), parts)
    this.#hear(server)
    return new OneServer(server)
  }

  #cluster(source: ClusterConnection | ClusterOptions, buckets: number, parts: ServerParts): Topology {
    const { clock } = parts
    const { commandTimeoutMs } = parts.settings
    const { cluster, borrowed } = openCluster(source, commandTimeoutMs, clock)
    const connect = (address: string) => {
      const opened = openNode(cluster, address, commandTimeoutMs, clock)
      const server = opened && new Server(opened, parts)
      if (server) this.#hear(server)
      return server
    }
    const settings = { buckets, commandTimeoutMs, borrowed }
    return new ClusterTopology(cluster, settings, connect, clock, this.#warnings)
  }

  #hear(server: Server): void {
    server.whenUsable(() => this.#isUsable())
    server.whenFailing(() => {
      for (const listener of this.#failingListeners) listener()
    })
    server.whenAnotherRun(() => {
      const buckets = this.buckets.filter((bucket) => bucket.server === server).map(({ index }) => index)
      for (const listener of this.#anotherRunListeners) listener(buckets)
    })
  }

  #isUsable(): void {
    // The first server may be usable before the client itself is made.
    if (this.usable) this.#firstAttempt.succeeded()
    for (const listener of this.#usableListeners) listener()
  }

  get topology(): Topology {
    return this.#topology
  }

  /** The bucket of an entry. */
  of({ namespace, key }: Address): Bucket {
    return this.buckets[bucketOf(localId(namespace, key), this.buckets.length)] as Bucket
  }

  serverOf(bucket: Bucket): Server | undefined {
    return this.#topology.serverOf(bucket.index)
  }

  /** Whether a command would be sent right now, whatever its bucket. */
  get usable(): boolean {
    return this.buckets?.every((bucket) => bucket.usable) ?? false
  }

  /** Whether any command would be refused at once, whatever its bucket: neither sent, nor kept waiting for the first connection. */
  get passedOver(): boolean {
    return this.#firstAttempt.isOver && !this.#topology.servers.some(({ usable }) => usable)
  }

  /** Calls `listener` whenever commands can be sent again to a server: it is connected, or its breaker has closed. */
  whenUsable(listener: () => void): void {
    this.#usableListeners.add(listener)
    if (this.#topology.servers.some(({ usable }) => usable)) listener()
  }

  /** Calls `listener` with the buckets of a server that may have lost what it had acknowledged. See {@link Server.whenAnotherRun}. */
  whenAnotherRun(listener: (buckets: readonly number[]) => void): void {
    this.#anotherRunListeners.add(listener)
  }

  /** See {@link Server.whenFailing}. */
  whenFailing(listener: () => void): void {
    this.#failingListeners.add(listener)
  }

  /** See {@link Carrier.firstAttempt}. */
  async firstAttempt(): Promise<void> {
    if (!this.#firstAttempt.isOver) await this.#firstAttempt.end
  }

  /**
   * See {@link Carrier.run}. Calls made before the first connection wait for it, one command deadline after the start of
   * the client at most.
   */
  async run<Reply>(bucket: Bucket, command: string, send: Sender): Promise<Reply> {
    if (!this.#firstAttempt.isOver) await this.#firstAttempt.end
    try {
      return (await this.#send(bucket.server, command, send)) as Reply
    } catch (error) {
      const redirection = redirectionOf(error)
      if (!redirection) throw error
      return (await this.#follow(bucket, redirection, command, send)) as Reply
    }
  }

  #send(server: Server | undefined, command: string, send: Sender): Promise<unknown> {
    if (server?.usable) return server.send(command, send)
    this.#counters.l2Skipped++
    const name = server?.name ?? 'the server of this key'
    throw new TierCacheError('ERR_REDIS_UNAVAILABLE', `${command} was not sent: ${name} is not available`)
  }

  /** A server that redirects has done nothing: the command is sent once more, to where it says. */
  async #follow(
    bucket: Bucket,
    { word, address }: { readonly word: 'MOVED' | 'ASK'; readonly address: string },
    command: string,
    send: Sender,
  ): Promise<unknown> {
    if (word === 'ASK') return this.#send(this.#topology.serverAt(address), command, asking(send))
    await this.#topology.refresh()
    return this.#send(bucket.server, command, send)
  }

  /** Disconnects what we opened; a borrowed instance only loses our listeners. */
  close(): void {
    this.#warnings.close()
    this.#topology.close()
  }
}

/** Redis Cluster specification, "ASK redirection": the next command is served by the server that imports the slot. */
function asking(send: Sender): Sender {
  return (connection) => {
    connection.call('ASKING').catch(() => {})
    return send(connection)
  }
}
