import { createServer } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import express from 'express'
import { expectTypeOf, test } from 'vitest'
import { cached } from '../../src/middleware/cached.ts'
import { accelerate } from '../../src/middleware/node.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Cache } from '../../src/index.ts'
import type { InCache, Purges, ResponseCache } from '../../src/middleware/node.ts'

test('what accelerate returns is a listener for the server that its listener was for', () => {
  const all = (cache: Cache) => {
    createServer(accelerate(cache, express()))
    createServer(accelerate(cache, (req, res) => res.end(req.url)))
    createHttp2(accelerate(cache, (req, res) => res.end(req.url)))
    const front = accelerate(cache, (req, res) => {
      expectTypeOf(req).toEqualTypeOf<IncomingMessage>()
      expectTypeOf(res.cache).toEqualTypeOf<ResponseCache>()
    })
    expectTypeOf(front).toEqualTypeOf<((req: IncomingMessage, res: ServerResponse) => void) & Purges>()
    const named = accelerate(cache, async (_req: IncomingMessage, _res: ServerResponse & InCache) => {})
    expectTypeOf(named).toEqualTypeOf<((req: IncomingMessage, res: ServerResponse) => void) & Purges>()
    const front2 = accelerate(cache, (_req: Http2ServerRequest, _res: Http2ServerResponse) => {})
    createHttp2(front2)
    // @ts-expect-error It knows HTTP/2 alone.
    createServer(front2)
    // As the callback of a Koa application.
    const either = accelerate(
      cache,
      async (_req: IncomingMessage | Http2ServerRequest, _res: ServerResponse | Http2ServerResponse) => {},
    )
    createServer(either)
    createHttp2(either)
  }
  expectTypeOf(all).toBeFunction()
})

test('what cached returns is a listener, and a handler of Express', () => {
  const all = (cache: Cache) => {
    createServer(cached(cache, (_req, res) => expectTypeOf(res.cache).toEqualTypeOf<ResponseCache>()))
    express().get(
      '/',
      cached(cache, (req: express.Request, res: express.Response) => res.json(req.params)),
    )
    express().get(
      '/',
      cached(cache, async (_req: IncomingMessage, _res: ServerResponse) => {}),
    )
  }
  expectTypeOf(all).toBeFunction()
})
