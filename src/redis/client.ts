import type { Clock } from '../clock.ts'
import type { ErrorCode } from '../errors.ts'
import { TierCacheError } from '../errors.ts'
import type { BreakerState, Counters, Events } from '../events.ts'
import { Breaker } from './breaker.ts'
import type { RedisConnection, RedisSource } from './connection.ts'
import { open, serverName } from './connection.ts'
import { withDeadline } from './deadline.ts'
import { failureOf, isRefusal, withoutArguments } from './failure.ts'
import { ServerClock } from './server-clock.ts'
import type { ServerReport } from './server-report.ts'
import { evictsLeases, isRecentEnough, readReport } from './server-report.ts'

export interface RedisClientSettings {
  readonly source: RedisSource
  readonly commandTimeoutMs: number
  /** The first word of all names, for people who must grant rights on them. */
  readonly prefix: string
  /** Lua texts that the server is to know before the first command, so that none of them has to be sent twice. */
  readonly scripts?: readonly string[]
}

/** When a connection is there but does not answer our first commands, they are sent again after so long. */
const GREET_AGAIN_MS = 500

type Sender = (connection: RedisConnection) => Promise<unknown>

/**
 * The connections of one cache: one for commands, ours or borrowed, and one of our own for the subscription. Every
 * command goes through {@link RedisClient.run}: breaker, deadline, count.
 */
export class RedisClient {
  readonly subscriber: RedisConnection
  readonly database: number
  /** Host and port for people; never the password. */
  readonly server: string
  readonly #commands: RedisConnection
  readonly #borrowed: boolean
  readonly #settings: RedisClientSettings
  readonly #clock: Clock
  readonly #events: Events
  readonly #counters: Counters
  readonly #breaker = new Breaker()
  readonly #usableListeners = new Set<() => void>()
  readonly #anotherRunListeners = new Set<() => void>()
  readonly #firstAttempt: Promise<void>
  readonly #handlers: [string, (...values: unknown[]) => void][] = []
  #firstAttemptOver = false
  #usable = false
  /** Whether the present outage was told. */
  #warned = false
  /** What was told, so that it is told once. */
  readonly #told = new Set<string>()
  #closed = false
  #cancelProbe: (() => void) | undefined
  readonly #serverClock: ServerClock
  #isMeasuring = false
  /** The run of the server that was spoken to last. */
  #runId: string | undefined

  constructor(settings: RedisClientSettings, clock: Clock, events: Events, counters: Counters) {
    this.#settings = settings
    this.#clock = clock
    this.#events = events
    this.#counters = counters
    this.#serverClock = new ServerClock(clock)
    const opened = open(settings.source, settings.commandTimeoutMs, clock)
    this.#commands = opened.commands
    this.subscriber = opened.subscriber
    this.#borrowed = opened.borrowed
    this.database = this.#commands.options.db ?? 0
    this.server = serverName(this.#commands)
    this.#firstAttempt = new Promise((resolve) => {
      const over = () => {
        this.#firstAttemptOver = true
        resolve()
      }
      clock.inBackground(settings.commandTimeoutMs, over)
      this.#usableListeners.add(over)
    })
    this.#watch()
  }

  /**
   * Server time less our monotonic time, in ms; `undefined` while that is not known: before the first connection, after
   * it was lost, and after a jump of our clocks, until TIME is answered again.
   */
  get offsetMs(): number | undefined {
    const offset = this.#serverClock.offsetMs
    if (offset === undefined && this.usable && !this.#isMeasuring) this.#measureAgain()
    return offset
  }

  /** Whether a command would be sent right now. */
  get usable(): boolean {
    return this.#usable && this.#breaker.passes && !this.#closed
  }

  /** Calls `listener` whenever commands can be sent again: a connection is ready, or the breaker has closed. */
  whenUsable(listener: () => void): void {
    this.#usableListeners.add(listener)
    if (this.#usable) listener()
  }

  /**
   * Calls `listener` when the server turns out to be another one than before, or to have started anew: what it had
   * acknowledged may be lost. Before any other command is sent to it.
   */
  whenAnotherRun(listener: () => void): void {
    this.#anotherRunListeners.add(listener)
  }

  /** Resolves when the first connection is ready, or one command deadline after the start: whichever comes first. */
  async firstAttempt(): Promise<void> {
    if (!this.#usable && !this.#firstAttemptOver) await this.#firstAttempt
  }

  /**
   * Sends one command, or one batch that is answered at once. Rejects with a `TierCacheError` only: `ERR_REDIS_TIMEOUT`,
   * `ERR_REDIS_UNAVAILABLE` or `ERR_REDIS_REPLY`; the command's arguments never get into a message.
   *
   * Calls made before the first connection wait for it, one command deadline after the start of the client at most.
   */
  async run<Reply>(command: string, send: Sender): Promise<Reply> {
    if (!this.#usable) await this.firstAttempt()
    if (!this.usable) {
      this.#counters.l2Skipped++
      throw new TierCacheError('ERR_REDIS_UNAVAILABLE', `${command} was not sent: ${this.server} is not available`)
    }
    return (await this.#send(command, send)) as Reply
  }

  async #send(command: string, send: Sender): Promise<unknown> {
    const startedAt = this.#clock.now()
    try {
      const reply = await withDeadline(
        attempt(send, this.#commands),
        command,
        this.#settings.commandTimeoutMs,
        this.#clock,
      )
      this.#counters.l2Timings.add(this.#clock.now() - startedAt)
      this.#breaker.succeeded()
      return reply
    } catch (error) {
      throw this.#failed(command, error)
    }
  }

  /** Counts and tells a failure, and makes the error that callers get. A missing script is no failure of the server. */
  #failed(command: string, error: unknown): TierCacheError {
    const failure = failureOf(command, error, this.#settings.prefix)
    if (failure.isScriptMissing) return failure.error
    this.#counters.l2Failed(failure.error.code)
    this.#events.tell('l2-error', () => ({ command, code: failure.error.code, message: failure.error.message }))
    if (failure.missingRight !== undefined) this.#tellMissingRight(command, failure.missingRight)
    if (failure.isOfServer && !this.#closed)
      this.#changeBreaker(() => this.#pause(this.#breaker.failed(this.#clock.random())))
    return failure.error
  }

  #pause(ms: number | undefined): void {
    if (ms === undefined) return
    this.#cancelProbe?.()
    this.#cancelProbe = this.#clock.inBackground(ms, () => this.#probe())
  }

  #probe(): void {
    this.#changeBreaker(() => this.#breaker.probing())
    withDeadline(
      attempt((connection) => connection.call('PING'), this.#commands),
      'PING',
      this.#settings.commandTimeoutMs,
      this.#clock,
    ).then(
      () => this.#changeBreaker(() => this.#breaker.succeeded()),
      () => this.#changeBreaker(() => this.#pause(this.#breaker.failed(this.#clock.random()))),
    )
  }

  #changeBreaker(change: () => void): void {
    const from: BreakerState = this.#breaker.state
    change()
    const to = this.#breaker.state
    if (from === to) return
    this.#events.tell('breaker', () => ({ from, to }))
    if (to === 'closed' && this.#usable) for (const listener of this.#usableListeners) listener()
  }

  #watch(): void {
    this.#listen(this.#commands, 'ready', () => this.#ready())
    this.#listen(this.#commands, 'close', () => this.#lost('the connection was closed'))
    this.#listen(this.#commands, 'error', (error) => {
      if (!this.#usable) this.#warn(withoutArguments(error instanceof Error ? error.message : String(error)))
    })
    this.#listen(this.subscriber, 'error', () => {})
    if (this.#commands.status === 'ready') this.#ready()
    // A lazy instance of the application connects at its first command; we send none before it is connected.
    if (this.#commands.status === 'wait') this.#commands.connect().catch(() => {})
  }

  #listen(connection: RedisConnection, event: string, listener: (...values: unknown[]) => void): void {
    connection.on(event, listener)
    if (connection === this.#commands) this.#handlers.push([event, listener])
  }

  /**
   * Nothing is sent on a new connection before its server's time is known, since deadlines in Redis are in that time, and
   * its run, since another one may have lost what was acknowledged.
   */
  #ready(): void {
    for (const lua of this.#settings.scripts ?? []) {
      // A user without this right has each script sent as it is first needed.
      this.#commands.call('SCRIPT', 'LOAD', lua).catch(() => {})
    }
    Promise.all([this.#askForReport(), this.measureTime()]).then(
      ([report]) => this.#greeted(report),
      (error: unknown) => {
        this.#lost(error instanceof Error ? error.message : String(error))
        this.#clock.inBackground(GREET_AGAIN_MS, () => {
          if (!this.#closed && !this.#usable && this.#commands.status === 'ready') this.#ready()
        })
      },
    )
  }

  #greeted(report: ServerReport | undefined): void {
    if (this.#closed || (report && !this.#isFit(report))) return
    if (report?.runId !== undefined) {
      if (this.#runId !== undefined && this.#runId !== report.runId) {
        for (const listener of this.#anotherRunListeners) listener()
      }
      this.#runId = report.runId
    }
    this.#usable = true
    this.#warned = false
    this.#changeBreaker(() => {
      this.#breaker.probing()
      this.#breaker.succeeded()
    })
    this.#events.tell('connected', () => ({ server: this.server }))
    for (const listener of this.#usableListeners) listener()
  }

  /** What the server says of itself; `undefined` from one that refuses to. */
  async #askForReport(): Promise<ServerReport | undefined> {
    const { commandTimeoutMs, prefix } = this.#settings
    try {
      const asked = attempt((connection) => connection.call('INFO'), this.#commands)
      return readReport(String(await withDeadline(asked, 'INFO', commandTimeoutMs, this.#clock)))
    } catch (error) {
      if (!isRefusal(error)) throw error
      const { missingRight } = failureOf('INFO', error, prefix)
      if (missingRight !== undefined) this.#tellMissingRight('INFO', missingRight)
      return undefined
    }
  }

  #isFit(report: ServerReport): boolean {
    if (!isRecentEnough(report)) {
      const version = String(report.version)
      this.#tellOnce(
        'ERR_SERVER_VERSION',
        `${this.server} is Redis ${version}: expected 6.2 or later, or Valkey. It is not used: L1 and loaders go on`,
        { setting: 'version', found: version, expected: '6.2 or later' },
      )
      return false
    }
    if (evictsLeases(report)) {
      const found = String(report.evictionPolicy)
      this.#tellOnce(
        'ERR_EVICTION_POLICY',
        `${this.server} evicts by ${found}, which takes leases before anything else when memory is full: nothing wrong is ` +
          'served, but keys are loaded more than once. Set maxmemory-policy to volatile-lru or allkeys-lru',
        { setting: 'maxmemory-policy', found, expected: 'volatile-lru, allkeys-lru or noeviction' },
      )
    }
    return true
  }

  /** Asks the server for its time. */
  async measureTime(): Promise<void> {
    const sentAt = this.#clock.now()
    const reply = (await this.#send('TIME', (connection) => connection.call('TIME'))) as string[]
    this.#serverClock.measured(reply, sentAt)
  }

  #measureAgain(): void {
    this.#isMeasuring = true
    this.measureTime()
      .catch(() => {
        // Counted and told.
      })
      .finally(() => {
        this.#isMeasuring = false
      })
  }

  /** Tells once that the server refuses something that it must grant. */
  refused(command: string, error: Error): void {
    const { missingRight } = failureOf(command, error, this.#settings.prefix)
    if (missingRight !== undefined) this.#tellMissingRight(command, missingRight)
    else this.#tellOnce('ERR_REDIS_REPLY', `${this.server} refuses ${command}: ${withoutArguments(error.message)}`)
  }

  #tellMissingRight(command: string, right: string): void {
    this.#tellOnce(
      'ERR_MISSING_RIGHT',
      `${this.server} refuses ${command} for want of a right: grant ${right} to this user (ACL SETUSER)`,
      { command, right },
    )
  }

  #tellOnce(code: ErrorCode, message: string, detail?: Readonly<Record<string, string>>): void {
    const name = `${code} ${message}`
    if (this.#told.has(name) || this.#closed) return
    this.#told.add(name)
    this.#events.tell('warning', () => (detail ? { code, message, detail } : { code, message }))
  }

  #lost(reason: string): void {
    const wasUsable = this.#usable
    this.#usable = false
    this.#serverClock.forget()
    if (this.#closed) return
    if (wasUsable) this.#events.tell('disconnected', () => ({ server: this.server, reason }))
    this.#warn(reason)
  }

  /** Once per outage. */
  #warn(reason: string): void {
    if (this.#warned || this.#closed) return
    this.#warned = true
    this.#events.tell('warning', () => ({
      code: 'ERR_REDIS_UNAVAILABLE',
      message: `${this.server} cannot be reached (${reason}): L1 and loaders go on, L2 joins when it comes up`,
    }))
  }

  /** Disconnects what we opened; a borrowed instance only loses our listeners. */
  close(): void {
    this.#closed = true
    this.#usable = false
    this.#cancelProbe?.()
    this.subscriber.disconnect()
    if (this.#borrowed) for (const [event, listener] of this.#handlers) this.#commands.off(event, listener)
    else this.#commands.disconnect()
  }
}

/** A call that throws becomes a promise that rejects. */
async function attempt(send: Sender, connection: RedisConnection): Promise<unknown> {
  return send(connection)
}
