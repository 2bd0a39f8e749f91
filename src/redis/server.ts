import { ClockSync } from './clock-sync.ts'
import type { Opened } from './connection.ts'
import { saysMemoryFull } from './failure.ts'
import { replicaWarning } from './fitness.ts'
import type { ServerHealth } from '../events.ts'
import type { Sender } from './guarded-connection.ts'
import { GuardedConnection } from './guarded-connection.ts'
import { Handshake } from './handshake.ts'
import { Outage } from './outage.ts'
import type { ServerParts } from './parts.ts'
import type { Publishing } from './rights.ts'
import { givenName, serverName } from './server-name.ts'
import { Signal } from './signal.ts'
import type { RedisConnection } from './source.ts'
import { Subscription, twoServersWarning } from './subscription.ts'
import { Succession } from './succession.ts'
import { ended, unreachable } from './unreachable.ts'

/** A server that was passed over, answered, and is passed over again within so long has never been well in between. */
const CALM_MS = 10_000

/**
 * One master, with a connection for commands, ours or borrowed, and one of our own for the subscription. All that is known
 * of one master and not of another is here: whether it is connected, its run, its time, its breaker.
 */
export class Server {
  readonly database: number
  readonly #subscription: Subscription
  readonly #connection: RedisConnection
  readonly #borrowed: boolean
  readonly #succession: Succession
  readonly #handshake: Handshake
  /** What people call the server that is connected now, or was last. */
  #name: string
  readonly #parts: ServerParts
  readonly #commands: GuardedConnection
  readonly #time: ClockSync
  readonly #becameUsable = new Signal()
  readonly #anotherRun = new Signal()
  readonly #failing = new Signal()
  readonly #placed = new Signal()
  readonly #hasEnded = new Signal()
  readonly #handlers: [string, (...values: unknown[]) => void][] = []
  #losses = 0
  readonly #outage: Outage
  /** When the breaker closed again (monotonic ms). */
  #passingSince = Number.POSITIVE_INFINITY
  #closed = false

  constructor(opened: Opened, parts: ServerParts) {
    const { commands, subscriber, borrowed, inCluster } = opened
    const { clock } = parts
    this.database = commands.options.db ?? 0
    this.#name = serverName(commands)
    this.#connection = commands
    this.#borrowed = borrowed
    this.#parts = parts
    this.#outage = new Outage(parts.warnings)
    this.#commands = new GuardedConnection(commands, () => this.#name, parts, {
      failing: () => this.#failing.tell(),
      passedOver: (reason) => this.#passedOver(reason),
      passing: () => this.#passesAgain(),
      demoted: () => this.#demoted(),
      sendsOn: inCluster,
    })
    this.#time = new ClockSync(this.#commands, clock)
    this.#subscription = new Subscription(subscriber, clock, {
      placed: () => this.#placed.tell(),
      missed: () => this.#succession.leftBehind(),
      missing: () => parts.warnings.tellOnce(twoServersWarning(givenName(commands))),
    })
    this.#succession = new Succession(opened, clock, {
      superseded: () => this.#superseded(),
      look: () => this.#look(),
    })
    this.#handshake = new Handshake(opened, this.#commands, this.database, this.#time, parts, {
      failed: (error) => this.#unanswered(messageOf(error)),
      replica: () => this.#isReplica(),
      anotherRun: () => this.#anotherRun.tell(),
      found: (runId) => this.#subscription.follow(runId),
      done: () => this.#connected(),
      demoted: () => this.#demoted(),
    })
    this.#watch()
  }

  /** What people call it: host and port, behind Sentinel those that are connected now. Never the password. */
  get name(): string {
    return this.#name
  }

  /** The connection on which notices are heard; ours. */
  get subscriber(): RedisConnection {
    return this.#subscription.connection
  }

  /** Whether the subscriber is on the server to which commands go. If not, what it hears is of no meaning here. */
  get hasSubscriber(): boolean {
    return this.#subscription.isPlaced
  }

  /** Whether a command would be sent right now. */
  get usable(): boolean {
    return this.#handshake.isDone && this.#commands.passes && !this.#closed
  }

  get health(): ServerHealth {
    const { breaker, lastError } = this.#commands
    return { server: this.#name, usable: this.usable, breaker, ...(lastError && { lastError }) }
  }

  /** How often its connection was lost: as long as that stays the same, one run of the server has answered. */
  get losses(): number {
    return this.#losses
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
  get publishes(): Publishing {
    return this.#handshake.publishes
  }

  get subscribes(): 'SUBSCRIBE' | 'SSUBSCRIBE' {
    return this.publishes === 'SPUBLISH' ? 'SSUBSCRIBE' : 'SUBSCRIBE'
  }

  /** Calls `listener` whenever commands can be sent again: the server is connected, or the breaker has closed. */
  whenUsable(listener: () => void): void {
    this.#becameUsable.listen(listener)
    if (this.#handshake.isDone) listener()
  }

  /**
   * Calls `listener` when another server than before turns out to be behind the connection, or the same one started anew:
   * what it had acknowledged may be lost. On a new connection before any other command is sent to it; and when it turns
   * out, on the same one, that it was a replica for a moment.
   */
  whenAnotherRun(listener: () => void): void {
    this.#anotherRun.listen(listener)
  }

  /**
   * Calls `listener` when commands begin to fail for a reason of the server, or its connection is lost: what others are to
   * tell through it may never come.
   */
  whenFailing(listener: () => void): void {
    this.#failing.listen(listener)
  }

  /** Calls `listener` when the instance of the application has ended: no connection is attempted any more. */
  whenEnded(listener: () => void): void {
    this.#hasEnded.listen(listener)
  }

  /** Makes the connection for notices anew, since it does not answer. */
  renewSubscriber(): void {
    this.#subscription.renew()
  }

  /** Calls `listener` whenever channels can be subscribed to on a new connection. */
  whenSubscriber(listener: () => void): void {
    this.#placed.listen(listener)
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
    this.#listen('connect', () => {
      this.#name = serverName(this.#connection)
    })
    this.#listen('ready', () => this.#handshake.begin())
    this.#listen('close', () => this.#closedBelow())
    this.#listen('end', () => this.#ended())
    this.#listen('error', (error) => {
      if (!this.#handshake.isDone && !isOfSelect(error)) this.#unreachable(messageOf(error))
    })
    if (this.#connection.status === 'ready') this.#handshake.begin()
    // Whoever is to hear of it has been made by then.
    if (this.#connection.status === 'end') queueMicrotask(() => this.#ended())
    // A lazy instance of the application connects at its first command; we send none before it is connected.
    if (this.#connection.status === 'wait') this.#connection.connect().catch(() => {})
  }

  #listen(event: string, listener: (...values: unknown[]) => void): void {
    this.#connection.on(event, listener)
    this.#handlers.push([event, listener])
  }

  #unanswered(reason: string): void {
    this.#lost(reason)
    this.#unreachable(reason)
  }

  #connected(): void {
    this.#outage.over()
    this.#commands.answered()
    this.#parts.events.tell('connected', () => ({ server: this.name }))
    this.#becameUsable.tell()
  }

  /** It was a master a moment ago. */
  #demoted(): void {
    if (!this.#handshake.isDone || this.#closed) return
    this.#lost('it is a replica')
    if (this.#succession.isNamedByOthers) this.#succession.leave()
    else this.#isReplica()
  }

  #isReplica(): void {
    if (this.#succession.isNamedByOthers) this.#unreachable('it is a replica')
    else this.#outage.tell(replicaWarning(this.name))
    this.#succession.lookAgain()
  }

  #superseded(): void {
    if (this.#handshake.isDone) this.#lost('the sentinels name another server')
    this.#succession.leave()
  }

  #look(): void {
    if (!this.#handshake.isDone) this.#handshake.begin()
  }

  #closedBelow(): void {
    const reason = 'the connection was closed'
    this.#lost(reason)
    if (!this.#succession.hasLeft() && this.#connection.status !== 'end') this.#unreachable(reason)
  }

  #ended(): void {
    if (this.#closed) return
    this.#parts.warnings.tell(ended(givenName(this.#connection), 'L1 and loaders go on'))
    this.#hasEnded.tell()
  }

  #passesAgain(): void {
    this.#passingSince = this.#parts.clock.now()
    if (this.#handshake.isDone) this.#becameUsable.tell()
  }

  #lost(reason: string): void {
    const wasConnected = this.#handshake.undo()
    this.#losses++
    this.#time.forget()
    this.#subscription.rest()
    if (this.#closed) return
    if (wasConnected) {
      this.#parts.events.tell('disconnected', () => ({ server: this.name, reason }))
      this.#failing.tell()
    }
  }

  #unreachable(reason: string): void {
    if (!this.#closed) this.#outage.tell(unreachable(this.name, reason, this.#connection))
  }

  #passedOver(reason: string): void {
    if (this.#closed) return
    if (this.#parts.clock.now() - this.#passingSince >= CALM_MS) this.#outage.over()
    const message = `${this.name} is passed over (${reason}): L1 and loaders go on, L2 joins when it answers again`
    this.#outage.tell({ code: 'ERR_REDIS_UNAVAILABLE', message })
  }

  /** Disconnects what we opened; a borrowed instance only loses our listeners. */
  close(): void {
    this.#closed = true
    this.#handshake.close()
    this.#commands.close()
    this.#succession.close()
    this.#subscription.close()
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
