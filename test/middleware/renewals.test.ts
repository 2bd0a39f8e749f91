import { afterEach, describe, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { faces } from './faces.ts'
import { startServer, until } from './node-server.ts'
import type { Handler } from './faces.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

describe.each(faces)('%s', (_, version, face) => {
  async function serve(handler: Handler) {
    const cache = createCache()
    cleanups.push(() => cache.close())
    const server = await startServer(version, face(cache, handler, { ttl: '1m', stale: '10m' }))
    cleanups.push(() => server.close())
    return { cache, ask: server.ask }
  }

  test('what is stale is served at once, and made anew behind its reader, without his credentials', async () => {
    const seen: unknown[] = []
    const { cache, ask } = await serve((req, res) => {
      const { method, url, socket, headers } = req
      seen.push({ method, url, address: socket.remoteAddress, cookie: headers.cookie })
      res.cache.tags('page')
      res.setHeader('Content-Type', 'text/plain')
      res.write('run ')
      res.end(`${seen.length}`)
    })
    expect((await ask()).body).toBe('run 1')
    await cache.expireTags('page')
    const stale = await ask({ headers: { cookie: 'user=7' } })
    expect(stale.body).toBe('run 1')
    expect(stale.headers['cache-status']).toMatch(/^tiercache; hit; ttl=/)
    await until(() => seen.length === 2)
    await until(() => cache.counters.loadsWaiting === 0)
    expect(seen[1]).toEqual({ method: 'GET', url: '/', address: '127.0.0.1', cookie: undefined })
    let fresh = await ask()
    while (fresh.body === 'run 1') fresh = await ask()
    expect(fresh.body).toBe('run 2')
    expect(seen).toHaveLength(2)
  })

  test('a reader with Authorization waits for what is newer, and makes it', async () => {
    const seen: unknown[] = []
    const { cache, ask } = await serve((req, res) => {
      seen.push(req.headers.authorization)
      res.cache.tags('page')
      res.setHeader('Cache-Control', 'public')
      res.end(`run ${seen.length}`)
    })
    await ask()
    await cache.expireTags('page')
    expect((await ask({ headers: { authorization: 'Bearer x' } })).body).toBe('run 2')
    expect(seen).toEqual([undefined, 'Bearer x'])
  })

  test('what varies by Cookie is made anew in front of the reader whose it is', async () => {
    const seen: unknown[] = []
    const { cache, ask } = await serve((req, res) => {
      seen.push(req.headers.cookie)
      res.cache.tags('page')
      res.setHeader('Cache-Control', 'public')
      res.setHeader('Vary', 'Cookie')
      res.end(`${req.headers.cookie}`)
    })
    await ask({ headers: { cookie: 'a=1' } })
    await cache.expireTags('page')
    expect((await ask({ headers: { cookie: 'a=1' } })).body).toBe('a=1')
    expect(seen).toEqual(['a=1', 'a=1'])
  })

  test('what fails behind a reader leaves what is stale', async () => {
    let runs = 0
    const { cache, ask } = await serve((_req, res) => {
      runs++
      res.cache.tags('page')
      if (runs > 1) res.statusCode = 500
      res.end(`run ${runs}`)
    })
    await ask()
    await cache.expireTags('page')
    expect((await ask()).body).toBe('run 1')
    await until(() => runs === 2)
    await until(() => cache.counters.loadsWaiting === 0)
    expect((await ask()).body).toBe('run 1')
  })
})
