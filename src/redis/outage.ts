import type { ErrorCode } from '../errors.ts'
import type { Warning, Warnings } from './warnings.ts'

/**
 * The present outage of one server: it is told once, by whichever sign of it comes first. What is found out later is told
 * too if it says more than that the server cannot be had.
 */
export class Outage {
  readonly #warnings: Warnings
  readonly #told = new Set<ErrorCode>()

  constructor(warnings: Warnings) {
    this.#warnings = warnings
  }

  tell(warning: Warning): void {
    const saysMore = warning.code !== 'ERR_REDIS_UNAVAILABLE' && !this.#told.has(warning.code)
    if (this.#told.size > 0 && !saysMore) return
    this.#told.add(warning.code)
    this.#warnings.tell(warning)
  }

  /** The server is well: what comes next is another outage. */
  over(): void {
    this.#told.clear()
  }
}
