import type { Clock } from '../clock.ts'
import type { RedisNames } from '../entry/key.ts'
import { isLink, readNotice } from '../entry/notice.ts'
import type { RedisClient } from '../redis/client.ts'
import { withDeadline } from '../redis/deadline.ts'
import type { Bus, BusListener } from './bus.ts'
import type { Link } from './chain.ts'
import { Chain } from './chain.ts'

export interface RedisBusSettings {
  readonly names: RedisNames
  readonly origin: string
  /** The stated bound on staleness: being current is proven five times as often. */
  readonly maxStalenessMs: number
}

const BEATS_PER_BOUND = 5

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
  #listener: BusListener | undefined
  #isSubscribed = false
  #isBeating = false
  /** Whether a beat is wanted that begins after the one under way. */
  #isBeatDue = false
  #closed = false
  #cancelBeat: (() => void) | undefined
  /** Why the next gap is due, while the last one is too young. */
  #gapDue: string | undefined
  #gapAt = Number.NEGATIVE_INFINITY
  #cancelGap: (() => void) | undefined

  constructor(client: RedisClient, settings: RedisBusSettings, clock: Clock) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
    this.origin = settings.origin
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
    if (!(error instanceof Error) || error.name !== 'ReplyError') {
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
      this.#gap('a notice could not be read')
      return
    }
    const { previousTip, tip, n } = notice
    if (isLink(notice) && this.#chain.heard(previousTip, { tip, n: Number(n) }) === 'gap') {
      this.#gap('a notice does not follow the last one heard')
    }
    this.#listener?.noticed(notice)
  }

  /**
   * Tells a gap, one in a beat at most: whoever may publish on our channel could make L1 useless otherwise. Nothing is
   * proven while one is due, so the bound on staleness holds meanwhile.
   */
  #gap(reason: string): void {
    if (this.#gapDue !== undefined) return
    this.#gapDue = reason
    const leftMs = this.#gapAt + this.#beatMs - this.#clock.now()
    if (leftMs <= 0) this.#tellGap()
    else this.#cancelGap = this.#clock.inBackground(leftMs, () => this.#tellGap())
  }

  /** Tells the gap that is due, if one is. */
  #tellGap(): void {
    const reason = this.#gapDue
    if (reason === undefined) return
    this.#cancelGap?.()
    this.#gapDue = undefined
    this.#gapAt = this.#clock.now()
    this.#listener?.gap(reason)
  }

  get #beatMs(): number {
    return this.#settings.maxStalenessMs / BEATS_PER_BOUND
  }

  #schedule(): void {
    if (this.#closed) return
    this.#cancelBeat = this.#clock.inBackground(this.#beatMs, () => {
      void this.#beat()
      this.#schedule()
    })
  }

  reached(n: string): void {
    const { last } = this.#chain
    if (last && last.n >= Number(n) && this.#gapDue === undefined) return
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

  /** The head of the chain; `undefined` where there is none, or something else in its place. */
  async #readHead(): Promise<Link | undefined> {
    const key = this.#settings.names.chain
    const [tip, n] = await this.#client.run<[string | null, string | null]>('HMGET', (redis) =>
      redis.call('HMGET', key, 'tip', 'n'),
    )
    return tip === null || n === null ? undefined : { tip, n: Number(n) }
  }

  async #ponged(): Promise<boolean> {
    const { subscriber } = this.#client
    try {
      await withDeadline(subscriber.ping(), 'PING', this.#settings.maxStalenessMs, this.#clock)
      return this.#isSubscribed
    } catch {
      this.#reconnect()
      return false
    }
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
    if (found === 'back' && before) {
      this.#listener?.lost('the chain of notices went back', { after: head.n, until: before.n })
    }
    if (found === 'gap') this.#gap('the head of the chain was not heard')
    this.#tellGap()
    this.verifiedAt = sentAt
  }

  close(): void {
    this.#closed = true
    this.#listener = undefined
    this.#cancelBeat?.()
    this.#cancelGap?.()
  }
}
