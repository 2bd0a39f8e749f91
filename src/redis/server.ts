import { ClockSync } from './clock-sync.ts'
import type { Opened } from './connection.ts'
import { serverName } from './connection.ts'
import { saysMemoryFull, withoutArguments } from './failure.ts'
import { fitnessOf } from './fitness.ts'
import type { Greeting } from './greeting.ts'
import { greet } from './greeting.ts'
import type { Sender } from './guarded-connection.ts'
import { GuardedConnection } from './guarded-connection.ts'
import type { ServerParts } from './parts.ts'
import { resendsOf } from './resends.ts'
import type { ServerReport } from './server-report.ts'
import { knowsShardedChannels } from './server-report.ts'
import type { RedisConnection } from './source.ts'

/** When a connection is there but does not answer our first commands, they are sent again after so long. */
const GREET_AGAIN_MS = 500

/** A server that was passed over, answered, and is passed over again within so long has never been well in between. */
const CALM_MS = 10_000

/**
 * One master, with a connection for commands, ours or borrowed, and one of our own for the subscription. All that is known
 * of one master and not of another is here: whether it is connected, its run, its time, its breaker.
 */
export class Server {
  readonly subscriber: RedisConnection
  readonly database: number
  /** Host and port for people; never the password. */
  readonly name: string
  readonly #connection: RedisConnection
  readonly #borrowed: boolean
  readonly #inCluster: boolean
  /** Whether it passes notices on to the servers of their slot only. */
  #isSharded = false
  readonly #parts: ServerParts
  readonly #commands: GuardedConnection
  readonly #time: ClockSync
  readonly #usableListeners = new Set<() => void>()
  readonly #anotherRunListeners = new Set<() => void>()
  readonly #failingListeners = new Set<() => void>()
  readonly #handlers: [string, (...values: unknown[]) => void][] = []
  /** Whether the connection is there, and the server on it was greeted and found fit. */
  #isConnected = false
  /** Whether the present outage was told. */
  #isOutageTold = false
  /** When the breaker closed again (monotonic ms). */
  #passingSince = Number.POSITIVE_INFINITY
  /** The run that was spoken to last. */
  #runId: string | undefined
  #closed = false

  constructor({ commands, subscriber, borrowed, inCluster }: Opened, parts: ServerParts) {
    this.subscriber = subscriber
    this.database = commands.options.db ?? 0
    this.name = serverName(commands)
    this.#connection = commands
    this.#borrowed = borrowed
    this.#inCluster = inCluster
    this.#parts = parts
    this.#commands = new GuardedConnection(commands, this.name, parts, {
      failing: () => this.#tellFailing(),
      passedOver: (reason) => this.#passedOver(reason),
      passing: () => this.#passesAgain(),
    })
    this.#time = new ClockSync(this.#commands, parts.clock)
    this.#watch()
  }

  /** Whether a command would be sent right now. */
  get usable(): boolean {
    return this.#isConnected && this.#commands.passes && !this.#closed
  }

  /**
   * Its time less our monotonic time, in ms; `undefined` while that is not known: before it is connected, after the
   * connection was lost, and after a jump of our clocks, until TIME is answered again.
   */
  get offsetMs(): number | undefined {
    const offset = this.#time.offsetMs
    if (offset === undefined && this.usable) this.#time.measureAgain()
    return offset
  }

  /** What publishes a notice, and what hears it: sharded on a Cluster from Redis 7. Known when it is connected. */
  get publishes(): 'PUBLISH' | 'SPUBLISH' {
    return this.#isSharded ? 'SPUBLISH' : 'PUBLISH'
  }

  get subscribes(): 'SUBSCRIBE' | 'SSUBSCRIBE' {
    return this.#isSharded ? 'SSUBSCRIBE' : 'SUBSCRIBE'
  }

  /** Calls `listener` whenever commands can be sent again: the server is connected, or the breaker has closed. */
  whenUsable(listener: () => void): void {
    this.#usableListeners.add(listener)
    if (this.#isConnected) listener()
  }

  /**
   * Calls `listener` when another server than before turns out to be behind the connection, or the same one started anew:
   * what it had acknowledged may be lost. Before any other command is sent to it.
   */
  whenAnotherRun(listener: () => void): void {
    this.#anotherRunListeners.add(listener)
  }

  /**
   * Calls `listener` when commands begin to fail for a reason of the server, or its connection is lost: what others are to
   * tell through it may never come.
   */
  whenFailing(listener: () => void): void {
    this.#failingListeners.add(listener)
  }

  /** Sends a command, whether usable or not. See {@link GuardedConnection.send}. */
  send(command: string, send: Sender): Promise<unknown> {
    return this.#commands.send(command, send)
  }

  /** Asks the server for its time. */
  measureTime(): Promise<void> {
    return this.#time.measure()
  }

  /** Tells once that the server refuses something that it must grant. */
  refused(command: string, error: Error): void {
    this.#parts.warnings.refused(this.name, command, error)
  }

  /** Tells once that memory is full, if that is what a script says that it has met. */
  noRoom(reply: string): void {
    if (saysMemoryFull(reply)) this.#parts.warnings.memoryFull(this.name)
  }

  #watch(): void {
    this.#listen('ready', () => this.#greet())
    this.#listen('close', () => this.#lost('the connection was closed'))
    this.#listen('error', (error) => {
      if (!this.#isConnected && !isOfSelect(error)) this.#unreachable(withoutArguments(messageOf(error)))
    })
    this.subscriber.on('error', () => {})
    if (this.#connection.status === 'ready') this.#greet()
    // A lazy instance of the application connects at its first command; we send none before it is connected.
    if (this.#connection.status === 'wait') this.#connection.connect().catch(() => {})
  }

  #listen(event: string, listener: (...values: unknown[]) => void): void {
    this.#connection.on(event, listener)
    this.#handlers.push([event, listener])
  }

  #greet(): void {
    greet(this.#commands, this.database, this.#time, this.#parts).then(
      (greeting) => this.#greeted(greeting),
      (error: unknown) => {
        this.#lost(messageOf(error))
        this.#parts.clock.inBackground(GREET_AGAIN_MS, () => {
          if (!this.#closed && !this.#isConnected && this.#connection.status === 'ready') this.#greet()
        })
      },
    )
  }

  #greeted({ isOnDatabase, report }: Greeting): void {
    if (this.#closed || !isOnDatabase || (report && !this.#isFit(report))) return
    const resends = resendsOf(this.#connection, this.name)
    if (resends) this.#parts.warnings.tellOnce(resends)
    this.#isSharded = this.#inCluster && knowsShardedChannels(report)
    this.#noteRun(report?.runId)
    this.#isConnected = true
    this.#isOutageTold = false
    this.#commands.answered()
    this.#parts.events.tell('connected', () => ({ server: this.name }))
    for (const listener of this.#usableListeners) listener()
  }

  #isFit(report: ServerReport): boolean {
    const fitness = fitnessOf(report, this.name)
    if (fitness.word !== 'fit') this.#parts.warnings.tellOnce(fitness.warning)
    return fitness.word !== 'unfit'
  }

  #noteRun(runId: string | undefined): void {
    if (runId === undefined) return
    if (this.#runId !== undefined && this.#runId !== runId) for (const listener of this.#anotherRunListeners) listener()
    this.#runId = runId
  }

  #tellFailing(): void {
    for (const listener of this.#failingListeners) listener()
  }

  #passesAgain(): void {
    this.#passingSince = this.#parts.clock.now()
    if (this.#isConnected) for (const listener of this.#usableListeners) listener()
  }

  #lost(reason: string): void {
    const wasConnected = this.#isConnected
    this.#isConnected = false
    this.#time.forget()
    if (this.#closed) return
    if (wasConnected) {
      this.#parts.events.tell('disconnected', () => ({ server: this.name, reason }))
      this.#tellFailing()
    }
    this.#unreachable(reason)
  }

  #unreachable(reason: string): void {
    this.#tellOutage(`${this.name} cannot be reached (${reason}): L1 and loaders go on, L2 joins when it comes up`)
  }

  #passedOver(reason: string): void {
    if (this.#parts.clock.now() - this.#passingSince >= CALM_MS) this.#isOutageTold = false
    this.#tellOutage(`${this.name} is passed over (${reason}): L1 and loaders go on, L2 joins when it answers again`)
  }

  /** Once per outage. */
  #tellOutage(message: string): void {
    if (this.#isOutageTold || this.#closed) return
    this.#isOutageTold = true
    this.#parts.warnings.tell({ code: 'ERR_REDIS_UNAVAILABLE', message })
  }

  /** Disconnects what we opened; a borrowed instance only loses our listeners. */
  close(): void {
    this.#closed = true
    this.#isConnected = false
    this.#commands.close()
    this.subscriber.disconnect()
    if (this.#borrowed) for (const [event, listener] of this.#handlers) this.#connection.off(event, listener)
    else this.#connection.disconnect()
  }
}

/** ioredis tells of its own SELECT that was refused; the greeting finds it out again, and says what follows from it. */
function isOfSelect(error: unknown): boolean {
  return (error as { readonly command?: { readonly name?: unknown } }).command?.name === 'select'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
