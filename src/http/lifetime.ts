import { deltaSeconds, splitList } from './cache-control.ts'
import { parseHttpDate } from './http-date.ts'
import { combined, linesOf } from './message.ts'
import type { CacheControl } from './cache-control.ts'
import type { Fields, ResponseHead } from './message.ts'

/** How long a response is fresh from its birth on, and who said so. */
export interface Lifetime {
  readonly ms: number
  /** - `explicit`: the response or its route. - `default`: the option `ttl`. */
  readonly source: 'explicit' | 'default'
}

/** What bears on a lifetime beside the response itself. */
export interface LifetimeDefaults {
  /** What the route asked for this one response. */
  readonly routeMs: number | undefined
  /** What the options say for responses that say nothing. */
  readonly ttlMs: number | undefined
}

/** Statuses that a lifetime may be assumed for: heuristically cacheable (RFC 9110, section 15.1), and no error. */
const DEFAULTED = new Set([200, 203, 204, 300, 301, 308])

const YEAR_MS = 365 * 86_400_000

/**
 * The freshness lifetime of a response in a shared cache (RFC 9111, section 4.2.1): what the route asked for, else
 * `s-maxage`, else `max-age`, else `Expires` less `Date`, else the default; at most a year. `undefined`: none is known.
 */
export function lifetimeOf(
  head: ResponseHead,
  control: CacheControl,
  defaults: LifetimeDefaults,
  now: number,
): Lifetime | undefined {
  // A route that says how long its page lives, and then fails, did not mean its failure.
  if (defaults.routeMs !== undefined && head.status < 500) return explicit(defaults.routeMs)
  const shared = control.get('s-maxage') ?? control.get('max-age')
  if (shared) return explicit(shortest(shared))
  const expires = linesOf(head.fields, 'expires')
  if (expires.length > 0) return explicit(untilExpiry(expires, head.fields, now))
  if (defaults.ttlMs !== undefined && DEFAULTED.has(head.status)) {
    return { ms: Math.min(defaults.ttlMs, YEAR_MS), source: 'default' }
  }
  return undefined
}

/**
 * How old a response already is when it is received (RFC 9111, section 4.2.3). A response that the application made
 * itself is new; one that it passes on may have an `Age`, or a `Date` in the past.
 */
export function initialAgeMs(fields: Fields, now: number): number {
  const date = linesOf(fields, 'date')[0]
  const madeAt = date === undefined ? undefined : parseHttpDate(date, now)
  const apparent = madeAt === undefined ? 0 : Math.max(0, wholeSecond(now) - madeAt)
  return Math.max(apparent, ageValue(fields) * 1000)
}

/** The first member of Age; what is not delta-seconds counts as absent (RFC 9111, section 5.1). */
function ageValue(fields: Fields): number {
  const age = combined(fields, 'age')
  return age === undefined ? 0 : (deltaSeconds(splitList(age)[0]) ?? 0)
}

/** The shortest of repeated directives; an argument that is not delta-seconds means stale (section 4.2.1). */
function shortest(args: readonly (string | undefined)[]): number {
  return Math.min(...args.map((argument) => deltaSeconds(argument) ?? 0)) * 1000
}

/** Of several `Expires` the earliest; one that is no date is in the past (section 5.3). */
function untilExpiry(expires: readonly string[], fields: Fields, now: number): number {
  const ends = expires.map((line) => parseHttpDate(line, now) ?? Number.NEGATIVE_INFINITY)
  const date = linesOf(fields, 'date')[0]
  const madeAt = (date === undefined ? undefined : parseHttpDate(date, now)) ?? wholeSecond(now)
  return Math.max(0, Math.min(...ends) - madeAt)
}

function explicit(ms: number): Lifetime {
  return { ms: Math.min(ms, YEAR_MS), source: 'explicit' }
}

/** HTTP dates know no milliseconds. */
function wholeSecond(at: number): number {
  return Math.floor(at / 1000) * 1000
}
