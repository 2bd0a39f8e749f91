import express from 'express'
import { afterEach, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { cached } from '../../src/middleware/cached.ts'
import { httpCache } from '../../src/middleware/express.ts'
import { accelerate } from '../../src/middleware/node.ts'
import { startServer } from './node-server.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cache } from '../../src/cache/cache.ts'
import type { Listener } from './node-server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** What sets fields when the head is written, and throws at that once. */
function breakHead(res: ServerResponse): void {
  const { writeHead } = res
  res.writeHead = () => {
    res.writeHead = writeHead
    throw new Error('the front failed')
  }
}

const page = (_: IncomingMessage, res: ServerResponse) => {
  res.setHeader('Cache-Control', 'max-age=60')
  res.end('page')
}

const faces: [string, (cache: Cache, front: Listener) => Listener][] = [
  [
    'accelerate',
    (cache, front) => {
      const inner = accelerate(cache, page, { onError: () => {} })
      return (req, res) => {
        front(req, res)
        inner(req, res)
      }
    },
  ],
  [
    'cached',
    (cache, front) => {
      const inner = cached(cache, page)
      return (req, res) => {
        front(req, res)
        inner(req, res)
      }
    },
  ],
  [
    'httpCache',
    (cache, front) =>
      express()
        .set('env', 'test')
        .use((req, res, next) => {
          front(req, res)
          next()
        })
        .use(httpCache(cache))
        .use(page),
  ],
]

test.each(faces)('%s: an error of what stands in front, on the way of a stored answer, is a 500', async (_, face) => {
  const cache = createCache()
  cleanups.push(() => cache.close())
  const server = await startServer(
    'HTTP/1.1',
    face(cache, (req, res) => {
      if (req.headers['x-break']) breakHead(res)
    }),
  )
  cleanups.push(() => server.close())
  await server.ask()
  expect(await server.ask()).toMatchObject({
    body: 'page',
    headers: { 'cache-status': expect.stringContaining('hit') },
  })
  const broken = { 'x-break': '1' }
  // The last of them is answered when nobody is there to catch.
  const onlyIfCached = { path: '/other', headers: { ...broken, 'cache-control': 'only-if-cached' } }
  for (const asking of [{ headers: broken }, { method: 'HEAD', headers: broken }, onlyIfCached]) {
    const got = await server.ask(asking)
    expect(got.status).toBe(500)
    expect(got.headers).not.toHaveProperty('cache-control')
    expect(got.headers).not.toHaveProperty('age')
  }
})
