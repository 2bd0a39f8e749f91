import { instead, Passing } from './passing.ts'
import { isError } from './reuse.ts'
import type { HttpOutcome } from '../counters/http-counters.ts'
import type { Answer, HeadOrders } from './exchange.ts'
import type { ResponseHead } from './message.ts'
import type { TargetedSettings } from './targeted.ts'

/** What a client gets in place of a failure of this status; `undefined`: that. */
export type InPlaceOf = (status: number) => Answer | undefined

/** Watches a response that is not stored, and for which, if the application fails, a stored one may stand in (RFC 5861, section 4). */
export class FallingBack extends Passing {
  override readonly mayReplace = true
  readonly #inPlaceOf: InPlaceOf
  readonly #answered: (outcome: HttpOutcome, head: ResponseHead) => void

  /** `answered`: told how its client is answered, with the head of the application. */
  constructor(
    cacheStatus: string,
    settings: TargetedSettings,
    inPlaceOf: InPlaceOf,
    answered: (outcome: HttpOutcome, head: ResponseHead) => void,
  ) {
    super(cacheStatus, settings)
    this.#inPlaceOf = inPlaceOf
    this.#answered = answered
  }

  override head(head: ResponseHead): HeadOrders {
    const answer = isError(head.status) ? this.#inPlaceOf(head.status) : undefined
    this.#answered(answer ? 'stale' : 'miss', head)
    return answer ? instead(answer) : super.head(head)
  }
}
