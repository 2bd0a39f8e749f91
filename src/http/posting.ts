import { whenAborted } from '../cache/load-context.ts'
import { hand } from './handing.ts'
import { held } from './held.ts'
import { Recording } from './recording.ts'
import { asKept, bytesOf } from './response-store.ts'
import { storedVary } from './stored-response.ts'
import { resourcePlace } from './visit.ts'
import type { FaceContext } from '../cache/load-context.ts'
import type { HeadOrders, InnerCache, Watcher } from './exchange.ts'
import type { Fields, HttpRequest, ResponseHead } from './message.ts'
import type { Recorded } from './recorded.ts'
import type { HttpParts, Kept } from './response-store.ts'
import type { Visit } from './visit.ts'
import type { HeaderReads } from './watched-headers.ts'

/** What drops what a POST makes invalid. */
export interface PostInvalidation {
  /** Watches an answer that is not stored. */
  readonly all: Watcher
  /** Watches one that may be stored in place of the page of its URL, which it leaves alone. */
  readonly others: Watcher
  /** Drops the page. */
  drop(): Promise<unknown>
}

/**
 * The story of a POST whose answer may stand for the page of its URL (RFC 9110, section 9.3.3). It is a load of the page, so
 * that whatever makes the page invalid meanwhile refuses it, because of this order of events:
 *   A: POST; the handler writes and reads v1
 *   B: PUT; the database gets v2; the page is invalidated
 *   A: ends; v1 would be stored, and served for its whole lifetime
 * What A makes invalid itself is the page that its answer replaces: that is dropped if the answer was not stored after all.
 * A's client has its end when either is done.
 */
export async function post(parts: HttpParts, visit: Visit, invalidation: PostInvalidation): Promise<void> {
  const posting = new Posting(parts, invalidation)
  const own = `http:post:${parts.clock.nonce(12)}`
  const load = (flight: FaceContext): Promise<Kept> => {
    posting.isOn = true
    return answer(parts, visit, posting, own, flight)
  }
  try {
    // Another load of the page is not waited for: then this one is not stored.
    await parts.door.seek<Kept>(visit.resourceKey, load, { accepts: () => false, waitTimeoutMs: 0, bytesOf })
  } catch {
    // A load that failed or outlived its deadline, or a cache that was closed: the core has told it as an event or error.
  }
  if (!posting.isOn) visit.exchange.forward(invalidation.all)
  posting.settle(await isStored(parts, visit, own))
}

async function answer(
  parts: HttpParts,
  visit: Visit,
  posting: Posting,
  own: string,
  flight: FaceContext,
): Promise<Kept> {
  if (visit.exchange.isGone()) return hand(parts, resourcePlace(visit), flight, { kind: 'again' })
  const recorded = await new Promise<Recorded>((resolve) => {
    const { resource } = visit
    const subject = { request: unconditional(visit.request), resource, reason: 'method', forClient: false } as const
    const recording = new Recording(parts, subject, resolve)
    recording.addTags([own])
    flight[whenAborted](() => recording.abandon())
    posting.recording = recording
    visit.exchange.forward(posting)
  })
  // What is late is for its client alone. Other fields than those of a GET have chosen a variant.
  const mayStand = recorded.kind === 'complete' && storedVary(recorded.stored).length === 0
  return hand(parts, resourcePlace(visit), flight, mayStand ? recorded.stored : { kind: 'again' })
}

async function isStored({ store }: HttpParts, { resourceKey }: Visit, own: string): Promise<boolean> {
  try {
    const kept = asKept((await store.getEntry(resourceKey))?.value)
    return kept?.kind === 'response' && kept.tags.includes(own)
  } catch {
    // A closed cache.
    return false
  }
}

/** Preconditions of a POST are the application's to judge. */
function unconditional(request: HttpRequest): HttpRequest {
  const { 'if-none-match': _, 'if-modified-since': __, range: ___, ...headers } = request.headers
  return { ...request, headers }
}

/** Watches the answer to a POST: records it as far as it may be stored, and has dropped what it makes invalid. */
class Posting implements Watcher {
  readonly hidesConditionals = false
  readonly mayReplace = false
  readonly watchesBody = true
  readonly holdsEnd = true
  /** Whether the application was asked. */
  isOn = false
  recording: Recording | undefined
  /** Tells whether the answer was stored. */
  settle: (isStored: boolean) => void = () => {}
  readonly #isStored: Promise<boolean>
  readonly #clock: HttpParts['clock']
  readonly #invalidation: PostInvalidation
  /** The answer may be stored: what it replaces stands until it ends. */
  #mayStand = false
  #hasEnded = false

  constructor({ clock }: HttpParts, invalidation: PostInvalidation) {
    this.#clock = clock
    this.#invalidation = invalidation
    this.#isStored = new Promise((resolve) => {
      this.settle = resolve
    })
  }

  get headerReads(): HeaderReads | undefined {
    return this.recording?.headerReads
  }

  headChanged(fields: Fields): void {
    this.recording?.headChanged(fields)
  }

  head(head: ResponseHead): HeadOrders {
    const recorded = this.recording?.head(head)
    this.#mayStand = recorded?.watchBody === true
    const orders = this.#watcher.head(head)
    return recorded?.watchBody ? recorded : orders
  }

  chunk(bytes: Uint8Array): boolean {
    return this.recording?.chunk(bytes) ?? false
  }

  beforeEnd(): Promise<unknown> {
    this.#hasEnded = true
    this.recording?.over(true)
    return Promise.all([this.#watcher.beforeEnd(), this.#replaced()])
  }

  /** An answer that was cut off: what it was to replace is invalid all the same. */
  over(): void {
    if (this.#hasEnded) return
    this.recording?.over(false)
    void this.#replaced()
  }

  setTtl(ms: number): void {
    this.recording?.setTtl(ms)
  }

  skip(): void {
    this.recording?.skip()
  }

  addTags(tags: readonly string[]): void {
    this.recording?.addTags(tags)
  }

  refine(inner: InnerCache): void {
    this.recording?.refine(inner)
  }

  get #watcher(): Watcher {
    return this.#mayStand ? this.#invalidation.others : this.#invalidation.all
  }

  /** The page is the answer, or gone. */
  #replaced(): Promise<void> | undefined {
    if (!this.#mayStand) return undefined
    return held(
      this.#clock,
      this.#isStored.then((isStored) => (isStored ? undefined : this.#invalidation.drop())),
    )
  }
}
