import type { Clock } from '../clock.ts'

/**
 * Tells gaps, one in `paceMs` at most: the first at once, further ones as a single one that is due when that time is over.
 * Whoever may publish on our channel could make L1 useless otherwise (docs/decisions/0008-one-gap-in-a-beat.md).
 */
export class PacedGaps {
  readonly #clock: Clock
  readonly #paceMs: number
  readonly #tell: (reason: string) => void
  #due: string | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined

  constructor(clock: Clock, paceMs: number, tell: (reason: string) => void) {
    this.#clock = clock
    this.#paceMs = paceMs
    this.#tell = tell
  }

  /** Whether there was a gap that is not told yet. Nothing may be proven meanwhile. */
  get isDue(): boolean {
    return this.#due !== undefined
  }

  /** There was a gap. */
  found(reason: string): void {
    if (this.#due !== undefined) return
    this.#due = reason
    const leftMs = this.#toldAt + this.#paceMs - this.#clock.now()
    if (leftMs <= 0) this.tellDue()
    else this.#cancel = this.#clock.inBackground(leftMs, () => this.tellDue())
  }

  /** Tells the gap that is due now, if one is. */
  tellDue(): void {
    const reason = this.#due
    if (reason === undefined) return
    this.#cancel?.()
    this.#due = undefined
    this.#toldAt = this.#clock.now()
    this.#tell(reason)
  }

  close(): void {
    this.#cancel?.()
  }
}
