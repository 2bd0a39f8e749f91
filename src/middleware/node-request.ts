import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { HttpRequest, RequestHeaders } from '../http/message.ts'
import type { PlainGet } from '../http/plain-hits.ts'

/** A request of node:http, or of the compatibility API of node:http2. */
export type NodeRequest = IncomingMessage | Http2ServerRequest

/** Whether the other end of a connection is a proxy whose X-Forwarded-Host and -Proto count. */
export type TrustsPeer = (address: string | undefined) => boolean

/** What a request is to the cache. A list of hosts or schemes that nobody vouches for is another one than any of them. */
export function requestOf(req: NodeRequest, trusts: TrustsPeer): HttpRequest {
  const { headers } = req
  const host = hostOf(req)
  const scheme = schemeOf(req)
  // Over HTTP/2 the client writes it, and the application can read it.
  const { ':scheme': said = scheme } = headers
  const request = {
    method: req.method ?? 'GET',
    scheme,
    host,
    target: req.url ?? '',
    headers,
    foreignHost: false,
    foreignScheme: said !== scheme,
    undeclaredContent: hasUndeclaredContent(req),
    clientCertificate: hasCertificate(req),
  }
  const { 'x-forwarded-host': forwardedHost, 'x-forwarded-proto': forwardedScheme } = headers
  if (forwardedHost === undefined && forwardedScheme === undefined) return request
  const differs = (other: unknown, own: string | undefined) => other !== undefined && other !== own
  if (!trusts(req.socket.remoteAddress)) {
    const foreignScheme = request.foreignScheme || differs(forwardedScheme, scheme)
    return { ...request, foreignHost: differs(forwardedHost, host), foreignScheme }
  }
  const vouched = forwardedScheme === undefined ? scheme : firstOf(forwardedScheme)
  return {
    ...request,
    host: forwardedHost === undefined ? host : firstOf(forwardedHost),
    scheme: vouched,
    foreignScheme: request.foreignScheme && said !== vouched,
  }
}

/** A GET for the short way of the cache; `undefined`: one of HTTP/2 may bring content, and a certificate says who asks. */
export function plainGetOf(req: NodeRequest, method = req.method, target = req.url): PlainGet | undefined {
  if (method !== 'GET' || req.httpVersionMajor !== 1 || hasCertificate(req)) return undefined
  return { scheme: schemeOf(req), host: hostOf(req), target: target ?? '', headers: req.headers }
}

/**
 * The authority that the client named, `undefined` if it named none or several (RFC 9112, section 3.2; RFC 9113,
 * section 8.3.1).
 */
function hostOf({ headers, rawHeaders }: NodeRequest): string | undefined {
  const { host } = headers
  const authority = headers[':authority'] as string | undefined
  if (authority !== undefined) return host === undefined || host === authority ? authority : undefined
  return namesTwoHosts(rawHeaders) ? undefined : host
}

/** Whether content may follow of which no field tells: HTTP/2 has frames of their own for it. */
export function hasUndeclaredContent(req: NodeRequest): boolean {
  return 'stream' in req && req.headers['content-length'] === undefined && !req.stream.endAfterHeaders
}

/** What the connection itself says. */
function schemeOf(req: NodeRequest): string {
  if ('stream' in req) return req.stream.session?.encrypted ? 'https' : 'http'
  const { socket } = req
  return 'encrypted' in socket && socket.encrypted ? 'https' : 'http'
}

/** Whether the client has shown a certificate, verified or not. A server that asks for none leaves both fields alone. */
function hasCertificate({ socket }: NodeRequest): boolean {
  if (!('authorized' in socket)) return false
  const { authorized, authorizationError } = socket as TLSSocket
  if (authorized) return true
  return authorizationError ? Object.keys((socket as TLSSocket).getPeerCertificate()).length > 0 : false
}

/** The element that the proxy nearest to the client has written. */
function firstOf(list: string | string[]): string {
  return (list.toString().split(',', 1)[0] ?? '').trim()
}

/** Node keeps the first alone. */
function namesTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}

const ASKS_FOR_LESS = ['if-none-match', 'if-modified-since', 'range', 'if-range']

/**
 * Changes what the application sees of a request: fields `shown` in place of its own and, if so ordered, none that ask
 * for less than the whole response. Returns what puts the client's own back, for loggers; `undefined` if nothing changed.
 */
export function disguise(
  headers: IncomingHttpHeaders,
  hidesConditionals: boolean,
  shown: RequestHeaders = {},
): (() => void) | undefined {
  const hidden = hidesConditionals ? ASKS_FOR_LESS.filter((name) => headers[name] !== undefined) : []
  const changed = [...new Set([...hidden, ...Object.keys(shown)])]
  if (changed.length === 0) return undefined
  const own = changed.map((name) => [name, headers[name]] as const)
  for (const name of hidden) delete headers[name]
  Object.assign(headers, shown)
  return () => {
    for (const [name, value] of own) {
      if (value === undefined) delete headers[name]
      else headers[name] = value
    }
  }
}
