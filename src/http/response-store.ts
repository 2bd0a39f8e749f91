import { badValue } from '../errors.ts'
import { isIntact, responseBytes } from './stored-response.ts'
import type { Cache } from '../cache/cache.ts'
import type { Door, door, Sought } from '../cache/seek.ts'
import type { Clock } from '../clock.ts'
import type { CaptureMemory } from './capture.ts'
import type { CodedForms } from './coded-forms.ts'
import type { Followers } from './followers.ts'
import type { HitForMiss } from './hit-for-miss.ts'
import type { HttpSettings } from './settings.ts'
import type { Keys } from './keys.ts'
import type { VariantRule } from './request-key.ts'
import type { SearchVariances } from './search-variances.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Tally } from './tally.ts'
import type { VariantCounts, VaryWidths } from './variants.ts'

/** What stands under the key of a resource that has variants: how to tell them apart. */
export interface Variants extends VariantRule {
  readonly kind: 'variants'
  /** Those of the first variant: what is made invalid while that is stored takes the rule along. */
  readonly tags: readonly string[]
}

/** The tag of all variants under a rule: to expire it makes them stale, and leaves the rule. */
export function variantsTag({ nonce }: Variants): string {
  return `http:variant:${nonce}`
}

/**
 * What a flight hands to those who waited for it when there is nothing to share; never stored.
 *
 * - `unshareable`: each of them goes to the application.
 * - `again`: they go round again; one of them will be the next to ask the application.
 */
export interface NothingShared {
  readonly kind: 'unshareable' | 'again'
}

/** What is found under a key: of a resource, or of one of its variants. */
export type Kept = StoredResponse | Variants | NothingShared

/** What is known of how something was come by. */
export type Found = Sought<Kept>

/** Those that were found intact, so that a hit is not examined each time. */
const intact = new WeakSet<object>()

/**
 * What stands in the store, if it is of our making: others may write to Redis, and nothing that they put there may
 * break a request. `undefined` for anything else.
 */
export function asKept(value: unknown): Kept | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (intact.has(value)) return value as Kept
  const { kind } = value as Partial<Kept>
  const isOurs =
    kind === 'unshareable' ||
    kind === 'again' ||
    (kind === 'variants' && isRule(value as Partial<Variants>)) ||
    (kind === 'response' && isIntact(value as Partial<StoredResponse>))
  if (!isOurs) return undefined
  intact.add(value)
  return value as Kept
}

/** About how many bytes it takes in memory. */
export function bytesOf(kept: Kept): number {
  return kept.kind === 'response' ? responseBytes(kept) : RULE_BYTES
}

const RULE_BYTES = 512

function isRule({ nonce, fields, tags }: Partial<Variants>): boolean {
  return typeof nonce === 'string' && [fields, tags].every(isListOfTexts)
}

function isListOfTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every((text) => typeof text === 'string')
}

/** What the engine needs of a cache, and of its {@link Door}. */
export type ResponseStore = Pick<
  Cache,
  'getEntry' | 'has' | 'set' | 'delete' | 'expire' | 'invalidateTags' | 'expireTags' | typeof door
>

/**
 * The part of a cache where responses are kept. Readers share them without copies, as nothing here changes one; how
 * long they are fresh is theirs to say, to the second. What the cache says of its values does not apply, down to the last
 * default: see docs/decisions/0046-defaults-of-values-are-not-of-responses.md.
 */
export function responseStore(cache: Cache, { hardTimeoutMs, waitTimeoutMs }: HttpSettings): ResponseStore {
  if (typeof cache?.namespace !== 'function') {
    throw badValue('ERR_INVALID_ARGUMENT', 'cache', 'a cache made by createCache', cache)
  }
  return cache.namespace('http', {
    isolation: 'reference',
    jitter: 0,
    stale: 0,
    schema: false,
    refreshAhead: false,
    l1Ttl: 'never',
    requireAck: false,
    tags: [],
    tiers: 'all',
    hardTimeout: hardTimeoutMs,
    waitTimeout: waitTimeoutMs ?? hardTimeoutMs,
  })
}

/** The parts of one response cache, handed to its stories. */
export interface HttpParts {
  readonly store: ResponseStore
  readonly door: Door
  /** Of the cache whose part the store is. */
  readonly namespace: string
  readonly settings: HttpSettings
  readonly keys: Keys
  readonly clock: Pick<Clock, 'wall' | 'after' | 'inBackground' | 'nonce'>
  readonly hitForMiss: HitForMiss
  readonly widths: VaryWidths
  readonly variants: VariantCounts
  readonly followers: Followers
  readonly captured: CaptureMemory
  readonly searches: SearchVariances
  /** `undefined`: responses are sent in the coding in which they are stored. */
  readonly forms: CodedForms | undefined
  readonly tally: Tally
}
