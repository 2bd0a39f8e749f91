import { createServer, validateHeaderValue } from 'node:http'
import { Duplex } from 'node:stream'
import { systemClock } from '../clock.ts'
import { isAuthorized } from '../http/message.ts'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Exchange, Watcher } from '../http/exchange.ts'
import type { HttpRequest, RequestHeaders } from '../http/message.ts'
import type { NodeRequest } from './node-request.ts'

/** Lets an application answer a request that has no client, and `watcher` see the response where the cache stands. */
export type Rerun = (req: IncomingMessage, res: ServerResponse, watcher: Watcher) => void

/** A handler that has not ended its response by then is cut off, as by a client that leaves. */
const LONGEST_RUN_MS = 60_000
/** More than any response that is stored: what goes on after it is for nobody. */
const MOST_BYTES = 2 ** 24

/**
 * Fields of a client that a renewal has not: those that ask for less, or for something newer; those of its connection
 * and its body; and its credentials, since what is made here goes to all.
 */
const LEFT_OUT = new Set([
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
  'cache-control',
  'pragma',
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'expect',
  'upgrade',
  'http2-settings',
  'cookie',
  'authorization',
  'proxy-authorization',
])

/**
 * A request once more, without its client: its response is seen by the watcher and goes nowhere.
 *
 * `undefined` for one with Authorization or a client certificate, since an application that asks for it would only refuse;
 * and for one whose client has gone, since the application sees the connection of that client, less what it was trusted by.
 */
export function detach(request: HttpRequest, req: NodeRequest, rerun: Rerun): Exchange | undefined {
  const { socket } = req
  const gone = socket.destroyed && socket.remoteAddress === undefined
  if (gone || isAuthorized(request)) return undefined
  const kept = Object.entries(request.headers).filter(([name]) => !LEFT_OUT.has(name))
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const again = { ...request, method, headers: Object.fromEntries(kept) }
  return new DetachedExchange(again, peerOf(socket), rerun)
}

class DetachedExchange implements Exchange {
  readonly request: HttpRequest
  readonly #peer: Peer
  readonly #rerun: Rerun

  constructor(request: HttpRequest, peer: Peer, rerun: Rerun) {
    this.request = request
    this.#peer = peer
    this.#rerun = rerun
  }

  isGone(): boolean {
    return false
  }

  answer(): void {}

  forward(watcher: Watcher, shown?: RequestHeaders): void {
    const connection = new ClientlessConnection(this.#peer, (req, res) => {
      addPseudoFields(req, this.request)
      this.#rerun(req, res, watcher)
    })
    connection.once('close', () => watcher.over(false))
    connection.send(bytesOf(this.request, { ...this.request.headers, ...watcher.normalized, ...shown }))
  }
}

/** What an application may ask of a connection. */
type Peer = Partial<
  Record<'remoteAddress' | 'remoteFamily' | 'localAddress', string> &
    Record<'remotePort' | 'localPort', number> &
    Record<'encrypted', boolean>
>

function peerOf(socket: NodeRequest['socket']): Peer {
  const { remoteAddress, remoteFamily, remotePort, localAddress, localPort } = socket
  const encrypted = 'encrypted' in socket && socket.encrypted === true
  const given = { remoteAddress, remoteFamily, remotePort, localAddress, localPort, encrypted: encrypted || undefined }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/**
 * A connection whose other end is nobody: one request comes over it, and what is written to it is let go, no faster than
 * once in a turn of the event loop. It closes when the response is over.
 */
class ClientlessConnection extends Duplex {
  readonly #answer: (req: IncomingMessage, res: ServerResponse) => void
  #bytes = 0

  constructor(peer: Peer, answer: (req: IncomingMessage, res: ServerResponse) => void) {
    super()
    Object.assign(this, peer)
    this.#answer = answer
    const cancel = systemClock.inBackground(LONGEST_RUN_MS, () => this.destroy())
    this.once('close', cancel)
    // An application may end it with an error of its own.
    this.on('error', () => {})
  }

  /** `undefined`: a request that HTTP/1.1 cannot carry. */
  send(request: Buffer | undefined): void {
    if (request === undefined) {
      this.destroy()
      return
    }
    server ??= serverOfClientless()
    server.emit('connection', this)
    this.push(request)
  }

  answerTo(req: IncomingMessage, res: ServerResponse): void {
    res.once('close', () => this.destroy())
    this.#answer(req, res)
  }

  override _read(): void {}

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) this.#bytes += chunk.length
    if (this.#bytes > MOST_BYTES) this.destroy()
    setImmediate(done)
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  address(): object {
    return {}
  }

  /** No client, no certificate. */
  getPeerCertificate(): object {
    return {}
  }
}

let server: Server | undefined

/** Never listens; Node makes requests and responses of whatever connection it is shown. */
function serverOfClientless(): Server {
  const made = createServer({ maxHeaderSize: 2 ** 20, requireHostHeader: false })
  made.on('request', (req, res) => (req.socket as unknown as ClientlessConnection).answerTo(req, res))
  made.on('clientError', (_error, connection) => connection.destroy())
  return made
}

const TARGET = /^[\x21-\x7e\x80-\xff]+$/

/** A request in HTTP/1.1, in which every application can answer. */
function bytesOf({ method, target, content }: HttpRequest, headers: RequestHeaders): Buffer | undefined {
  if (!TARGET.test(target)) return undefined
  const authority = headers[':authority']
  const lines = [`${method} ${target} HTTP/1.1`]
  if (authority !== undefined && headers.host === undefined) lines.push(`host: ${authority}`)
  try {
    for (const [name, value = []] of Object.entries(headers)) {
      if (name.startsWith(':')) continue
      for (const line of [value].flat()) {
        validateHeaderValue(name, line)
        lines.push(`${name}: ${line}`)
      }
    }
  } catch {
    return undefined
  }
  if (content) lines.push(`content-length: ${content.byteLength}`)
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content ?? Buffer.alloc(0)])
}

/** What an application of HTTP/2 finds beside the fields. */
function addPseudoFields(req: IncomingMessage, { method, headers }: HttpRequest): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':')) req.headers[name] = name === ':method' ? method : (value as string)
  }
}
