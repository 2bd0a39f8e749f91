import type { Clock } from '../clock.ts'
import type { Opened } from './connection.ts'
import { FailoverWatch } from './failover-watch.ts'
import { givenName, serverName } from './server-name.ts'
import type { RedisConnection } from './source.ts'

/** A replica is looked at again after so long, and then more and more seldom. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2000
/** After so long another look is the first one again. */
const CALM_MS = 10_000

/** Who hears that a server is to be left or looked at. */
export interface SuccessionListener {
  /** Sentinels name another server than the one that is connected. */
  superseded(): void
  /** The connection is there, and its server is to be looked at again. */
  look(): void
}

/**
 * The way from a server that is not the master (any more) to the one that is. A connection of ours is made anew, whereby
 * sentinels, or the name service, are asked again. An instance of the application is its owner's to reconnect: the server
 * on it is looked at again and again.
 */
export class Succession {
  readonly #connection: RedisConnection
  readonly #borrowed: boolean
  readonly #inCluster: boolean
  readonly #clock: Clock
  readonly #listener: SuccessionListener
  readonly #failovers: FailoverWatch
  /** Looks in a row. */
  #looks = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #cancelLook: (() => void) | undefined
  #isLeaving = false
  #closed = false

  constructor({ commands, sentinels, borrowed, inCluster }: Opened, clock: Clock, listener: SuccessionListener) {
    this.#connection = commands
    this.#borrowed = borrowed
    this.#inCluster = inCluster
    this.#clock = clock
    this.#listener = listener
    this.#failovers = new FailoverWatch(sentinels, givenName(commands), (address) => this.#succeededBy(address))
  }

  /** Whether sentinels or a Cluster say which server is the master: they are asked again, and know better soon. */
  get isNamedByOthers(): boolean {
    return this.#inCluster || this.#isNamedBySentinels
  }

  get #isNamedBySentinels(): boolean {
    return Boolean(this.#connection.options.sentinels)
  }

  /** Connections that were made later come to another server: the sentinels that were asked then know better. */
  leftBehind(): void {
    if (this.#isNamedBySentinels && !this.#borrowed) this.#listener.superseded()
  }

  #succeededBy(address: string): void {
    const { status } = this.#connection
    const isThere = ['connect', 'ready'].includes(status)
    if (this.#closed || (isThere && serverName(this.#connection).startsWith(`${address} `))) return
    if (isThere) this.#listener.superseded()
    else if (status === 'reconnecting') this.#connection.connect().catch(() => {})
  }

  /** Ends a connection of ours, in favour of a new one; an instance of the application is looked at again. */
  leave(): void {
    if (this.#borrowed) {
      this.lookAgain()
      return
    }
    // Before, ioredis is asking the sentinels, and would give up for good.
    if (!['connect', 'ready'].includes(this.#connection.status)) return
    this.#isLeaving = true
    this.#connection.disconnect(true)
  }

  /** A connection was closed. Answers whether that was ours to do: then it is no outage. */
  hasLeft(): boolean {
    const hasLeft = this.#isLeaving
    this.#isLeaving = false
    return hasLeft
  }

  /** In a while looks again at a replica, which may have become a master, or has a name that leads elsewhere by now. */
  lookAgain(): void {
    const now = this.#clock.now()
    if (now - this.#lookedAt >= CALM_MS) this.#looks = 0
    this.#lookedAt = now
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#looks++, LONGEST_PAUSE_MS) * (0.5 + this.#clock.random() / 2)
    this.#cancelLook?.()
    this.#cancelLook = this.#clock.inBackground(pauseMs, () => {
      if (this.#connection.status !== 'ready') return
      if (this.#borrowed) this.#listener.look()
      else this.#connection.disconnect(true)
    })
  }

  close(): void {
    this.#closed = true
    this.#cancelLook?.()
    this.#failovers.close()
  }
}
