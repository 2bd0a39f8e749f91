import { isDevelopment } from '../development.ts'
import type { HttpCounters } from '../counters/http-counters.ts'
import type { HttpRequest } from './message.ts'

/** What a developer may want to do about a response that was not stored, by the word that Cache-Status shows as detail. */
const ADVICE: Readonly<Record<string, string>> = {
  authorization: 'its request has Authorization: a response that is for all says public or s-maxage',
  'client-certificate': 'its client has shown a certificate: a response that is for all says public or s-maxage',
  cookie:
    "its request has Cookie: a response that is for all says public or s-maxage, which counts unless the option says cookies: 'bypass'; where no response depends on a cookie, set the option cookies: 'ignore'",
  'set-cookie':
    "it sets a cookie, which is one user's: set it in a response that is not to be stored, or see the option setCookie",
  deception:
    'its path looks like that of a static file, and it is a page: give it a lifetime of its own (max-age), or 404 if there is no such path',
  'zero-lifetime':
    'it says that it is over at once (max-age=0, as Express says of each file that it sends): say how long it is fresh if it is for all, as by the option maxAge of res.sendFile and express.static',
  'too-many-tags': 'it has more tags than an entry can carry: what cannot be made invalid by all of them is not kept',
  vary: 'it says Vary: *, or that its Vary must not be kept: name the fields that it depends on',
  coding:
    'its Content-Encoding is not the one that its request was taken to want by the option normalize, or its Transfer-Encoding is more than chunked',
  'no-vary-search': 'it does not name the No-Vary-Search that other responses of its path have named',
  trailers: 'it announces trailers, which are not kept',
  'too-large': 'it is larger than the option maxBodyBytes',
  length: 'it has fewer bytes than its Content-Length says',
  target: 'its request has no Host, or one that is none, or a target that is no path',
  'target-length': 'its target is longer than the option maxTargetLength',
  'query-parameters': 'its query has more parameters than the option maxQueryParameters',
  content: 'its request is a QUERY whose content was not read: see what stands in front of the cache',
  'default-port':
    'its Host names a port that need not be named, and the application may write it into links: proxies and clients leave it out',
  override: 'its request has a field that renames its method or target',
  'request-body': 'its request is a GET with a body, which is not in the key',
  'x-forwarded-proto':
    "its request has X-Forwarded-Proto, which nothing vouches for: see trustProxy of accelerate, and 'trust proxy' of Express",
  'x-forwarded-host':
    "its request has X-Forwarded-Host, which nothing vouches for: see trustProxy of accelerate, and 'trust proxy' of Express",
}

/**
 * Warnings of the process about responses that are not stored, or not safely: in development, one of a kind. Where they come
 * up in production, Cache-Status and the metrics tell of them.
 */
export class GuardWarnings {
  readonly #told = new Set<string>()
  readonly #isOn: boolean

  constructor(isOn = isDevelopment()) {
    this.#isOn = isOn
  }

  /** A response was not stored. */
  refused(detail: string, request: HttpRequest): void {
    const advice = ADVICE[detail]
    if (advice !== undefined) this.#tell(detail, () => `${named(request)} is not stored: ${advice}`)
  }

  /** A response was not stored because of request fields that its handler read. */
  audited(names: readonly string[], request: HttpRequest): void {
    this.#tell(`audit ${names}`, () => `${named(request)} is not stored: ${read(names)}`)
  }

  /** A response was stored that may depend on request fields that its handler read. */
  unkeyed(names: readonly string[], request: HttpRequest): void {
    const others = names.filter((name) => name !== 'cookie')
    const may = () => `${named(request)} may go to clients that it is not for`
    // Whoever parses cookies behind the cache reads them for each page: once for each part of a site.
    const [, part] = request.target.split(/[/?]/, 2)
    if (others.length < names.length) this.#tell(`cookie /${part}`, () => `${may()}: ${COOKIE_READ}`)
    if (others.length > 0) this.#tell(`unkeyed ${others}`, () => `${may()}: ${read(others)}`)
  }

  /** Fields of a response named what can be no tags. */
  badTags(count: number, request: HttpRequest): void {
    this.#tell(
      'bad tags',
      () => `${named(request)} has ${count} bad tags in Surrogate-Key or Cache-Tag, left out: ${TAG_RULE}`,
    )
  }

  /** The option `tags` has thrown, or answered what are no tags. */
  tagsFailed(error: unknown, request: HttpRequest): void {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#tell('tags', () => `${named(request)} is not stored: the option tags has failed: ${told}`)
  }

  #tell(kind: string, message: () => string): void {
    if (!this.#isOn || this.#told.has(kind) || this.#told.size >= MOST_KINDS) return
    this.#told.add(kind)
    process.emitWarning(message(), { type: 'TierCacheWarning' })
  }
}

const known = new WeakMap<object, GuardWarnings>()

/** Those of all response caches over one cache, by its counters: each route may have one of its own, and the cause is the same. */
export function warningsOf(counters: HttpCounters): GuardWarnings {
  const warnings = known.get(counters) ?? new GuardWarnings()
  known.set(counters, warnings)
  return warnings
}

/** Names of fields come from requests. */
const MOST_KINDS = 64
const MOST_NAMES = 8
const COOKIE_READ =
  "its handler read Cookie: if it depends on that, say private or Vary: Cookie; if not, set harmless: ['cookie'], or cookies: 'ignore'"
const TAG_RULE = 'a tag is a well-formed text of 1 to 512 bytes of UTF-8'

function read(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ')
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''
  return `its handler read ${shown}${more}, not in the key: name it in Vary, or in the option harmless if no response depends on it`
}

/** A query may hold what is nobody's business, and a path may be long. */
function named({ method, target }: HttpRequest): string {
  const path = target.split('?', 1)[0] ?? ''
  return `the response to ${method} ${path.length > 80 ? `${path.slice(0, 80)}…` : path}`
}
