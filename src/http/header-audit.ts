import type { RequestHeaders } from './message.ts'
import type { AuditRule } from './options.ts'
import type { HeaderReads } from './watched-headers.ts'

/** What the audit of one response found; names of fields in lower case, sorted. */
export interface Audit {
  /** Fields because of which the response is not stored. */
  readonly refused: readonly string[]
  /** Fields that `Vary` has to name. */
  readonly vary: readonly string[]
  /** Fields that the response may depend on, and that nothing was done about. */
  readonly told: readonly string[]
}

const CLEAN: Audit = { refused: [], vary: [], told: [] }

/** More than any handler names; a request may carry thousands, and a handler read them all. */
const MOST_ADDED_TO_VARY = 8

/** What bears on an audit beside the request. */
export interface AuditTerms {
  readonly rule: AuditRule
  /** Names in the key of the resource or in `Vary`, lower case. */
  readonly keyed: readonly string[]
  /** Names of fields that say something else than the key has of them. */
  readonly contradicting: readonly string[]
  /** Names that the application vouches for: no response depends on them. */
  readonly harmless: readonly string[]
  /** Whether nothing but an option or a guess says that the response may be stored. */
  readonly isAssumed: boolean
}

/**
 * Judges what a handler has read of the fields that its request carried: what it made depends on them, and the next client may
 * send others.
 */
export function audit(reads: HeaderReads, carried: RequestHeaders, terms: AuditTerms): Audit {
  const names: string[] = []
  const seenTo = terms.rule === 'strict' ? SEEN_TO_STRICTLY : SEEN_TO
  for (const name of reads) {
    if (!seenTo.has(name) && !terms.keyed.includes(name) && !terms.harmless.includes(name)) names.push(name)
  }
  if (names.length === 0) return CLEAN
  names.sort()
  const contradicting = names.filter((name) => terms.contradicting.includes(name))
  return contradicting.length > 0 ? { ...CLEAN, refused: contradicting } : judge(names, carried, terms)
}

function judge(names: readonly string[], carried: RequestHeaders, { rule, isAssumed }: AuditTerms): Audit {
  switch (rule) {
    case 'guard': {
      const isSuspect = (name: string) => {
        const value = carried[name]
        if (value === undefined || isOrdinary(name)) return false
        return isAssumed || isTelling(name) || value.toString().length > LONGEST_ORDINARY
      }
      return { ...CLEAN, refused: names.filter(isSuspect), told: names.filter((name) => !isSuspect(name)) }
    }
    case 'strict':
      return { ...CLEAN, refused: names }
    case 'vary':
      return names.length > MOST_ADDED_TO_VARY ? { ...CLEAN, refused: names } : { ...CLEAN, vary: names }
    case 'warn':
      return { ...CLEAN, told: names }
    default:
      return rule satisfies never
  }
}

/**
 * Fields that need no audit: other rules see to them (credentials, conditionals, ranges, overrides, whether there is a body), or
 * they are of the connection.
 */
const SEEN_TO_STRICTLY: ReadonlySet<string> = new Set([
  'authorization',
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range'],
  ...['cache-control', 'pragma', 'date', 'max-forwards', 'expect'],
  ...['x-original-url', 'x-rewrite-url', 'x-host', 'x-http-method-override', 'x-http-method', 'x-method-override'],
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'http2-settings'],
  ...['content-length', 'transfer-encoding'],
])

/** Fields of tracing are read for every response, and hardly ever show in one. */
const SEEN_TO: ReadonlySet<string> = new Set([
  ...SEEN_TO_STRICTLY,
  ...['traceparent', 'tracestate', 'baggage', 'b3', 'x-request-id', 'x-correlation-id', 'x-amzn-trace-id'],
  ...['x-cloud-trace-context', 'sentry-trace', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled'],
])

/** Names that say what a proxy in front has changed: few responses are the same whatever that is. */
const CHANGED = /^(?:x-)?forwarded|^x-(?:original|rewrite|backend)|-proto$|scheme|https$/

/** Names that say who asks. */
const WHO =
  /auth|token|api[-_]?key|access[-_]?key|secret|session|password|jwt|oidc|credential|cookie|client[-_]cert|ssl[-_]client|[-_]dn$/

/** Names that say for whom. */
const FOR_WHOM =
  /user|account|customer|consumer|tenant|principal|identity|email|login|member|claim|role|group|permission|company|workspace|(?:^|[-_])org/

function isTelling(name: string): boolean {
  return CHANGED.test(name) || WHO.test(name) || FOR_WHOM.test(name)
}

/** A longer value is sent to make a handler fail, so that its error is kept for all (Nguyen and others, "Your Cache Has Fallen", 2019). */
const LONGEST_ORDINARY = 1024

/**
 * Fields that browsers, and proxies in front, send with every request: to refuse them would be to store nothing. Cookies are
 * among them: a response to a request with some is not stored unless it says that it is for all.
 */
const ORDINARY: ReadonlySet<string> = new Set([
  'cookie',
  ...['user-agent', 'referer', 'origin', 'dnt', 'priority', 'purpose', 'upgrade-insecure-requests', 'x-requested-with'],
  ...['accept', 'accept-charset', 'accept-encoding', 'accept-language'],
  ...['save-data', 'device-memory', 'downlink', 'ect', 'rtt', 'viewport-width', 'width', 'dpr'],
  ...['sec-fetch-dest', 'sec-fetch-mode', 'sec-fetch-site', 'sec-fetch-user', 'sec-gpc', 'sec-purpose'],
  ...['via', 'x-forwarded-for', 'x-real-ip', 'true-client-ip', 'x-client-ip'],
  ...['cdn-loop', 'cf-connecting-ip', 'cf-connecting-ipv6', 'cf-ipcountry', 'cf-ray', 'cf-visitor'],
])

/** Client hints (RFC 8942) are many, and get more. */
function isOrdinary(name: string): boolean {
  return ORDINARY.has(name) || (name.startsWith('sec-ch-') && !isTelling(name))
}
