import { deltaSeconds, fieldNames, leastSeconds, LONGEST_SECONDS, splitList } from './cache-control.ts'
import { parseHttpDate } from './http-date.ts'
import { combined, linesOf } from './message.ts'
import { CACHEABLE_FAILURES, CACHEABLE_SUCCESSES } from './status.ts'
import type { Fields, ResponseHead } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { Control } from './targeted.ts'

/** How long a response is fresh from its birth on, and who said so. */
export interface Lifetime {
  readonly ms: number
  /**
   * - `explicit`: the response itself.
   * - `route`: `res.cache.ttl()`.
   * - `default`: the option `ttl` or `negativeTtl`.
   * - `heuristic`: nobody; it was guessed from its Last-Modified.
   */
  readonly source: 'explicit' | 'route' | 'default' | 'heuristic'
}

/** Whether the response, or its route, has said that it is not fresh for a moment. */
export function isOverAtOnce(lifetime: Lifetime | undefined): boolean {
  return lifetime?.ms === 0 && (lifetime.source === 'explicit' || lifetime.source === 'route')
}

/** The options that bear on lifetimes. */
export type LifetimeSettings = Pick<HttpSettings, 'ttlMs' | 'negativeTtlMs' | 'heuristic'>

/**
 * The freshness lifetime of a response in a shared cache (RFC 9111, section 4.2.1): none with `no-cache`; else what the
 * route asked for; else `s-maxage`, else `max-age`, else `Expires` less `Date`, else the options' default, else a guess.
 * `undefined`: none is known. `routeMs` is what `res.cache.ttl()` was given.
 */
export function lifetimeOf(
  head: ResponseHead,
  control: Control,
  routeMs: number | undefined,
  settings: LifetimeSettings,
  now: number,
): Lifetime | undefined {
  if (fieldNames(control.directives, 'no-cache') === 'all') return lasting(0, 'explicit')
  if (routeMs !== undefined && isMeantByRoute(head.status)) return lasting(routeMs, 'route')
  return explicitLifetime(head, control, now) ?? assumedLifetime(head, control, settings, now)
}

/** A route that says how long its page lives, and then refuses or fails, did not mean that; that there is no page, it may have. */
function isMeantByRoute(status: number): boolean {
  return status < 400 || status === 404 || status === 410
}

/**
 * How old a response already is when it is received (RFC 9111, section 4.2.3). A response that the application made
 * itself is new; one that it passes on may have an `Age`, or a `Date` in the past. `delayMs` is how long it took from
 * the request on: it counts where there is an `Age`, which was true somewhere upstream when the request was answered.
 */
export function initialAgeMs(fields: Fields, now: number, delayMs = 0): number {
  const age = ageValue(fields)
  const apparentMs = Math.max(0, wholeSecond(now) - dateOf(fields, now))
  return Math.max(apparentMs, age === undefined ? 0 : age * 1000 + delayMs)
}

/** The first member of Age; what is not delta-seconds counts as absent (RFC 9111, section 5.1). */
function ageValue(fields: Fields): number | undefined {
  const age = combined(fields, 'age')
  return age === undefined ? undefined : deltaSeconds(splitList(age)[0])
}

/** What the response says. A targeted field speaks in place of Expires, too (RFC 9213, section 2.2). */
function explicitLifetime(head: ResponseHead, control: Control, now: number): Lifetime | undefined {
  const seconds = leastSeconds(control.directives, 's-maxage') ?? leastSeconds(control.directives, 'max-age')
  if (seconds !== undefined) return lasting(seconds * 1000, 'explicit')
  const expires = control.isTargeted ? [] : linesOf(head.fields, 'expires')
  return expires.length === 0 ? undefined : lasting(untilExpiry(expires, head.fields, now), 'explicit')
}

/** Of several `Expires` the earliest; one that is no date is in the past (section 5.3). */
function untilExpiry(expires: readonly string[], fields: Fields, now: number): number {
  const ends = expires.map((line) => parseHttpDate(line, now) ?? Number.NEGATIVE_INFINITY)
  return Math.max(0, Math.min(...ends) - dateOf(fields, now))
}

/** What holds for a response that says nothing. */
function assumedLifetime(
  head: ResponseHead,
  control: Control,
  settings: LifetimeSettings,
  now: number,
): Lifetime | undefined {
  const defaultMs = CACHEABLE_SUCCESSES.has(head.status) ? settings.ttlMs : settings.negativeTtlMs.get(head.status)
  if (defaultMs !== undefined) return lasting(defaultMs, 'default')
  const isCacheable = CACHEABLE_SUCCESSES.has(head.status) || CACHEABLE_FAILURES.has(head.status)
  return isCacheable || control.directives.has('public') ? guessed(head.fields, settings, now) : undefined
}

const LONGEST_GUESS_MS = 86_400_000

/** A fraction of the time since Last-Modified (section 4.2.2), a day at most. */
function guessed(fields: Fields, { heuristic }: LifetimeSettings, now: number): Lifetime | undefined {
  const line = linesOf(fields, 'last-modified')[0]
  const modifiedAt = heuristic === 0 || line === undefined ? undefined : parseHttpDate(line, now)
  if (modifiedAt === undefined) return undefined
  const unchangedMs = Math.max(0, dateOf(fields, now) - modifiedAt)
  return lasting(Math.min(unchangedMs * heuristic, LONGEST_GUESS_MS), 'heuristic')
}

/** When the response was made: what it says, or now (RFC 9110, section 6.6.1). HTTP dates know no milliseconds. */
function dateOf(fields: Fields, now: number): number {
  const line = linesOf(fields, 'date')[0]
  return (line === undefined ? undefined : parseHttpDate(line, now)) ?? wholeSecond(now)
}

function wholeSecond(at: number): number {
  return Math.floor(at / 1000) * 1000
}

function lasting(ms: number, source: Lifetime['source']): Lifetime {
  return { ms: Math.min(ms, LONGEST_SECONDS * 1000), source }
}
