import { groupTags } from './groups.ts'
import { searchVariance } from './no-vary-search.ts'
import { withNormalEncoding } from './percent-encoding.ts'
import { pathTag, resourceOf, urlTag } from './request-key.ts'
import type { InnerCache } from './exchange.ts'
import type { Fields, HttpRequest } from './message.ts'
import type { HttpSettings } from './settings.ts'

/** The most tags of one response, whoever names them: an entry has 64, a few of which the tiers add. */
export const RESPONSE_TAGS_MOST = 60

/**
 * The tags by which the cache itself finds a response again that is not under the key of its URL alone, and those of its
 * groups.
 */
export function ownTags(request: HttpRequest, fields: Fields, settings: HttpSettings): readonly string[] {
  const isSpelledOtherwise = withNormalEncoding(request.target) !== request.target
  const isOneOfMany = isSpelledOtherwise || request.method === 'QUERY' || settings.keyHeaders.length > 0
  const tags = [
    isOneOfMany ? urlTag(request, settings) : undefined,
    searchVariance(fields) ? pathTag(request) : undefined,
    ...groupTags(request, fields),
  ]
  return tags.filter((tag) => tag !== undefined)
}

/**
 * The tag by which purges of a cache further inside find a response that the outer one keeps; none where they go by the same
 * key.
 */
export function tagsForInner(request: HttpRequest, outer: InnerCache, inner: InnerCache): readonly string[] {
  const isSameKey =
    inner.namespace === outer.namespace && resourceOf(request, inner.settings) === resourceOf(request, outer.settings)
  const tag = isSameKey ? undefined : urlTag(request, inner.settings)
  return tag === undefined ? [] : [tag]
}

/** The tags of all that is stored for a URL under other keys than that of its resource. */
export function tagsOfUrl(request: HttpRequest, settings: HttpSettings): readonly string[] {
  return [urlTag(request, settings), pathTag(request)].filter((tag) => tag !== undefined)
}
