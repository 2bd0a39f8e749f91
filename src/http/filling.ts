import { answerOf } from './answer.ts'
import { forwardStatus, hitStatus } from './cache-status.ts'
import { Passing } from './passing.ts'
import { Recording } from './recording.ts'
import { variantOf } from './request-key.ts'
import { asKept } from './response-store.ts'
import { mayReuse } from './reuse.ts'
import { storedVary, ttlSeconds } from './stored-response.ts'
import { covers, unite } from './vary.ts'
import type { LoadContext } from '../cache/loader.ts'
import type { ForwardReason } from './cache-status.ts'
import type { Exchange } from './exchange.ts'
import type { HttpRequest } from './message.ts'
import type { Late, Recorded } from './recording.ts'
import type { Found, HttpParts, Kept, NothingShared, Variants } from './response-store.ts'
import type { Reuse } from './reuse.ts'
import type { StoredResponse } from './stored-response.ts'

/** A request on its way through the cache. */
export interface Visit {
  readonly exchange: Exchange
  /** The request as it came in: handlers may change theirs while the response is made. */
  readonly request: HttpRequest
  readonly resource: string
  readonly resourceKey: string
}

/** Where a visit looks: under the resource, or under one of its variants. */
interface Place {
  readonly key: string
  /** The rule that led here; `undefined` at the resource itself. */
  readonly rule: Variants | undefined
}

const UNSHAREABLE: NothingShared = { kind: 'unshareable' }
const AGAIN: NothingShared = { kind: 'again' }

/** A leader that is cut off is followed by another; after so many rounds everyone goes to the application. */
const MOST_ROUNDS = 8

/** The rule of a resource outlives its variants, so that the younger ones are not lost with the first. */
const RULE_MS = 24 * 3_600_000

/**
 * The story of a request that L1 had no answer for: one of those who ask for the same leads, runs the handler and is
 * served while it writes; the others wait for what the cache can keep of it, though not for a body that streams on.
 *
 * The load of a resource finds out whether it has variants. If so, what stands under its key is a rule with a nonce,
 * and the response under a key made of the rule and the request's own fields. Dropping the rule makes all variants
 * unreachable, also one that comes late, because of this order of events:
 *   A: misses the variant `en`; the handler reads v1
 *   B: the database gets v2; the resource is invalidated: the rule is gone
 *   A: stores v1 as the variant of the old nonce
 *   C: finds no rule; loads v2 and makes a rule with a new nonce, under which nothing is stored
 */
export async function fill(parts: HttpParts, visit: Visit): Promise<void> {
  const options = waitOptions(parts, visit)
  let place: Place = { key: visit.resourceKey, rule: undefined }
  let collapsed = false
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const led: Led = { leads: false }
    const found = await ask(parts, visit, place, led, options)
    if (led.leads) return
    if (found === undefined || found.value.kind === 'unshareable') break
    collapsed ||= found.shared && found.tier === 'loader'
    if (found.value.kind === 'response') {
      return use(parts, visit, found.value, collapsed ? reasonOf(place) : found.tier)
    }
    // It has waited once, for a response that was late: that is enough.
    if (collapsed && isMarked(parts, visit)) break
    if (found.value.kind === 'variants') place = variantPlace(parts, visit, found.value)
    else place = { key: visit.resourceKey, rule: undefined }
  }
  visit.exchange.forward(new Passing(forwardStatus(reasonOf(place))))
}

/** Where the variant of a resource stands that a request asks for. */
export function variantPlace(parts: HttpParts, visit: Visit, rule: Variants): Place {
  return {
    key: parts.keys.of(variantOf(visit.resourceKey, rule, visit.request.headers, parts.settings.normalize)),
    rule,
  }
}

/** Credentials make it likely that the response is not shared: nobody is kept waiting for that. */
function waitOptions(parts: HttpParts, visit: Visit): { waitTimeout?: number } {
  return isMarked(parts, visit) || hasCredentials(parts, visit) ? { waitTimeout: 0 } : {}
}

function isMarked(parts: HttpParts, visit: Visit): boolean {
  return parts.hitForMiss.has(visit.resourceKey, parts.clock.wall())
}

/** Cookies that the route says it ignores are none. */
function hasCredentials({ settings }: HttpParts, { request: { headers } }: Visit): boolean {
  return headers.authorization !== undefined || (settings.cookies !== 'ignore' && headers.cookie !== undefined)
}

/** Whether this visit's own handler was run: then its client is served, whatever becomes of the load. */
interface Led {
  leads: boolean
}

/** One lookup, or flight, or load. `undefined`: the cache failed, or holds garbage; the application answers. */
async function ask(
  parts: HttpParts,
  visit: Visit,
  place: Place,
  led: Led,
  options: { waitTimeout?: number },
): Promise<Found | undefined> {
  try {
    const found = await parts.store.getOrSetEntry<Kept>(
      place.key,
      (flight) => {
        led.leads = true
        return lead(parts, visit, place, flight)
      },
      options,
    )
    if (asKept(found.value)) return found
    await parts.store.delete(place.key)
  } catch {
    // A load that outlived its deadline, or a cache that was closed: the core has told it as an event or error.
  }
  return undefined
}

/** Runs the handler, and answers with what others may have of its response. */
async function lead(parts: HttpParts, visit: Visit, place: Place, flight: LoadContext): Promise<Kept> {
  const recorded = await record(parts, visit, place, flight)
  const shared = await share(parts, visit, place, recorded)
  if (shared.kind === 'response') flight.setTtl(leftMs(parts, shared))
  else if (shared.kind === 'variants') flight.setTtl(RULE_MS)
  else flight.skip(shared.kind === 'again' ? 'next' : 'each')
  return shared
}

function record(parts: HttpParts, visit: Visit, place: Place, flight: LoadContext): Promise<Recorded> {
  if (visit.exchange.isGone()) return Promise.resolve({ kind: 'abandoned' })
  return new Promise((resolve) => {
    const subject = { request: visit.request, resource: visit.resource, reason: reasonOf(place) }
    const recording = new Recording(subject, parts.settings, parts.clock, resolve)
    flight.signal.addEventListener('abort', () => recording.abandon(), { once: true })
    visit.exchange.forward(recording)
  })
}

async function share(parts: HttpParts, visit: Visit, place: Place, recorded: Recorded): Promise<Kept> {
  switch (recorded.kind) {
    case 'complete':
      if (leftMs(parts, recorded.stored) === 0) return UNSHAREABLE
      return place.rule
        ? shareVariant(parts, visit, place.rule, recorded.stored)
        : shareResource(parts, visit, recorded.stored)
    case 'unshareable':
      // Says nothing of the responses to those without credentials, and nobody else waits here.
      if (hasCredentials(parts, visit)) return AGAIN
      parts.hitForMiss.mark(visit.resourceKey, parts.clock.wall())
      return UNSHAREABLE
    case 'abandoned':
      return AGAIN
    case 'late':
      return shareLate(parts, visit, place.rule, recorded)
    default:
      return recorded satisfies never
  }
}

/** Under the key of the resource: the response itself, or the rule for its variants, the first one stored already. */
async function shareResource(parts: HttpParts, visit: Visit, stored: StoredResponse): Promise<Kept> {
  const rule = newRule(parts, visit, storedVary(stored))
  if (rule.fields.length === 0) return stored
  const { key } = variantPlace(parts, visit, rule)
  await parts.store.set(key, stored, { ttl: leftMs(parts, stored) })
  return rule
}

function newRule(parts: HttpParts, visit: Visit, fields: readonly string[]): Variants {
  const known = parts.widths.of(visit.resourceKey)
  return { kind: 'variants', nonce: parts.clock.nonce(12), fields: unite(fields, known) }
}

/**
 * Under the key of a variant: the response, unless it varies by more than the rule says. Then the rule is dropped, not
 * replaced: a rule written here could come after an invalidation and bring the old response back.
 */
async function shareVariant(parts: HttpParts, visit: Visit, rule: Variants, stored: StoredResponse): Promise<Kept> {
  const fields = storedVary(stored)
  if (covers(rule.fields, fields)) return stored
  parts.widths.widen(visit.resourceKey, unite(rule.fields, fields))
  await parts.store.delete(visit.resourceKey)
  return AGAIN
}

/**
 * Lets those who wait go to the application. What is late is kept all the same if it ends, and always as a variant,
 * be it the only one, because of this order of events:
 *   A: misses; the handler sends its head and reads v1; a second later those who wait for A are let go
 *   B: the database gets v2; the resource is invalidated
 *   A: ends; v1 would be stored under the key of the resource, and served for its whole lifetime
 * The rule is stored by A's load, which the invalidation refuses if it comes first, and drops if it comes later.
 */
function shareLate(parts: HttpParts, visit: Visit, rule: Variants | undefined, { fields, rest }: Late): Kept {
  parts.hitForMiss.mark(visit.resourceKey, parts.clock.wall())
  if (rule) {
    void keepLate(parts, visit, rule, rest)
    return UNSHAREABLE
  }
  const first = newRule(parts, visit, fields)
  void keepLate(parts, visit, first, rest)
  return first
}

async function keepLate(parts: HttpParts, visit: Visit, rule: Variants, rest: Late['rest']): Promise<void> {
  const recorded = await rest
  if (recorded.kind !== 'complete' || leftMs(parts, recorded.stored) === 0) return
  const { store } = parts
  try {
    const standing = asKept(await store.get(visit.resourceKey))
    const { key } = variantPlace(parts, visit, rule)
    // Nobody would find it, or another run was faster.
    if (standing?.kind !== 'variants' || standing.nonce !== rule.nonce || (await store.has(key))) return
    const shared = await shareVariant(parts, visit, rule, recorded.stored)
    if (shared.kind === 'response') await store.set(key, shared, { ttl: leftMs(parts, shared) })
  } catch {
    // A cache that was closed. The client has its response.
  }
}

/** Where a response was found, or why it was just made, for another request that this one waited for. */
type Origin = Found['tier'] | ForwardReason

function leftMs(parts: HttpParts, stored: StoredResponse): number {
  return Math.max(0, stored.freshUntil - parts.clock.wall())
}

/** Answers from what was found, if it will do for this request. */
function use(parts: HttpParts, visit: Visit, stored: StoredResponse, origin: Origin): void {
  const { exchange, request, resource } = visit
  const now = parts.clock.wall()
  const reuse = mayReuse(request, resource, stored, parts.settings, now)
  if (reuse === 'serve') exchange.answer(answerOf(stored, request, statusOf(origin, stored, now), now))
  else exchange.forward(new Passing(unusedStatus(reuse)))
}

function statusOf(origin: Origin, stored: StoredResponse, now: number): string {
  switch (origin) {
    case 'l1':
      return hitStatus(ttlSeconds(stored, now), 'L1')
    case 'l2':
    case 'loader':
      return hitStatus(ttlSeconds(stored, now), 'L2')
    default:
      return forwardStatus(origin, { collapsed: true })
  }
}

/** Cache-Status of a response that was made although one is stored. */
export function unusedStatus(reuse: Exclude<Reuse, 'serve'>): string {
  if (reuse === 'request') return forwardStatus('request')
  return forwardStatus(reuse === 'mismatch' ? 'uri-miss' : 'bypass', { detail: reuse })
}

function reasonOf(place: Place): ForwardReason {
  return place.rule && place.rule.fields.length > 0 ? 'vary-miss' : 'uri-miss'
}
