import { isAuthorized } from './message.ts'
import { whenAborted } from '../cache/load-context.ts'
import { Recording } from './recording.ts'
import { asKept, variantsTag } from './response-store.ts'
import { isError } from './reuse.ts'
import { storedVary } from './stored-response.ts'
import { validatorsOf } from './validation.ts'
import { covers, unite } from './vary.ts'
import { variantPlace } from './visit.ts'
import type { FaceContext } from '../cache/load-context.ts'
import type { ForwardReason } from './cache-status.ts'
import type { Late, Recorded, Subject } from './recording.ts'
import type { HttpParts, Kept, NothingShared, Variants } from './response-store.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Validators } from './validation.ts'
import type { Place, Visit } from './visit.ts'

const UNSHAREABLE: NothingShared = { kind: 'unshareable' }
const AGAIN: NothingShared = { kind: 'again' }

/** The rule of a resource outlives its variants, so that the younger ones are not lost with the first. */
const RULE_MS = 24 * 3_600_000

/** Longer than it takes to store a response, most often. */
const STORING_MS = 100

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
  return hand(parts, place, flight, await share(parts, visit, place, recorded))
}

/**
 * Runs the handler behind a reader that was served what is stale, on a visit without a client. Throws where that comes
 * to nothing newer: the stale one goes on being served, and the next try waits a while.
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
  if (recorded.kind !== 'complete') throw new Error(`the renewal came to nothing: ${wordsOf(recorded)}`)
  if (isError(recorded.stored.status)) throw new Error(`the application answered ${recorded.stored.status}`)
  return hand(parts, place, flight, await share(parts, visit, place, recorded))
}

/**
 * Renews a rule that was made stale, and makes its variants so: what tells them apart is still right, but one of them may have
 * come after what made the rule stale:
 *   A: misses; the handler reads v1
 *   B: the database gets v2; a tag of the page is expired
 *   A: ends; v1 is stored as the first variant, and then the rule, which the core knows to be stale
 * `undefined`: what is to be replaced is no rule.
 */
export function renewRule({ store }: HttpParts, flight: FaceContext): Promise<Kept> | undefined {
  const rule = asKept(flight.stale?.value)
  if (rule?.kind !== 'variants') return undefined
  flight.setTtl(RULE_MS)
  return store.expireTags(variantsTag(rule)).then(() => flight.notModified())
}

function wordsOf(recorded: Exclude<Recorded, Late>): string {
  return recorded.kind === 'failed' ? `the application answered ${recorded.status}` : recorded.kind
}

/** Hands to the core what it is to keep, and for how long. */
export function hand(parts: HttpParts, { rule }: Place, flight: FaceContext, shared: Kept): Kept {
  switch (shared.kind) {
    case 'response':
      flight.setTtl(ttlOf(parts, shared))
      flight.setStale(shared.retentionMs)
      flight.setTags(...tagsOf(shared, rule))
      break
    case 'variants':
      flight.setTtl(RULE_MS)
      flight.setTags(...shared.tags)
      break
    case 'again':
      flight.skip('next')
      break
    case 'unshareable':
      flight.skip('each')
      break
    default:
      shared satisfies never
  }
  return shared
}

function record(
  parts: HttpParts,
  { exchange, request, resource, variance }: Visit,
  flight: FaceContext,
  why: Pick<Subject, 'reason' | 'forClient'>,
): Promise<Recorded> {
  if (exchange.isGone()) return Promise.resolve({ kind: 'abandoned' })
  const stale = replaceable(flight, resource)
  const validators = stale && validatorsFor(stale, parts.clock.wall())
  return new Promise((resolve) => {
    const subject = { request, resource, variance, ...why, stale, validators }
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
  recorded: Exclude<Recorded, { readonly kind: 'failed' }>,
): Promise<Kept> {
  switch (recorded.kind) {
    case 'complete':
      if (leftMs(parts, recorded.stored) + recorded.stored.retentionMs === 0) return UNSHAREABLE
      // Each of those who wait needs a confirmation of its own: waiting would put one behind the other.
      if (leftMs(parts, recorded.stored) === 0) mark(parts, visit)
      return place.rule
        ? shareVariant(parts, visit, place.rule, recorded.stored)
        : shareResource(parts, visit, recorded.stored)
    case 'unshareable':
      // Says nothing of the responses to those without credentials, and nobody else waits here.
      if (hasCredentials(parts, visit)) return AGAIN
      mark(parts, visit)
      return UNSHAREABLE
    case 'abandoned':
      return AGAIN
    case 'late':
      return shareLate(parts, visit, place.rule, recorded)
    default:
      return recorded satisfies never
  }
}

function mark({ hitForMiss, clock }: HttpParts, { resourceKey }: Visit): void {
  hitForMiss.mark(resourceKey, clock.wall())
}

/** Cookies that the route says it ignores are none. */
export function hasCredentials({ settings }: HttpParts, { request }: Visit): boolean {
  return isAuthorized(request) || (settings.cookies !== 'ignore' && request.headers.cookie !== undefined)
}

/** Under the key of the resource: the response itself, or the rule for its variants, the first one stored already. */
async function shareResource(parts: HttpParts, visit: Visit, stored: StoredResponse): Promise<Kept> {
  const rule = newRule(parts, visit, storedVary(stored), stored.tags)
  if (rule.fields.length === 0) return stored
  await storeVariant(parts, visit, rule, stored)
  return rule
}

function newRule(parts: HttpParts, visit: Visit, fields: readonly string[], tags: readonly string[]): Variants {
  const known = parts.widths.of(visit.resourceKey)
  return { kind: 'variants', nonce: parts.clock.nonce(12), fields: unite(fields, known), tags }
}

async function storeVariant(parts: HttpParts, visit: Visit, rule: Variants, stored: StoredResponse): Promise<void> {
  const { key } = variantPlace(parts, visit, rule)
  makeRoom(parts, visit, rule, key)
  await parts.store.set(key, stored, {
    ttl: ttlOf(parts, stored),
    stale: stored.retentionMs,
    tags: tagsOf(stored, rule),
  })
}

/** The tags of a stored response; a variant has also that of all variants under its rule. */
function tagsOf({ tags }: StoredResponse, rule: Variants | undefined): string[] {
  return rule ? [...tags, variantsTag(rule)] : [...tags]
}

/** Drops the variant whose place another one takes. */
function makeRoom({ variants, store }: HttpParts, { resourceKey }: Visit, { nonce }: Variants, key: string): void {
  const oldest = variants.noted(resourceKey, nonce, key)
  // It costs memory only.
  if (oldest !== undefined) store.delete(oldest).catch(() => {})
}

/**
 * Under the key of a variant: the response, unless it varies by more than the rule says. Then the rule is dropped, not
 * replaced: a rule written here could come after an invalidation and bring the old response back.
 */
async function shareVariant(parts: HttpParts, visit: Visit, rule: Variants, stored: StoredResponse): Promise<Kept> {
  const fields = storedVary(stored)
  if (covers(rule.fields, fields)) {
    makeRoom(parts, visit, rule, variantPlace(parts, visit, rule).key)
    return stored
  }
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

async function keepLate(parts: HttpParts, visit: Visit, rule: Variants, late: Late, isFirst: boolean): Promise<void> {
  const { rest, tags } = late
  const watch = await watchTags(parts, visit, [...tags, variantsTag(rule)])
  // A younger one was renewed since the handler began: its variants were made stale.
  const isCurrent = isFirst || (await isOlder(parts, visit, late))
  const recorded = await rest
  if (!isCurrent) return
  if (recorded.kind !== 'complete' || leftMs(parts, recorded.stored) === 0) return
  // What was invalidated meanwhile by a tag that the rule has not would not have taken the rule along.
  if (!covers(rule.tags, recorded.stored.tags)) return
  const { store } = parts
  try {
    const entry = await store.getEntry(visit.resourceKey)
    const standing = entry?.freshness === 'fresh' ? asKept(entry.value) : undefined
    const { key } = variantPlace(parts, visit, rule)
    // Nobody would find it, or it is as stale as its rule, or another run was faster.
    if (standing?.kind !== 'variants' || standing.nonce !== rule.nonce || (await store.has(key))) return
    if (!(await watch.areValid())) return
    const shared = await shareVariant(parts, visit, rule, recorded.stored)
    if (shared.kind === 'response') await storeVariant(parts, visit, rule, shared)
    if (!(await watch.areValid())) await store.delete(key)
  } catch {
    // A cache that was closed. The client has its response.
  }
}

/** Whether the rule stands since before the run began. */
async function isOlder({ store, clock }: HttpParts, { resourceKey }: Visit, { startedAt }: Late): Promise<boolean> {
  const entry = await store.getEntry(resourceKey).catch(() => undefined)
  return entry?.freshness === 'fresh' && entry.age >= clock.wall() - startedAt
}

/**
 * Tells whether one of these tags was made invalid, or stale, since: by an entry that has them, and that nobody asks for. What
 * is stored later has no other way to know:
 *   A: is late; its handler has read v1
 *   B: the database gets v2; the URL is purged softly: its variants are stale, and the rule stays
 *   A: ends; v1 would be stored as a fresh variant of the rule
 */
async function watchTags({ store, keys, clock }: HttpParts, { resourceKey }: Visit, tags: string[]) {
  const key = keys.of(`${resourceKey} late ${clock.nonce(12)}`)
  await store.set(key, null, { ttl: WATCH_MS, tags }).catch(() => {})
  return { areValid: () => store.has(key) }
}

/** Longer than a response is waited for that is late. */
const WATCH_MS = 60_000

/**
 * For how long the tiers call it fresh: a little less than it is, as they count from the end of its storing. Where they called
 * it fresh after its lifetime, nobody would renew it behind its readers.
 */
function ttlOf(parts: HttpParts, stored: StoredResponse): number {
  const left = leftMs(parts, stored)
  return left - Math.min(STORING_MS, left / 100)
}

function leftMs(parts: HttpParts, stored: StoredResponse): number {
  return Math.max(0, stored.freshUntil - parts.clock.wall())
}
