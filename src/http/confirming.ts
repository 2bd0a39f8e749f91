import { isDeepStrictEqual } from 'node:util'
import { answerOf } from './answer.ts'
import { forwardStatus } from './cache-status.ts'
import { storedOf } from './intake.ts'
import { COOKIES, staleMs, ttlSeconds } from './stored-response.ts'
import { freshen } from './validation.ts'
import type { ForwardNotes } from './cache-status.ts'
import type { Answer } from './exchange.ts'
import type { Facts } from './intake.ts'
import type { Fields, ResponseHead } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { Subject } from './recorded.ts'
import type { Candidate } from './storable.ts'
import type { StoredResponse } from './stored-response.ts'

/** The head of the stored response as a 304 leaves it, fields that speak to this cache alone included. */
export function confirmedHead({ status, message, fields, unsent }: StoredResponse, notModified: ResponseHead) {
  return freshen({ status, message, fields: [...fields, ...unsent] }, notModified)
}

/** The stored response with the head that a 304 has left it. */
export function confirmed(
  candidate: Candidate,
  stale: StoredResponse,
  facts: Facts,
  settings: HttpSettings,
): StoredResponse {
  return { ...storedOf(candidate, stale.body, facts, settings), taggedHere: stale.taggedHere }
}

/**
 * Whether a confirmation need not be stored: the next request must have the response confirmed all the same, and but for its
 * `Date` it says what it said before. Only so long, since its times count from what is stored: how long it is kept, and may
 * stand in for failures.
 */
export function isSpared(stale: StoredResponse, stored: StoredResponse, now: number): boolean {
  if (now < stored.freshUntil) return false
  const { retentionMs, ifErrorMs, whileRevalidateMs } = stale
  const shortest = Math.min(...[retentionMs, ifErrorMs, whileRevalidateMs].filter((ms) => ms > 0))
  return staleMs(stale, now) < shortest / 10 && isDeepStrictEqual(lastingOf(stale), lastingOf(stored))
}

/** All of a stored response that a mere confirmation leaves as it was. */
function lastingOf({ body: _, bornAt: __, freshUntil: ___, fields, unsent, tags, ...rest }: StoredResponse) {
  const lasting = fields.filter(([name]) => name.toLowerCase() !== 'date')
  return { ...rest, tags: [...tags].sort(), fields: byName(lasting), unsent: byName(unsent) }
}

/** Fields of other names may change places: it says nothing (RFC 9110, section 5.3). */
function byName(fields: Fields): Map<string, string[]> {
  const lines = new Map<string, string[]>()
  for (const [name, value] of fields) {
    const lower = name.toLowerCase()
    lines.set(lower, [...(lines.get(lower) ?? []), ...[value].flat()])
  }
  return lines
}

/** What the client gets when the application has confirmed the stored response: that (RFC 9111, section 4.3.3). */
export function confirmedAnswer(
  { request, reason, shownKey: key }: Subject,
  stored: StoredResponse,
  notModified: ResponseHead,
  notes: Pick<ForwardNotes, 'stored' | 'detail'>,
  now: number,
): Answer {
  const ttl = ttlSeconds(stored, now)
  const cacheStatus = forwardStatus(reason, { status: 304, ttl, ...notes, key })
  const answer = answerOf(stored, request, cacheStatus, now)
  return { ...answer, fields: [...answer.fields, ...cookiesOf(notModified)] }
}

/** … when the application has confirmed another one than is stored. */
export function misconfirmedAnswer(
  { request, reason, shownKey: key }: Subject,
  stale: StoredResponse,
  now: number,
): Answer {
  return answerOf(stale, request, forwardStatus(reason, { status: 304, detail: 'validator', key }), now)
}

/** … when the application has failed, and the stored response stands in for it (RFC 5861, section 4). */
export function standInAnswer(
  { request, reason, shownKey: key }: Pick<Subject, 'request' | 'reason' | 'shownKey'>,
  stale: StoredResponse,
  status: number,
  now: number,
): Answer {
  const ttl = ttlSeconds(stale, now)
  return answerOf(stale, request, forwardStatus(reason, { status, ttl, detail: 'stale-if-error', key }), now)
}

/** Those of a 304 are for its own client: they are not kept. */
function cookiesOf({ fields }: ResponseHead): Fields {
  return fields.filter(([name]) => COOKIES.includes(name.toLowerCase()))
}
