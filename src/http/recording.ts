import { forwardStatus } from './cache-status.ts'
import { Capture } from './capture.ts'
import { isConditional, isLeftOut, isNotModified } from './conditional.ts'
import { formatHttpDate } from './http-date.ts'
import { combined, linesOf } from './message.ts'
import { withCacheStatus } from './passing.ts'
import { candidateOf, isForAuthorized, refusalOf, withheldFields } from './storable.ts'
import { keep, storedVary } from './stored-response.ts'
import { targetedFields } from './targeted.ts'
import type { Clock } from '../clock.ts'
import type { ForwardReason } from './cache-status.ts'
import type { HeadOrders, Watcher } from './exchange.ts'
import type { Fields, HttpRequest, ResponseHead } from './message.ts'
import type { HttpSettings } from './options.ts'
import type { Candidate } from './storable.ts'
import type { StoredResponse } from './stored-response.ts'

/**
 * What became of a response that was watched in order to be stored.
 *
 * - `complete`: here it is.
 * - `unshareable`: it is for this client alone; the others need their own.
 * - `abandoned`: it was cut off before its end; another one may do better.
 * - `late`: it may be shared, but its end is long in coming; what becomes of it then is the `rest`.
 */
export type Recorded = Ended | Late

type Ended =
  | { readonly kind: 'complete'; readonly stored: StoredResponse }
  | { readonly kind: 'unshareable' }
  | { readonly kind: 'abandoned' }

export interface Late {
  readonly kind: 'late'
  /** The request fields that it depends on. */
  readonly fields: readonly string[]
  readonly rest: Promise<Ended>
}

/** How long after its head the end of a response is waited for, and how long then it is recorded on at most. */
export const PATIENCE_MS = 1000
const LONGEST_REST_MS = 30_000

/** What a recording is about: the request as it came in, since handlers may change theirs. */
export interface Subject {
  readonly request: HttpRequest
  readonly resource: string
  readonly reason: ForwardReason
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
  readonly #clock: RecordingClock
  readonly #toldFirst: (recorded: Recorded) => void
  #told: (ended: Ended) => void
  #settings: HttpSettings
  #routeMs: number | undefined
  #skipped = false
  #tags: readonly string[] = []
  #done = false
  #taking: Taking | undefined
  #stopTimer = () => {}

  constructor(subject: Subject, settings: HttpSettings, clock: RecordingClock, told: (recorded: Recorded) => void) {
    this.#subject = subject
    this.#settings = settings
    this.#clock = clock
    this.#toldFirst = told
    this.#told = told
    this.hidesConditionals = isConditional(subject.request.headers)
    this.mayReplace = this.hidesConditionals
  }

  setTtl(ms: number): void {
    this.#routeMs = ms
  }

  skip(): void {
    this.#skipped = true
    if (this.#taking) this.#tell({ kind: 'unshareable' })
  }

  addTags(tags: readonly string[]): void {
    this.#tags = [...this.#tags, ...tags]
  }

  refine(settings: HttpSettings): void {
    this.#settings = settings
  }

  head(head: ResponseHead): HeadOrders {
    const now = this.#clock.wall()
    const dated = withDate(head, now)
    const candidate = candidateOf(dated, this.#settings, { now, routeMs: this.#routeMs })
    const refusal = this.#skipped ? 'skip' : refusalOf(this.#subject.request, candidate, this.#settings)
    if (refusal === undefined && !this.#done) {
      this.#taking = { candidate, headAt: now, capture: new Capture(this.#settings.maxBodyBytes) }
      this.#stopTimer = this.#clock.after(PATIENCE_MS, () => this.#tellLate(dated))
    } else {
      this.#tell({ kind: 'unshareable' })
    }
    const stored = this.#taking !== undefined
    const cacheStatus = forwardStatus(this.#subject.reason, { stored, detail: refusal })
    return this.#orders(dated, cacheStatus, now)
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#done || !this.#taking) return false
    if (this.#taking.capture.add(bytes)) return true
    this.#tell({ kind: 'unshareable' })
    return false
  }

  beforeEnd(): undefined {}

  over(complete: boolean): void {
    if (this.#done) return
    if (!complete || !this.#taking) this.#tell({ kind: 'abandoned' })
    else if (isCutShort(this.#taking)) this.#tell({ kind: 'unshareable' })
    else this.#tell({ kind: 'complete', stored: this.#keep(this.#taking) })
  }

  /** Nobody waits for it any more, or not that long: the client alone goes on getting it. */
  abandon(): void {
    this.#tell({ kind: 'abandoned' })
  }

  /** The client's conditionals were hidden from the application: they are judged here, on what it made. */
  #orders(head: ResponseHead, cacheStatus: string, now: number): HeadOrders {
    const set: HeadOrders['set'] = [
      ['Date', linesOf(head.fields, 'date')[0] ?? formatHttpDate(now)],
      withCacheStatus(head.fields, cacheStatus),
    ]
    const watchBody = this.#taking !== undefined
    const ours = targetedFields(head.fields, this.#settings)
    if (!this.hidesConditionals || !isNotModified(this.#subject.request.headers, head, now)) {
      return { status: head.status, without: ours, set, watchBody }
    }
    const tagged = linesOf(head.fields, 'etag').length > 0
    const without = head.fields.map(([name]) => name).filter((name) => isLeftOut(name, tagged))
    return { status: 304, without: [...without, ...ours], set, watchBody }
  }

  #keep({ candidate, headAt, capture }: Taking): StoredResponse {
    const bornAt = headAt - candidate.initialAgeMs
    return keep(candidate.head, capture.body(), {
      resource: this.#subject.resource,
      bornAt,
      freshUntil: bornAt + (candidate.lifetime?.ms ?? 0),
      forAuthorized: isForAuthorized(candidate.control),
      ...candidate.stale,
      retentionMs: candidate.retentionMs,
      tags: this.#tags,
      withheld: withheldFields(candidate.control, this.#settings),
      targeted: this.#settings.targeted,
    })
  }

  /** The recording goes on, for another listener: nobody is kept waiting for what it comes to. */
  #tellLate(head: ResponseHead): void {
    const rest = new Promise<Ended>((resolve) => {
      this.#told = resolve
    })
    this.#stopTimer = this.#clock.inBackground(LONGEST_REST_MS, () => this.abandon())
    this.#toldFirst({ kind: 'late', fields: storedVary(head), rest })
  }

  #tell(ended: Ended): void {
    if (this.#done) return
    this.#done = true
    this.#stopTimer()
    this.#taking = undefined
    this.#told(ended)
  }
}

type RecordingClock = Pick<Clock, 'wall' | 'after' | 'inBackground'>

/** A response that is being taken: judged by its head, its body on the way. */
interface Taking {
  readonly candidate: Candidate
  readonly headAt: number
  readonly capture: Capture
}

/** Node would add a Date that is not seen here: what is stored and what is sent would differ. */
function withDate(head: ResponseHead, now: number): ResponseHead {
  if (linesOf(head.fields, 'date').length > 0) return head
  const fields: Fields = [...head.fields, ['Date', formatHttpDate(now)]]
  return { ...head, fields }
}

function isCutShort({ candidate, capture }: Taking): boolean {
  const declared = combined(candidate.head.fields, 'content-length')
  return declared !== undefined && Number(declared) !== capture.bytes
}
