import { isOnlyIfCached } from './admission.ts'
import { answerOf, GATEWAY_TIMEOUT } from './answer.ts'
import { forwardStatus, hitStatus } from './cache-status.ts'
import { standInAnswer } from './confirming.ts'
import { FallingBack } from './falling-back.ts'
import { Passing } from './passing.ts'
import { isAuthorized } from './message.ts'
import { isFresh, mayReuse, mayServeOnError } from './reuse.ts'
import { sendsCookies } from './storable.ts'
import { ttlSeconds } from './stored-response.ts'
import { outdates } from './validation.ts'
import type { HttpOutcome } from '../counters/http-counters.ts'
import type { ForwardReason, TierName } from './cache-status.ts'
import type { Answer } from './exchange.ts'
import type { ResponseHead } from './message.ts'
import type { HttpParts } from './response-store.ts'
import type { Freshness, Reuse } from './reuse.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Visit } from './visit.ts'

/** A stored response as one request finds it. */
export interface Sighting {
  readonly stored: StoredResponse
  readonly freshness: Freshness
  readonly reuse: Reuse
}

/** Judges a stored response for a request, now. */
export function sight(parts: HttpParts, visit: Visit, stored: StoredResponse, freshness: Freshness): Sighting {
  const { settings, clock } = parts
  return {
    stored,
    freshness,
    reuse: mayReuse(visit.request, visit.resource, stored, freshness, settings, clock.wall()),
  }
}

/** Whether it may be sent in place of an error. */
export function standsIn({ settings, clock }: HttpParts, { request }: Visit, { stored, reuse }: Sighting): boolean {
  const isStale = reuse === 'revalidate' || reuse === 'serve-and-revalidate'
  return isStale && mayServeOnError(request, stored, settings, clock.wall())
}

/** Answers with what is stored, fresh or stale. */
export function serve(parts: HttpParts, visit: Visit, { stored, freshness }: Sighting, tier: TierName): void {
  const { exchange, request } = visit
  const now = parts.clock.wall()
  parts.tally.answered(isFresh(stored, freshness, now) ? 'hit' : 'stale')
  exchange.answer(
    answerOf(
      formOf(parts, visit, stored, tier),
      request,
      hitStatus(ttlOf(stored, freshness, now), tier, visit.shownKey),
      now,
    ),
  )
}

/** Answers with what another request has had the application make, or stands in for what it failed to make. */
export function serveCollapsed(
  parts: HttpParts,
  visit: Visit,
  { stored, freshness }: Sighting,
  reason: ForwardReason,
  detail?: string,
): void {
  const { exchange, request } = visit
  const now = parts.clock.wall()
  parts.tally.answered(detail === undefined ? 'collapsed' : 'stale')
  const ttl = detail === undefined ? undefined : ttlOf(stored, freshness, now)
  exchange.answer(
    answerOf(
      parts.forms?.plainFor(stored, request) ?? stored,
      request,
      forwardStatus(reason, { collapsed: true, ttl, detail, key: visit.shownKey }),
      now,
    ),
  )
}

/** A stored response in the coding that the request wants, where the options say so. What L2 gave is another object each time. */
function formOf({ forms }: HttpParts, { request }: Visit, stored: StoredResponse, tier: TierName): StoredResponse {
  if (!forms) return stored
  return tier === 'L1' ? forms.formFor(stored, request) : forms.plainFor(stored, request)
}

/** Lets the application answer though a response is stored: this request may not have any of it, or only if that fails. */
export function passBy(parts: HttpParts, visit: Visit, sighting: Sighting): void {
  const { reuse } = sighting
  if (reuse === 'mismatch') passOn(parts, visit, 'uri-miss', reuse)
  else if (reuse === 'authorization') passOn(parts, visit, 'bypass', reuse)
  else fallBackOn(parts, visit, sighting)
}

function fallBackOn(parts: HttpParts, visit: Visit, sighting: Sighting): void {
  const { tally, settings, clock } = parts
  const reason = refusedAs(parts, sighting)
  const inPlaceOf = (status: number): Answer | undefined => {
    if (!standsIn(parts, visit, sighting)) return undefined
    return standInAnswer({ request: visit.request, reason }, sighting.stored, status, clock.wall())
  }
  const told = (outcome: HttpOutcome, head: ResponseHead) => {
    tally.answered(outcome)
    const isOfAll =
      visit.request.method === 'HEAD' && !isAuthorized(visit.request) && !sendsCookies(visit.request.headers, settings)
    if (isOfAll && outdates(head, sighting.stored)) void parts.store.expire(visit.resourceKey).catch(() => {})
  }
  visit.exchange.forward(new FallingBack(forwardStatus(reason), settings, inPlaceOf, told))
}

/** Lets the application answer; its response is not stored. `detail`: why, if there is more to say. */
export function passOn(
  { tally, settings }: HttpParts,
  { exchange, request, shownKey: key }: Pick<Visit, 'exchange' | 'request' | 'shownKey'>,
  reason: ForwardReason,
  detail?: string,
): void {
  tally.answered(reason === 'bypass' || reason === 'method' ? 'bypass' : 'miss')
  const refusal = detail ?? (reason === 'method' ? reason : undefined)
  if (refusal !== undefined) tally.refused(refusal, request)
  if (reason === 'bypass' && isOnlyIfCached(request)) exchange.answer(GATEWAY_TIMEOUT)
  else exchange.forward(new Passing(forwardStatus(reason, { detail, key }), settings))
}

/** Why a stored response is not served as it is: it is stale, or the request wants a newer one. */
export function refusedAs({ clock }: HttpParts, { stored, freshness }: Sighting): ForwardReason {
  return isFresh(stored, freshness, clock.wall()) ? 'request' : 'stale'
}

/** How long it is still fresh, in seconds: what was made stale before its time is so no more. */
export function ttlOf(stored: StoredResponse, freshness: Freshness, now: number): number {
  const ttl = ttlSeconds(stored, now)
  return freshness === 'fresh' ? ttl : Math.min(0, ttl)
}
