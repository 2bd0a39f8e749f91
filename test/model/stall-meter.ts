/** The machine's monotonic clock in milliseconds; the same for all of its processes. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

const TICK_MS = 20
const STALL_MS = 40

/** Measures for how long a process did not get to run. */
export class StallMeter {
  #last = monotonicMs()
  #total = 0
  readonly #stalled: (start: number, end: number) => void
  readonly #timer: NodeJS.Timeout

  constructor(stalled: (start: number, end: number) => void) {
    this.#stalled = stalled
    this.#timer = setInterval(() => this.totalMs(), TICK_MS).unref()
  }

  /** How long it did not run, in all. */
  totalMs(): number {
    const now = monotonicMs()
    const since = now - this.#last
    if (since > STALL_MS) {
      this.#total += since
      this.#stalled(this.#last, now)
    }
    this.#last = now
    return this.#total
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
