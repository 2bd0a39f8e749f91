import type { ServerReport } from './server-report.ts'

/**
 * The run of a server that was spoken to last, as a master. Besides the run its history counts, because of this order of
 * events:
 *   1. delete k is acknowledged; the replica has not got it yet
 *   2. the replica takes the place of its master, which follows it from then on, and later takes it back
 */
export class Run {
  #runId: string | undefined
  #history: string | undefined

  /** Notes what a master says of itself; what it does not say is as it was. Answers whether that is another run than before. */
  isAnother({ runId = this.#runId, history = this.#history }: Partial<ServerReport>): boolean {
    const isAnother = differs(this.#runId, runId) || differs(this.#history, history)
    this.#runId = runId
    this.#history = history
    return isAnother
  }
}

function differs(before: string | undefined, now: string | undefined): boolean {
  return before !== undefined && before !== now
}
