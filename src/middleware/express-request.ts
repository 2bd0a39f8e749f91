import { firstOf, hasCertificate, hostOf, schemeOf } from './node-request.ts'
import type { IncomingMessage } from 'node:http'
import type { HttpRequest } from '../http/message.ts'

/** What Express adds to a request, as far as it is used here. */
export interface ExpressRequest extends IncomingMessage {
  readonly app: ExpressApplication
  readonly protocol: string
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
  const { headers } = req
  const host = hostOf(req)
  const forwarded = headers['x-forwarded-host']
  const trusted =
    forwarded !== undefined && req.app.get('trust proxy fn')(req.socket.remoteAddress, 0)
      ? firstOf(forwarded)
      : undefined
  return {
    method: req.originalMethod ?? req.method ?? 'GET',
    scheme: headers['x-forwarded-proto'] === undefined ? schemeOf(req) : req.protocol,
    host: trusted ?? host,
    target: req.originalUrl,
    headers,
    foreignHost: forwarded !== undefined && trusted === undefined && forwarded !== host,
    clientCertificate: hasCertificate(req),
  }
}

/** The application that the server calls. */
export function outermost({ app }: ExpressRequest): ExpressApplication {
  let outer = app
  while (outer.parent) outer = outer.parent
  return outer
}
