import { checkTagNames } from '../entry/key.ts'
import { readDuration } from '../options.ts'
import { watchReads } from './header-reads.ts'
import { watchResponse } from './node-response.ts'
import type { ServerResponse } from 'node:http'
import type { Watcher } from '../http/exchange.ts'
import type { Duration } from '../options.ts'

/** What a route may say to the cache in front of it, as `res.cache`. */
export interface ResponseCache {
  /**
   * How long this response is fresh in this cache, whatever its `max-age`, `s-maxage` or `Expires` say to others.
   * `no-store`, `private`, `no-cache`, `Set-Cookie` and credentials bar it all the same.
   *
   * Call it before the head is sent: later it does nothing but make a warning of the process, once.
   *
   * @throws {TierCacheError} `ERR_INVALID_OPTION`: what came is no duration.
   */
  ttl(duration: Duration): void
  /**
   * This response is not stored, and who waits for it is let go at once, to a run of the handler of its own. Heeded until the
   * response ends. Call it first in a handler that answers late, as in long polling.
   *
   * @example
   * app.get('/poll', (req, res) => {
   *   res.cache.skip()
   *   bus.once('event', (event) => res.json(event))
   * })
   */
  skip(): void
  /**
   * Adds to the tags of this response: `cache.invalidateTags('product:7')` makes it gone, and `expireTags` stale, in every
   * process. Heeded until it ends. A response with more than 60, from wherever, is not stored.
   *
   * @throws {TierCacheError} `ERR_INVALID_TAG`: one is no well-formed text of 1 to 512 bytes.
   * @example
   * app.get('/products/:id', (req, res) => {
   *   res.cache.tags(`product:${req.params.id}`)
   *   res.json({ id: req.params.id })
   * })
   */
  tags(...tags: string[]): void
}

declare global {
  namespace Express {
    interface Response {
      /**
       * Set by tiercache on every response that a route of Express makes behind `httpCache`, `accelerate` or `cached`. The
       * type cannot tell where that is: where none of them stands in front, this is `undefined`.
       */
      cache: ResponseCache
    }
  }
}

/** Where a response keeps the watcher that it already has. */
const watcherKey = Symbol('tiercache.watcher')

interface WatchedByCache extends ServerResponse {
  cache: ResponseCache
  [watcherKey]?: Watcher
}

/** The watcher of a cache that stands further outside. */
export function watcherOf(res: ServerResponse): Watcher | undefined {
  return (res as WatchedByCache)[watcherKey]
}

/**
 * Shows a response to the watcher of a cache, and gives its route a way to speak to it. Call it before the route can
 * write. `afterHead` runs when the head is there.
 */
export function watchForCache(res: ServerResponse, watcher: Watcher, afterHead?: () => void): void {
  const response = res as WatchedByCache
  response[watcherKey] = watcher
  response.cache = {
    ttl: (duration) => {
      const ms = readDuration('res.cache.ttl', duration)
      if (res.headersSent) warnOfLateTtl()
      else watcher.setTtl(ms)
    },
    skip: () => watcher.skip(),
    tags: (...tags) => watcher.addTags(checkTagNames(tags)),
  }
  if (watcher.headerReads) watchReads(res.req, watcher.headerReads)
  watchResponse(res, watcher, afterHead)
}

let hasWarned = false

/** A mistake of the route, but no reason to cut its response off: Express would do so with one that throws by now. */
function warnOfLateTtl(): void {
  if (hasWarned) return
  hasWarned = true
  const message = 'res.cache.ttl() was called after the head of the response was sent: it has no effect by then'
  process.emitWarning(message, { type: 'TierCacheWarning' })
}
