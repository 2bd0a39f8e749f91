import { fieldNames } from './cache-control.ts'
import { combined, linesOf } from './message.ts'
import { variesBy } from './vary.ts'
import type { CacheControl } from './cache-control.ts'
import type { Lifetime } from './lifetime.ts'
import type { RequestHeaders, ResponseHead } from './message.ts'
import type { HttpSettings } from './options.ts'

/**
 * Why a response is not stored; a token for Cache-Status.
 *
 * - `status`: not final, partial, or an answer to a precondition.
 * - `no-store`, `private`, `no-cache`: it says so.
 * - `set-cookie`: it is one user's.
 * - `authorization`, `cookie`: its request had credentials, and it does not say that it may be shared.
 * - `vary`: it depends on more than the cache can see.
 * - `endless`: it is a stream that by nature does not end.
 * - `trailers`: it ends with fields that are not known yet.
 * - `no-lifetime`: nothing says how long it is fresh. `expired`: it is not fresh any more.
 * - `too-large`: its declared length is over the limit.
 */
export type Refusal =
  | 'status'
  | 'no-store'
  | 'private'
  | 'no-cache'
  | 'set-cookie'
  | 'authorization'
  | 'cookie'
  | 'vary'
  | 'endless'
  | 'trailers'
  | 'no-lifetime'
  | 'expired'
  | 'too-large'

/** A response to a GET, read as far as storing it is concerned. */
export interface Candidate {
  readonly head: ResponseHead
  readonly control: CacheControl
  readonly lifetime: Lifetime | undefined
  readonly initialAgeMs: number
}

/** Statuses whose meaning we know, so that `must-understand` is met (RFC 9111, section 5.2.2.3). */
const UNDERSTOOD = new Set([200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 451, 501])

/** Events of a server, and pictures that replace one another: whoever waited for the end would wait for ever. */
const ENDLESS = new Set(['text/event-stream', 'multipart/x-mixed-replace'])

/**
 * Whether the response to a GET may be stored by a shared cache (RFC 9111, sections 3, 3.5 and 5.2.2), in the
 * stricter reading where it contradicts itself. `undefined`: it may.
 */
export function refusalOf(request: RequestHeaders, candidate: Candidate, settings: HttpSettings): Refusal | undefined {
  const { head, control, lifetime } = candidate
  return (
    refusalOfStatus(head, control) ??
    refusalOfDirectives(candidate) ??
    refusalOfCredentials(request, control, settings) ??
    refusalOfFields(head, settings) ??
    (lifetime === undefined ? 'no-lifetime' : undefined) ??
    (lifetime !== undefined && lifetime.ms <= candidate.initialAgeMs ? 'expired' : undefined)
  )
}

/**
 * Whether a response says that it may answer a request with Authorization (RFC 9111, section 3.5). `must-revalidate`
 * counts here, and not for cookies: there it is too often said of pages that are one user's.
 */
export function isForAuthorized(control: CacheControl): boolean {
  return isForAll(control) || control.has('must-revalidate')
}

/** Fields that a response forbids to store though it may be stored without them (sections 5.2.2.4 and 5.2.2.7). */
export function withheldFields(control: CacheControl): readonly string[] {
  const names: string[] = []
  for (const directive of ['private', 'no-cache']) {
    const listed = fieldNames(control, directive)
    if (listed !== 'all') names.push(...listed)
  }
  return names
}

function refusalOfStatus({ status }: ResponseHead, control: CacheControl): Refusal | undefined {
  if (status < 200 || status > 599 || status === 206 || status === 304) return 'status'
  return control.has('must-understand') && !UNDERSTOOD.has(status) ? 'status' : undefined
}

/** A status that we understand lifts the `no-store` that stands beside `must-understand` for older caches. */
function refusalOfDirectives({ control }: Candidate): Refusal | undefined {
  if (control.has('no-store') && !control.has('must-understand')) return 'no-store'
  if (fieldNames(control, 'private') === 'all') return 'private'
  return fieldNames(control, 'no-cache') === 'all' ? 'no-cache' : undefined
}

function refusalOfCredentials(
  request: RequestHeaders,
  control: CacheControl,
  settings: HttpSettings,
): Refusal | undefined {
  if (request.authorization !== undefined && !isForAuthorized(control)) return 'authorization'
  return sendsCookies(request, settings) && !isForAll(control) ? 'cookie' : undefined
}

function sendsCookies(request: RequestHeaders, settings: HttpSettings): boolean {
  return request.cookie !== undefined && settings.cookies !== 'ignore'
}

function isForAll(control: CacheControl): boolean {
  return control.has('public') || control.has('s-maxage')
}

function refusalOfFields({ fields }: ResponseHead, settings: HttpSettings): Refusal | undefined {
  if (linesOf(fields, 'set-cookie').length > 0 || linesOf(fields, 'set-cookie2').length > 0) return 'set-cookie'
  if (variesBy(fields) === '*') return 'vary'
  if (linesOf(fields, 'content-type').some((line) => ENDLESS.has(mediaType(line)))) return 'endless'
  if (linesOf(fields, 'trailer').length > 0) return 'trailers'
  return Number(combined(fields, 'content-length') ?? 0) > settings.maxBodyBytes ? 'too-large' : undefined
}

/** The type and subtype of a Content-Type, without its parameters (RFC 9110, section 8.3.1). */
function mediaType(text: string): string {
  return (text.split(';', 1)[0] ?? '').trim().toLowerCase()
}
