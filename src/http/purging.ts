import { checkTagNames } from '../entry/key.ts'
import { badValue } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { groupTag } from './groups.ts'
import { purgedTargets } from './purged-targets.ts'
import { tagsOfUrl } from './resource-tags.ts'
import { asKept, variantsTag } from './response-store.ts'
import type { Cache } from '../cache/cache.ts'
import type { ChangeOptions } from '../cache/call-options.ts'
import type { Outcome } from '../cache/write-through.ts'
import type { HttpRequest } from './message.ts'
import type { HttpParts } from './response-store.ts'

/**
 * Ways to make stored responses invalid: in every process, in memory and in Redis. They answer as other changes of a cache do:
 * with `requireAck`, of the call or else of the cache, they reject with `ERR_NOT_ACKNOWLEDGED` what Redis did not acknowledge.
 * Nothing that is being made meanwhile is stored as if it were new.
 */
export interface Purges {
  /**
   * Makes all responses to a URL gone: all variants, under `http` and `https`. A path alone stands for one on each of the
   * option `hosts`.
   *
   * @throws {TierCacheError} `ERR_INVALID_ARGUMENT`: no such URL.
   * @example
   * const pages = httpCache(cache, { ttl: '1h', hosts: ['shop.example'] })
   * await pages.purge('https://shop.example/products/7')
   * await pages.purge('/products/7')
   */
  purge(url: string | URL, options?: ChangeOptions): Promise<Outcome>
  /**
   * Makes them stale: they are revalidated before or, where `stale-while-revalidate` or the option `stale` allow that, behind
   * their next reader.
   */
  softPurge(url: string | URL, options?: ChangeOptions): Promise<Outcome>
  /**
   * Makes all responses with one of these tags gone, and whatever else the cache has with them, as `invalidateTags` does. Tags are
   * named one by one or in lists; options may follow.
   *
   * @throws {TierCacheError} `ERR_INVALID_TAG`: none, or what is no tag.
   * @example
   * await pages.purgeTags('product:7', 'brand:3')
   */
  purgeTags(...tags: TagsToPurge): Promise<Outcome>
  /** Makes them stale, as `expireTags` does. */
  softPurgeTags(...tags: TagsToPurge): Promise<Outcome>
  /**
   * Makes all responses of a group, or of several, gone: those of one origin that name it in `Cache-Groups` (RFC 9875).
   *
   * @example
   * await pages.purgeGroup('https://shop.example', 'products')
   */
  purgeGroup(origin: string | URL, group: string | readonly string[], options?: ChangeOptions): Promise<Outcome>
  /** Makes them stale. */
  softPurgeGroup(origin: string | URL, group: string | readonly string[], options?: ChangeOptions): Promise<Outcome>
}

/** Tags, or lists of them, and maybe options. */
export type TagsToPurge =
  | readonly (string | readonly string[])[]
  | readonly [...tags: (string | readonly string[])[], options: ChangeOptions | undefined]

/** What purges need of the parts of a response cache. */
type PurgeParts = Pick<HttpParts, 'store' | 'keys' | 'settings' | 'tally'>

/** A part of the cache by which entries are changed: its `requireAck` holds. */
type Changes = Pick<Cache, 'delete' | 'expire' | 'invalidateTags' | 'expireTags'>

/** The purges of a response cache over `cache`. */
export function purgesOf(cache: Cache, parts: PurgeParts): Purges {
  const changes = (options: ChangeOptions = {}): Changes => {
    checkOptions('purge', options, ['requireAck'])
    return cache.namespace('http', options.requireAck === undefined ? {} : { requireAck: options.requireAck })
  }
  const ofUrl = async (url: string | URL, change: (request: HttpRequest) => Promise<Outcome>) => {
    const requests = purgedTargets(url, parts.settings.hosts).map(asked)
    parts.tally.counters.invalidations.url++
    return together(await Promise.all(requests.map(change)))
  }
  const ofTags = (named: TagsToPurge): [by: Changes, tags: readonly string[]] => {
    const last = named.at(-1)
    const options = isOptions(last) ? last : undefined
    const tags = checkTagNames(named.flatMap((each) => (each === undefined || isOptions(each) ? [] : each)))
    if (tags.length === 0) throw badValue('ERR_INVALID_TAG', 'tags', 'one tag at least', named)
    const by = changes(options)
    parts.tally.counters.invalidations.tag += tags.length
    return [by, tags]
  }
  const ofGroup = (origin: string | URL, group: string | readonly string[]) => {
    const tags = tagsOfGroup(origin, group)
    parts.tally.counters.invalidations.group++
    return tags
  }
  return {
    purge: async (url, options) => {
      const by = changes(options)
      return ofUrl(url, (request) => drop(parts, by, request))
    },
    softPurge: async (url, options) => {
      const by = changes(options)
      return ofUrl(url, (request) => soften(parts, by, request))
    },
    purgeTags: async (...named) => {
      const [by, tags] = ofTags(named)
      return by.invalidateTags(...tags)
    },
    softPurgeTags: async (...named) => {
      const [by, tags] = ofTags(named)
      return by.expireTags(...tags)
    },
    purgeGroup: async (origin, group, options) => changes(options).invalidateTags(...ofGroup(origin, group)),
    softPurgeGroup: async (origin, group, options) => changes(options).expireTags(...ofGroup(origin, group)),
  }
}

/** Drops what stands under the key of a resource, with its variants, and what is stored for its URL under other keys. */
export async function drop(
  { keys, settings }: Pick<PurgeParts, 'keys' | 'settings'>,
  changes: Pick<Changes, 'delete' | 'invalidateTags'>,
  request: HttpRequest,
): Promise<Outcome> {
  const named = keys.named(request, settings)
  if (!named) return { acknowledged: true }
  const changed = [changes.delete(named.resourceKey), changes.invalidateTags(...tagsOfUrl(request, settings))]
  return together(await Promise.all(changed))
}

/** A rule that is stale says that its variants are, also those that are being made. */
async function soften({ store, keys, settings }: PurgeParts, changes: Changes, request: HttpRequest): Promise<Outcome> {
  const named = keys.named(request, settings)
  if (!named) return { acknowledged: true }
  const key = named.resourceKey
  const kept = asKept((await store.getEntry(key))?.value)
  return together(
    await Promise.all([
      changes.expire(key),
      changes.expireTags(...tagsOfUrl(request, settings), ...(kept?.kind === 'variants' ? [variantsTag(kept)] : [])),
    ]),
  )
}

function asked({ scheme, host, target }: Pick<HttpRequest, 'scheme' | 'host' | 'target'>): HttpRequest {
  return { method: 'GET', scheme, host, target, headers: {}, foreignHost: false }
}

/** Of the origin under both schemes, as a URL is purged. */
function tagsOfGroup(origin: string | URL, group: string | readonly string[]): string[] {
  const groups: readonly unknown[] = Array.isArray(group) ? group : [group]
  const targets = purgedTargets(origin, [])
  const tags = groups.flatMap((name) => {
    if (typeof name !== 'string') throw badValue('ERR_INVALID_ARGUMENT', 'group', 'the name of a group', name)
    return targets.map((target) => groupTag(target, name))
  })
  return [...new Set(tags)].filter((tag) => tag !== undefined)
}

function isOptions(value: unknown): value is ChangeOptions {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function together(outcomes: readonly Outcome[]): Outcome {
  const held = outcomes.find((outcome) => outcome.held)
  return held ?? { acknowledged: outcomes.every(({ acknowledged }) => acknowledged) }
}
