import type { Clock } from '../clock.ts'
import { readNotice } from '../entry/notice.ts'
import type { Bucket } from '../redis/bucket.ts'
import { withDeadline } from '../redis/deadline.ts'
import { isRefusal } from '../redis/failure.ts'
import type { Server } from '../redis/server.ts'
import type { BucketChain } from './bucket-chain.ts'
import type { Link } from './chain.ts'

/** A bucket with what was heard of it. */
export interface Carried {
  readonly bucket: Bucket
  readonly chain: BucketChain
}

/** How long to wait before asking again for a subscription that was refused. */
const REFUSED_PAUSE_MS = 5000

/**
 * The notices of the buckets that one server holds. Pub/sub may lose messages in silence, so the scripts chain their
 * notices, and a beat proves that nothing is missing: the heads of the chains are read, then the subscriber's connection
 * to the same server is pinged. Redis answers in order, so once both have answered, all that was committed before the
 * read has been heard, if that tip was.
 */
export class RedisFeed {
  readonly #server: Server
  readonly #maxStalenessMs: number
  readonly #clock: Clock
  /** A server said that it does not hold a bucket (any more). */
  readonly #notHeld: () => void
  /** By channel. */
  #carried = new Map<string, Carried>()
  readonly #subscribed = new Set<string>()
  #isBeating = false
  /** Whether a beat is wanted that begins after the one under way. */
  #isBeatDue = false
  #cancelRetry: (() => void) | undefined
  #closed = false

  constructor(server: Server, maxStalenessMs: number, clock: Clock, notHeld: () => void) {
    this.#server = server
    this.#maxStalenessMs = maxStalenessMs
    this.#clock = clock
    this.#notHeld = notHeld
    const { subscriber } = server
    const heard = (channel: string, text: string) => {
      if (this.#carried.get(channel)?.chain.heard(readNotice(text)) === 'look') void this.beat()
    }
    subscriber.on('message', heard)
    subscriber.on('smessage', heard)
    subscriber.on('ready', () => this.#subscribeAll())
    subscriber.on('close', () => this.#subscribed.clear())
    server.whenUsable(() => this.#subscribeAll())
  }

  /** Hears these buckets from now on, and no others. */
  carry(all: readonly Carried[]): void {
    this.#carried = new Map(all.map((each) => [each.bucket.names.channel, each]))
    // A server ends the subscriptions to a slot that it gives away.
    for (const channel of this.#subscribed) if (!this.#carried.has(channel)) this.#subscribed.delete(channel)
    this.#subscribeAll()
  }

  /** Whether a channel is sharded is known when the server is. */
  #subscribeAll(): void {
    if (this.#closed || !this.#server.usable || this.#server.subscriber.status !== 'ready') return
    for (const channel of this.#carried.keys()) if (!this.#subscribed.has(channel)) this.#subscribe(channel)
    void this.beat()
  }

  #subscribe(channel: string): void {
    const { subscriber, subscribes } = this.#server
    const asked = subscribes === 'SSUBSCRIBE' ? subscriber.ssubscribe(channel) : subscriber.subscribe(channel)
    withDeadline(asked, subscribes, this.#maxStalenessMs, this.#clock).then(
      () => {
        this.#subscribed.add(channel)
        void this.beat()
      },
      (error: unknown) => this.#unsubscribed(subscribes, error),
    )
  }

  /** Without the right to subscribe a new connection would not help: L1 then lives for the bound on staleness only. */
  #unsubscribed(command: string, error: unknown): void {
    if (!isRefusal(error)) {
      this.#reconnect()
      return
    }
    if (error.message.startsWith('MOVED')) this.#notHeld()
    else this.#server.refused(command, error)
    // One retry, however many channels were refused.
    this.#cancelRetry?.()
    this.#cancelRetry = this.#clock.inBackground(REFUSED_PAUSE_MS, () => this.#subscribeAll())
  }

  /** A subscription that does not answer may be half-open: only a new socket tells. */
  #reconnect(): void {
    this.#subscribed.clear()
    if (!this.#closed) this.#server.subscriber.disconnect(true)
  }

  /** Proves how far the buckets have been heard. */
  async beat(): Promise<void> {
    this.#isBeatDue = true
    if (this.#isBeating) {
      this.#try()
      return
    }
    this.#isBeating = true
    while (this.#isBeatDue && !this.#closed && this.#server.usable) {
      this.#isBeatDue = false
      try {
        await this.#prove()
      } catch {
        // Counted and told by the client; without a proof `verifiedAt` stays where it is.
      }
    }
    this.#isBeating = false
  }

  /** Sends a command while a beat waits for its pong: a server that stands still is to be noticed as soon as otherwise. */
  #try(): void {
    if (!this.#server.usable) return
    this.#server.measureTime().catch(() => {
      // Counted and told by the client.
    })
  }

  async #prove(): Promise<void> {
    const sentAt = this.#clock.now()
    const asked = [...this.#carried]
      .filter(([channel]) => this.#subscribed.has(channel))
      .map(([channel, each]) => ({ channel, ...each, before: each.chain.last }))
    const [heads] = await Promise.all([this.#readHeads(asked), this.#server.measureTime()])
    if (asked.length === 0 || !(await this.#ponged())) return
    for (const [index, { channel, chain, before }] of asked.entries()) {
      const head = heads[index]
      if (head !== 'not held' && this.#subscribed.has(channel)) chain.proven(head, before, sentAt)
    }
  }

  /** The heads of the chains, in one batch; `undefined` where there is none, or something else in its place. */
  async #readHeads(asked: readonly Carried[]): Promise<readonly (Link | 'not held' | undefined)[]> {
    // Where nothing is sent nothing is answered: it must not count as an answer of the server.
    if (asked.length === 0) return []
    const heads = (await this.#server.send('HMGET', (redis) =>
      Promise.all(asked.map(({ bucket }) => redis.call('HMGET', bucket.names.chain, 'tip', 'n').catch(noHead))),
    )) as (readonly [string | null, string | null] | 'not held')[]
    if (heads.includes('not held')) this.#notHeld()
    return heads.map((head) => {
      if (head === 'not held') return head
      const [tip, n] = head
      return tip === null || n === null || !/^\d{1,16}$/.test(n) ? undefined : { tip, n: Number(n) }
    })
  }

  /**
   * Whether the subscriber's connection has answered. A refusal is an answer as good as a pong: Redis makes it when it
   * comes to the command, and sends all that it has for one connection in order, so that what was published before was
   * heard before.
   */
  async #ponged(): Promise<boolean> {
    try {
      await withDeadline(this.#server.subscriber.ping(), 'PING', this.#maxStalenessMs, this.#clock)
    } catch (error) {
      if (!isRefusal(error)) {
        this.#reconnect()
        return false
      }
      this.#server.refused('PING', error)
    }
    return true
  }

  close(): void {
    this.#closed = true
    this.#cancelRetry?.()
  }
}

/** A server that redirects does not hold the bucket; what is no chain is none, and the next link repairs it. */
function noHead(error: unknown): 'not held' | readonly [null, null] {
  if (isRefusal(error) && /^(MOVED|ASK) /.test(error.message)) return 'not held'
  if (isRefusal(error) && error.message.startsWith('WRONGTYPE')) return [null, null]
  throw error
}
