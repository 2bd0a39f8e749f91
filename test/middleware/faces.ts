import express5 from 'express'
// @ts-expect-error It has no types here; what is used of it is the same.
import express4 from 'express4'
import { cached } from '../../src/middleware/cached.ts'
import { httpCache } from '../../src/middleware/express.ts'
import { accelerate } from '../../src/middleware/node.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cache } from '../../src/cache/cache.ts'
import type { HttpCacheOptions, InCache } from '../../src/middleware/node.ts'
import type { HttpVersion, Listener } from './node-server.ts'

export type Handler = (req: IncomingMessage, res: ServerResponse & InCache) => unknown

/** An application of one route, with a cache by one of the faces. */
export type Face = (cache: Cache, handler: Handler, options: HttpCacheOptions) => Listener

const inFront: Face = (cache, handler, options) => accelerate(cache, handler, { ...options, onError: () => {} })

export const faces: [string, HttpVersion, Face][] = [
  ['accelerate', 'HTTP/1.1', inFront],
  ['accelerate, HTTP/2', 'HTTP/2', inFront],
]
for (const [name, express] of [
  ['Express 5', express5],
  ['Express 4', express4 as typeof express5],
] as const) {
  faces.push(
    [`accelerate, ${name}`, 'HTTP/1.1', (cache, handler, options) => inFront(cache, express().use(handler), options)],
    [
      `httpCache, ${name}`,
      'HTTP/1.1',
      (cache, handler, options) => express().use(httpCache(cache, options)).use(handler),
    ],
    [
      `httpCache in a router, ${name}`,
      'HTTP/1.1',
      (cache, handler, options) => {
        const inner = express()
        inner.use(httpCache(cache, options)).use(handler)
        return express().use('/', express().use(inner))
      },
    ],
    [`cached, ${name}`, 'HTTP/1.1', (cache, handler, options) => express().get('/', cached(cache, handler, options))],
  )
}
