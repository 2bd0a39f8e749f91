import { badValue } from '../errors.ts'
import { HttpCache } from '../http/http-cache.ts'
import { HTTP_NAMES } from '../http/settings.ts'
import { checkOptions } from '../options.ts'
import { detach } from './detached.ts'
import { expressRequestOf } from './express-request.ts'
import { NodeExchange } from './node-exchange.ts'
import { requestOf } from './node-request.ts'
import { readContent } from './query-content.ts'
import { watcherOf, watchForCache } from './response-cache.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cache } from '../cache/cache.ts'
import type { Exchange } from '../http/exchange.ts'
import type { HttpRequest } from '../http/message.ts'
import type { HttpCacheOptions } from '../http/options.ts'
import type { Purges } from '../http/purging.ts'
import type { ExpressRequest } from './express-request.ts'
import type { ResponseCache } from './response-cache.ts'

export type { HttpCacheOptions } from '../http/options.ts'
export type { Purges } from '../http/purging.ts'
export type { ResponseCache } from './response-cache.ts'

/** What a handler behind `cached` finds on its responses. */
export interface InCache {
  readonly cache: ResponseCache
}

/** Express's; a listener of node:http is called without one. */
type Next = (error?: unknown) => void

/**
 * Caches the responses of one handler: of a route of Express 4 or 5, or a listener of node:http that stands alone.
 *
 * A renewal behind a reader runs the handler and nothing else. What middlewares have put on the request (a user, a
 * session, a parsed body) is not there then, as it is the reader's; `params`, `query` and the URL are. A handler that
 * needs more than that renews nothing, and its responses are renewed in front of a reader.
 *
 * What a handler throws or rejects with goes to `next`, in Express 4 as well.
 *
 * @throws {TierCacheError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`: a bad option. `ERR_INVALID_ARGUMENT`: no cache, or no handler.
 *
 * @example
 * import { createCache } from 'tiercache'
 * import { cached } from 'tiercache/middleware/cached'
 *
 * const cache = createCache()
 * app.get('/products/:id', cached(cache, async (req, res) => {
 *   res.json(await loadProduct(req.params.id))
 * }, { ttl: '1m', stale: '10m' }))
 */
export function cached<
  Request extends IncomingMessage = IncomingMessage,
  Response extends ServerResponse = ServerResponse,
>(
  cache: Cache,
  handler: (req: Request, res: Response & InCache, next: Next) => unknown,
  options?: HttpCacheOptions,
): ((req: Request, res: Response, next?: Next) => void) & Purges {
  if (typeof handler !== 'function') {
    throw badValue('ERR_INVALID_ARGUMENT', 'cached: handler', 'a function (req, res, next)', handler)
  }
  if (options !== undefined) checkOptions('cached', options, HTTP_NAMES)
  const engine = new HttpCache(cache, options)
  const route = (req: Request, res: Response, next: Next = endWithoutNext(res)) => {
    const run: Route = { handler: handler as Route['handler'], next }
    const outer = watcherOf(res)
    if (outer) outer.refine(engine)
    if (outer || res.headersSent) {
      runRoute(run, req, res)
      return
    }
    const request = isExpress(req) ? expressRequestOf(req) : requestOf(req, () => false)
    const handle = (read: HttpRequest) => engine.handle(new RouteExchange(read, req, res, run))
    if (request.method !== 'QUERY') handle(request)
    else readContent(req, (content) => handle({ ...request, content }))
  }
  return Object.assign(route, engine.purges)
}

interface Route {
  readonly handler: (req: IncomingMessage, res: ServerResponse, next: Next) => unknown
  readonly next: Next
}

function runRoute({ handler, next }: Route, req: IncomingMessage, res: ServerResponse): void {
  try {
    const result = handler(req, res, next)
    if (result instanceof Promise) result.catch((error: unknown) => next(error ?? withoutReason()))
  } catch (error) {
    next(error ?? withoutReason())
  }
}

/** `next` without an error would go to the next route. */
function withoutReason(): Error {
  return new Error('the handler has failed without an error')
}

/** What comes after a handler that nothing stands behind: its error, or nobody who answers. */
function endWithoutNext(res: ServerResponse): Next {
  return (error) => {
    if (res.headersSent) res.destroy()
    else res.writeHead(error === undefined ? 404 : 500).end()
  }
}

function isExpress(req: IncomingMessage): req is ExpressRequest {
  return 'app' in req && 'originalUrl' in req
}

/** A request and response at one route. */
class RouteExchange extends NodeExchange {
  readonly #route: Route

  constructor(request: HttpRequest, req: IncomingMessage, res: ServerResponse, route: Route) {
    super(request, req, res)
    this.#route = route
  }

  detached(): Exchange | undefined {
    const dress = looksOf(this.req, this.res)
    const { handler } = this.#route
    return detach(this.request, this.req, (req, res, watcher) => {
      dress(req, res)
      watchForCache(res, watcher)
      const next: Next = (error) => (error === undefined ? res.destroy() : endWithoutNext(res)(error))
      // Where it is for another route to answer, nothing is renewed here.
      runRoute({ handler, next }, req, res)
    })
  }

  protected fail(error: unknown): void {
    this.#route.next(error)
  }

  protected run(): void {
    runRoute(this.#route, this.req, this.res)
  }
}

/** What Express itself has made of a request on the way to its route; what middlewares have put there is not among it. */
const OF_EXPRESS = ['url', 'originalUrl', 'baseUrl', 'params', 'query', 'route']

/** Makes another request and response look to a route like these do, whatever becomes of these meanwhile. */
function looksOf(req: IncomingMessage, res: ServerResponse): (req: IncomingMessage, res: ServerResponse) => void {
  if (!isExpress(req)) return () => {}
  const prototypes = [Object.getPrototypeOf(req), Object.getPrototypeOf(res)]
  const own = Object.entries(req).filter(([name]) => OF_EXPRESS.includes(name))
  return (again, response) => {
    Object.setPrototypeOf(again, prototypes[0])
    Object.setPrototypeOf(response, prototypes[1])
    Object.assign(again, Object.fromEntries(own), { res: response })
    Object.assign(response, { req: again, locals: Object.create(null) })
  }
}
