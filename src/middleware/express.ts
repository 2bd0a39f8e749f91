import { HttpCache } from '../http/http-cache.ts'
import { sendAnswer } from './node-answer.ts'
import { watcherOf, watchForCache } from './response-cache.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cache } from '../cache/cache.ts'
import type { Answer, Exchange, Watcher } from '../http/exchange.ts'
import type { HttpRequest } from '../http/message.ts'
import type { HttpCacheOptions } from '../http/options.ts'
import type { ResponseCache } from './response-cache.ts'

export type { HttpCacheOptions } from '../http/options.ts'
export type { ResponseCache } from './response-cache.ts'

declare global {
  namespace Express {
    interface Response {
      /**
       * Set by `httpCache` of tiercache on every response that a route makes behind it. The type cannot tell where that
       * is: where the middleware does not run (another router, a route mounted before it), this is `undefined`.
       */
      cache: ResponseCache
    }
  }
}

/** A middleware of Express 4 or 5. */
export type ExpressMiddleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/** What Express adds to a request, as far as it is used here. */
interface ExpressRequest extends IncomingMessage {
  readonly app: { get(setting: 'trust proxy fn'): (address: string | undefined, hop: number) => boolean }
  readonly protocol: string
  readonly originalUrl: string
  /** Left by method-override and the like: the method of the wire. */
  readonly originalMethod?: string
}

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
export function httpCache(cache: Cache, options?: HttpCacheOptions): ExpressMiddleware {
  const engine = new HttpCache(cache, options)
  return (req, res, next) => {
    const outer = watcherOf(res)
    if (outer) outer.refine(engine.settings)
    if (outer || res.headersSent) return next()
    engine.handle(new ExpressExchange(req as ExpressRequest, res, next))
  }
}

/** A request and response of Express, as the engine sees them. */
class ExpressExchange implements Exchange {
  readonly request: HttpRequest
  readonly #req: ExpressRequest
  readonly #res: ServerResponse
  readonly #next: (error?: unknown) => void

  constructor(req: ExpressRequest, res: ServerResponse, next: (error?: unknown) => void) {
    this.request = requestOf(req)
    this.#req = req
    this.#res = res
    this.#next = next
  }

  isGone(): boolean {
    return this.#res.destroyed || this.#res.headersSent
  }

  /** While the cache was asked, a middleware in front (a time limit) may have answered. */
  answer(answer: Answer): void {
    if (!this.#res.headersSent) sendAnswer(this.#res, answer)
  }

  forward(watcher: Watcher): void {
    const res = this.#res
    if (res.headersSent) return
    watchForCache(res, watcher, watcher.hidesConditionals ? hideConditionals(this.#req) : undefined)
    this.#next()
  }
}

function requestOf(req: ExpressRequest): HttpRequest {
  const { headers } = req
  const forwarded = headers['x-forwarded-host']
  const trusted =
    forwarded !== undefined && req.app.get('trust proxy fn')(req.socket.remoteAddress, 0) ? first(forwarded) : undefined
  return {
    method: req.originalMethod ?? req.method ?? 'GET',
    scheme: headers['x-forwarded-proto'] === undefined ? schemeOf(req) : req.protocol,
    host: trusted ?? headers.host,
    target: req.originalUrl,
    headers,
    foreignHost: forwarded !== undefined && trusted === undefined && forwarded !== headers.host,
  }
}

/** What `req.protocol` is without a proxy, less the way there. */
function schemeOf({ socket }: ExpressRequest): string {
  return 'encrypted' in socket && socket.encrypted ? 'https' : 'http'
}

/** The host that Express itself takes from a trusted X-Forwarded-Host: the first. */
function first(forwarded: string | string[]): string | undefined {
  return forwarded.toString().split(',')[0]?.trim()
}

/**
 * Takes the client's conditionals away from the application, so that it makes the whole response. The answer puts
 * them back, for loggers.
 */
function hideConditionals({ headers }: IncomingMessage): () => void {
  const { 'if-none-match': tags, 'if-modified-since': since } = headers
  delete headers['if-none-match']
  delete headers['if-modified-since']
  return () => {
    if (tags !== undefined) headers['if-none-match'] = tags
    if (since !== undefined) headers['if-modified-since'] = since
  }
}
