import type { ClockSync } from './clock-sync.ts'
import type { Opened } from './connection.ts'
import { clusterNodeWarning, fitnessOf } from './fitness.ts'
import type { Greeting } from './greeting.ts'
import { askForRights, greet } from './greeting.ts'
import type { GuardedConnection } from './guarded-connection.ts'
import type { ServerParts } from './parts.ts'
import { resendsOf } from './resends.ts'
import type { Publishing } from './rights.ts'
import { askForRole, RoleWatch } from './role.ts'
import { Run } from './run.ts'
import { givenName } from './server-name.ts'
import type { ServerReport } from './server-report.ts'
import { knowsShardedChannels } from './server-report.ts'

/** When a connection is there but does not answer our first commands, they are sent again after so long. */
const GREET_AGAIN_MS = 500

/** What is told of the server behind a connection. */
export interface HandshakeEvents {
  /** It is not used: it did not answer. */
  failed(error: unknown): void
  /** It is not used: it is a replica. */
  replica(): void
  /** It is another one than before, or was started anew, or was a replica for a moment. Told before `done`. */
  anotherRun(): void
  /** It is a master, and fit: this is its run. */
  found(runId: string | undefined): void
  /** It is used from now on. */
  done(): void
  /** It was a master a moment ago, and is a replica now. */
  demoted(): void
}

/**
 * Who is behind a connection, and whether it is fit: asked on each new connection before anything else is sent there; and as
 * to its role and history again and again.
 */
export class Handshake {
  readonly #opened: Opened
  readonly #commands: GuardedConnection
  readonly #database: number
  readonly #time: ClockSync
  readonly #parts: ServerParts
  readonly #events: HandshakeEvents
  readonly #role: RoleWatch
  readonly #run = new Run()
  #greetings = 0
  #isDone = false
  #isSharded = false
  #closed = false

  constructor(
    opened: Opened,
    commands: GuardedConnection,
    database: number,
    time: ClockSync,
    parts: ServerParts,
    events: HandshakeEvents,
  ) {
    this.#opened = opened
    this.#commands = commands
    this.#database = database
    this.#time = time
    this.#parts = parts
    this.#events = events
    this.#role = new RoleWatch(() => this.#isReplicaNow(), parts.clock, events.demoted)
  }

  /** Whether the connection is there, and the server on it was greeted and found fit. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** What publishes a notice there: on a Cluster from Redis 7 it is passed on to the servers of its slot only. */
  get publishes(): Publishing {
    return this.#isSharded ? 'SPUBLISH' : 'PUBLISH'
  }

  /** Greets the server, on a connection that is there. */
  begin(): void {
    const number = ++this.#greetings
    const { commands } = this.#opened
    greet(this.#commands, this.#database, this.#time, this.#parts).then(
      (greeting) => {
        if (number === this.#greetings) this.#greeted(greeting)
      },
      (error: unknown) => {
        if (number !== this.#greetings) return
        this.#events.failed(error)
        this.#parts.clock.inBackground(GREET_AGAIN_MS, () => {
          if (!this.#closed && !this.#isDone && commands.status === 'ready') this.begin()
        })
      },
    )
  }

  /** The connection was lost, or the server is not used any more. Answers whether it was. */
  undo(): boolean {
    const wasDone = this.#isDone
    this.#isDone = false
    return wasDone
  }

  close(): void {
    this.#closed = true
    this.#isDone = false
    this.#role.close()
  }

  #greeted({ isOnDatabase, report }: Greeting): void {
    const { commands, inCluster } = this.#opened
    const { warnings } = this.#parts
    if (this.#closed || !isOnDatabase) return
    if (report.isClusterNode && !inCluster) warnings.tellOnce(clusterNodeWarning(this.#commands.server))
    if (!this.#isFit(report)) return
    const resends = resendsOf(commands, givenName(commands))
    if (resends) warnings.tellOnce(resends)
    this.#isSharded = inCluster && knowsShardedChannels(report)
    askForRights(this.#commands, this.#database, this.publishes, this.#parts)
    this.#noteRun(report)
    this.#events.found(report.runId)
    this.#isDone = true
    this.#events.done()
  }

  #isFit(report: ServerReport): boolean {
    const fitness = fitnessOf(report, this.#commands.server)
    if (fitness.word === 'replica') {
      this.#events.replica()
      return false
    }
    if (fitness.word !== 'fit') this.#parts.warnings.tellOnce(fitness.warning)
    return fitness.word !== 'unfit'
  }

  #noteRun(report: Partial<ServerReport>): void {
    if (this.#run.isAnother(report)) this.#events.anotherRun()
  }

  /** A master may have been a replica since the last look, on the same connection: its history tells. */
  async #isReplicaNow(): Promise<boolean> {
    if (!this.#isDone || !this.#commands.passes) return false
    const { isReplica, history } = await askForRole(this.#commands, this.#database, this.#parts)
    if (!isReplica) this.#noteRun({ history })
    return isReplica
  }
}
