import type { Clock } from '../clock.ts'
import { withDeadline } from './deadline.ts'
import { isRefusal } from './failure.ts'
import { readReport } from './server-report.ts'
import type { RedisConnection } from './source.ts'
import type { Warning } from './warnings.ts'

/** How long the server may take to say which it is. */
const ANSWER_MOST_MS = 2000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2000
/** So many new connections in a row that come to another server: it is the commands that are left behind. */
const MISSES_MOST = 3
/** Longer than a failover takes: then it is no failover. */
const LASTING_MS = 30_000

/** Who hears how a subscription does. */
export interface SubscriptionListener {
  /** Channels can be subscribed to: the connection is new, and on the server of the commands. */
  placed(): void
  /** New connections come to another server than the commands' again and again. */
  missed(): void
  /** That has lasted for longer than a failover takes. */
  missing(): void
}

/**
 * The connection on which notices are heard. It is of use on the server to which the commands go, and nowhere else: the
 * numbers of a chain that another server continues are no proof of what was heard of this one, and a loss would be found
 * where none was. So it tells its server first, is compared by run with that of the commands whenever one of the two is
 * new, and made anew until both are the same. A server that does not say which it is counts as the same.
 */
export class Subscription {
  readonly connection: RedisConnection
  readonly #clock: Clock
  readonly #listener: SubscriptionListener
  /** The server that it is on, once that has answered. */
  #here: { readonly runId: string | undefined } | undefined
  /** The run to which the commands go, or went last. */
  #commands: string | undefined
  /** Whether the commands have a connection. */
  #isFollowing = false
  #misses = 0
  #missingSince: number | undefined
  #cancel: (() => void) | undefined
  /** Whether the present connection is being ended by us. */
  #isEnding = false
  #closed = false

  constructor(connection: RedisConnection, clock: Clock, listener: SubscriptionListener) {
    this.connection = connection
    this.#clock = clock
    this.#listener = listener
    connection.on('error', () => {})
    connection.on('ready', () => void this.#ask())
    connection.on('close', () => this.#lost())
    if (connection.status === 'ready') void this.#ask()
  }

  /** Whether what it hears is of the server to which the commands go, or went last. */
  get isPlaced(): boolean {
    return this.#here !== undefined && !this.#isElsewhere
  }

  get #isElsewhere(): boolean {
    const here = this.#here?.runId
    return here !== undefined && this.#commands !== undefined && here !== this.#commands
  }

  /** The commands go to this run of a server from now on. */
  follow(runId: string | undefined): void {
    this.#isFollowing = true
    this.#commands = runId
    this.#compare()
  }

  /** The commands have lost their connection: where the next one leads is not known. */
  rest(): void {
    this.#isFollowing = false
  }

  /** Before SUBSCRIBE, after which a connection of RESP2 takes no other command. */
  async #ask(): Promise<void> {
    const { connection } = this
    try {
      const asked = withDeadline(connection.call('INFO', 'server'), 'INFO', ANSWER_MOST_MS, this.#clock)
      this.#here = { runId: readReport(String(await asked)).runId }
    } catch (error) {
      if (!isRefusal(error)) {
        this.renew()
        return
      }
      this.#here = { runId: undefined }
    }
    this.#compare()
  }

  #lost(): void {
    this.#isEnding = false
    this.#here = undefined
    this.#cancel?.()
    this.#cancel = undefined
  }

  #compare(): void {
    if (this.#here === undefined || this.#closed) return
    if (this.#isElsewhere) {
      if (this.#isFollowing) this.#makeAnew()
      return
    }
    this.#misses = 0
    this.#missingSince = undefined
    this.#cancel?.()
    this.#cancel = undefined
    this.#listener.placed()
  }

  /** A whole fleet finds that out at one time. */
  #makeAnew(): void {
    if (this.#cancel) return
    const now = this.#clock.now()
    this.#missingSince ??= now
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#misses, LONGEST_PAUSE_MS) * (0.5 + this.#clock.random() / 2)
    this.#misses++
    this.#cancel = this.#clock.inBackground(pauseMs, () => {
      this.#cancel = undefined
      this.renew()
    })
    if (this.#misses % MISSES_MOST === 0) this.#listener.missed()
    if (now - this.#missingSince >= LASTING_MS) this.#listener.missing()
  }

  /**
   * Makes the connection anew: it does not answer, and may be half open. One that is being made already stays: while it
   * asks sentinels, ioredis would give up for good. Once for each connection: ioredis counts it as `ready` until its socket is
   * closed, and each `disconnect` adds a listener to that.
   */
  renew(): void {
    if (this.#closed || this.#isEnding || this.connection.status !== 'ready') return
    this.#isEnding = true
    this.connection.disconnect(true)
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.connection.disconnect()
  }
}

/** What to say when no failover explains it. `server`: what was given for the server, for people. */
export function twoServersWarning(server: string): Warning {
  return {
    code: 'ERR_TWO_SERVERS',
    message:
      `of two connections to ${server} one comes to another server than the other (their run_id differ), again and again: ` +
      'commands go to the one, notices are heard from neither, and L1 is used for maxStaleness only. Give an address ' +
      'behind which there is one server',
    detail: { setting: 'run_id', expected: 'the same on each connection' },
  }
}
