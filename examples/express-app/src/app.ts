import express from 'express'
import { prometheus } from 'tiercache/metrics/prometheus'
import { HttpError } from './http-error.ts'
import { productRoutes } from './routes/products.ts'
import type { ErrorRequestHandler, Express } from 'express'
import type { Registry } from 'prom-client'
import type { Cache } from 'tiercache'
import type { Database } from './database.ts'

/** What the shop is made of. */
export interface Parts {
  readonly cache: Cache
  readonly database: Database
  /** Where the figures of the cache go; without it there is no `/metrics`. */
  readonly register?: Registry
}

/** The shop as an Express app, with no cache in front of it yet. */
export function createApp({ cache, database, register }: Parts): Express {
  const app = express()
  app.disable('x-powered-by')

  app.get('/', (_req, res) => {
    res.set('Cache-Control', 'public, max-age=3600').type('html').send(indexPage)
  })
  app.get('/health', async (_req, res) => {
    await database.query('select 1')
    res.set('Cache-Control', 'no-store').json({ status: 'ok' })
  })
  if (register) {
    prometheus(cache, { register })
    app.get('/metrics', async (_req, res) => {
      res.set({ 'Cache-Control': 'no-store', 'Content-Type': register.contentType }).end(await register.metrics())
    })
  }

  app.use(productRoutes(cache, database))
  app.use((req) => {
    throw new HttpError(404, `there is nothing at ${req.method} ${req.path}`)
  })
  app.use(answerError)
  return app
}

/** Answers each failure with JSON; what is not meant for the client goes to the log alone. */
const answerError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error)
  const { status, message } = describe(error)
  if (status >= 500) console.error(error)
  res.status(status).set('Cache-Control', 'no-store').json({ error: message })
}

function describe(error: unknown): { status: number; message: string } {
  if (error instanceof HttpError) return error
  const { type, status } = error as { type?: unknown; status?: unknown }
  if (type === 'entity.parse.failed') return { status: 400, message: 'the body is not valid JSON' }
  if (type === 'entity.too.large') return { status: 413, message: 'the body is longer than 1 kB' }
  // Express and its body parser mark what the client did wrong with a status of their own.
  if (typeof status === 'number' && status >= 400 && status < 500)
    return { status, message: 'the request is malformed' }
  return { status: 500, message: 'something went wrong here' }
}

const indexPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>tiercache example shop</title>
<h1>A shop behind a cache</h1>
<ul>
  <li><a href="/products/7">GET /products/7</a>: a product with its stock and reviews
  <li><a href="/search?q=oak+lamp">GET /search?q=oak+lamp</a>: the best reviewed products that fit
  <li><a href="/top">GET /top</a>, <a href="/top?days=365">GET /top?days=365</a>: what earned most (slow)
  <li>PUT /products/7/price with <code>{"price": 19.99}</code>: a new price, seen at once on all of these
  <li><a href="/metrics">GET /metrics</a>: the figures of the cache
  <li><a href="/health">GET /health</a>
</ul>
<p>Each answer says in <code>Cache-Status</code> where it came from, and in <code>Server-Timing</code> how long the
database took.
</html>
`
