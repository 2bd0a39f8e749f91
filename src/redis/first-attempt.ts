import type { Clock } from '../clock.ts'

/**
 * The first attempt to connect, for which early calls wait. It is over when it has succeeded, cannot any more, or took too
 * long.
 */
export class FirstAttempt {
  isOver = false
  /** Resolves when it is over, and never rejects. */
  readonly end: Promise<void>
  /** To be called when it has succeeded, or cannot any more. */
  readonly finish: () => void

  constructor(mostMs: number, clock: Clock) {
    let resolveEnd = () => {}
    this.end = new Promise((resolve) => {
      resolveEnd = resolve
    })
    this.finish = () => {
      this.isOver = true
      resolveEnd()
    }
    clock.inBackground(mostMs, this.finish)
  }
}
