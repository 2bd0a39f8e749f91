import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2'
import { connect } from 'node:net'
import express5 from 'express'
// @ts-expect-error It has no types here; what is used of it is the same.
import express4 from 'express4'
import { afterEach, describe } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import { httpCache } from '../../../src/middleware/express.ts'
import { accelerate } from '../../../src/middleware/node.ts'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { ClientHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Cache } from '../../../src/cache/cache.ts'
import type { HttpCacheOptions } from '../../../src/middleware/express.ts'

/** What a client got. */
export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  readonly cacheStatus: string
}

/** An application behind a cache, and ways to attack it. */
export interface Victim {
  readonly cache: Cache
  runs(): number
  /** Asks, and waits until what that leaves in the cache has landed. */
  get(target: string, headers?: Record<string, string | string[]>, method?: string, body?: string): Promise<Got>
  /** Sends these bytes in HTTP/1.1, and answers with all that comes back until the connection is closed or `isEnough`. */
  raw(bytes: string, isEnough?: (text: string) => boolean): Promise<string>
}

export type Open = (listener: RequestListener, options?: VictimOptions, front?: Front) => Promise<Victim>

export type VictimOptions = HttpCacheOptions & { readonly trustProxy?: boolean | string }

/** What stands in front of the cache. */
export type Front = (req: IncomingMessage, res: Parameters<RequestListener>[1], next: () => void) => void

type Face = (cache: Cache, listener: RequestListener, options?: VictimOptions, front?: Front) => RequestListener

const expressFace =
  (express: typeof express5): Face =>
  (cache, listener, { trustProxy = false, ...options } = {}, front) => {
    const app = express().disable('x-powered-by').set('trust proxy', trustProxy)
    if (front) app.use(front)
    app.use(httpCache(cache, options))
    app.use(listener)
    return app
  }

const acceleratedFace: Face = (cache, listener, options, front) => {
  const cached = accelerate(cache, listener, options)
  return front ? (req, res) => front(req, res, () => cached(req, res)) : cached
}

/** Which HTTP an attack is made in; bytes are sent in HTTP/1.1 alone. */
export type Version = 'HTTP/1.1' | 'HTTP/2'

const faces: readonly (readonly [name: string, version: Version, face: Face])[] = [
  ['Express 5', 'HTTP/1.1', expressFace(express5)],
  ['Express 4', 'HTTP/1.1', expressFace(express4)],
  ['accelerate', 'HTTP/1.1', acceleratedFace],
  ['accelerate', 'HTTP/2', acceleratedFace],
]

/** Runs attacks on an application behind each face. What is opened is closed after each test. */
export function describeFaces(attacks: (open: Open, version: Version) => void): void {
  describe.each(faces)('%s, %s', (_, version, face) => {
    const cleanups: (() => unknown)[] = []
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0)) await cleanup()
    })
    attacks(async (listener, options, front) => {
      const cache = createCache()
      let runs = 0
      const counted: RequestListener = (req, res) => {
        runs++
        listener(req, res)
      }
      const { port, ask, close } = await serve(version, face(cache, counted, options, front))
      cleanups.push(close, () => cache.close())
      return {
        cache,
        runs: () => runs,
        get: async (...asked) => {
          const got = await ask(...asked)
          await landed(cache)
          return got
        },
        raw: (bytes, isEnough) => exchangeBytes(port, bytes, isEnough),
      }
    }, version)
  })
}

interface Served {
  readonly port: number
  ask(...asked: Parameters<Victim['get']>): Promise<Got>
  close(): void
}

const MOST_HEADER_BYTES = 256 * 1024

async function serve(version: Version, listener: RequestListener): Promise<Served> {
  const server =
    version === 'HTTP/2'
      ? createHttp2({ settings: { maxHeaderListSize: MOST_HEADER_BYTES } }, listener as never)
      : createServer({ maxHeaderSize: MOST_HEADER_BYTES }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  if (version === 'HTTP/1.1') {
    const close = () => {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
    }
    return { port, ask: (...asked) => ask(port, ...asked), close }
  }
  const session = connectHttp2(`http://127.0.0.1:${port}`, { maxSendHeaderBlockLength: MOST_HEADER_BYTES })
  const close = () => {
    session.destroy()
    server.close()
  }
  return { port, ask: (...asked) => askHttp2(session, ...asked), close }
}

async function askHttp2(
  session: ClientHttp2Session,
  target: string,
  headers: Record<string, string | string[]> = {},
  method = 'GET',
  body?: string,
): Promise<Got> {
  const { Host: authority = 'h', ...fields } = headers
  const lower = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
  const stream = session.request(
    { ':method': method, ':path': target, ':authority': String(authority), ...lower },
    { endStream: body === undefined },
  )
  if (body !== undefined) stream.end(body)
  const [answered] = await once(stream, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return {
    status: answered[':status'],
    headers: answered,
    body: Buffer.concat(chunks).toString(),
    cacheStatus: String(answered['cache-status']),
  }
}

async function ask(
  port: number,
  target: string,
  headers: Record<string, string | string[]> = {},
  method = 'GET',
  body?: string,
): Promise<Got> {
  const sent = request({
    port,
    host: '127.0.0.1',
    path: target,
    method,
    agent: false,
    headers: { Host: 'h', ...headers },
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
    cacheStatus: String(response.headers['cache-status']),
  }
}

/** What is loaded is stored some turns after its response has ended. */
async function landed({ counters }: Cache): Promise<void> {
  for (let turn = 0; turn < 20 || counters.loadsRunning + counters.loadsWaiting > 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function exchangeBytes(port: number, bytes: string, isEnough = (_: string) => false): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (data) => {
    text += data.toString('latin1')
    if (isEnough(text)) socket.destroy()
  })
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return text
}
