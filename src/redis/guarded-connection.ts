import type { TierCacheError } from '../errors.ts'
import type { BreakerState, ServerHealth } from '../events.ts'
import { commands, traced } from '../tracing.ts'
import { Breaker } from './breaker.ts'
import type { RedisConnection } from './source.ts'
import { Deadlines } from './deadlines.ts'
import { failureOf, isRefusal } from './failure.ts'
import type { ServerParts } from './parts.ts'

/** Sends one command, or one batch that is answered at once. */
export type Sender = (connection: RedisConnection) => Promise<unknown>

/** Who hears how the server behind a connection does. */
export interface ConnectionListener {
  /** A command failed for a reason of the server, and the last one had not. */
  failing(): void
  /** The breaker has opened, because of failures of which this is the last. */
  passedOver(reason: string): void
  /** The breaker has closed again. */
  passing(): void
  /** A command was refused, since the server is a replica. */
  demoted(): void
  /** Whether it sends what the server redirects to where that says. If not, a redirection is a failure like any other. */
  readonly sendsOn: boolean
}

/**
 * A connection for commands, each of which has a deadline. A breaker judges by their ends whether the server can be
 * asked; whoever sends a command heeds {@link GuardedConnection.passes} first.
 */
export class GuardedConnection {
  readonly #name: () => string
  readonly #connection: RedisConnection
  readonly #parts: ServerParts
  readonly #listener: ConnectionListener
  readonly #breaker = new Breaker()
  readonly #deadlines: Deadlines
  #isFailing = false
  /** The last command that failed. */
  lastError: ServerHealth['lastError']
  /** How often a server was found to answer on a new connection. */
  #answers = 0
  #cancelProbe: (() => void) | undefined
  #closed = false

  /** `name`: what people call the server now. */
  constructor(connection: RedisConnection, name: () => string, parts: ServerParts, listener: ConnectionListener) {
    this.#connection = connection
    this.#name = name
    this.#parts = parts
    this.#deadlines = new Deadlines(parts.settings.commandTimeoutMs, parts.clock)
    this.#listener = listener
  }

  /** The name of the server for people. */
  get server(): string {
    return this.#name()
  }

  get breaker(): BreakerState {
    return this.#breaker.state
  }

  /** Whether the breaker lets commands pass. */
  get passes(): boolean {
    return this.#breaker.passes
  }

  /**
   * Sends a command; its time and its failure are counted, and tell the breaker. Rejects with a `TierCacheError` only:
   * `ERR_REDIS_TIMEOUT`, `ERR_REDIS_LOST` or `ERR_REDIS_REPLY`; the command's arguments never get into a message.
   */
  send(command: string, send: Sender): Promise<unknown> {
    if (!commands.hasSubscribers) return this.#send(command, send)
    return traced(commands, { command, server: this.server }, () => this.#send(command, send))
  }

  #send(command: string, send: Sender): Promise<unknown> {
    const { clock, counters } = this.#parts
    const startedAt = clock.now()
    const answers = this.#answers
    return new Promise((resolve, reject) => {
      const answered = (reply: unknown) => {
        counters.l2Timings.add(clock.now() - startedAt)
        this.#succeeded()
        resolve(reply)
      }
      const failed = (error: unknown) => reject(this.#failed(command, error, answers))
      this.#deadlines.watch(command, attempt(send, this.#connection), answered, failed)
    })
  }

  /** Sends a command within the deadline, and no more: neither counted nor told to the breaker, rejections as they come. */
  ask(command: string, send: Sender): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#deadlines.watch(command, attempt(send, this.#connection), resolve, reject)
    })
  }

  /** Closes the breaker: the server was found to answer by another way than a probe. */
  answered(): void {
    this.#answers++
    this.#changeBreaker(() => {
      this.#breaker.probing()
      this.#breaker.succeeded()
    })
  }

  #succeeded(): void {
    this.#isFailing = false
    this.#changeBreaker(() => this.#breaker.succeeded())
  }

  /** Counts and tells a failure, and makes the error that callers get. A missing script is no failure of the server. */
  #failed(command: string, error: unknown, answers: number): TierCacheError {
    const { settings, events, counters, warnings, clock } = this.#parts
    const failure = failureOf(command, error, settings.prefix)
    if (failure.isScriptMissing || (failure.isRedirected && this.#listener.sendsOn)) return failure.error
    counters.l2Failed(failure.error.code)
    const { code, message } = failure.error
    this.lastError = { command, code, message, at: clock.wall() }
    events.tell('l2-error', () => ({ command, code, message, server: this.server }))
    if (failure.missingRight !== undefined) warnings.missingRight(this.server, failure.missingRight)
    if (failure.isMemoryFull) warnings.memoryFull(this.server)
    // What an earlier connection left unanswered says nothing of the server on the present one.
    if (this.#closed || answers !== this.#answers) return failure.error
    if (failure.isOfReplica) this.#listener.demoted()
    if (failure.isOfServer) this.#failedByServer(failure.error.message)
    return failure.error
  }

  #failedByServer(reason: string): void {
    const passed = this.passes
    this.#changeBreaker(() => this.#breakerFailed())
    if (passed && !this.passes) this.#listener.passedOver(reason)
    if (this.#isFailing) return
    this.#isFailing = true
    this.#listener.failing()
  }

  #breakerFailed(): void {
    const { clock } = this.#parts
    const pauseMs = this.#breaker.failed(clock.random())
    if (pauseMs === undefined) return
    this.#cancelProbe?.()
    this.#cancelProbe = clock.inBackground(pauseMs, () => this.#probe())
  }

  #probe(): void {
    this.#changeBreaker(() => this.#breaker.probing())
    this.ask('PING', (connection) => connection.call('PING')).then(
      () => this.#changeBreaker(() => this.#breaker.succeeded()),
      (error: unknown) => this.#changeBreaker(() => this.#probeFailed(error)),
    )
  }

  /** A server that refuses PING to this user has answered. */
  #probeFailed(error: unknown): void {
    const { settings, warnings } = this.#parts
    if (failureOf('PING', error, settings.prefix).isOfServer) {
      this.#breakerFailed()
      return
    }
    if (isRefusal(error)) warnings.refused(this.server, 'PING', error)
    this.#breaker.succeeded()
  }

  #changeBreaker(change: () => void): void {
    if (this.#closed) return
    const from = this.#breaker.state
    change()
    const to = this.#breaker.state
    if (from === to) return
    if (to === 'closed') this.#cancelProbe?.()
    this.#parts.events.tell('breaker', () => ({ from, to, server: this.server }))
    if (to === 'closed') this.#listener.passing()
  }

  /** No probe is sent any more, and nothing changes the breaker. The connection itself stays as it is. */
  close(): void {
    this.#closed = true
    this.#cancelProbe?.()
  }
}

/** A call that throws becomes a promise that rejects. */
function attempt(send: Sender, connection: RedisConnection): Promise<unknown> {
  try {
    return send(connection)
  } catch (error) {
    return Promise.reject(error as Error)
  }
}
