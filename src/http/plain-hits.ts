import { wholeAnswer } from './answer.ts'
import { hitStatus } from './cache-status.ts'
import { asKept } from './response-store.ts'
import { isFresh } from './reuse.ts'
import { ageSeconds, ttlSeconds } from './stored-response.ts'
import type { Answer } from './exchange.ts'
import type { RequestHeaders } from './message.ts'
import type { HttpParts } from './response-store.ts'
import type { StoredResponse } from './stored-response.ts'

/** A GET of which nothing else was looked at. */
export interface PlainGet {
  readonly scheme: string
  readonly host: string | undefined
  readonly target: string
  readonly headers: RequestHeaders
}

/** An answer, and how long it says the right thing: it counts whole seconds. */
interface Ready {
  readonly answer: Answer
  readonly from: number
  /** Its Age is another one from then on. */
  readonly ageUntil: number
  /** Its `ttl` is so after that. */
  readonly ttlUntil: number
}

/**
 * Fields of a request that have a say in what it is answered from the cache, the declared ones aside: a request without any
 * of them is answered with the whole of what is fresh.
 */
const WITH_A_SAY = [
  ...['authorization', 'cache-control', 'content-length', 'transfer-encoding', 'x-forwarded-host', 'x-forwarded-proto'],
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'range'],
  ...['x-original-url', 'x-rewrite-url', 'x-host', 'x-http-method-override', 'x-http-method', 'x-method-override'],
]

/**
 * The short way of most hits: the same answers as the long one (`HttpCache.handle`), for requests in which nothing bears on
 * the answer but their URL, to responses that L1 has fresh. It judges by the same entry of L1 each time, and remembers of a
 * response only how it says its Age.
 */
export class PlainHits {
  readonly #parts: HttpParts
  readonly #say: ReadonlySet<string>
  readonly #ready = new WeakMap<StoredResponse, Ready>()

  /** `undefined`: by these settings every answer depends on more. */
  static of(parts: HttpParts): PlainHits | undefined {
    const { keyHeaders, compress, cacheStatus } = parts.settings
    return keyHeaders.length > 0 || compress || cacheStatus === 'debug' ? undefined : new PlainHits(parts)
  }

  private constructor(parts: HttpParts) {
    this.#parts = parts
    this.#say = new Set(parts.settings.cookies === 'bypass' ? [...WITH_A_SAY, 'cookie'] : WITH_A_SAY)
  }

  /** The answer to a GET without a client certificate, counted as given; `undefined`: the long way has it, or there is none. */
  answer({ scheme, host, target, headers }: PlainGet): Answer | undefined {
    for (const name in headers) if (this.#say.has(name)) return undefined
    const { keys, door, clock, tally } = this.#parts
    const named = keys.lately(scheme, host, target)
    const there = named && door.peekEntry(named.resourceKey)
    const stored = there && asKept(there.value)
    if (stored?.kind !== 'response' || stored.resource !== named?.resource) return undefined
    const now = clock.wall()
    if (!isFresh(stored, there?.freshness ?? 'stale', now)) return undefined
    door.noteHit()
    tally.answered('hit')
    return this.#whole(stored, now)
  }

  #whole(stored: StoredResponse, now: number): Answer {
    const known = this.#ready.get(stored)
    if (known && known.from <= now && now < known.ageUntil && now <= known.ttlUntil) return known.answer
    const age = ageSeconds(stored, now)
    const ttl = ttlSeconds(stored, now)
    const answer = wholeAnswer(stored, age, hitStatus(ttl, 'L1'))
    const ageUntil = stored.bornAt + (age + 1) * 1000
    this.#ready.set(stored, { answer, from: now, ageUntil, ttlUntil: stored.freshUntil - ttl * 1000 })
    return answer
  }
}
