import type { TierCacheError } from '../errors.ts'
import { Breaker } from './breaker.ts'
import type { RedisConnection } from './connection.ts'
import { withDeadline } from './deadline.ts'
import { failureOf } from './failure.ts'
import type { ServerParts } from './parts.ts'

/** Sends one command, or one batch that is answered at once. */
export type Sender = (connection: RedisConnection) => Promise<unknown>

/**
 * A connection for commands, each of which has a deadline. A breaker judges by their ends whether the server can be
 * asked; whoever sends a command heeds {@link GuardedConnection.passes} first.
 */
export class GuardedConnection {
  /** The name of the server for people. */
  readonly server: string
  readonly #connection: RedisConnection
  readonly #parts: ServerParts
  readonly #whenPassing: () => void
  readonly #breaker = new Breaker()
  #cancelProbe: (() => void) | undefined
  #closed = false

  /** `whenPassing` is called whenever the breaker has closed again. */
  constructor(connection: RedisConnection, server: string, parts: ServerParts, whenPassing: () => void) {
    this.#connection = connection
    this.server = server
    this.#parts = parts
    this.#whenPassing = whenPassing
  }

  /** Whether the breaker lets commands pass. */
  get passes(): boolean {
    return this.#breaker.passes
  }

  /**
   * Sends a command; its time and its failure are counted, and tell the breaker. Rejects with a `TierCacheError` only:
   * `ERR_REDIS_TIMEOUT`, `ERR_REDIS_LOST` or `ERR_REDIS_REPLY`; the command's arguments never get into a message.
   */
  async send(command: string, send: Sender): Promise<unknown> {
    const { clock, counters } = this.#parts
    const startedAt = clock.now()
    try {
      const reply = await this.ask(command, send)
      counters.l2Timings.add(clock.now() - startedAt)
      this.#breaker.succeeded()
      return reply
    } catch (error) {
      throw this.#failed(command, error)
    }
  }

  /** Sends a command within the deadline, and no more: neither counted nor told to the breaker, rejections as they come. */
  ask(command: string, send: Sender): Promise<unknown> {
    const { settings, clock } = this.#parts
    return withDeadline(attempt(send, this.#connection), command, settings.commandTimeoutMs, clock)
  }

  /** Closes the breaker: the server was found to answer by another way than a probe. */
  answered(): void {
    this.#changeBreaker(() => {
      this.#breaker.probing()
      this.#breaker.succeeded()
    })
  }

  /** Counts and tells a failure, and makes the error that callers get. A missing script is no failure of the server. */
  #failed(command: string, error: unknown): TierCacheError {
    const { settings, events, counters, warnings } = this.#parts
    const failure = failureOf(command, error, settings.prefix)
    if (failure.isScriptMissing) return failure.error
    counters.l2Failed(failure.error.code)
    events.tell('l2-error', () => ({ command, code: failure.error.code, message: failure.error.message }))
    if (failure.missingRight !== undefined) warnings.missingRight(this.server, command, failure.missingRight)
    if (failure.isOfServer && !this.#closed) this.#changeBreaker(() => this.#breakerFailed())
    return failure.error
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
      () => this.#changeBreaker(() => this.#breakerFailed()),
    )
  }

  #changeBreaker(change: () => void): void {
    const from = this.#breaker.state
    change()
    const to = this.#breaker.state
    if (from === to) return
    this.#parts.events.tell('breaker', () => ({ from, to }))
    if (to === 'closed') this.#whenPassing()
  }

  /** No probe is sent any more, and failures tell the breaker nothing. The connection itself stays as it is. */
  close(): void {
    this.#closed = true
    this.#cancelProbe?.()
  }
}

/** A call that throws becomes a promise that rejects. */
async function attempt(send: Sender, connection: RedisConnection): Promise<unknown> {
  return send(connection)
}
