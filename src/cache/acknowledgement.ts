import { TierCacheError } from '../errors.ts'

/** What a change came to; see `Outcome` in `write-through.ts`. */
export interface Acknowledged {
  readonly acknowledged: boolean
}

/** The outcome of a change, if it is acknowledged or need not be. Rejects with `ERR_NOT_ACKNOWLEDGED`. */
export async function acknowledged<O extends Acknowledged>(
  operation: string,
  requireAck: boolean,
  change: Promise<O>,
): Promise<O> {
  const outcome = await change
  if (outcome.acknowledged || !requireAck) return outcome
  throw new TierCacheError(
    'ERR_NOT_ACKNOWLEDGED',
    `${operation}: Redis did not acknowledge it, and requireAck was set; the events 'unacknowledged' and 'l2-error' say why`,
  )
}
