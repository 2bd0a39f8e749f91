import type { BreakerState } from '../events.ts'

/** Failures in a row that open the breaker. */
const FAILURES_MOST = 3
const FIRST_PAUSE_MS = 400
const LONGEST_PAUSE_MS = 5000

/**
 * Keeps calls away from a server that fails, so that they do not each wait for a deadline.
 *
 * - `closed`: commands pass; a failure counts, a success forgives.
 * - `open`: none passes until the pause is over.
 * - `half-open`: the pause is over and one probe is on its way; commands still do not pass.
 *
 * A pure state machine: it knows no clock and sends nothing.
 */
export class Breaker {
  state: BreakerState = 'closed'
  #failures = 0
  #pauses = 0

  /** Whether a command may be sent. */
  get passes(): boolean {
    return this.state === 'closed'
  }

  /**
   * Notes that a command or the probe failed. Answers for how long to pause when that opens the breaker; `chance` in
   * [0, 1) spreads the pauses of a fleet.
   */
  failed(chance: number): number | undefined {
    this.#failures++
    if (this.state === 'open') return undefined
    if (this.state === 'closed' && this.#failures < FAILURES_MOST) return undefined
    this.state = 'open'
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#pauses, LONGEST_PAUSE_MS)
    this.#pauses++
    return pause * (0.75 + chance / 2)
  }

  /** Notes that the pause is over: a probe goes out. */
  probing(): void {
    if (this.state === 'open') this.state = 'half-open'
  }

  /** Notes that a command or the probe was answered. A late answer does not close an open breaker: the probe does. */
  succeeded(): void {
    this.#failures = 0
    if (this.state === 'open') return
    this.state = 'closed'
    this.#pauses = 0
  }
}
