import { ClockSync } from './clock-sync.ts'
import type { Opened } from './connection.ts'
import { saysMemoryFull } from './failure.ts'
import { clusterNodeWarning, fitnessOf, replicaWarning } from './fitness.ts'
import type { Greeting } from './greeting.ts'
import { askForRights, greet } from './greeting.ts'
import type { ServerHealth } from '../events.ts'
import type { Sender } from './guarded-connection.ts'
import { GuardedConnection } from './guarded-connection.ts'
import { Outage } from './outage.ts'
import type { ServerParts } from './parts.ts'
import { resendsOf } from './resends.ts'
import { askForRole, RoleWatch } from './role.ts'
import { Run } from './run.ts'
import { givenName, serverName } from './server-name.ts'
import type { ServerReport } from './server-report.ts'
import { knowsShardedChannels } from './server-report.ts'
import type { RedisConnection } from './source.ts'
import { Subscription, twoServersWarning } from './subscription.ts'
import { Succession } from './succession.ts'
import { ended, unreachable } from './unreachable.ts'

/** When a connection is there but does not answer our first commands, they are sent again after so long. */
const GREET_AGAIN_MS = 500

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
  readonly #inCluster: boolean
  readonly #succession: Succession
  readonly #role: RoleWatch
  /** What people call the server that is connected now, or was last. */
  #name: string
  /** Whether it passes notices on to the servers of their slot only. */
  #isSharded = false
  readonly #parts: ServerParts
  readonly #commands: GuardedConnection
  readonly #time: ClockSync
  readonly #usableListeners = new Set<() => void>()
  readonly #anotherRunListeners = new Set<() => void>()
  readonly #failingListeners = new Set<() => void>()
  readonly #placedListeners = new Set<() => void>()
  readonly #endedListeners = new Set<() => void>()
  readonly #handlers: [string, (...values: unknown[]) => void][] = []
  /** Whether the connection is there, and the server on it was greeted and found fit. */
  #isConnected = false
  #losses = 0
  readonly #outage: Outage
  /** When the breaker closed again (monotonic ms). */
  #passingSince = Number.POSITIVE_INFINITY
  readonly #run = new Run()
  #greetings = 0
  #closed = false

  constructor(opened: Opened, parts: ServerParts) {
    const { commands, subscriber, borrowed, inCluster } = opened
    const { clock } = parts
    this.database = commands.options.db ?? 0
    this.#name = serverName(commands)
    this.#connection = commands
    this.#borrowed = borrowed
    this.#inCluster = inCluster
    this.#parts = parts
    this.#outage = new Outage(parts.warnings)
    this.#commands = new GuardedConnection(commands, () => this.#name, parts, {
      failing: () => this.#tellFailing(),
      passedOver: (reason) => this.#passedOver(reason),
      passing: () => this.#passesAgain(),
      demoted: () => this.#demoted(),
      sendsOn: inCluster,
    })
    this.#time = new ClockSync(this.#commands, clock)
    this.#subscription = new Subscription(subscriber, clock, {
      placed: () => this.#tellPlaced(),
      missed: () => this.#succession.leftBehind(),
      missing: () => parts.warnings.tellOnce(twoServersWarning(givenName(commands))),
    })
    this.#succession = new Succession(opened, clock, {
      superseded: () => this.#superseded(),
      look: () => this.#look(),
    })
    this.#role = new RoleWatch(
      () => this.#isReplicaNow(),
      clock,
      () => this.#demoted(),
    )
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
    return this.#isConnected && this.#commands.passes && !this.#closed
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
   * what it had acknowledged may be lost. On a new connection before any other command is sent to it; and when it turns
   * out, on the same one, that it was a replica for a moment.
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

  /** Calls `listener` when the instance of the application has ended: no connection is attempted any more. */
  whenEnded(listener: () => void): void {
    this.#endedListeners.add(listener)
  }

  /** Makes the connection for notices anew, since it does not answer. */
  renewSubscriber(): void {
    this.#subscription.renew()
  }

  /** Calls `listener` whenever channels can be subscribed to on a new connection. */
  whenSubscriber(listener: () => void): void {
    this.#placedListeners.add(listener)
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
    this.#listen('ready', () => this.#greet())
    this.#listen('close', () => this.#closedBelow())
    this.#listen('end', () => this.#ended())
    this.#listen('error', (error) => {
      if (!this.#isConnected && !isOfSelect(error)) this.#unreachable(messageOf(error))
    })
    if (this.#connection.status === 'ready') this.#greet()
    // Whoever is to hear of it has been made by then.
    if (this.#connection.status === 'end') queueMicrotask(() => this.#ended())
    // A lazy instance of the application connects at its first command; we send none before it is connected.
    if (this.#connection.status === 'wait') this.#connection.connect().catch(() => {})
  }

  #listen(event: string, listener: (...values: unknown[]) => void): void {
    this.#connection.on(event, listener)
    this.#handlers.push([event, listener])
  }

  #greet(): void {
    const number = ++this.#greetings
    greet(this.#commands, this.database, this.#time, this.#parts).then(
      (greeting) => {
        if (number === this.#greetings) this.#greeted(greeting)
      },
      (error: unknown) => {
        if (number !== this.#greetings) return
        this.#lost(messageOf(error))
        this.#unreachable(messageOf(error))
        this.#parts.clock.inBackground(GREET_AGAIN_MS, () => {
          if (!this.#closed && !this.#isConnected && this.#connection.status === 'ready') this.#greet()
        })
      },
    )
  }

  #greeted({ isOnDatabase, report }: Greeting): void {
    if (this.#closed || !isOnDatabase) return
    if (report.isClusterNode && !this.#inCluster) this.#parts.warnings.tellOnce(clusterNodeWarning(this.name))
    if (!this.#isFit(report)) return
    const resends = resendsOf(this.#connection, givenName(this.#connection))
    if (resends) this.#parts.warnings.tellOnce(resends)
    this.#isSharded = this.#inCluster && knowsShardedChannels(report)
    askForRights(this.#commands, this.database, this.publishes, this.#parts)
    this.#noteRun(report)
    this.#subscription.follow(report.runId)
    this.#isConnected = true
    this.#outage.over()
    this.#commands.answered()
    this.#parts.events.tell('connected', () => ({ server: this.name }))
    for (const listener of this.#usableListeners) listener()
  }

  #isFit(report: ServerReport): boolean {
    const fitness = fitnessOf(report, this.name)
    if (fitness.word === 'replica') {
      this.#isReplica()
      return false
    }
    if (fitness.word !== 'fit') this.#parts.warnings.tellOnce(fitness.warning)
    return fitness.word !== 'unfit'
  }

  #noteRun(report: Partial<ServerReport>): void {
    if (this.#run.isAnother(report)) for (const listener of this.#anotherRunListeners) listener()
  }

  /** A master may have been a replica since the last look, on the same connection: its history tells. */
  async #isReplicaNow(): Promise<boolean> {
    if (!this.usable) return false
    const { isReplica, history } = await askForRole(this.#commands, this.database, this.#parts)
    if (!isReplica) this.#noteRun({ history })
    return isReplica
  }

  /** It was a master a moment ago. */
  #demoted(): void {
    if (!this.#isConnected || this.#closed) return
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
    if (this.#isConnected) this.#lost('the sentinels name another server')
    this.#succession.leave()
  }

  #look(): void {
    if (!this.#isConnected) this.#greet()
  }

  #closedBelow(): void {
    const reason = 'the connection was closed'
    this.#lost(reason)
    if (!this.#succession.hasLeft() && this.#connection.status !== 'end') this.#unreachable(reason)
  }

  #ended(): void {
    if (this.#closed) return
    this.#parts.warnings.tell(ended(givenName(this.#connection), 'L1 and loaders go on'))
    for (const listener of this.#endedListeners) listener()
  }

  #tellPlaced(): void {
    for (const listener of this.#placedListeners) listener()
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
    this.#losses++
    this.#time.forget()
    this.#subscription.rest()
    if (this.#closed) return
    if (wasConnected) {
      this.#parts.events.tell('disconnected', () => ({ server: this.name, reason }))
      this.#tellFailing()
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
    this.#isConnected = false
    this.#commands.close()
    this.#role.close()
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
