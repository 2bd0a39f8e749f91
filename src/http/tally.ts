import type { HttpCounters, HttpOutcome } from '../counters/http-counters.ts'
import type { GuardWarnings } from './guard-warnings.ts'
import type { HttpRequest } from './message.ts'

/** Counts what becomes of requests and their responses, once each, and warns of what is not stored. */
export class Tally {
  readonly counters: HttpCounters
  readonly warnings: GuardWarnings

  constructor(counters: HttpCounters, warnings: GuardWarnings) {
    this.counters = counters
    this.warnings = warnings
  }

  /** A client was answered, or is about to be. */
  answered(outcome: HttpOutcome): void {
    this.counters.outcomes[outcome]++
  }

  /** A response of the application was not stored; `detail`: why, as in Cache-Status. */
  refused(detail: string, request: HttpRequest): void {
    this.counters.refused(detail)
    this.warnings.refused(detail, request)
  }
}
