import type { Clock } from '../clock.ts'
import type { RedisNames } from '../entry/key.ts'
import { isLink, readNotice } from '../entry/notice.ts'
import { TierCacheError } from '../errors.ts'
import type { RedisClient } from '../redis/client.ts'
import { withDeadline } from '../redis/deadline.ts'
import { isRefusal } from '../redis/failure.ts'
import type { Bus, BusListener, LostLinks } from './bus.ts'
import type { Link } from './chain.ts'
import { Chain } from './chain.ts'
import { PacedGaps } from './paced-gaps.ts'

export interface RedisBusSettings {
  readonly names: RedisNames
  readonly origin: string
  /** The stated bound on staleness: being current is proven five times as often. */
  readonly maxStalenessMs: number
}

const BEATS_PER_BOUND = 5

/** Between two times that the chain is said to have gone back: within the bound, together with the beat that finds it. */
const BEATS_BETWEEN_LOSSES = BEATS_PER_BOUND - 1

/** How long to wait before asking again for a subscription that was refused. */
const REFUSED_PAUSE_MS = 5000

/**
 * The bus on Redis pub/sub. Pub/sub may lose messages in silence, so the scripts chain their notices, and a beat proves
 * that nothing is missing: the head of the chain is read, then the subscriber's connection is pinged. Redis answers in
 * order, so once both have answered, all that was committed before the read has been heard, if that tip was.
 */
export class RedisBus implements Bus {
  readonly origin: string
  verifiedAt = Number.NEGATIVE_INFINITY
  behindAt = Number.NEGATIVE_INFINITY
  readonly #client: RedisClient
  readonly #settings: RedisBusSettings
  readonly #clock: Clock
  readonly #chain = new Chain()
  readonly #gaps: PacedGaps
  #listener: BusListener | undefined
  #isSubscribed = false
  #isBeating = false
  /** Whether a beat is wanted that begins after the one under way. */
  #isBeatDue = false
  #closed = false
  #cancelBeat: (() => void) | undefined
  /** When a link that does not follow last had the head of the chain read. */
  #lookedAt = Number.NEGATIVE_INFINITY
  /** What the chain lost, not told yet, while the last loss is too young. */
  #lossDue: LostLinks | undefined
  #lossAt = Number.NEGATIVE_INFINITY

  constructor(client: RedisClient, settings: RedisBusSettings, clock: Clock) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
    this.origin = settings.origin
    this.#gaps = new PacedGaps(clock, this.#beatMs, (reason) => this.#listener?.gap(reason))
  }

  subscribe(listener: BusListener): void {
    this.#listener = listener
    const { subscriber } = this.#client
    subscriber.on('message', (_channel: string, text: string) => this.#heard(text))
    subscriber.on('ready', () => this.#subscribe())
    subscriber.on('close', () => {
      this.#isSubscribed = false
    })
    if (subscriber.status === 'ready') this.#subscribe()
    this.#client.whenAnotherRun(() => this.#listener?.lost('another run of the server'))
    this.#client.whenUsable(() => void this.#beat())
    this.#schedule()
  }

  #subscribe(): void {
    const { subscriber } = this.#client
    withDeadline(
      subscriber.subscribe(this.#settings.names.channel),
      'SUBSCRIBE',
      this.#settings.maxStalenessMs,
      this.#clock,
    ).then(
      () => {
        this.#isSubscribed = true
        void this.#beat()
      },
      (error: unknown) => this.#unsubscribed(error),
    )
  }

  /** Without the right to subscribe a new connection would not help: L1 then lives for the bound on staleness only. */
  #unsubscribed(error: unknown): void {
    if (!isRefusal(error)) {
      this.#reconnect()
      return
    }
    this.#client.refused('SUBSCRIBE', error)
    this.#clock.inBackground(REFUSED_PAUSE_MS, () => {
      if (!this.#closed && this.#client.subscriber.status === 'ready') this.#subscribe()
    })
  }

  /** A subscription that does not answer may be half-open: only a new socket tells. */
  #reconnect(): void {
    this.#isSubscribed = false
    if (!this.#closed) this.#client.subscriber.disconnect(true)
  }

  #heard(text: string): void {
    const notice = readNotice(text)
    if (!notice) {
      this.#gaps.found('a notice could not be read')
      return
    }
    const { previousTip, tip, n } = notice
    if (isLink(notice) && this.#chain.heard(previousTip, { tip, n: Number(n) }) === 'gap') {
      this.#gaps.found('a notice does not follow the last one heard')
      this.#look()
    }
    this.#listener?.noticed(notice)
  }

  /**
   * Has the head of the chain read soon, once in a beat at most. Only that tells a link behind missed ones from a forged
   * one; and a chain that goes back before such a link is known to be of it is not noticed.
   */
  #look(): void {
    const now = this.#clock.now()
    if (now - this.#lookedAt < this.#beatMs) return
    this.#lookedAt = now
    this.#isBeatDue = true
    void this.#beat()
  }

  get #beatMs(): number {
    return this.#settings.maxStalenessMs / BEATS_PER_BOUND
  }

  #schedule(): void {
    if (this.#closed) return
    this.#cancelBeat = this.#clock.inBackground(this.#beatMs, () => {
      if (this.#isBeating) this.#try()
      void this.#beat()
      this.#schedule()
    })
  }

  /** Sends a command while a beat waits for its pong: a server that stands still is to be noticed as soon as otherwise. */
  #try(): void {
    if (!this.#client.usable) return
    this.#client.measureTime().catch(() => {
      // Counted and told by the client.
    })
  }

  reached(n: string): void {
    const { last } = this.#chain
    if (last && last.n >= Number(n) && !this.#gaps.isDue) return
    this.behindAt = this.#clock.now()
    this.#isBeatDue = true
    void this.#beat()
  }

  async #beat(): Promise<void> {
    if (this.#isBeating || this.#closed || !this.#client.usable) return
    this.#isBeating = true
    this.#isBeatDue = false
    try {
      const sentAt = this.#clock.now()
      const before = this.#chain.last
      const isSubscribed = this.#isSubscribed
      const [head] = await Promise.all([this.#readHead(), this.#client.measureTime()])
      if (isSubscribed && (await this.#ponged())) this.#proven(head, before, sentAt)
    } catch {
      // Counted and told by the client; without a proof `verifiedAt` stays where it is.
    } finally {
      this.#isBeating = false
    }
    if (this.#isBeatDue) await this.#beat()
  }

  /** The head of the chain; `undefined` where there is none, or something else in its place: the next link repairs it. */
  async #readHead(): Promise<Link | undefined> {
    const key = this.#settings.names.chain
    try {
      const [tip, n] = await this.#client.run<[string | null, string | null]>('HMGET', (redis) =>
        redis.call('HMGET', key, 'tip', 'n'),
      )
      return tip === null || n === null || !/^\d{1,16}$/.test(n) ? undefined : { tip, n: Number(n) }
    } catch (error) {
      if (error instanceof TierCacheError && error.message.includes('WRONGTYPE')) return undefined
      throw error
    }
  }

  /**
   * Whether the subscriber's connection has answered. A refusal is an answer as good as a pong: Redis makes it when it
   * comes to the command, and sends all that it has for one connection in order, so that what was published before was
   * heard before.
   */
  async #ponged(): Promise<boolean> {
    const { subscriber } = this.#client
    try {
      await withDeadline(subscriber.ping(), 'PING', this.#settings.maxStalenessMs, this.#clock)
    } catch (error) {
      if (!isRefusal(error)) {
        this.#reconnect()
        return false
      }
      this.#client.refused('PING', error)
    }
    return this.#isSubscribed
  }

  #proven(head: Link | undefined, before: Link | undefined, sentAt: number): void {
    if (!head) {
      // A chain that was known before the read is lost, with whatever it told; one that began since is not.
      if (!before) return
      this.#chain.forget()
      this.#listener?.lost('the chain of notices is gone')
      return
    }
    const found = this.#chain.read(head, before)
    if (found === 'back' && before) this.#wentBack({ after: head.n, until: before.n })
    if (found === 'gap') this.#gaps.found('the head of the chain was not heard')
    if (!this.#tellLoss()) return
    this.#gaps.tellDue()
    this.verifiedAt = sentAt
  }

  #wentBack({ after, until }: LostLinks): void {
    const due = this.#lossDue ?? { after, until }
    this.#lossDue = { after: Math.min(due.after, after), until: Math.max(due.until, until) }
  }

  /**
   * Tells that the chain went back, if that is due. Answers whether nothing is due any more; as long as something is,
   * nothing is proven. Not sooner after another time than the bound allows: who may publish on our channel, and knows the
   * last link, can forge one that follows it, which the head then is behind.
   */
  #tellLoss(): boolean {
    const links = this.#lossDue
    if (links === undefined) return true
    const now = this.#clock.now()
    if (now - this.#lossAt < BEATS_BETWEEN_LOSSES * this.#beatMs) return false
    this.#lossAt = now
    this.#lossDue = undefined
    this.#listener?.lost('the chain of notices went back', links)
    return true
  }

  close(): void {
    this.#closed = true
    this.#listener = undefined
    this.#cancelBeat?.()
    this.#gaps.close()
  }
}
