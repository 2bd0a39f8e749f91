import { plainGetOf, requestOf } from './node-request.ts'
import type { IncomingMessage } from 'node:http'
import type { HttpRequest } from '../http/message.ts'
import type { PlainGet } from '../http/plain-hits.ts'
import type { TrustsPeer } from './node-request.ts'

/** What Express adds to a request, as far as it is used here. */
export interface ExpressRequest extends IncomingMessage {
  readonly app: ExpressApplication
  readonly originalUrl: string
  /** Left by method-override and the like: the method of the wire. */
  readonly originalMethod?: string
}

/** An application; `parent` is the one that it is mounted in. */
export interface ExpressApplication {
  (req: object, res: object): unknown
  get(setting: 'trust proxy fn'): (address: string | undefined, hop: number) => boolean
  readonly parent?: ExpressApplication
}

/** What a request of Express is to the cache; proxies in front count as far as the application trusts them. */
export function expressRequestOf(req: ExpressRequest): HttpRequest {
  const trusts: TrustsPeer = (address) => req.app.get('trust proxy fn')(address, 0)
  return { ...requestOf(req, trusts), method: req.originalMethod ?? req.method ?? 'GET', target: req.originalUrl }
}

/** A GET for the short way of the cache, if it is one. */
export function expressPlainGetOf(req: ExpressRequest): PlainGet | undefined {
  return plainGetOf(req, req.originalMethod ?? req.method, req.originalUrl)
}

/** The application that the server calls. */
export function outermost({ app }: ExpressRequest): ExpressApplication {
  let outer = app
  while (outer.parent) outer = outer.parent
  return outer
}
