/**
 * Those who wait for what one caller began: that caller, and who joined. When the last of them has left before the end,
 * nobody wants its outcome: it is deserted.
 */
export class Audience {
  #present = 1
  #whenDeserted: ((reason: unknown) => void) | undefined
  /** Whose run its own one waits for. */
  #host: Audience | undefined
  isDeserted = false
  /** Why the last one left. */
  reason: unknown

  join(): void {
    this.#present++
  }

  /** Called once by each who joined and does not stay until the end; by the first one too. */
  leave(reason: unknown): void {
    if (--this.#present > 0) return
    this.isDeserted = true
    this.reason = reason
    this.#whenDeserted?.(reason)
    this.#host?.leave(reason)
  }

  /** Sends them all away. */
  dismiss(reason: unknown): void {
    if (this.isDeserted) return
    this.#present = 1
    this.leave(reason)
    // Nobody is left who could leave.
    this.#present = Number.POSITIVE_INFINITY
  }

  /** Waits for another's run: whoever leaves here leaves there. */
  visit(host: Audience): void {
    host.join()
    this.#host = host
  }

  /** Waits for that no more: it has ended, or is left to the others. */
  goHome(): void {
    this.#host = undefined
  }

  /** What ends the present step when the last one leaves: the next step sets its own. */
  whenDeserted(end: ((reason: unknown) => void) | undefined): void {
    this.#whenDeserted = end
  }

  /** From here on it is carried through, whoever leaves. */
  stay(): void {
    this.#present = Number.POSITIVE_INFINITY
    this.#whenDeserted = undefined
  }
}
