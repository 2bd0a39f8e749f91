import type { Clock } from '../clock.ts'
import type { Marks } from '../tags/marks.ts'

/** How long renewals of a key pause after a failure: doubled with each further one, give or take a quarter. */
const FIRST_MS = 1000
const LONGEST_MS = 30_000

/** So many keys are remembered; beyond that the one whose last failure is the oldest is forgotten, and tried again. */
const KEYS_MOST = 10_000

interface Pause {
  readonly failures: number
  readonly until: number
  /** How many marks had been moved when it began. */
  readonly mark: number
}

/** The keys whose renewal has failed, and is not to be tried again before a while is over. */
export class BackOff {
  readonly #clock: Clock
  readonly #marks: Marks
  readonly #pauses = new Map<string, Pause>()

  constructor(clock: Clock, marks: Marks) {
    this.#clock = clock
    this.#marks = marks
  }

  /** A renewal has failed. */
  failed(id: string): void {
    const failures = (this.#pauses.get(id)?.failures ?? 0) + 1
    const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.75 + this.#clock.random() / 2)
    this.#pauses.delete(id)
    this.#pauses.set(id, { failures, until: this.#clock.now() + ms, mark: this.#marks.count })
    if (this.#pauses.size > KEYS_MOST) this.#forgetOldest()
  }

  /** Ends the pause of a key: it was loaded, or is another one now. */
  end(id: string): void {
    this.#pauses.delete(id)
  }

  /** Whether a key of these groups is not to be renewed now. It is when one of them was made stale since. */
  holds(id: string, groups: readonly string[]): boolean {
    const pause = this.#pauses.get(id)
    if (pause === undefined || this.#clock.now() >= pause.until) return false
    return !this.#marks.movedSoftlySince(groups, pause.mark)
  }

  get size(): number {
    return this.#pauses.size
  }

  #forgetOldest(): void {
    for (const id of this.#pauses.keys()) {
      this.#pauses.delete(id)
      return
    }
  }
}
