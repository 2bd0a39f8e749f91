import { whenAborted } from '../cache/load-context.ts'
import { hand, leftMs } from './handing.ts'
import { isConditional } from './conditional.ts'
import { forCookies } from './hit-for-miss.ts'
import { keepLate } from './late-variant.ts'
import { isAuthorized } from './message.ts'
import { Recording } from './recording.ts'
import { asKept } from './response-store.ts'
import { isError } from './reuse.ts'
import { sendsCookies } from './storable.ts'
import { validatorsOf } from './validation.ts'
import { newRule, renewRule, shareResource, shareVariant } from './variant-rule.ts'
import type { FaceContext } from '../cache/load-context.ts'
import type { ForwardReason } from './cache-status.ts'
import type { Late, Recorded, Subject } from './recorded.ts'
import type { HttpParts, Kept, NothingShared, Variants } from './response-store.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Validators } from './validation.ts'
import type { Place, Visit } from './visit.ts'

const UNSHAREABLE: NothingShared = { kind: 'unshareable' }
const AGAIN: NothingShared = { kind: 'again' }

/**
 * Runs the handler for a client, and answers with what others may have of its response. Throws where the handler failed and
 * what is stored stood in for it: so it may for the others who wait.
 */
export async function lead(
  parts: HttpParts,
  visit: Visit,
  place: Place,
  flight: FaceContext,
  reason: ForwardReason,
): Promise<Kept> {
  const recorded = await record(parts, visit, flight, { reason, forClient: true })
  if (recorded.kind === 'failed') throw new Error(`the application answered ${recorded.status}`)
  if (recorded.kind === 'confirmed') return handConfirmed(parts, visit, flight, recorded)
  if (isSuperseded(parts, visit, flight, recorded)) await parts.store.delete(place.key)
  return hand(parts, place, flight, await share(parts, visit, place, recorded))
}

/**
 * Runs the handler behind a reader that was served what is stale, on a visit without a client. Throws where that comes
 * to nothing newer: the stale one goes on being served, and the next try waits a while. What is newer and may not be stored
 * ends the stale one.
 */
export async function renew(
  parts: HttpParts,
  visit: Visit | undefined,
  place: Place,
  flight: FaceContext,
  reason: ForwardReason,
): Promise<Kept> {
  const rule = renewRule(parts, flight)
  if (rule) return rule
  if (!visit) throw new Error('there is no way to run the handler without a client')
  const first = await record(parts, visit, flight, { reason, forClient: false })
  const recorded = first.kind === 'late' ? await first.rest : first
  if (recorded.kind === 'confirmed') return handConfirmed(parts, visit, flight, recorded)
  if (isSuperseded(parts, visit, flight, recorded)) {
    await parts.store.delete(place.key)
    return hand(parts, place, flight, nothingShared(parts, visit))
  }
  if (recorded.kind !== 'complete') throw new Error(`the renewal came to nothing: ${wordsOf(recorded)}`)
  if (isError(recorded.stored.status)) throw new Error(`the application answered ${recorded.stored.status}`)
  return hand(parts, place, flight, await share(parts, visit, place, recorded))
}

/** What is stored stays as it is; each of those who wait has it confirmed by itself. */
function handConfirmed(
  parts: HttpParts,
  visit: Visit,
  flight: FaceContext,
  { stored }: { stored: StoredResponse },
): Kept {
  mark(parts, visit)
  flight.skip('each')
  return stored
}

/** Whether what was stored is not to be served any more, though nothing takes its place. Credentials may have been the reason. */
function isSuperseded(parts: HttpParts, visit: Visit, flight: FaceContext, recorded: Recorded): boolean {
  if (recorded.kind !== 'unshareable' || !recorded.supersedes || hasCredentials(parts, visit)) return false
  return asKept(flight.stale?.value)?.kind === 'response'
}

function wordsOf(recorded: Exclude<Recorded, Late>): string {
  return recorded.kind === 'failed' ? `the application answered ${recorded.status}` : recorded.kind
}

function record(
  parts: HttpParts,
  visit: Visit,
  flight: FaceContext,
  why: Pick<Subject, 'reason' | 'forClient'>,
): Promise<Recorded> {
  const { exchange, request, resource, variance, shownKey } = visit
  if (exchange.isGone()) return Promise.resolve({ kind: 'abandoned' })
  const stale = replaceable(flight, resource)
  const validators = stale && validatorsFor(stale, parts.clock.wall())
  return new Promise((resolve) => {
    const showsConditionals = stale === undefined && isMarked(parts, visit)
    const subject = { request, resource, variance, shownKey, ...why, stale, validators, showsConditionals }
    const recording = new Recording(parts, subject, resolve)
    flight[whenAborted](() => recording.abandon())
    exchange.forward(recording, validators && { ...validators })
  })
}

/** The stored response that the application may confirm, or that may stand in for it. */
function replaceable({ stale }: FaceContext, resource: string): StoredResponse | undefined {
  const kept = asKept(stale?.value)
  return kept?.kind === 'response' && kept.resource === resource ? kept : undefined
}

/** The validators of the application's own making. */
function validatorsFor(stored: StoredResponse, now: number): Validators | undefined {
  if (!stored.taggedHere) return validatorsOf(stored, now)
  return validatorsOf({ fields: stored.fields.filter(([name]) => name.toLowerCase() !== 'etag') }, now)
}

async function share(
  parts: HttpParts,
  visit: Visit,
  place: Place,
  recorded: Exclude<Recorded, { readonly kind: 'failed' | 'confirmed' }>,
): Promise<Kept> {
  switch (recorded.kind) {
    case 'complete':
      if (leftMs(parts, recorded.stored) + recorded.stored.retentionMs === 0) return UNSHAREABLE
      // Each of those who wait needs a confirmation of its own: waiting would put one behind the other.
      if (leftMs(parts, recorded.stored) === 0) mark(parts, visit)
      else unmark(parts, visit)
      return place.rule
        ? shareVariant(parts, visit, place.rule, recorded.stored)
        : shareResource(parts, visit, recorded.stored)
    case 'unshareable':
      return nothingShared(parts, visit)
    case 'abandoned':
      return AGAIN
    case 'late':
      return shareLate(parts, visit, place.rule, recorded)
    default:
      return recorded satisfies never
  }
}

/** With credentials it says nothing of the responses to those without; others with cookies go round to find the mark. */
function nothingShared(parts: HttpParts, visit: Visit): NothingShared {
  const { hitForMiss, settings, clock } = parts
  const { request, resourceKey } = visit
  if (isAuthorized(request)) return AGAIN
  const isOfCookies = sendsCookies(request.headers, settings)
  // A 304 of the application says nothing of the page: it does not keep others from asking for the whole after a minute.
  if (!isConditional(request.headers) || !isMarked(parts, visit)) {
    hitForMiss.mark(isOfCookies ? forCookies(resourceKey) : resourceKey, clock.wall())
  }
  return isOfCookies ? AGAIN : UNSHAREABLE
}

/** Whether nobody waits for what another one is making: it is likely not to be shared, where the last one was not. */
export function isMarked({ hitForMiss, settings, clock }: HttpParts, { request, resourceKey }: Visit): boolean {
  const now = clock.wall()
  if (hitForMiss.has(resourceKey, now)) return true
  return sendsCookies(request.headers, settings) && hitForMiss.has(forCookies(resourceKey), now)
}

function mark({ hitForMiss, clock }: HttpParts, { resourceKey }: Visit): void {
  hitForMiss.mark(resourceKey, clock.wall())
}

/** What answers a request with cookies, and may be shared, is for all. */
function unmark({ hitForMiss, settings }: HttpParts, { request, resourceKey }: Visit): void {
  hitForMiss.unmark(resourceKey)
  if (sendsCookies(request.headers, settings)) hitForMiss.unmark(forCookies(resourceKey))
}

function hasCredentials({ settings }: HttpParts, { request }: Visit): boolean {
  return isAuthorized(request) || sendsCookies(request.headers, settings)
}

/**
 * Lets those who wait go to the application. What is late is kept all the same if it ends, and always as a variant,
 * be it the only one, because of this order of events:
 *   A: misses; the handler sends its head and reads v1; a second later those who wait for A are let go
 *   B: the database gets v2; the resource is invalidated
 *   A: ends; v1 would be stored under the key of the resource, and served for its whole lifetime
 * The rule is stored by A's load, which the invalidation refuses if it comes first, and drops if it comes later.
 */
function shareLate(parts: HttpParts, visit: Visit, rule: Variants | undefined, late: Late): Kept {
  mark(parts, visit)
  if (rule) {
    void keepLate(parts, visit, rule, late, false)
    return UNSHAREABLE
  }
  const first = newRule(parts, visit, late.fields, late.tags)
  void keepLate(parts, visit, first, late, true)
  return first
}
