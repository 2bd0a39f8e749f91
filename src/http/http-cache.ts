import { systemClock } from '../clock.ts'
import { admit, ONLY_IF_CACHED } from './admission.ts'
import { answerOf, GATEWAY_TIMEOUT } from './answer.ts'
import { forwardStatus, hitStatus } from './cache-status.ts'
import { fill, unusedStatus, variantPlace } from './filling.ts'
import { HitForMiss } from './hit-for-miss.ts'
import { Invalidating } from './invalidating.ts'
import { readHttpOptions } from './options.ts'
import { Passing } from './passing.ts'
import { Keys, resourceOf, unnamed } from './request-key.ts'
import { asKept, responseStore, VaryWidths } from './response-store.ts'
import { mayReuse } from './reuse.ts'
import { ttlSeconds } from './stored-response.ts'
import type { Cache } from '../cache/cache.ts'
import type { Admission } from './admission.ts'
import type { Exchange } from './exchange.ts'
import type { Visit } from './filling.ts'
import type { TierName } from './cache-status.ts'
import type { HttpRequest } from './message.ts'
import type { HttpCacheOptions, HttpSettings } from './options.ts'
import type { HttpParts } from './response-store.ts'
import type { StoredResponse } from './stored-response.ts'

/** Longer than any deadline of a command: an invalidation that is not through by then goes on without its client. */
const LONGEST_HOLD_MS = 1000

/**
 * A response cache in front of an application (RFC 9111), knowing neither the framework nor where responses are kept.
 * `handle` tells the story of one request.
 */
export class HttpCache {
  readonly settings: HttpSettings
  readonly #parts: HttpParts

  constructor(cache: Cache, options: HttpCacheOptions | undefined, clock: HttpParts['clock'] = systemClock) {
    this.settings = readHttpOptions(options)
    this.#parts = {
      store: responseStore(cache),
      settings: this.settings,
      keys: new Keys(),
      clock,
      hitForMiss: new HitForMiss(),
      widths: new VaryWidths(),
    }
  }

  /** Sees to one request. A hit in L1 is answered before this returns. */
  handle(exchange: Exchange): void {
    const { request } = exchange
    const admission = admit(request, this.settings)
    switch (admission.way) {
      case 'invalidate':
        exchange.forward(new Invalidating(request, (target) => this.#invalidate({ ...request, target })))
        break
      case 'pass':
        exchange.forward(new Passing(passStatus(admission)))
        break
      case 'read':
      case 'fill':
        this.#lookUp(exchange, admission)
        break
      default:
        admission.way satisfies never
    }
  }

  #lookUp(exchange: Exchange, admission: Admission): void {
    const { request } = exchange
    const resource = resourceOf(request, this.settings)
    if (resource === undefined) {
      exchange.forward(new Passing(forwardStatus('bypass', { detail: unnamed(request, this.settings) })))
      return
    }
    const visit: Visit = { exchange, request, resource, resourceKey: this.#parts.keys.of(resource) }
    const near = this.#peek(visit)
    if (near) this.#use(near, 'L1', visit, admission)
    else void this.#searchOn(visit, admission)
  }

  /** Handlers may change the fields of their request while the response is made: from here on they are kept. */
  async #searchOn({ exchange, request, resource, resourceKey }: Visit, admission: Admission): Promise<void> {
    const kept = { ...request, headers: { ...request.headers } }
    const visit: Visit = { exchange, request: kept, resource, resourceKey }
    if (admission.way === 'fill') await fill(this.#parts, visit)
    else await this.#read(visit, admission)
  }

  /** What L1 has for a request, without waiting. */
  #peek(visit: Visit): StoredResponse | undefined {
    const { store } = this.#parts
    let kept = asKept(store.peek(visit.resourceKey))
    if (kept?.kind === 'variants') kept = asKept(store.peek(variantPlace(this.#parts, visit, kept).key))
    return kept?.kind === 'response' ? kept : undefined
  }

  /** The story of a request that may be answered from the store, and whose own response is not stored. */
  async #read(visit: Visit, admission: Admission): Promise<void> {
    const stored = await this.#get(visit)
    if (stored) this.#use(stored, 'L2', visit, admission)
    else if (admission === ONLY_IF_CACHED) visit.exchange.answer(GATEWAY_TIMEOUT)
    else visit.exchange.forward(new Passing(forwardStatus('uri-miss', { detail: admission.detail })))
  }

  /** Answers from what is stored, if it will do for this request. */
  #use(stored: StoredResponse, tier: TierName, visit: Visit, admission: Admission): void {
    const { exchange, request, resource } = visit
    const now = this.#parts.clock.wall()
    const reuse = mayReuse(request, resource, stored, this.settings, now)
    if (reuse === 'serve') exchange.answer(answerOf(stored, request, hitStatus(ttlSeconds(stored, now), tier), now))
    else if (admission === ONLY_IF_CACHED) exchange.answer(GATEWAY_TIMEOUT)
    else exchange.forward(new Passing(unusedStatus(reuse)))
  }

  async #get(visit: Visit): Promise<StoredResponse | undefined> {
    const { store } = this.#parts
    try {
      let kept = asKept(await store.get(visit.resourceKey))
      if (kept?.kind === 'variants') kept = asKept(await store.get(variantPlace(this.#parts, visit, kept).key))
      return kept?.kind === 'response' ? kept : undefined
    } catch {
      // A closed cache: the application answers.
      return undefined
    }
  }

  /** Drops what is stored for a target, variants included. Waits for it only so long, and never fails. */
  async #invalidate(request: HttpRequest): Promise<void> {
    const { store, keys, clock } = this.#parts
    const resource = resourceOf(request, this.settings)
    if (resource === undefined) return
    await new Promise<void>((resolve) => {
      const cancel = clock.after(LONGEST_HOLD_MS, resolve)
      const done = () => {
        cancel()
        resolve()
      }
      store.delete(keys.of(resource)).then(done, done)
    })
  }
}

function passStatus({ detail }: Admission): string {
  return detail === 'method' ? forwardStatus('method') : forwardStatus('bypass', { detail })
}
