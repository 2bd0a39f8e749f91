import { forwardStatus } from './cache-status.ts'
import { Capture } from './capture.ts'
import { isConditional } from './conditional.ts'
import { confirmed, confirmedAnswer, confirmedHead, isSpared, misconfirmedAnswer, standInAnswer } from './confirming.ts'
import { asSaidInFront, variesInFront } from './front.ts'
import { instead } from './passing.ts'
import { storedOf, withDate } from './intake.ts'
import { combined } from './message.ts'
import { names } from './no-vary-search.ts'
import { tagsForInner } from './resource-tags.ts'
import { ResponseGuards } from './response-guards.ts'
import { isError, mayServeOnError } from './reuse.ts'
import { candidateOf, refusalOf } from './storable.ts'
import { storedVary } from './stored-response.ts'
import { supersedes } from './superseding.ts'
import { isCutShort, ordersFor } from './taking.ts'
import { selects } from './validation.ts'
import { normalizedFields } from './vary.ts'
import type { Clock } from '../clock.ts'
import type { HttpOutcome } from '../counters/http-counters.ts'
import type { CaptureMemory } from './capture.ts'
import type { HeadOrders, InnerCache, Watcher } from './exchange.ts'
import type { Fields, RequestHeaders, ResponseHead } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { Ended, Recorded, Subject } from './recorded.ts'
import type { SearchVariances } from './search-variances.ts'
import type { Candidate } from './storable.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Taking } from './taking.ts'
import type { Tally } from './tally.ts'
import type { HeaderReads } from './watched-headers.ts'

/** How long after its head the end of a response is waited for, and how long then it is recorded on at most. */
export const PATIENCE_MS = 1000
const LONGEST_REST_MS = 30_000

/** What recordings go by. */
export interface RecordingParts {
  readonly settings: HttpSettings
  readonly namespace: string
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
  readonly normalized: RequestHeaders | undefined
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
    const asksForLess = isConditional(headers) || headers.range !== undefined || subject.validators !== undefined
    this.hidesConditionals = asksForLess && !subject.showsConditionals
    this.normalized = normalizedFields(headers, parts.settings.normalize)
    this.mayReplace = asksForLess || subject.stale !== undefined
  }

  get headerReads(): HeaderReads {
    return this.#guards.headerReads
  }

  setTtl(ms: number): void {
    this.#routeMs = ms
  }

  /** Before the head, too, those who wait are let go at once: a route may not know for long what it will answer. */
  skip(): void {
    this.#skipped = true
    if (this.#taking) this.#refuse('skip')
    else this.#tell({ kind: 'unshareable', supersedes: false })
  }

  addTags(tags: readonly string[]): void {
    this.#guards.addTags(tags)
  }

  /** What tells pages apart was settled when the cache looked for this one; what else would have is put into `Vary`. */
  refine(inner: InnerCache): void {
    const { settings } = inner
    this.#guards.addTags(tagsForInner(this.#subject.request, this.#parts, inner))
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

  /** What is in front may know better whose page it is: a session that begins with it, a lifetime of its own. */
  headChanged(fields: Fields): void {
    if (!this.#taking) return
    const { candidate, headAt } = this.#taking
    const { head } = candidate
    const said = () => this.#refusal(this.#candidate(asSaidInFront(head, fields), headAt))
    const refusal = variesInFront(head, fields) ? 'vary' : said()
    if (refusal !== undefined) this.#refuse(refusal)
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
    const { resource, stale, validators } = this.#subject
    if (stale === undefined || validators === undefined || head.status !== 304) return undefined
    if (!selects(head, stale)) {
      this.#tell({ kind: 'abandoned' })
      return instead(misconfirmedAnswer(this.#subject, stale, now))
    }
    const candidate = this.#candidate(confirmedHead(stale, head), now)
    const refusal = this.#refusal(candidate)
    this.#guards.addTags(stale.tags)
    const facts = { resource, tags: this.#guards.tags, headAt: now }
    const stored = confirmed(candidate, stale, facts, this.#settings)
    const isStored = refusal === undefined && !isSpared(stale, stored, now)
    if (refusal === undefined) this.#tell({ kind: isStored ? 'complete' : 'confirmed', stored })
    else this.#refuse(refusal, stored.status)
    this.#answered('revalidated')
    return instead(confirmedAnswer(this.#subject, stored, head, { stored: isStored, detail: refusal }, now))
  }

  /** What is stored stands in for an error (RFC 5861, section 4). */
  #standIn({ status }: ResponseHead, now: number): HeadOrders | undefined {
    const { request, stale } = this.#subject
    if (stale === undefined || !isError(status)) return undefined
    if (!mayServeOnError(request, stale, this.#settings, now)) return undefined
    this.#tell({ kind: 'failed', status })
    this.#answered('stale')
    return instead(standInAnswer(this.#subject, stale, status, now))
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
      this.#refuse(refusal, head.status)
    }
    const watchBody = this.#taking !== undefined
    const { reason, shownKey: key } = this.#subject
    const cacheStatus = forwardStatus(reason, { stored: watchBody, detail: refusal, key })
    const set = head === written ? [] : [['Vary', combined(head.fields, 'vary') ?? ''] as const]
    return ordersFor(this.#subject.request, head, { set, watchBody, cacheStatus }, this.#settings, now)
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
  #refuse(detail: string | undefined, status = this.#taking?.candidate.head.status): void {
    if (detail !== undefined) this.#parts.tally.refused(detail, this.#subject.request)
    const isNewer = detail !== undefined && status !== undefined && supersedes(status, detail)
    this.#tell({ kind: 'unshareable', supersedes: isNewer })
  }

  #keep({ candidate, headAt, capture }: Taking): StoredResponse {
    const facts = { resource: this.#subject.resource, tags: this.#guards.tags, headAt }
    return storedOf(candidate, capture.body(), facts, this.#settings)
  }

  /** The recording goes on, for another listener: nobody is kept waiting for what it comes to. */
  #tellLate(head: ResponseHead): void {
    if (this.#guards.hasTooManyTags) {
      this.#refuse('too-many-tags')
      return
    }
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
