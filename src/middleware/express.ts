import { HttpCache } from '../http/http-cache.ts'
import { detach } from './detached.ts'
import { expressPlainGetOf, expressRequestOf, outermost } from './express-request.ts'
import { answerTo, NodeExchange } from './node-exchange.ts'
import { readContent } from './query-content.ts'
import { watcherOf, watchForCache } from './response-cache.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cache } from '../cache/cache.ts'
import type { Exchange, Watcher } from '../http/exchange.ts'
import type { HttpRequest } from '../http/message.ts'
import type { HttpCacheOptions } from '../http/options.ts'
import type { Purges } from '../http/purging.ts'
import type { ExpressRequest } from './express-request.ts'

export type { HttpCacheOptions } from '../http/options.ts'
export type { Purges } from '../http/purging.ts'
export type { ResponseCache } from './response-cache.ts'

/** A middleware of Express 4 or 5. */
export type ExpressMiddleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void

type Next = (error?: unknown) => void

/**
 * Caches responses of the routes behind it: for the whole application, a router, or one route.
 *
 * Where one such middleware stands behind another, the inner one only lends its options to the outer one.
 *
 * @example
 * import express from 'express'
 * import { createCache } from 'tiercache'
 * import { httpCache } from 'tiercache/middleware/express'
 *
 * const app = express()
 * app.use(httpCache(createCache(), { ttl: '1m' }))
 * app.get('/time', (req, res) => {
 *   res.cache.ttl('10s')
 *   res.json({ now: Date.now() })
 * })
 */
export function httpCache(cache: Cache, options?: HttpCacheOptions): ExpressMiddleware & Purges {
  const engine = new HttpCache(cache, options)
  const middleware: ExpressMiddleware = (req, res, next) => {
    const outer = watcherOf(res)
    if (outer) outer.refine(engine)
    if (outer || res.headersSent) return next()
    const renewal = (req as Renewed)[renewalOf]
    if (renewal?.engine === engine) {
      watchForCache(res, renewal.watcher)
      next()
      return
    }
    const plain = engine.plainHits && expressPlainGetOf(req as ExpressRequest)
    const hit = plain && engine.plainHits?.answer(plain)
    if (hit) {
      answerTo(res, hit, next)
      return
    }
    const request = expressRequestOf(req as ExpressRequest)
    const handle = (read: HttpRequest) =>
      engine.handle(new ExpressExchange(read, req as ExpressRequest, res, next, engine))
    if (request.method !== 'QUERY') handle(request)
    else readContent(req, (content) => handle({ ...request, content }))
  }
  return Object.assign(middleware, engine.purges)
}

/** Where the request of a renewal keeps which cache it is for; that one lets it pass, and watches. */
const renewalOf = Symbol('tiercache.renewal')

interface Renewed extends IncomingMessage {
  [renewalOf]?: { readonly engine: HttpCache; readonly watcher: Watcher }
}

/** A request and response of Express, as the engine sees them. */
class ExpressExchange extends NodeExchange<ExpressRequest> {
  readonly #next: Next
  readonly #engine: HttpCache

  constructor(request: HttpRequest, req: ExpressRequest, res: ServerResponse, next: Next, engine: HttpCache) {
    super(request, req, res)
    this.#next = next
    this.#engine = engine
  }

  detached(): Exchange | undefined {
    const application = outermost(this.req)
    const engine = this.#engine
    return detach(this.request, this.req, (req, res, watcher) => {
      ;(req as Renewed)[renewalOf] = { engine, watcher }
      application(req, res)
    })
  }

  protected fail(error: unknown): void {
    this.#next(error)
  }

  protected run(): void {
    this.#next()
  }
}
