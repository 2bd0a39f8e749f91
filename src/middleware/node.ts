import { badValue } from '../errors.ts'
import { HttpCache } from '../http/http-cache.ts'
import { HTTP_NAMES } from '../http/settings.ts'
import { checkOptions } from '../options.ts'
import { detach } from './detached.ts'
import { answerTo, NodeExchange } from './node-exchange.ts'
import { plainGetOf, requestOf } from './node-request.ts'
import { readContent } from './query-content.ts'
import { watchForCache } from './response-cache.ts'
import { readTrustProxy } from './trust-proxy.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Cache } from '../cache/cache.ts'
import type { Exchange } from '../http/exchange.ts'
import type { HttpRequest } from '../http/message.ts'
import type { HttpCacheOptions } from '../http/options.ts'
import type { Purges } from '../http/purging.ts'
import type { ResponseCache } from './response-cache.ts'
import type { TrustProxy } from './trust-proxy.ts'

export type { HttpCacheOptions } from '../http/options.ts'
export type { Purges } from '../http/purging.ts'
export type { ResponseCache } from './response-cache.ts'
export type { TrustProxy } from './trust-proxy.ts'

/** Options of `accelerate`: those of every response cache, and what a framework would know otherwise. */
export interface AccelerateOptions extends HttpCacheOptions {
  /**
   * The proxies whose `X-Forwarded-Host` and `X-Forwarded-Proto` are believed; give it what your application believes
   * (`trust proxy` of Express, `proxy` of Koa). A request that brings another host or scheme along without that is not
   * stored. Default `false`.
   */
  readonly trustProxy?: TrustProxy | undefined
  /**
   * Told of an error that the listener throws, or rejects with. Its client gets a 500, or what is stored and may be
   * served in place of one; or the rest of its response is cut off. Default: a warning of the process
   * (`TierCacheWarning`), as for what it throws itself.
   */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** What a listener behind `accelerate` finds on its responses. */
export interface InCache {
  readonly cache: ResponseCache
}

/**
 * Puts a response cache in front of a whole application: a hit is answered before the application is entered.
 *
 * Responses that the listener makes have `res.cache`, by which it may speak to the cache.
 *
 * @throws {TierCacheError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`: a bad option. `ERR_INVALID_ARGUMENT`: no cache, or no listener.
 *
 * @example
 * import { createServer } from 'node:http'
 * import express from 'express'
 * import { createCache } from 'tiercache'
 * import { accelerate } from 'tiercache/middleware/node'
 *
 * const app = express()
 * app.get('/time', (req, res) => {
 *   res.set('Cache-Control', 'public, max-age=10').json({ now: Date.now() })
 * })
 * createServer(accelerate(createCache(), app, { trustProxy: 'loopback' })).listen(3000)
 */
export function accelerate(
  cache: Cache,
  application: ApplicationFunction,
  options?: AccelerateOptions,
): Listener & Purges
export function accelerate<
  Request extends IncomingMessage | Http2ServerRequest = IncomingMessage,
  Response extends ServerResponse | Http2ServerResponse = ServerResponse,
>(
  cache: Cache,
  listener: (req: Request, res: Response & InCache) => unknown,
  options?: AccelerateOptions,
): ((req: Request, res: Response) => void) & Purges
export function accelerate(cache: Cache, listener: unknown, options?: AccelerateOptions): Listener & Purges {
  if (options !== undefined) checkOptions('accelerate', options, NAMES)
  const { trustProxy, onError, ...rest } = options ?? {}
  if (typeof listener !== 'function') {
    throw badValue('ERR_INVALID_ARGUMENT', 'accelerate: listener', 'a function (req, res)', listener)
  }
  const engine = new HttpCache(cache, rest)
  const trusts = readTrustProxy('trustProxy', trustProxy)
  const application = new Application(listener as Listener, readOnError('onError', onError))
  const handle = (request: HttpRequest, req: IncomingMessage, res: ServerResponse) =>
    engine.handle(new FrontExchange(request, req, res, application))
  const front: Listener = (req, res) => {
    const plain = engine.plainHits && plainGetOf(req)
    const hit = plain && engine.plainHits?.answer(plain)
    if (hit) {
      answerTo(res, hit, (error) => application.failed(res, error))
      return
    }
    const request = requestOf(req, trusts)
    if (request.method !== 'QUERY') handle(request, req, res)
    else readContent(req, (content) => handle({ ...request, content }, req, res))
  }
  return Object.assign(front, engine.purges)
}

const NAMES = [...HTTP_NAMES, 'trustProxy', 'onError']

function readOnError(name: string, value: unknown): (error: unknown) => unknown {
  if (value === undefined) return warn
  if (typeof value === 'function') return value as (error: unknown) => unknown
  throw badValue('ERR_INVALID_OPTION', name, 'a function', value)
}

/** Inside, requests and responses of HTTP/2 are used by what they have in common with these. */
type Listener = (req: IncomingMessage, res: ServerResponse) => unknown

/** An application that is a listener itself, as one of Express is. */
interface ApplicationFunction {
  (req: IncomingMessage, res: ServerResponse): unknown
  readonly listen: unknown
}

/** Whatever stands behind: it is called, and its errors are seen to. */
class Application {
  readonly #listener: Listener
  readonly #onError: (error: unknown) => unknown

  constructor(listener: Listener, onError: (error: unknown) => unknown) {
    this.#listener = listener
    this.#onError = onError
  }

  answer(req: IncomingMessage, res: ServerResponse): void {
    try {
      const result = this.#listener(req, res)
      if (result instanceof Promise) result.catch((error) => this.failed(res, error))
    } catch (error) {
      this.failed(res, error)
    }
  }

  failed(res: ServerResponse, error: unknown): void {
    if (res.headersSent) res.destroy()
    else {
      for (const name of res.getHeaderNames()) res.removeHeader(name)
      res.writeHead(500).end()
    }
    this.#tell(error)
  }

  /** Nobody is left to be told of an error in telling. */
  #tell(error: unknown): void {
    try {
      const result = this.#onError(error)
      if (result instanceof Promise) result.catch(warn)
    } catch (another) {
      warn(another)
    }
  }
}

function warn(error: unknown): void {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.emitWarning(`a listener behind accelerate failed: ${message}`, { type: 'TierCacheWarning' })
}

/** A request and response in front of a listener. */
class FrontExchange extends NodeExchange {
  readonly #application: Application

  constructor(request: HttpRequest, req: IncomingMessage, res: ServerResponse, application: Application) {
    super(request, req, res)
    this.#application = application
  }

  detached(): Exchange | undefined {
    const application = this.#application
    return detach(this.request, this.req, (req, res, watcher) => {
      watchForCache(res, watcher)
      application.answer(req, res)
    })
  }

  protected fail(error: unknown): void {
    this.#application.failed(this.res, error)
  }

  protected run(): void {
    this.#application.answer(this.req, this.res)
  }
}
