import { afterEach, describe, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { faces } from './faces.ts'
import { startServer } from './node-server.ts'
import type { Handler } from './faces.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** More than connections take at once. */
const PAGE = 'x'.repeat(2 ** 23)

function broken(_written: unknown): never {
  throw new Error('broken')
}

describe.each(faces)('%s', (_, version, face) => {
  test.each<[string, Handler]>([
    ['throws after its head', (_req, res) => broken(void res.writeHead(503))],
    ['throws after a part of its body', (_req, res) => broken(void res.writeHead(500, { 'X-A': '1' }).write('so'))],
    ['throws after its end', (_req, res) => broken(void res.writeHead(502).end('sorry'))],
    ['destroys its response', (_req, res) => void res.writeHead(504).destroy()],
    ['throws without a head', () => broken('nothing')],
  ])('what is stored stands in, whole, for a handler that %s (RFC 5861, section 4)', async (_name, fail) => {
    const cache = createCache()
    cleanups.push(() => cache.close())
    let answer: Handler = (_req, res) => {
      res.writeHead(200, { 'Cache-Control': 'max-age=0, stale-while-revalidate=0, stale-if-error=60' }).end(PAGE)
    }
    const listener = face(cache, (req, res) => answer(req, res), { maxBodyBytes: PAGE.length })
    const server = await startServer(version, listener)
    cleanups.push(() => server.close())
    await server.ask()
    answer = fail
    const got = await server.ask()
    expect([got.status, got.body.length]).toEqual([200, PAGE.length])
    expect(got.headers['cache-status']).toMatch(/^tiercache; fwd=stale; fwd-status=50\d; .*detail=stale-if-error$/)
  })
})
