import type { Clock } from '../clock.ts'

/** The time of a server, as this process reckons it between two askings. Deadlines in Redis are in that time. */
export class ServerClock {
  readonly #clock: Clock
  #offsetMs: number | undefined
  #jumps = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Server time less our monotonic time, in ms. `undefined` until TIME was answered, and again when our clocks have
   * drifted apart since: nobody knows then which of them the server's has followed.
   */
  get offsetMs(): number | undefined {
    return this.#jumps === this.#clock.jumps ? this.#offsetMs : undefined
  }

  /** Sets it by the server's reply to TIME; half a round trip is taken off. */
  measured([seconds, microseconds]: readonly string[], sentAt: number): void {
    const answeredAt = this.#clock.now()
    this.#jumps = this.#clock.jumps
    this.#offsetMs = Number(seconds) * 1000 + Number(microseconds) / 1000 - (sentAt + answeredAt) / 2
  }

  /** Forgets it: another server may answer next. */
  forget(): void {
    this.#offsetMs = undefined
  }
}
