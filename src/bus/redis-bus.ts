import type { Clock } from '../clock.ts'
import type { Currency } from '../entry/currency.ts'
import type { Bucket } from '../redis/bucket.ts'
import type { RedisClient } from '../redis/client.ts'
import type { Server } from '../redis/server.ts'
import type { Bus, BusListener } from './bus.ts'
import { BucketChain } from './bucket-chain.ts'
import { RedisFeed } from './redis-feed.ts'

export interface RedisBusSettings {
  readonly origin: string
  /** The stated bound on staleness: being current is proven five times as often. */
  readonly maxStalenessMs: number
}

const BEATS_PER_BOUND = 5

/** The bus on Redis pub/sub: one feed for each server that holds buckets, over a plain connection to that very server. */
export class RedisBus implements Bus {
  readonly origin: string
  readonly buckets: number
  readonly #client: RedisClient
  readonly #settings: RedisBusSettings
  readonly #clock: Clock
  readonly #chains: readonly BucketChain[]
  readonly #feeds = new Map<Server, RedisFeed>()
  #listener: BusListener | undefined
  #cancelBeat: (() => void) | undefined
  #closed = false

  constructor(client: RedisClient, settings: RedisBusSettings, clock: Clock) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
    this.origin = settings.origin
    this.buckets = client.buckets.length
    const listener: BusListener = {
      noticed: (notice, bucket) => this.#listener?.noticed(notice, bucket),
      gap: (reason, buckets) => this.#listener?.gap(reason, buckets),
      lost: (reason, buckets, links) => this.#listener?.lost(reason, buckets, links),
    }
    this.#chains = client.buckets.map(
      ({ index }) => new BucketChain(index, this.buckets, this.#beatMs, clock, listener),
    )
  }

  currency(bucket: number): Currency {
    return this.#chains[bucket] as BucketChain
  }

  subscribe(listener: BusListener): void {
    this.#listener = listener
    this.#client.whenAnotherRun((buckets) => this.#listener?.lost('another run of the server', buckets))
    this.#client.topology.whenMoved((buckets, how) => {
      this.#align()
      if (how === 'succeeded') this.#listener?.lost('another server has succeeded', buckets)
      if (how === 'resharded') for (const bucket of buckets) this.#chains[bucket]?.moved()
    })
    this.#align()
    this.#schedule()
  }

  /** Each server's feed carries the buckets that it holds. */
  #align(): void {
    const { servers } = this.#client.topology
    for (const [server, feed] of this.#feeds) {
      if (servers.includes(server)) continue
      feed.close()
      this.#feeds.delete(server)
    }
    for (const server of servers) {
      const held = this.#client.buckets.filter((bucket) => bucket.server === server)
      this.#feedOf(server).carry(held.map((bucket) => ({ bucket, chain: this.#chains[bucket.index] as BucketChain })))
    }
  }

  #feedOf(server: Server): RedisFeed {
    let feed = this.#feeds.get(server)
    if (!feed) {
      const notHeld = () => void this.#client.topology.refresh()
      feed = new RedisFeed(server, this.#settings.maxStalenessMs, this.#clock, notHeld)
      this.#feeds.set(server, feed)
    }
    return feed
  }

  get #beatMs(): number {
    return this.#settings.maxStalenessMs / BEATS_PER_BOUND
  }

  #schedule(): void {
    if (this.#closed) return
    this.#cancelBeat = this.#clock.inBackground(this.#beatMs, () => {
      for (const feed of this.#feeds.values()) void feed.beat()
      this.#schedule()
    })
  }

  reached(bucket: number, n: string): void {
    if (this.#chains[bucket]?.hasReached(n)) return
    const server = (this.#client.buckets[bucket] as Bucket).server
    if (server) void this.#feeds.get(server)?.beat()
  }

  close(): void {
    this.#closed = true
    this.#listener = undefined
    this.#cancelBeat?.()
    for (const feed of this.#feeds.values()) feed.close()
    for (const chain of this.#chains) chain.close()
  }
}
