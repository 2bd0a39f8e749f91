import { once } from 'node:events'
import { connect } from 'node:net'
import express5 from 'express'
// @ts-expect-error It has no types here; what is used of it is the same.
import untyped4 from 'express4'
import request from 'supertest'
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { httpCache } from '../../src/middleware/express.ts'
import { startRedis } from '../doubles/redis.ts'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Express, NextFunction, Request, Response } from 'express'
import type { Cache } from '../../src/cache/cache.ts'
import type { HttpCacheOptions } from '../../src/middleware/express.ts'
import type { RedisServer } from '../doubles/redis.ts'

const express4: typeof express5 = untyped4

const setups = [
  { name: 'Express 5, L1', express: express5, tiers: 'l1' },
  { name: 'Express 4, L1', express: express4, tiers: 'l1' },
  { name: 'Express 5, L2', express: express5, tiers: 'l2' },
  { name: 'Express 5, L1 and L2', express: express5, tiers: 'l1+l2' },
] as const

export type Agent = ReturnType<typeof request>
export type Route = (req: Request, res: Response, next: NextFunction) => unknown

/** An application with one cache in front of one route for everything. */
export interface Served {
  /** Its requests wait until what those before them leave in the cache has landed. */
  readonly agent: Agent
  /** Its requests wait for nothing. */
  readonly hasty: Agent
  readonly server: Server
  readonly cache: Cache
  readonly prefix: string
  runs(): number
}

/** One set-up of Express and tiers. What is opened in it is closed after each test. */
export interface World {
  readonly express: typeof express5
  readonly tiers: 'l1' | 'l2' | 'l1+l2'
  /** Cache-Status of a hit in the nearest tier. */
  readonly hit: RegExp
  readonly redis: RedisServer
  open(prefix: string): Promise<Cache>
  serve(route: Route, options?: HttpCacheOptions, before?: (app: Express) => void): Promise<Served>
}

/** Runs tests over all set-ups. */
export function describeExpress(tests: (world: World) => void): void {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  describe.each(setups)('$name', ({ express, tiers }) => {
    const cleanups: (() => unknown)[] = []
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    })
    const open = (prefix: string) => openCache(tiers, redis, prefix, cleanups)
    tests({
      express,
      tiers,
      hit: new RegExp(`^tiercache; hit; ttl=\\d+; detail=${tiers === 'l2' ? 'L2' : 'L1'}$`),
      get redis() {
        return redis
      },
      open,
      serve: async (route, options, before) => {
        const prefix = nextPrefix()
        return serve(express, await open(prefix), prefix, cleanups, route, options, before)
      },
    })
  })
}

let prefixes = 0

export function nextPrefix(): string {
  return `t${process.pid}-${prefixes++}`
}

/** A cache that knows its Redis: until then, L1 keeps nothing for long. */
async function openCache(
  tiers: World['tiers'],
  redis: RedisServer,
  prefix: string,
  cleanups: (() => unknown)[],
): Promise<Cache> {
  const l1 = tiers === 'l2' ? { l1: false as const } : {}
  // What is slow here is the machine: no read may be a miss for that.
  const cache = createCache(tiers === 'l1' ? {} : { redis: redis.url, prefix, commandTimeout: '1s', ...l1 })
  cleanups.push(() => cache.close())
  // The first notice that is heard tells what chain there is.
  while (tiers !== 'l1' && cache.counters.gaps === 0) {
    await cache.delete('warm-up')
    await settle()
  }
  return cache
}

async function serve(
  express: typeof express5,
  cache: Cache,
  prefix: string,
  cleanups: (() => unknown)[],
  route: Route,
  options?: HttpCacheOptions,
  before?: (app: Express) => void,
): Promise<Served> {
  let runs = 0
  const app = express()
  app.use((req, _, next) => {
    if (req.get('X-Patient')) until(() => cache.counters.loadsWaiting === 0).then(next, next)
    else next()
  })
  before?.(app)
  app.use(httpCache(cache, options))
  app.use((req, res, next) => {
    runs++
    return route(req, res, next)
  })
  const server = app.listen(0, '127.0.0.1')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  // vitest does not count the expectations of supertest, which are all that some tests need.
  expect(server.listening).toBe(true)
  const agent = request.agent(server).set('X-Patient', '1')
  return { agent, hasty: request(server), server, cache, prefix, runs: () => runs }
}

/** Reads a body as it is. */
export function bytes(res: request.Response, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = []
  const stream = res as unknown as NodeJS.ReadableStream
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => done(null, Buffer.concat(chunks)))
}

/** Resolves when the condition holds; turns of the event loop go by, no time is waited for. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`waited too long for ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Some turns of the event loop, for requests that were sent to arrive. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Sends bytes to a server over a connection of their own. */
export function send(server: Server, text: string): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text)
  return socket
}

/** All that a server sends back until it closes the connection. */
export async function raw(server: Server, text: string): Promise<string> {
  const socket = send(server, text)
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  await once(socket, 'close')
  return answer
}

/** A client that reads what comes, over a connection of its own, until the test ends it. */
export interface Listening {
  readonly socket: Socket
  text(): string
}

/** Asks with GET and listens; for responses that do not end. */
export function listen(server: Server, target = '/', host = 'h'): Listening {
  const socket = send(server, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  return { socket, text: () => text }
}
