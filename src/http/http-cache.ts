import { door } from '../cache/seek.ts'
import { admit, FIRST_SIGHT } from './admission.ts'
import { CaptureMemory } from './capture.ts'
import { CodedForms } from './coded-forms.ts'
import { fill } from './filling.ts'
import { Followers } from './followers.ts'
import { warningsOf } from './guard-warnings.ts'
import { held } from './held.ts'
import { HitForMiss } from './hit-for-miss.ts'
import { Invalidating } from './invalidating.ts'
import { readHttpOptions } from './settings.ts'
import { post } from './posting.ts'
import { PlainHits } from './plain-hits.ts'
import { drop, purgesOf } from './purging.ts'
import { read } from './reading.ts'
import { Keys } from './keys.ts'
import { classOf, unnamed } from './request-key.ts'
import { asKept, responseStore } from './response-store.ts'
import { SearchVariances } from './search-variances.ts'
import { passOn, serve, sight } from './serving.ts'
import { shownKey } from './shown-key.ts'
import { Sightings } from './sightings.ts'
import { Tally } from './tally.ts'
import { VariantCounts, VaryWidths } from './variants.ts'
import { invalidatedHosts } from './unsafe-methods.ts'
import { variantPlace } from './visit.ts'
import type { Cache } from '../cache/cache.ts'
import type { Admission } from './admission.ts'
import type { Exchange } from './exchange.ts'
import type { Invalid } from './invalidating.ts'
import type { HttpRequest } from './message.ts'
import type { HttpCacheOptions } from './options.ts'
import type { HttpSettings } from './settings.ts'
import type { Purges } from './purging.ts'
import type { HttpParts } from './response-store.ts'
import type { Sighting } from './serving.ts'
import type { Visit } from './visit.ts'

/** What all responses that are being recorded may hold in memory together, beside what is stored. */
const CAPTURED_BYTES_MOST = 64 * 2 ** 20

/**
 * A response cache in front of an application (RFC 9111), knowing neither the framework nor where responses are kept.
 * `handle` tells the story of one request.
 */
export class HttpCache {
  readonly settings: HttpSettings
  /** Of the cache that it was given: the full name. */
  readonly namespace: string
  /** The short way of most hits, which a face may ask first; `undefined`: there is none. */
  readonly plainHits: PlainHits | undefined
  /** For the face to hand out. */
  readonly purges: Purges
  readonly #parts: HttpParts
  /** `undefined`: pages are stored at first sight. */
  readonly #sightings: Sightings | undefined

  constructor(cache: Cache, options: HttpCacheOptions | undefined) {
    this.settings = readHttpOptions(options)
    const store = responseStore(cache, this.settings)
    this.namespace = cache.name
    this.#parts = {
      store,
      namespace: cache.name,
      door: store[door],
      settings: this.settings,
      keys: new Keys(),
      clock: store[door].clock,
      hitForMiss: new HitForMiss(),
      widths: new VaryWidths(),
      variants: new VariantCounts(),
      followers: new Followers(),
      captured: new CaptureMemory(CAPTURED_BYTES_MOST),
      searches: new SearchVariances(),
      forms: this.settings.compress && new CodedForms(this.settings.compress),
      tally: new Tally(cache.counters.http, warningsOf(cache.counters.http)),
    }
    const { secondSightMs } = this.settings
    this.#sightings = secondSightMs === undefined ? undefined : new Sightings(secondSightMs)
    this.plainHits = PlainHits.of(this.#parts)
    this.purges = purgesOf(cache, this.#parts)
  }

  /** Sees to one request. A hit in L1 is answered before this returns. */
  handle(exchange: Exchange): void {
    const { request } = exchange
    const admission = admit(request, this.settings)
    switch (admission.way) {
      case 'invalidate':
        this.#parts.tally.answered('bypass')
        this.#change(exchange)
        break
      case 'pass':
        if (admission.detail === 'method') passOn(this.#parts, { exchange, request }, 'method')
        else passOn(this.#parts, { exchange, request }, 'bypass', admission.detail)
        break
      case 'read':
      case 'fill':
        this.#lookUp(exchange, admission)
        break
      default:
        admission.way satisfies never
    }
  }

  /** Lets an unsafe request through, and drops what it makes invalid. */
  #change(exchange: Exchange): void {
    const { request } = exchange
    const all = new Invalidating(request, this.settings, (invalid) => this.#invalidate(request, invalid))
    const mayStore = this.settings.storePost && request.method === 'POST'
    const named = mayStore ? this.#parts.keys.named(request, this.settings) : undefined
    if (!named) {
      exchange.forward(all)
      return
    }
    const { target } = request
    const others = new Invalidating(request, this.settings, ({ targets, tags }) =>
      this.#invalidate(request, { targets: targets.filter((each) => each !== target), tags }),
    )
    const drop = () => this.#invalidate(request, { targets: [target], tags: [] })
    const kept = { ...request, headers: { ...request.headers } }
    void post(this.#parts, { exchange, request: kept, ...named }, { all, others, drop })
  }

  #lookUp(exchange: Exchange, admission: Admission): void {
    const { request } = exchange
    const named = this.#parts.keys.named(request, this.settings)
    if (!named) {
      passOn(this.#parts, { exchange, request }, 'bypass', unnamed(request, this.settings))
      return
    }
    const { resource, resourceKey } = named
    const key = this.settings.cacheStatus === 'debug' ? shownKey(request, this.settings) : undefined
    const visit: Visit = { exchange, request, resource, resourceKey, shownKey: key }
    if (this.#serveNear(visit)) return
    const wider = this.#widened(visit)
    if (wider && this.#serveNear(wider)) return
    void this.#searchOn(wider ?? visit, admission)
  }

  /** Whether L1 had the answer. */
  #serveNear(visit: Visit): boolean {
    const near = this.#peek(visit)
    if (near?.reuse !== 'serve') return false
    this.#parts.door.noteHit()
    serve(this.#parts, visit, near, 'L1')
    return true
  }

  /** The same request, as one for any URL that is equivalent to its own by what responses of the path have said. */
  #widened(visit: Visit): Visit | undefined {
    const { searches, settings, keys } = this.#parts
    const variance = searches.of(visit.request)
    const resource = variance && classOf(visit.request, variance, settings)
    return resource === undefined ? undefined : { ...visit, resource, resourceKey: keys.of(resource), variance }
  }

  /** Handlers may change the fields of their request while the response is made: from here on they are kept. */
  async #searchOn(asked: Visit, admission: Admission): Promise<void> {
    const { request } = asked
    const visit: Visit = { ...asked, request: { ...request, headers: { ...request.headers } } }
    if (admission.way !== 'fill') await read(this.#parts, visit, admission)
    else if (this.#isFirstSight(visit)) await read(this.#parts, visit, FIRST_SIGHT)
    else await fill(this.#parts, visit)
  }

  #isFirstSight({ resourceKey }: Visit): boolean {
    return this.#sightings !== undefined && !this.#sightings.again(resourceKey, this.#parts.clock.wall())
  }

  /** What L1 has for a request, without waiting. */
  #peek(visit: Visit): Sighting | undefined {
    const { door } = this.#parts
    let there = door.peekEntry(visit.resourceKey)
    let kept = there && asKept(there.value)
    if (kept?.kind === 'variants') {
      if (there?.freshness === 'stale') return undefined
      there = door.peekEntry(variantPlace(this.#parts, visit, kept).key)
      kept = there && asKept(there.value)
    }
    return there && kept?.kind === 'response' ? sight(this.#parts, visit, kept, there.freshness) : undefined
  }

  /** Drops what is invalid, variants included. Waits for it only so long, and never fails. */
  async #invalidate(request: HttpRequest, { targets, tags }: Invalid): Promise<void> {
    const { clock, store, tally } = this.#parts
    tally.counters.invalidations.method += targets.length + tags.length
    const hosts = invalidatedHosts(request)
    const requests = targets.flatMap((target) => hosts.map((host) => ({ ...request, method: 'GET', target, host })))
    const dropped = requests.map((each) => drop(this.#parts, store, each))
    await held(clock, Promise.all([...dropped, ...this.#dropTags(tags)]))
  }

  /** A call takes so many tags at most; a response may name more groups. */
  #dropTags(tags: readonly string[]): Promise<unknown>[] {
    const calls: Promise<unknown>[] = []
    for (let from = 0; from < tags.length; from += TAGS_AT_ONCE) {
      calls.push(this.#parts.store.invalidateTags(...tags.slice(from, from + TAGS_AT_ONCE)))
    }
    return calls
  }
}

const TAGS_AT_ONCE = 32
