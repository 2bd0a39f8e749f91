import { requestField } from './message.ts'
import { variantOf } from './request-key.ts'
import type { ForwardReason } from './cache-status.ts'
import type { Exchange } from './exchange.ts'
import type { HttpRequest } from './message.ts'
import type { SearchVariance } from './no-vary-search.ts'
import type { HttpParts, Variants } from './response-store.ts'

/** A request on its way through the cache. */
export interface Visit {
  readonly exchange: Exchange
  /** The request as it came in: handlers may change theirs while the response is made. */
  readonly request: HttpRequest
  readonly resource: string
  readonly resourceKey: string
  /** The variance under which the resource is one of several that are equivalent; `undefined`: it is the URL's own. */
  readonly variance?: SearchVariance | undefined
  /** For Cache-Status; `undefined`: the client is not told. */
  readonly shownKey?: string | undefined
}

/** Where a visit looks: under the resource, or under one of its variants. */
export interface Place {
  readonly key: string
  /** The rule that led here; `undefined` at the resource itself. */
  readonly rule: Variants | undefined
}

/** Where a resource stands. */
export function resourcePlace({ resourceKey }: Visit): Place {
  return { key: resourceKey, rule: undefined }
}

/** Where the variant of a resource stands that a request asks for. */
export function variantPlace(parts: HttpParts, visit: Visit, rule: Variants): Place {
  return {
    key: parts.keys.of(variantOf(visit.resourceKey, rule, visit.request.headers, parts.settings.normalize)),
    rule,
  }
}

/** Why a request goes on that found nothing in a place. */
export function missReason({ rule }: Place): ForwardReason {
  return rule && rule.fields.length > 0 ? 'vary-miss' : 'uri-miss'
}

/**
 * The same visit without its client, for a renewal; made before the client is answered, since the application looks at
 * that connection. `undefined`: the face has no way, or without the client's credentials another page or variant is asked
 * for.
 */
export function withoutClient(parts: HttpParts, visit: Visit, place: Place): Visit | undefined {
  const exchange = visit.exchange.detached?.()
  if (!exchange) return undefined
  const { request } = exchange
  const isSame = (name: string) => requestField(request.headers, name) === requestField(visit.request.headers, name)
  if (!parts.settings.keyHeaders.every(isSame)) return undefined
  const clientless = { ...visit, exchange, request }
  return !place.rule || variantPlace(parts, clientless, place.rule).key === place.key ? clientless : undefined
}
