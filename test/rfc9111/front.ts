import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { setImmediate as turn } from 'node:timers/promises'
import express from 'express'
import { Redis } from 'ioredis'
import { systemClock } from '../../src/clock.ts'
import { createCache } from '../../src/create-cache.ts'
import { httpCache } from '../../src/middleware/express.ts'
import { accelerate } from '../../src/middleware/node.ts'
import { Client } from './client.ts'
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Response } from 'express'
import type { Cache } from '../../src/cache/cache.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { RedisServer } from '../doubles/redis.ts'

/** Where a test is run. */
export interface SetUp {
  readonly tiers: 'L1' | 'L2' | 'L1 + L2'
  readonly protocol: 'HTTP/1.1' | 'HTTP/2'
  readonly face: 'httpCache' | 'accelerate'
  /** How the handler writes: head and chunks, `end(buffer)`, or `send(buffer)` of Express. */
  readonly style: 'stream' | 'end' | 'send'
  readonly options: HttpCacheOptions
}

/** A request as it reached the application. */
export interface Seen {
  readonly method: string
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Which of this test's requests to the application it is, from 1. */
  readonly run: number
}

/** Several lines of one name as a list. */
export type ResponseFields = Readonly<Record<string, string | readonly string[] | undefined>>

/** What the application answers. */
export interface Reply {
  readonly status?: number
  readonly fields?: ResponseFields
  readonly body?: string
  /** Cuts the connection in the middle of the body. */
  readonly breaksOff?: boolean
  /** Writes in place of all this. */
  readonly write?: (res: ServerResponse, req: IncomingMessage) => void
}

type Answering = (seen: Seen) => Reply | Promise<Reply>

interface Route {
  readonly seen: Seen[]
  readonly style: SetUp['style']
  answering: Answering
}

/** A server with a cache in front of an application, whose routes belong to tests. */
export interface Front {
  readonly cache: Cache
  readonly client: Client
  /** Resolves when what was asked for has left in the cache what it leaves there. */
  landed(): Promise<void>
  route(path: string, style: SetUp['style'], answering: Answering): Seen[]
  reroute(path: string, answering: Answering): void
  forget(path: string): void
  close(): Promise<void>
}

// What is not stored here is so on purpose: nobody needs to be warned of it.
process.env.NODE_ENV = 'production'

let prefixes = 0

export async function openFront(setUp: SetUp, redis: RedisServer): Promise<Front> {
  const connection = setUp.tiers === 'L1' ? undefined : shiftedRedis(redis.url)
  const cache = await openCache(setUp.tiers, connection)
  const routes = new Map<string, Route>()
  const listener = listenerOf(setUp, cache, routes)
  const server =
    setUp.protocol === 'HTTP/2' ? createHttp2Server(listener as never) : createServer({ keepAliveTimeout: 0 }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new Client((server.address() as AddressInfo).port, setUp.protocol)
  return {
    cache,
    client,
    landed: () => until(() => cache.counters.loadsWaiting + cache.counters.loadsRunning === 0),
    route(path, style, answering) {
      const seen: Seen[] = []
      routes.set(path, { seen, style, answering })
      return seen
    },
    reroute(path, answering) {
      const route = routes.get(path)
      if (route) route.answering = answering
    },
    forget: (path) => void routes.delete(path),
    async close() {
      client.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
      await cache.close()
      connection?.disconnect()
    },
  }
}

function listenerOf({ face, options }: SetUp, cache: Cache, routes: Map<string, Route>): RequestListener {
  const app = express()
  // Quiet about errors, which some clauses are about.
  app.disable('x-powered-by').disable('etag').set('env', 'test')
  if (face === 'httpCache') app.use(httpCache(cache, options))
  app.use((req, res, next) => answer(routes, req, res).catch(next))
  if (face === 'httpCache') return app
  const listener: RequestListener = (req, res) => {
    const inExpress = routes.get(pathOf(req.url ?? ''))?.style === 'send'
    return inExpress ? app(req, res) : answer(routes, req, res)
  }
  return accelerate(cache, listener, { ...options, onError: () => {} })
}

async function openCache(tiers: SetUp['tiers'], redis: Redis | undefined): Promise<Cache> {
  if (!redis) return createCache()
  const cache = createCache({
    redis,
    prefix: `rfc${prefixes++}`,
    // What is slow here is the machine: no read may be a miss for that.
    commandTimeout: '5s',
    // A test lets days pass at once: that nothing was heard meanwhile says nothing.
    maxStaleness: '3650d',
    ...(tiers === 'L2' ? { l1: false } : {}),
  })
  await until(() => cache.stats().l2Usable === true)
  // The first notice that is heard tells what chain there is: from then on L1 is known to be current.
  while (cache.counters.gaps === 0 || !cache.gauges().coherent) await cache.delete('(probe)')
  return cache
}

/** A connection to a server whose time is ours: both passed as far as the test has let them. */
function shiftedRedis(url: string): Redis {
  const redis = new Redis(url, { autoResendUnfulfilledCommands: false })
  const call = redis.call.bind(redis) as (command: string, ...values: unknown[]) => Promise<unknown>
  const shifted = async (command: string, ...values: unknown[]) => {
    const reply = await call(command, ...values)
    return command === 'TIME' ? [String(Math.floor(systemClock.wall() / 1000)), '0'] : reply
  }
  return Object.assign(redis, { call: shifted })
}

/** Resolves when the condition has held for some turns of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 5000
  for (let held = 0; held < 3; held = condition() ? held + 1 : 0) {
    if (performance.now() > giveUpAt) throw new Error(`waited too long for ${condition}`)
    await turn()
  }
}

/** The path of a test is the first segment of the target. */
function pathOf(target: string): string {
  return /^\/\d+/.exec(target)?.[0] ?? ''
}

async function answer(routes: Map<string, Route>, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const target = req.url ?? ''
  const route = routes.get(pathOf(target))
  if (!route) {
    res.writeHead(599).end()
    return
  }
  const { method = '', headers } = req
  const body = method === 'GET' || method === 'HEAD' ? '' : await bodyOf(req)
  const seen = { method, target, headers: { ...headers }, body, run: route.seen.length + 1 }
  route.seen.push(seen)
  const reply = await route.answering(seen)
  if (reply.write) reply.write(res, req)
  else await write(res, reply, route.style, seen)
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function write(res: ServerResponse, reply: Reply, style: SetUp['style'], { run, method }: Seen): Promise<void> {
  const { status = 200, fields = {} } = reply
  const given = Object.entries(fields).filter((pair): pair is [string, string | string[]] => pair[1] !== undefined)
  const bodiless = status === 204 || status === 304
  const body = Buffer.from(bodiless ? '' : (reply.body ?? `run ${run}`), 'latin1')
  if (reply.breaksOff || style === 'stream') {
    res.writeHead(status, Object.fromEntries(given))
    const middle = Math.ceil(body.byteLength / 2)
    if (method !== 'HEAD' && body.byteLength > 0) res.write(body.subarray(0, middle))
    await turn()
    if (reply.breaksOff) res.destroy()
    else if (method === 'HEAD' || body.byteLength < 2) res.end()
    else res.end(body.subarray(middle))
    return
  }
  for (const [name, value] of given) res.setHeader(name, value)
  res.statusCode = status
  if (style === 'send') (res as Response).send(body)
  else res.end(body)
}
