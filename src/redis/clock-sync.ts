import type { Clock } from '../clock.ts'
import type { GuardedConnection } from './guarded-connection.ts'
import { ServerClock } from './server-clock.ts'

/** Keeps the clock of a server set, by asking it for its time. */
export class ClockSync {
  readonly #connection: GuardedConnection
  readonly #clock: Clock
  readonly #serverClock: ServerClock
  #isMeasuringAgain = false

  constructor(connection: GuardedConnection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#serverClock = new ServerClock(clock)
  }

  /** Server time less our monotonic time, in ms; `undefined` while that is not known. */
  get offsetMs(): number | undefined {
    return this.#serverClock.offsetMs
  }

  /** Asks the server for its time. */
  async measure(): Promise<void> {
    const sentAt = this.#clock.now()
    const reply = (await this.#connection.send('TIME', (connection) => connection.call('TIME'))) as string[]
    this.#serverClock.measured(reply, sentAt)
  }

  /** Asks for it behind a caller who found it unknown, once at a time. */
  measureAgain(): void {
    if (this.#isMeasuringAgain) return
    this.#isMeasuringAgain = true
    this.measure()
      .catch(() => {
        // Counted and told.
      })
      .finally(() => {
        this.#isMeasuringAgain = false
      })
  }

  /** Forgets it: another server may answer next. */
  forget(): void {
    this.#serverClock.forget()
  }
}
