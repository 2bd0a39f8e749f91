import { mayBeCoded, withVary } from './coding.ts'
import { isConditional, isLeftOut, isNotModified } from './conditional.ts'
import { formatHttpDate } from './http-date.ts'
import { combined, linesOf } from './message.ts'
import { withCacheStatus } from './passing.ts'
import { unsentFields } from './targeted.ts'
import type { Capture } from './capture.ts'
import type { HeadOrders } from './exchange.ts'
import type { HttpRequest, ResponseHead } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { Candidate } from './storable.ts'

/** A response of the application's own that is being taken: judged by its head, its body on the way. */
export interface Taking {
  readonly candidate: Candidate
  readonly headAt: number
  readonly capture: Capture
}

/** Whether it has fewer or more bytes than it said. */
export function isCutShort({ candidate, capture }: Taking): boolean {
  const declared = combined(candidate.head.fields, 'content-length')
  return declared !== undefined && Number(declared) !== capture.bytes
}

/** How the head goes to its client: the client's conditionals, which the application was not shown, are judged on it here. */
export function ordersFor(
  { headers }: HttpRequest,
  head: ResponseHead,
  own: Pick<HeadOrders, 'set' | 'watchBody'> & { readonly cacheStatus: string },
  settings: HttpSettings,
  now: number,
): HeadOrders {
  const { watchBody, cacheStatus } = own
  // What its client gets is the first form of several.
  const isCoded = watchBody && settings.compress !== undefined && mayBeCoded(head, settings.compress)
  const set: HeadOrders['set'] = [
    ['Date', linesOf(head.fields, 'date')[0] ?? formatHttpDate(now)],
    ...own.set,
    ...(isCoded ? withVary(head.fields).filter(([name]) => name.toLowerCase() === 'vary') : []),
    withCacheStatus(head.fields, cacheStatus),
  ]
  const ours = unsentFields(head.fields, settings)
  if (!isConditional(headers) || !isNotModified(headers, head, now)) {
    return { status: head.status, without: ours, set, watchBody }
  }
  const tagged = linesOf(head.fields, 'etag').length > 0
  const without = head.fields.map(([name]) => name).filter((name) => isLeftOut(name, tagged))
  return { status: 304, without: [...without, ...ours], set, watchBody }
}
