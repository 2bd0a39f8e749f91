import { fieldNames, splitList } from './cache-control.ts'
import { looksDeceptive } from './deception.ts'
import { initialAgeMs, isOverAtOnce, lifetimeOf } from './lifetime.ts'
import { combined, linesOf } from './message.ts'
import { isPostAnswer } from './post-answer.ts'
import { retentionOf, staleRulesOf } from './stale-rules.ts'
import { UNDERSTOOD } from './status.ts'
import { COOKIES, connectionOptions } from './stored-response.ts'
import { controlOf } from './targeted.ts'
import { isOtherCoding, variesBy } from './vary.ts'
import type { Lifetime } from './lifetime.ts'
import type { Fields, HttpRequest, RequestHeaders, ResponseHead } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { StaleRules } from './stale-rules.ts'
import type { Control } from './targeted.ts'

/**
 * Why a response is not stored; a token for Cache-Status.
 *
 * - `method`: it answers a method whose responses are not stored.
 * - `status`: not final, partial, or an answer to a precondition.
 * - `no-store`, `private`: it says so.
 * - `no-cache`: it says so, and by the options it is not stored, or there is nothing that the application could validate it by.
 * - `set-cookie`: it is one user's.
 * - `authorization`, `client-certificate`, `cookie`: its request had credentials, and it does not say that it may be shared.
 * - `deception`: it is a page under the name of a static file, and does not say how long it is fresh.
 * - `vary`: it depends on more than the cache can see, or says that its `Vary` must not be kept.
 * - `coding`: it is in another coding than its request was taken to want, by the options; or in one that its transfer takes off.
 * - `endless`: it is a stream that by nature does not end.
 * - `trailers`: it ends with fields that are not known yet.
 * - `no-lifetime`: nothing says how long it is fresh.
 * - `zero-lifetime`: it says that it is not fresh for a moment, and by the options it is not stored.
 * - `expired`: it is not fresh any more, and of no use when stale.
 * - `too-large`: its declared length is over the limit.
 */
export type Refusal =
  | 'method'
  | 'status'
  | 'no-store'
  | 'private'
  | 'no-cache'
  | 'set-cookie'
  | 'authorization'
  | 'client-certificate'
  | 'cookie'
  | 'deception'
  | 'vary'
  | 'coding'
  | 'endless'
  | 'trailers'
  | 'no-lifetime'
  | 'zero-lifetime'
  | 'expired'
  | 'too-large'

/** A response, read as far as storing it is concerned. */
export interface Candidate {
  readonly head: ResponseHead
  readonly control: Control
  /** `undefined`: nothing says how long it is fresh, and it is not stored. */
  readonly lifetime: Lifetime | undefined
  readonly initialAgeMs: number
  readonly stale: StaleRules
  /** How long past its lifetime it is of use. */
  readonly retentionMs: number
}

/** What bears on a candidate beside its head. */
export interface CandidateTiming {
  readonly now: number
  /** What `res.cache.ttl()` was given. */
  readonly routeMs?: number | undefined
  /** How long it took from the request to the head. */
  readonly delayMs?: number | undefined
}

/** Reads the head of a response, or that of a stored one that a 304 has freshened. */
export function candidateOf(head: ResponseHead, settings: HttpSettings, timing: CandidateTiming): Candidate {
  const { now, routeMs, delayMs } = timing
  const control = controlOf(head.fields, settings)
  const lifetime = lifetimeOf(head, control, routeMs, settings, now)
  const stale = staleRulesOf(control, lifetime, settings)
  return {
    head,
    control,
    lifetime,
    initialAgeMs: initialAgeMs(head.fields, now, delayMs),
    stale,
    retentionMs: retentionOf(head.fields, stale, settings),
  }
}

/** Events of a server, and pictures that replace one another: whoever waited for the end would wait for ever. */
const ENDLESS = new Set(['text/event-stream', 'multipart/x-mixed-replace'])

/**
 * Whether a response may be stored by a shared cache (RFC 9111, sections 3, 3.5 and 5.2.2), in the stricter reading
 * where it contradicts itself. `undefined`: it may.
 */
export function refusalOf(request: HttpRequest, candidate: Candidate, settings: HttpSettings): Refusal | undefined {
  const { head, control } = candidate
  return (
    refusalOfMethod(request, candidate, settings) ??
    refusalOfStatus(head, control) ??
    refusalOfDirectives(control) ??
    refusalOfCredentials(request, control, settings) ??
    refusalOfFields(head, settings) ??
    refusalOfVary(request.headers, candidate, settings) ??
    refusalOfTarget(request, candidate) ??
    refusalOfLifetime(candidate, settings)
  )
}

/**
 * Whether a response says that it may answer a request with Authorization (RFC 9111, section 3.5). `must-revalidate`
 * counts here, and not for cookies: there it is too often said of pages that are one user's.
 */
export function isForAuthorized({ directives }: Control): boolean {
  return directives.has('public') || directives.has('s-maxage') || directives.has('must-revalidate')
}

/**
 * Fields that are left out of what is stored: those that the response itself forbids to store or to reuse (sections
 * 5.2.2.4 and 5.2.2.7), and its cookies.
 */
export function withheldFields(
  { directives }: Control,
  { setCookie }: Pick<HttpSettings, 'setCookie'>,
): readonly string[] {
  const names: string[] = setCookie === 'replay' ? [] : [...COOKIES]
  for (const directive of ['private', 'no-cache']) {
    const listed = fieldNames(directives, directive)
    if (listed !== 'all') names.push(...listed)
  }
  return names
}

/** GET and QUERY (RFC 10008, section 2.7), and POST where it stands for a GET. */
function refusalOfMethod(request: HttpRequest, candidate: Candidate, settings: HttpSettings): Refusal | undefined {
  const { method } = request
  if (method === 'GET' || method === 'QUERY') return undefined
  const mayBeStored = method === 'POST' && settings.storePost
  return mayBeStored && isPostAnswer(request, candidate.head, candidate.lifetime) ? undefined : 'method'
}

function refusalOfStatus({ status }: ResponseHead, { directives }: Control): Refusal | undefined {
  if (status < 200 || status > 599 || status === 206 || status === 304) return 'status'
  return directives.has('must-understand') && !UNDERSTOOD.has(status) ? 'status' : undefined
}

/** A status that we understand lifts the `no-store` that stands beside `must-understand` for older caches. */
function refusalOfDirectives({ directives }: Control): Refusal | undefined {
  if (directives.has('no-store') && !directives.has('must-understand')) return 'no-store'
  return fieldNames(directives, 'private') === 'all' ? 'private' : undefined
}

function refusalOfCredentials(request: HttpRequest, control: Control, settings: HttpSettings): Refusal | undefined {
  const { headers, clientCertificate } = request
  if (headers.authorization !== undefined && !isForAuthorized(control)) return 'authorization'
  if (clientCertificate && !isForAuthorized(control)) return 'client-certificate'
  return sendsCookies(headers, settings) && !isForAll(control) ? 'cookie' : undefined
}

/** Cookies that the route says it ignores are none. */
export function sendsCookies(request: RequestHeaders, settings: Pick<HttpSettings, 'cookies'>): boolean {
  return request.cookie !== undefined && settings.cookies !== 'ignore'
}

/** A targeted field speaks to a cache that is shared. */
function isForAll({ directives, isTargeted }: Control): boolean {
  return isTargeted || directives.has('public') || directives.has('s-maxage')
}

function refusalOfFields({ fields }: ResponseHead, settings: HttpSettings): Refusal | undefined {
  const hasCookies = COOKIES.some((name) => linesOf(fields, name).length > 0)
  if (hasCookies && settings.setCookie === 'refuse') return 'set-cookie'
  if (linesOf(fields, 'content-type').some((line) => ENDLESS.has(mediaType(line)))) return 'endless'
  if (linesOf(fields, 'trailer').length > 0) return 'trailers'
  // What is stored are the bytes that the application has written: coded, and nothing would say so.
  if (isTransferCoded(fields)) return 'coding'
  return Number(combined(fields, 'content-length') ?? 0) > settings.maxBodyBytes ? 'too-large' : undefined
}

/** Whether another transfer coding is on it than `chunked`, which Node puts on and takes off (RFC 9112, section 6.1). */
function isTransferCoded(fields: Fields): boolean {
  const codings = splitList(combined(fields, 'transfer-encoding') ?? '')
  return codings.some((coding) => coding.toLowerCase() !== 'chunked')
}

function refusalOfVary(request: RequestHeaders, candidate: Candidate, settings: HttpSettings): Refusal | undefined {
  const { fields } = candidate.head
  const names = variesBy(fields)
  if (names === '*') return 'vary'
  if (names.length > 0 && isLeftOut(candidate, 'vary', settings)) return 'vary'
  // Coded bytes that nothing says are coded.
  if (linesOf(fields, 'content-encoding').length > 0 && isLeftOut(candidate, 'content-encoding', settings))
    return 'coding'
  return names.includes('accept-encoding') && isOtherCoding(request, fields, settings.normalize) ? 'coding' : undefined
}

/** Whether a field of a response would not be in what is stored of it: it says so, or that it is of the connection. */
function isLeftOut({ head, control }: Candidate, name: string, settings: HttpSettings): boolean {
  return withheldFields(control, settings).includes(name) || connectionOptions(head.fields).includes(name)
}

/** A lifetime that was only assumed says nothing for a path that may be made up. */
function refusalOfTarget({ target }: HttpRequest, { head, lifetime }: Candidate): Refusal | undefined {
  const isAssumed = lifetime?.source === 'default' || lifetime?.source === 'heuristic'
  return isAssumed && looksDeceptive(target, head.fields) ? 'deception' : undefined
}

/** The type and subtype of a Content-Type, without its parameters (RFC 9110, section 8.3.1). */
function mediaType(text: string): string {
  return (text.split(';', 1)[0] ?? '').trim().toLowerCase()
}

/**
 * Fresh, or of use when it is stale. What each request must have confirmed is of little use here, where the application is as
 * near as the cache; and two users' pages may have one entity tag, as files of one size and time have in Express.
 */
function refusalOfLifetime(candidate: Candidate, { zeroLifetime }: HttpSettings): Refusal | undefined {
  const { control, lifetime, initialAgeMs: age, stale, retentionMs } = candidate
  if (lifetime === undefined) return 'no-lifetime'
  const isConfirmedOnly = isOverAtOnce(lifetime) && stale.whileRevalidateMs + stale.ifErrorMs === 0
  const isRefused = isConfirmedOnly && zeroLifetime === 'refuse'
  if (!isRefused && lifetime.ms + retentionMs > age) return undefined
  if (fieldNames(control.directives, 'no-cache') === 'all') return 'no-cache'
  return isRefused ? 'zero-lifetime' : 'expired'
}
