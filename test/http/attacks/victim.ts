import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import express from 'express'
import { afterEach, describe } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import { httpCache } from '../../../src/middleware/express.ts'
import { accelerate } from '../../../src/middleware/node.ts'
import type { IncomingMessage, RequestListener, Server } from 'node:http'
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
  readonly server: Server
  runs(): number
  /** Asks, and waits until what that leaves in the cache has landed. */
  get(target: string, headers?: Record<string, string | string[]>, method?: string, body?: string): Promise<Got>
  /** Sends these bytes, and answers with all that comes back until the connection is closed or `isEnough`. */
  raw(bytes: string, isEnough?: (text: string) => boolean): Promise<string>
}

export type Open = (listener: RequestListener, options?: HttpCacheOptions, front?: Front) => Promise<Victim>

/** What stands in front of the cache. */
export type Front = (req: IncomingMessage, res: Parameters<RequestListener>[1], next: () => void) => void

type Face = (cache: Cache, listener: RequestListener, options?: HttpCacheOptions, front?: Front) => RequestListener

const faces: Record<string, Face> = {
  Express: (cache, listener, options, front) => {
    const app = express().disable('x-powered-by')
    if (front) app.use(front)
    app.use(httpCache(cache, options))
    app.use(listener)
    return app
  },
  accelerate: (cache, listener, options, front) => {
    const cached = accelerate(cache, listener, options)
    return front ? (req, res) => front(req, res, () => cached(req, res)) : cached
  },
}

/** Runs attacks on an application behind each face. What is opened is closed after each test. */
export function describeFaces(attacks: (open: Open) => void): void {
  describe.each(Object.entries(faces))('%s', (_, face) => {
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
      const server = createServer({ maxHeaderSize: 256 * 1024 }, face(cache, counted, options, front))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      cleanups.push(
        () => server.closeAllConnections(),
        () => server.close(),
        () => cache.close(),
      )
      return {
        cache,
        server,
        runs: () => runs,
        get: async (...asked) => {
          const got = await ask(port, ...asked)
          await landed(cache)
          return got
        },
        raw: (bytes, isEnough) => exchangeBytes(port, bytes, isEnough),
      }
    })
  })
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
