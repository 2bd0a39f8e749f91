import { answerOf } from './answer.ts'
import { forwardStatus } from './cache-status.ts'
import { Capture } from './capture.ts'
import { isConditional, isLeftOut, isNotModified } from './conditional.ts'
import { formatHttpDate } from './http-date.ts'
import { storedOf, withDate } from './intake.ts'
import { combined, linesOf } from './message.ts'
import { names } from './no-vary-search.ts'
import { withCacheStatus } from './passing.ts'
import { ResponseGuards } from './response-guards.ts'
import { isError, mayServeOnError } from './reuse.ts'
import { candidateOf, refusalOf } from './storable.ts'
import { COOKIES, storedVary, ttlSeconds } from './stored-response.ts'
import { unsentFields } from './targeted.ts'
import { freshen, selects } from './validation.ts'
import type { Clock } from '../clock.ts'
import type { HttpOutcome } from '../events.ts'
import type { ForwardReason } from './cache-status.ts'
import type { CaptureMemory } from './capture.ts'
import type { Answer, HeadOrders, Watcher } from './exchange.ts'
import type { Fields, HttpRequest, ResponseHead } from './message.ts'
import type { SearchVariance } from './no-vary-search.ts'
import type { HttpSettings } from './options.ts'
import type { SearchVariances } from './search-variances.ts'
import type { Candidate } from './storable.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Tally } from './tally.ts'
import type { Validators } from './validation.ts'
import type { HeaderReads } from './watched-headers.ts'

/**
 * What became of a response that was watched in order to be stored.
 *
 * - `complete`: here it is; or the stored one, that the application has confirmed.
 * - `unshareable`: it is for this client alone; the others need their own.
 * - `abandoned`: it was cut off before its end; another one may do better.
 * - `failed`: the application failed, and what is stored stands in for it.
 * - `late`: it may be shared, but its end is long in coming; what becomes of it then is the `rest`.
 */
export type Recorded = Ended | Late

type Ended =
  | { readonly kind: 'complete'; readonly stored: StoredResponse }
  | { readonly kind: 'unshareable' }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'failed'; readonly status: number }

export interface Late {
  readonly kind: 'late'
  /** When the application was asked. */
  readonly startedAt: number
  /** The request fields that it depends on. */
  readonly fields: readonly string[]
  /** Its tags, as far as they are known by now. */
  readonly tags: readonly string[]
  readonly rest: Promise<Ended>
}

/** How long after its head the end of a response is waited for, and how long then it is recorded on at most. */
export const PATIENCE_MS = 1000
const LONGEST_REST_MS = 30_000

/** What a recording is about: the request as it came in, since handlers may change theirs. */
export interface Subject {
  readonly request: HttpRequest
  readonly resource: string
  /** The variance under which others are equivalent to the resource; a response that does not name it answers only its own. */
  readonly variance?: SearchVariance | undefined
  readonly reason: ForwardReason
  /** Whether a client waits for it. */
  readonly forClient: boolean
  /** What is to be replaced, or confirmed. */
  readonly stale?: StoredResponse | undefined
  /** Those of `stale`, as the application sees them. */
  readonly validators?: Validators | undefined
}

/** What recordings go by. */
export interface RecordingParts {
  readonly settings: HttpSettings
  readonly clock: Pick<Clock, 'wall' | 'after' | 'inBackground'>
  readonly captured: CaptureMemory
  readonly searches: SearchVariances
  readonly tally: Tally
}

/**
 * Watches a response and tells, once, as soon as it is known, what can be kept of it. Others wait for that: the time
 * before the head is the handler's own, the time after it is bounded, since a body may stream for ever.
 */
export class Recording implements Watcher {
  readonly hidesConditionals: boolean
  readonly mayReplace: boolean
  readonly watchesBody = true
  readonly holdsEnd = false
  readonly #subject: Subject
  readonly #parts: RecordingParts
  readonly #toldFirst: (recorded: Recorded) => void
  #told: (ended: Ended) => void
  #settings: HttpSettings
  /** Fields that a cache further inside would have in its keys. */
  #unkeyed: readonly string[] = []
  readonly #guards: ResponseGuards
  readonly #startedAt: number
  #routeMs: number | undefined
  #skipped = false
  #done = false
  #taking: Taking | undefined
  #stopTimer = () => {}

  constructor(parts: RecordingParts, subject: Subject, told: (recorded: Recorded) => void) {
    this.#subject = subject
    this.#parts = parts
    this.#settings = parts.settings
    this.#guards = new ResponseGuards(subject.request, parts.tally.warnings)
    this.#startedAt = parts.clock.wall()
    this.#toldFirst = told
    this.#told = told
    const { headers } = subject.request
    this.hidesConditionals = isConditional(headers) || headers.range !== undefined || subject.validators !== undefined
    this.mayReplace = this.hidesConditionals || subject.stale !== undefined
  }

  get headerReads(): HeaderReads {
    return this.#guards.headerReads
  }

  setTtl(ms: number): void {
    this.#routeMs = ms
  }

  skip(): void {
    this.#skipped = true
    if (this.#taking) this.#refuse('skip')
  }

  addTags(tags: readonly string[]): void {
    this.#guards.addTags(tags)
  }

  /** What tells pages apart was settled when the cache looked for this one; what else would have is put into `Vary`. */
  refine(settings: HttpSettings): void {
    const { query, keyHeaders, normalize, maxQueryParameters, maxTargetLength } = this.#parts.settings
    this.#unkeyed = settings.keyHeaders.filter((name) => !keyHeaders.includes(name))
    this.#settings = { ...settings, query, keyHeaders, normalize, maxQueryParameters, maxTargetLength }
  }

  head(head: ResponseHead): HeadOrders {
    const now = this.#parts.clock.wall()
    const dated = withDate(head, now)
    if (dated.status !== 304) this.#parts.searches.note(this.#subject.request, dated)
    return this.#confirm(dated, now) ?? this.#standIn(dated, now) ?? this.#take(dated, now)
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#done || !this.#taking) return false
    if (this.#taking.capture.add(bytes)) return true
    this.#refuse('too-large')
    return false
  }

  /** The page may be of the session that begins with it. */
  cookieAdded(): void {
    if (this.#taking && this.#settings.setCookie === 'refuse') this.#refuse('set-cookie')
  }

  beforeEnd(): undefined {}

  over(complete: boolean): void {
    if (this.#done) return
    if (!complete || !this.#taking) {
      this.#tell({ kind: 'abandoned' })
      return
    }
    const refusal = isCutShort(this.#taking) ? 'length' : this.#guards.atEnd(this.#settings)
    if (refusal === undefined) this.#tell({ kind: 'complete', stored: this.#keep(this.#taking) })
    else this.#refuse(refusal)
  }

  /** Nobody waits for it any more, or not that long: the client alone goes on getting it. */
  abandon(): void {
    this.#tell({ kind: 'abandoned' })
  }

  /** The application's 304 to our validators: what is stored is right, and is the answer (RFC 9111, section 4.3.3). */
  #confirm(head: ResponseHead, now: number): HeadOrders | undefined {
    const { request, resource, reason, stale, validators } = this.#subject
    if (stale === undefined || validators === undefined || head.status !== 304) return undefined
    if (!selects(head, stale)) {
      this.#tell({ kind: 'abandoned' })
      return instead(answerOf(stale, request, forwardStatus(reason, { status: 304, detail: 'validator' }), now))
    }
    const { status, message, unsent } = stale
    const fields = [...stale.fields, ...unsent]
    const candidate = this.#candidate(freshen({ status, message, fields }, head), now)
    const refusal = this.#refusal(candidate)
    this.#guards.addTags(stale.tags)
    const { tags } = this.#guards
    const renewed = storedOf(candidate, stale.body, { resource, tags, headAt: now }, this.#settings)
    const stored = { ...renewed, taggedHere: stale.taggedHere }
    if (refusal === undefined) this.#tell({ kind: 'complete', stored })
    else this.#refuse(refusal)
    this.#answered('revalidated')
    const ttl = ttlSeconds(stored, now)
    const cacheStatus = forwardStatus(reason, { status: 304, ttl, stored: refusal === undefined, detail: refusal })
    const answer = answerOf(stored, request, cacheStatus, now)
    return instead({ ...answer, fields: [...answer.fields, ...cookiesOf(head)] })
  }

  /** What is stored stands in for an error (RFC 5861, section 4). */
  #standIn({ status }: ResponseHead, now: number): HeadOrders | undefined {
    const { request, reason, stale } = this.#subject
    if (stale === undefined || !isError(status)) return undefined
    if (!mayServeOnError(request, stale, this.#settings, now)) return undefined
    this.#tell({ kind: 'failed', status })
    this.#answered('stale')
    const ttl = ttlSeconds(stale, now)
    const cacheStatus = forwardStatus(reason, { status, ttl, detail: 'stale-if-error' })
    return instead(answerOf(stale, request, cacheStatus, now))
  }

  /** A response of the application's own: its client gets it, and it is stored if it may be. */
  #take(written: ResponseHead, now: number): HeadOrders {
    const candidate = this.#candidate(written, now)
    const { head } = candidate
    const refusal = this.#refusal(candidate)
    this.#answered('miss')
    if (refusal === undefined && !this.#done) {
      const capture = new Capture(this.#settings.maxBodyBytes, this.#parts.captured)
      this.#taking = { candidate, headAt: now, capture }
      this.#stopTimer = this.#parts.clock.after(PATIENCE_MS, () => this.#tellLate(head))
    } else {
      this.#refuse(refusal)
    }
    const stored = this.#taking !== undefined
    const cacheStatus = forwardStatus(this.#subject.reason, { stored, detail: refusal })
    return this.#orders(head, head === written ? undefined : combined(head.fields, 'vary'), cacheStatus, now)
  }

  #candidate(head: ResponseHead, now: number): Candidate {
    return candidateOf(this.#guards.withVary(head, this.#settings, this.#unkeyed), this.#settings, {
      now,
      routeMs: this.#routeMs,
      delayMs: now - this.#startedAt,
    })
  }

  #refusal(candidate: Candidate): string | undefined {
    if (this.#skipped) return 'skip'
    const { variance } = this.#subject
    if (variance && !names(candidate.head.fields, variance)) return 'no-vary-search'
    const settings = this.#settings
    return refusalOf(this.#subject.request, candidate, settings) ?? this.#guards.atHead(candidate, settings)
  }

  #answered(outcome: HttpOutcome): void {
    if (this.#subject.forClient) this.#parts.tally.answered(outcome)
  }

  /** `undefined`: it might have been stored, but nobody waits for it any more. */
  #refuse(detail: string | undefined): void {
    if (detail !== undefined) this.#parts.tally.refused(detail, this.#subject.request)
    this.#tell({ kind: 'unshareable' })
  }

  /** The client's conditionals were hidden from the application: they are judged here, on what it made. */
  #orders(head: ResponseHead, vary: string | undefined, cacheStatus: string, now: number): HeadOrders {
    const set: HeadOrders['set'] = [
      ['Date', linesOf(head.fields, 'date')[0] ?? formatHttpDate(now)],
      ...(vary === undefined ? [] : [['Vary', vary] as const]),
      withCacheStatus(head.fields, cacheStatus),
    ]
    const watchBody = this.#taking !== undefined
    const ours = unsentFields(head.fields, this.#settings)
    const { headers } = this.#subject.request
    if (!isConditional(headers) || !isNotModified(headers, head, now)) {
      return { status: head.status, without: ours, set, watchBody }
    }
    const tagged = linesOf(head.fields, 'etag').length > 0
    const without = head.fields.map(([name]) => name).filter((name) => isLeftOut(name, tagged))
    return { status: 304, without: [...without, ...ours], set, watchBody }
  }

  #keep({ candidate, headAt, capture }: Taking): StoredResponse {
    const facts = { resource: this.#subject.resource, tags: this.#guards.tags, headAt }
    return storedOf(candidate, capture.body(), facts, this.#settings)
  }

  /** The recording goes on, for another listener: nobody is kept waiting for what it comes to. */
  #tellLate(head: ResponseHead): void {
    const rest = new Promise<Ended>((resolve) => {
      this.#told = resolve
    })
    this.#stopTimer = this.#parts.clock.inBackground(LONGEST_REST_MS, () => this.abandon())
    const tags = this.#guards.tags
    this.#toldFirst({ kind: 'late', startedAt: this.#startedAt, fields: storedVary(head), tags, rest })
  }

  #tell(ended: Ended): void {
    if (this.#done) return
    this.#done = true
    this.#stopTimer()
    this.#taking?.capture.release()
    this.#taking = undefined
    this.#told(ended)
  }
}

function instead(answer: Answer): HeadOrders {
  return { status: answer.status, without: [], set: [], watchBody: false, instead: answer }
}

/** Those of a 304 are for its own client: they are not kept. */
function cookiesOf({ fields }: ResponseHead): Fields {
  return fields.filter(([name]) => COOKIES.includes(name.toLowerCase()))
}

/** A response that is being taken: judged by its head, its body on the way. */
interface Taking {
  readonly candidate: Candidate
  readonly headAt: number
  readonly capture: Capture
}

function isCutShort({ candidate, capture }: Taking): boolean {
  const declared = combined(candidate.head.fields, 'content-length')
  return declared !== undefined && Number(declared) !== capture.bytes
}
