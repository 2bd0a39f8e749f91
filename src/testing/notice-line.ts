import type { Clock } from '../clock.ts'

/** The way on which notices come from Redis to one process: in order, unless a test disturbs it. */
export class NoticeLine {
  readonly #clock: Clock
  #isCut = false
  #delayMs = 0
  #toLose = 0
  #onTheWay = 0
  #lastDueAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether all that comes arrives, and at once. */
  get isIntact(): boolean {
    return !this.#isCut && this.#delayMs === 0 && this.#toLose === 0 && this.#onTheWay === 0
  }

  cut(): void {
    this.#isCut = true
  }

  delay(ms: number): void {
    this.#delayMs = ms
  }

  loseNext(): void {
    this.#toLose++
  }

  restore(): void {
    this.#isCut = false
    this.#delayMs = 0
    this.#toLose = 0
  }

  /** A notice comes. */
  bringNotice(deliver: () => void): void {
    if (!this.#isCut && this.#toLose > 0) this.#toLose--
    else this.bring(deliver)
  }

  /** Something comes that cannot be lost unnoticed, behind whatever came before it. */
  bring(deliver: () => void): void {
    if (this.#isCut) return
    const now = this.#clock.now()
    const dueAt = Math.max(now + this.#delayMs, this.#lastDueAt)
    if (dueAt <= now && this.#onTheWay === 0) {
      deliver()
      return
    }
    this.#lastDueAt = dueAt
    this.#onTheWay++
    this.#clock.inBackground(dueAt - now, () => {
      this.#onTheWay--
      if (!this.#isCut) deliver()
    })
  }
}
