import { TierCacheError } from '../errors.ts'

/** What a change came to; see `Outcome` in `write-through.ts`. */
export interface Acknowledged {
  readonly acknowledged: boolean
}

/** Why changes were not acknowledged: it is told where that is a failure, and not part of what users are answered. */
const reasons = new WeakMap<Acknowledged, unknown>()

/** What a change came to that was not acknowledged, for this reason. */
export function unacknowledged<O extends object>(error: unknown, rest?: O): Acknowledged & O {
  const outcome = { acknowledged: false, ...rest } as Acknowledged & O
  reasons.set(outcome, error)
  return outcome
}

/** Whether all of these changes are acknowledged; the reason is that of the first which is not. */
export function allAcknowledged(outcomes: readonly Acknowledged[]): Acknowledged {
  const missing = outcomes.find((outcome) => !outcome.acknowledged)
  return missing ? unacknowledged(reasons.get(missing)) : { acknowledged: true }
}

/** The outcome of a change, if it is acknowledged or need not be. Rejects with `ERR_NOT_ACKNOWLEDGED`. */
export async function acknowledged<O extends Acknowledged>(
  operation: string,
  requireAck: boolean,
  change: Promise<O>,
): Promise<O> {
  const outcome = await change
  if (outcome.acknowledged || !requireAck) return outcome
  throw notAcknowledged(operation, outcome)
}

/** The error of a change that was to be acknowledged; its `cause` is what stood in the way. */
export function notAcknowledged(operation: string, outcome: Acknowledged): TierCacheError {
  const cause = reasons.get(outcome)
  return new TierCacheError(
    'ERR_NOT_ACKNOWLEDGED',
    `${operation}: Redis did not acknowledge it, and requireAck was set; the events 'unacknowledged' and 'l2-error' say why`,
    cause === undefined ? undefined : { cause },
  )
}
