import { parseCacheControl } from './cache-control.ts'
import { requestField } from './message.ts'
import { namesDefaultPort } from './request-key.ts'
import { isSafe } from './unsafe-methods.ts'
import type { HttpRequest } from './message.ts'
import type { HttpSettings } from './settings.ts'

/**
 * What the cache may do for a request, before it looks anything up.
 *
 * - `fill`: answer it from the store, or store what the application answers.
 * - `read`: answer it from the store, or let it pass.
 * - `pass`: neither.
 * - `invalidate`: let it pass, and drop what it makes invalid.
 */
export interface Admission {
  readonly way: 'fill' | 'read' | 'pass' | 'invalidate'
  /** Why it is not `fill`: a token for Cache-Status. */
  readonly detail?: string
}

const FILL: Admission = { way: 'fill' }
const INVALIDATE: Admission = { way: 'invalidate' }
const OTHER_METHOD: Admission = { way: 'pass', detail: 'method' }

const HEAD: Admission = { way: 'read', detail: 'head' }
const RANGE: Admission = { way: 'read', detail: 'range' }
const FORWARDED_HOST: Admission = { way: 'read', detail: 'x-forwarded-host' }
const DEFAULT_PORT: Admission = { way: 'read', detail: 'default-port' }
const NO_STORE: Admission = { way: 'read', detail: 'request-no-store' }
/** Nobody has asked for it lately: see {@link HttpSettings.secondSightMs}. */
export const FIRST_SIGHT: Admission = { way: 'read', detail: 'first-sight' }
/** Nothing but what is stored, or 504 (RFC 9111, section 5.2.1.7). */
export const ONLY_IF_CACHED: Admission = { way: 'read', detail: 'only-if-cached' }

const COOKIE: Admission = { way: 'pass', detail: 'cookie' }
const BODY: Admission = { way: 'pass', detail: 'request-body' }
const FORWARDED_SCHEME: Admission = { way: 'pass', detail: 'x-forwarded-proto' }
const PRECONDITION: Admission = { way: 'pass', detail: 'precondition' }
const OVERRIDE: Admission = { way: 'pass', detail: 'override' }

/** Fields by which some software takes a request for another one than its key says. */
const OVERRIDES = [
  'x-original-url',
  'x-rewrite-url',
  'x-host',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
]

/**
 * Sorts a request. Passed by: methods other than GET, HEAD and QUERY, preconditions that only the application can judge
 * (RFC 9111, section 4.3.2), a body on GET or HEAD, fields that rewrite target or method, and cookies where the options say
 * so. Only read: HEAD (whose response is never stored as one to GET), Range, `no-store` and `only-if-cached`
 * (section 5.2.1), and a forwarded host that nobody vouches for or a port that need not be named: it may be in the
 * response, which would then be served to all.
 */
export function admit(request: HttpRequest, settings: HttpSettings): Admission {
  const { method, headers } = request
  const isStored = method === 'GET' || method === 'QUERY'
  if (!isStored && method !== 'HEAD') return isSafe(method) ? OTHER_METHOD : INVALIDATE
  if (request.foreignScheme) return FORWARDED_SCHEME
  if (settings.cookies === 'bypass' && headers.cookie !== undefined) return COOKIE
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return PRECONDITION
  if (method !== 'QUERY' && hasBody(request)) return BODY
  for (const name of OVERRIDES) if (headers[name] !== undefined) return OVERRIDE
  if (headers['cache-control'] !== undefined) {
    const control = parseCacheControl(requestField(headers, 'cache-control'))
    if (control.has('only-if-cached')) return ONLY_IF_CACHED
    if (control.has('no-store')) return NO_STORE
  }
  if (!isStored) return HEAD
  if (headers.range !== undefined) return RANGE
  if (request.foreignHost) return FORWARDED_HOST
  return namesDefaultPort(request) ? DEFAULT_PORT : FILL
}

/**
 * Whether the whole response may be stored, in place of one that is, that the application would make of a request whose own
 * response is only read: to a HEAD, for a part, or at first sight. Nobody else must get what such a request could put into it.
 */
export function mayFillWhole({ detail }: Admission, request: HttpRequest): boolean {
  const isRead = detail === HEAD.detail || detail === RANGE.detail || detail === FIRST_SIGHT.detail
  return isRead && !request.foreignHost && !namesDefaultPort(request)
}

/** Whether it must not reach the application (RFC 9111, section 5.2.1.7). */
export function isOnlyIfCached({ headers }: HttpRequest): boolean {
  if (headers['cache-control'] === undefined) return false
  return parseCacheControl(requestField(headers, 'cache-control')).has('only-if-cached')
}

function hasBody({ headers, undeclaredContent }: HttpRequest): boolean {
  if (undeclaredContent || headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  return length !== undefined && length !== '0'
}
