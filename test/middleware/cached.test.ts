import express5 from 'express'
// @ts-expect-error It has no types here; what is used of it is the same.
import express4 from 'express4'
import { afterEach, describe, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { cached } from '../../src/middleware/cached.ts'
import { httpCache } from '../../src/middleware/express.ts'
import { startServer, until } from './node-server.ts'
import { Noting } from './noting.ts'
import type { Express, Request, Response } from 'express'
import type { Cache } from '../../src/cache/cache.ts'
import type { Exchange } from '../../src/http/exchange.ts'
import type { Listener } from './node-server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(listener: Listener) {
  const server = await startServer('HTTP/1.1', listener)
  cleanups.push(() => server.close())
  return server
}

function open(): Cache {
  const cache = createCache()
  cleanups.push(() => cache.close())
  return cache
}

const hit = /^tiercache; hit; ttl=\d+; detail=L1$/

/** The exchanges that an engine is given are handed to a test, and forwarded without being watched. */
function intercept(): Exchange[] {
  const exchanges: Exchange[] = []
  const { handle } = HttpCache.prototype
  cleanups.push(() => Object.assign(HttpCache.prototype, { handle }))
  HttpCache.prototype.handle = (exchange) => {
    exchanges.push(exchange)
    exchange.forward(new Noting())
  }
  return exchanges
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4 as typeof express5],
])('%s', (_, express) => {
  test('a hit does not run the handler, and each target is another', async () => {
    let runs = 0
    const app: Express = express()
    app.get(
      '/products/:id',
      cached(open(), (req: Request, res: Response) => {
        runs++
        res.cache.ttl('1m')
        res.json({ id: req.params.id })
      }),
    )
    const { ask } = await serve(app)
    await ask({ path: '/products/7' })
    const again = await ask({ path: '/products/7' })
    expect(again).toMatchObject({ status: 200, body: '{"id":"7"}' })
    expect(again.headers['cache-status']).toMatch(hit)
    expect((await ask({ path: '/products/8' })).body).toBe('{"id":"8"}')
    expect(runs).toBe(2)
  })

  test('behind httpCache it lends its options', async () => {
    const app = express()
    app.use(httpCache(open()))
    app.get(
      '/',
      cached(open(), (_req, res) => res.end('page'), { ttl: '1m' }),
    )
    const { ask } = await serve(app)
    await ask()
    expect((await ask()).headers['cache-status']).toMatch(hit)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['rejects without a reason', () => Promise.reject(), 'the handler has failed without an error'],
  ])('a handler that %s: its error goes on', async (_how, fail, message = 'broken') => {
    const app = express()
    app.get('/', cached(open(), fail))
    app.use((error: Error, _req: Request, res: Response, _next: unknown) => {
      res.status(503).end(error.message)
    })
    const { ask } = await serve(app)
    expect(await ask()).toMatchObject({ status: 503, body: message })
  })

  test('run again it finds what Express has made of the request, and nothing that middlewares have', async () => {
    const exchanges = intercept()
    const seen: unknown[] = []
    const app = express()
    const router = express.Router()
    router.get(
      '/products/:id',
      cached(open(), (req: Request & { user?: string }, res: Response) => {
        const { params, query, url, originalUrl, baseUrl, user } = req
        const own = { params, query, url, originalUrl, baseUrl, user, locals: { ...res.locals }, host: req.hostname }
        seen.push(JSON.parse(JSON.stringify(own)))
        expect([req.res === res, res.req === req, req.app === app]).toEqual([true, true, true])
        res.type('text').send('page')
      }),
    )
    let entered = 0
    app.use((req, res, next) => {
      entered++
      Object.assign(req, { user: 'ada' })
      res.locals.user = 'ada'
      next()
    })
    app.use('/shop', router)
    let again: Exchange | undefined
    const { ask } = await serve((req, res) => {
      app(req, res)
      again = exchanges[0]?.detached?.()
    })
    await ask({ path: '/shop/products/7?a=1' })
    const watcher = new Noting()
    again?.forward(watcher)
    await until(() => watcher.notes.includes('complete'))
    const made = {
      params: { id: '7' },
      query: { a: '1' },
      url: '/products/7?a=1',
      originalUrl: '/shop/products/7?a=1',
      baseUrl: '/shop',
      host: 'a.example',
    }
    expect(seen).toEqual([
      { ...made, user: 'ada', locals: { user: 'ada' } },
      { ...made, locals: {} },
    ])
    expect(watcher.notes.slice(0, 3)).toEqual(['head 200', 'chunk page', 'complete'])
    expect(entered).toBe(1)
  })

  test.each([
    [
      'fails',
      (_req: Request, _res: Response, next: (error?: unknown) => void) => next(new Error('broken')),
      'head 500',
    ],
    ['declines', (_req: Request, _res: Response, next: (error?: unknown) => void) => next(), 'over'],
  ])('run again and it %s', async (_how, handler, note) => {
    const exchanges = intercept()
    const app = express()
    app.get('/', cached(open(), handler))
    app.use((_error: Error, _req: Request, res: Response, _next: unknown) => {
      res.end()
    })
    let again: Exchange | undefined
    const { ask } = await serve((req, res) => {
      app(req, res)
      again = exchanges[0]?.detached?.()
    })
    await ask()
    const watcher = new Noting()
    again?.forward(watcher)
    await until(() => watcher.notes.some((each) => each === 'complete' || each === 'over'))
    expect(watcher.notes).toContain(note)
  })
})

test('a listener of node:http', async () => {
  let runs = 0
  const listener = cached(open(), (req, res) => {
    if (req.url === '/broken') throw new Error('broken')
    runs++
    res.cache.ttl('1m')
    res.end('page')
  })
  const { ask } = await serve(listener)
  await ask()
  expect((await ask()).headers['cache-status']).toMatch(hit)
  expect(runs).toBe(1)
  expect((await ask({ path: '/broken' })).status).toBe(500)
})

test('what is no handler is told', () => {
  expect(() => cached(open(), undefined as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
})
