import type { Clock } from '../clock.ts'
import type { Address } from '../entry/entry.ts'
import { bucketOf, localId, RedisNames } from '../entry/key.ts'
import { hashTags, slotOf } from '../entry/slot.ts'
import { TierCacheError } from '../errors.ts'
import type { Counters } from '../counters/counters.ts'
import type { Events, FarHealth } from '../events.ts'
import { AlikeWarnings } from './alike-warnings.ts'
import type { Carrier } from './bucket.ts'
import { Bucket } from './bucket.ts'
import { openCluster, openNode } from './cluster-connection.ts'
import { ClusterTopology } from './cluster-topology.ts'
import { open } from './connection.ts'
import { withDeadline } from './deadline.ts'
import type { Redirection } from './failure.ts'
import { isRefusal, redirectionOf, saysOnTheMove, saysUnserved } from './failure.ts'
import { FirstAttempt } from './first-attempt.ts'
import type { Sender } from './guarded-connection.ts'
import type { ClusterOptions } from './options.ts'
import type { ServerParts, ServerSettings } from './parts.ts'
import { Server } from './server.ts'
import { SlotsInquiry } from './slots-inquiry.ts'
import type { ClusterConnection, RedisSource } from './source.ts'
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
  readonly #settings: RedisClientSettings
  readonly #clock: Clock
  readonly #topology: Topology
  readonly #firstAttempt: FirstAttempt
  readonly #warnings: Warnings
  readonly #counters: Counters
  readonly #usableListeners = new Set<() => void>()
  readonly #failingListeners = new Set<(buckets: readonly number[]) => void>()
  readonly #anotherRunListeners = new Set<(buckets: readonly number[]) => void>()
  /** How many buckets are not served. */
  #unserved = 0
  /** How often others took the place of servers. */
  #successions = 0

  constructor(settings: RedisClientSettings, clock: Clock, events: Events, counters: Counters) {
    const { source, commandTimeoutMs, prefix, clusterBuckets } = settings
    this.#settings = settings
    this.#clock = clock
    this.#warnings = isCluster(source) ? new AlikeWarnings(events, prefix) : new Warnings(events, prefix)
    this.#counters = counters
    const parts = { settings, clock, events, counters, warnings: this.#warnings }
    this.#topology = isCluster(source) ? this.#cluster(source, clusterBuckets, parts) : this.#one(source, parts)
    this.#firstAttempt = new FirstAttempt(commandTimeoutMs, clock)
    const database = this.#topology.serverOf(0)?.database ?? 0
    const tags = hashTags(isCluster(source) ? clusterBuckets : 1)
    this.buckets = tags.map((tag, index) => new Bucket(index, new RedisNames(prefix, database, tag), this))
  }

  #one(source: RedisSource, parts: ServerParts): Topology {
    const server = new Server(open(source, parts.settings.commandTimeoutMs, parts.clock), parts)
    this.#hear(server)
    server.whenEnded(() => this.#firstAttempt.finish())
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
    const inquiry = new SlotsInquiry(cluster, borrowed, this.#warnings)
    inquiry.whenEnded(() => this.#firstAttempt.finish())
    const topology = new ClusterTopology(cluster, inquiry, { buckets, commandTimeoutMs }, connect, clock)
    topology.whenMoved((moved, how) => {
      if (how === 'succeeded') this.#successions++
      if (how !== 'found') this.#isFailing(moved)
    })
    return topology
  }

  #hear(server: Server): void {
    server.whenUsable(() => this.#isUsable())
    server.whenFailing(() => this.#isFailing(this.#heldBy(server)))
    server.whenAnotherRun(() => {
      for (const listener of this.#anotherRunListeners) listener(this.#heldBy(server))
    })
  }

  #heldBy(server: Server): readonly number[] {
    return this.buckets.filter((bucket) => bucket.server === server).map(({ index }) => index)
  }

  #isUsable(): void {
    // The first server may be usable before the client itself is made.
    if (this.usable) this.#firstAttempt.finish()
    for (const listener of this.#usableListeners) listener()
  }

  #isFailing(buckets: readonly number[]): void {
    for (const listener of this.#failingListeners) listener(buckets)
  }

  /** See {@link Carrier.turned}. What nobody serves is told once per outage. */
  turned({ index, names }: Bucket, how: 'unserved' | 'served' | 'missed'): void {
    if (how === 'served') this.#isUsable()
    else this.#isFailing([index])
    if (how === 'missed') return
    this.#unserved += how === 'unserved' ? 1 : -1
    if (how === 'served' || this.#unserved > 1) return
    this.#warnings.tell({
      code: 'ERR_REDIS_UNAVAILABLE',
      message:
        `the Redis Cluster does not serve slot ${slotOf(names.hashTag)} (CLUSTERDOWN), and maybe others: L1 and loaders ` +
        'go on, L2 joins when it does. CLUSTER INFO and CLUSTER NODES tell which masters are lost, or which slots nobody ' +
        'holds',
    })
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
    return this.#firstAttempt.isOver && !this.buckets.some(({ usable }) => usable)
  }

  /** How its servers do, for people. */
  health(): FarHealth {
    const { last } = this.#warnings
    const servers = this.#topology.servers.map((server) => server.health)
    return last ? { servers, lastWarning: { code: last.code, message: last.message } } : { servers }
  }

  /** Calls `listener` whenever commands can be sent again to a server: it is connected, or its breaker has closed. */
  whenUsable(listener: () => void): void {
    this.#usableListeners.add(listener)
    if (this.buckets.some(({ usable }) => usable)) listener()
  }

  /** Calls `listener` with the buckets of a server that may have lost what it had acknowledged. See {@link Server.whenAnotherRun}. */
  whenAnotherRun(listener: (buckets: readonly number[]) => void): void {
    this.#anotherRunListeners.add(listener)
  }

  /**
   * Calls `listener` with the buckets of which commands begin to fail, or that are on the move: what others are to tell of
   * them may never be heard.
   */
  whenFailing(listener: (buckets: readonly number[]) => void): void {
    this.#failingListeners.add(listener)
  }

  /** See {@link Carrier.firstAttempt}. */
  async firstAttempt(): Promise<void> {
    if (!this.#firstAttempt.isOver) await this.#firstAttempt.end
  }

  /**
   * See {@link Carrier.run}. Calls made before the first connection wait for it, one command deadline after the start of
   * the client at most. A server of a Cluster that redirects has done nothing: the command is sent once more, to where it
   * says. Where one server was given, its redirection is an error like any other.
   */
  run<Reply>(bucket: Bucket, command: string, send: Sender): Promise<Reply> {
    if (this.#firstAttempt.isOver) return this.#run(bucket, command, send) as Promise<Reply>
    return this.#firstAttempt.end.then(() => this.#run(bucket, command, send)) as Promise<Reply>
  }

  #run(bucket: Bucket, command: string, send: Sender): Promise<unknown> {
    const server = bucket.usable ? bucket.server : undefined
    const until = this.#clock.now() + this.#settings.commandTimeoutMs
    const first = { server, until, successions: this.#successions }
    return this.#send(server, command, send).catch((error: unknown) =>
      this.#sendOn(bucket, command, send, first, error),
    )
  }

  /** What becomes of a command that has failed: the same, unless it is redirected. */
  async #sendOn(
    bucket: Bucket,
    command: string,
    send: Sender,
    { server, until, successions }: { server: Server | undefined; until: number; successions: number },
    error: unknown,
  ): Promise<unknown> {
    if (saysOnTheMove(error)) this.#isFailing([bucket.index])
    if (saysUnserved(error)) bucket.answered(false)
    const redirection = isCluster(this.#settings.source) ? redirectionOf(error) : undefined
    if (!server || !redirection) throw error
    const next = await this.#follow(bucket, server, redirection, until)
    // Nothing is sent to the successor of a server that was asked for before the succession was known:
    //   1. delete k is acknowledged, and lost with the server
    //   2. a read of k is redirected to the successor: it would find the old value, and nothing fences it
    if (this.#successions !== successions) throw error
    const again = this.#send(next, command, redirection.word === 'ASK' ? asking(next, send) : send)
    return withDeadline(again, command, until - this.#clock.now(), this.#clock)
  }

  /** Where a command is to be sent that a server redirects; `undefined` where that is not known in time. */
  async #follow(
    bucket: Bucket,
    from: Server,
    { word, address }: Redirection,
    until: number,
  ): Promise<Server | undefined> {
    if (word === 'ASK') return this.#topology.serverNamed(address, from)
    await withDeadline(this.#topology.refresh(), 'CLUSTER SLOTS', until - this.#clock.now(), this.#clock).catch(
      () => {},
    )
    if (this.#clock.now() >= until) return undefined
    if (bucket.server !== from) return bucket.server
    // The node that was asked may not know of the move yet. But one that holds nothing so far may be the successor of `from`,
    // and to that nothing is sent before the succession is known.
    const named = this.#topology.serverNamed(address, from)
    return named && this.#heldBy(named).length > 0 ? named : undefined
  }

  /** As {@link RedisClient.run}, for a command that is about what a server has, and not about a bucket: no other is asked for it. */
  async runOn<Reply>(server: Server, command: string, send: Sender): Promise<Reply> {
    await this.firstAttempt()
    return (await this.#send(server, command, send)) as Reply
  }

  #send(server: Server | undefined, command: string, send: Sender): Promise<unknown> {
    if (server?.usable) return server.send(command, send)
    this.#counters.l2Skipped++
    const name = server?.name ?? 'the server of this key'
    const message = `${command} was not sent: ${name} is not available`
    return Promise.reject(new TierCacheError('ERR_REDIS_UNAVAILABLE', message))
  }

  /** Disconnects what we opened; a borrowed instance only loses our listeners. */
  close(): void {
    this.#warnings.close()
    this.#topology.close()
  }
}

/** Redis Cluster specification, "ASK redirection": the next command is served by the server that imports the slot. */
function asking(server: Server | undefined, send: Sender): Sender {
  return (connection) => {
    connection.call('ASKING').catch((error: unknown) => isRefusal(error) && server?.refused('ASKING', error))
    return send(connection)
  }
}
