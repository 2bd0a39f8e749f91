import type { Clock } from '../clock.ts'
import { readNotice } from '../entry/notice.ts'
import type { Bucket } from '../redis/bucket.ts'
import { withDeadline } from '../redis/deadline.ts'
import { isRefusal, saysUnserved } from '../redis/failure.ts'
import { inOneWrite } from '../redis/one-write.ts'
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
/** The same where the slot has moved, and nobody who was asked knows where to. */
const MOVED_PAUSE_MS = 200

/** Why the head of a chain could not be read, though the server has answered. */
type NoAnswer = 'not held' | 'not served'

/** What ioredis 5 says of the end of a subscription that it did not ask for. */
const UNASKED_REPLY = /^Command queue state error/

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
  /** The channels of the present connection, and whether one was found to bring what is published. */
  readonly #subscribed = new Map<string, 'new' | 'proven'>()
  /** The channels that were asked for on the present connection, and not answered yet. */
  #asked = new Set<string>()
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
      if (!server.hasSubscriber) return
      if (this.#carried.get(channel)?.chain.heard(readNotice(text)) === 'look') void this.beat()
    }
    subscriber.on('message', heard)
    subscriber.on('smessage', heard)
    subscriber.on('close', () => this.#forgetSubscriptions())
    subscriber.on('moved', () => this.#ended())
    subscriber.on('error', (error: Error) => {
      if (UNASKED_REPLY.test(error.message)) this.#ended()
    })
    server.whenSubscriber(() => this.#subscribeAll())
    server.whenUsable(() => this.#subscribeAll())
  }

  /** Hears these buckets from now on, and no others. */
  carry(all: readonly Carried[]): void {
    this.#carried = new Map(all.map((each) => [each.bucket.names.channel, each]))
    const isGivenAway = [...this.#subscribed.keys(), ...this.#asked].some((channel) => !this.#carried.has(channel))
    if (isGivenAway && all.length > 0) this.#reconnect()
    else this.#subscribeAll()
  }

  /**
   * The server has ended a subscription, as it does when it gives its slot away: what ioredis makes of that differs, and
   * only a new connection is sure to hear the slot when it comes back. Or it does not hold what it was just asked for.
   */
  #ended(): void {
    if (this.#asked.size === 0) this.#reconnect()
    this.#notHeld()
  }

  /** Whether a channel is sharded is known when the server is. */
  #subscribeAll(): void {
    if (this.#closed || !this.#server.usable || !this.#server.hasSubscriber) return
    for (const channel of this.#carried.keys()) {
      if (!this.#subscribed.has(channel) && !this.#asked.has(channel)) this.#subscribe(channel)
    }
    void this.beat()
  }

  #subscribe(channel: string): void {
    const { subscriber, subscribes } = this.#server
    const asked = this.#asked.add(channel)
    const answer = subscribes === 'SSUBSCRIBE' ? subscriber.ssubscribe(channel) : subscriber.subscribe(channel)
    withDeadline(answer, subscribes, this.#maxStalenessMs, this.#clock).then(
      () => {
        if (!asked.delete(channel)) return
        this.#subscribed.set(channel, 'new')
        this.#carried.get(channel)?.bucket.missed()
        void this.beat()
      },
      (error: unknown) => {
        if (asked.delete(channel)) this.#unsubscribed(channel, subscribes, error)
      },
    )
  }

  /** Without the right to subscribe a new connection would not help: L1 then lives for the bound on staleness only. */
  #unsubscribed(channel: string, command: string, error: unknown): void {
    if (!isRefusal(error)) {
      this.#reconnect()
      return
    }
    // The beat finds out when it is served again.
    if (saysUnserved(error)) this.#carried.get(channel)?.bucket.answered(false)
    else if (error.message.startsWith('MOVED')) this.#retryIn(MOVED_PAUSE_MS, this.#notHeld)
    else this.#retryIn(REFUSED_PAUSE_MS, () => this.#server.refused(command, error))
  }

  /** One retry, however many channels were refused. */
  #retryIn(ms: number, tell: () => void): void {
    this.#cancelRetry?.()
    this.#cancelRetry = this.#clock.inBackground(ms, () => this.#subscribeAll())
    tell()
  }

  /** A subscription that does not answer may be half-open: only a new socket tells. */
  #reconnect(): void {
    this.#forgetSubscriptions()
    if (!this.#closed) this.#server.renewSubscriber()
  }

  /** What is answered on a former connection changes nothing. */
  #forgetSubscriptions(): void {
    this.#subscribed.clear()
    this.#asked.clear()
    this.#asked = new Set()
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
      .map(([channel, each]) => ({ channel, ...each, before: each.chain.last, hearing: this.#hearing(channel) }))
      .filter(({ bucket, hearing }) => hearing || !bucket.isServed)
    const [heads] = await Promise.all([this.#readHeads(asked), this.#server.measureTime()])
    if (!asked.some(({ hearing }) => hearing) || !(await this.#ponged())) return
    for (const [index, { channel, chain, before, hearing }] of asked.entries()) {
      const head = heads[index]
      if (!hearing || !this.#hearing(channel) || isNoAnswer(head)) continue
      const found = chain.proven(head, before, sentAt)
      this.#subscribed.set(channel, 'proven')
      // It has brought all that was published so far, and now did not: the server has ended it, and nobody was told. (A lease
      // begins a chain without publishing it.)
      const isSilent = found === 'unheard' && before !== undefined && hearing === 'proven'
      if (isSilent && this.#server.subscribes === 'SSUBSCRIBE') this.#reconnect()
    }
  }

  #hearing(channel: string): 'new' | 'proven' | undefined {
    return this.#server.hasSubscriber ? this.#subscribed.get(channel) : undefined
  }

  /** The heads of the chains, in one batch; `undefined` where there is none, or something else in its place. */
  async #readHeads(asked: readonly Carried[]): Promise<readonly (Link | NoAnswer | undefined)[]> {
    // Where nothing is sent nothing is answered: it must not count as an answer of the server.
    if (asked.length === 0) return []
    const replies = (await this.#server.send('HMGET', (redis) =>
      inOneWrite(redis, () =>
        Promise.all(asked.map(({ bucket }) => redis.call('HMGET', bucket.names.chain, 'tip', 'n').catch(noHead))),
      ),
    )) as (readonly [string | null, string | null] | NoAnswer)[]
    // A master that is cut off from the others serves nothing, answers PING, and has a successor that it does not know.
    if (replies.some(isNoAnswer)) this.#notHeld()
    const turned = asked.filter(({ bucket }, index) => bucket.answered(replies[index] !== 'not served'))
    if (turned.length > 0) this.#subscribeAll()
    return replies.map((reply) => {
      if (isNoAnswer(reply)) return reply
      const [tip, n] = reply
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
function noHead(error: unknown): NoAnswer | readonly [null, null] {
  if (!isRefusal(error)) throw error
  if (/^(MOVED|ASK) /.test(error.message)) return 'not held'
  if (saysUnserved(error)) return 'not served'
  if (error.message.startsWith('WRONGTYPE')) return [null, null]
  throw error
}

function isNoAnswer(reply: unknown): reply is NoAnswer {
  return typeof reply === 'string'
}
