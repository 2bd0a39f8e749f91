import express from 'express'
import { findProduct, searchProducts, setPrice, topSellers } from '../catalogue.ts'
import { HttpError } from '../http-error.ts'
import { timed } from '../server-timing.ts'
import type { Response, Router } from 'express'
import type { Cache } from 'tiercache'
import type { Database } from '../database.ts'

/** On all that shows this product, data and pages: its own, and the lists that it is in. */
const productTag = ({ id }: { readonly id: number }) => `product:${id}`

/**
 * The routes of the shop. `products` and `lists` keep what the database answered; the cache in front keeps the pages
 * that are made of it. A new price makes all that shows the product invalid, by its tag.
 */
export function productRoutes(cache: Cache, database: Database): Router {
  const products = cache.namespace('products', { ttl: '10m' })
  const lists = cache.namespace('lists', { ttl: '2m' })
  const router = express.Router()

  /** A list of products: which they are, and so its tags, is known when it is loaded. */
  const list = <Item extends { readonly id: number }>(key: string, load: () => Promise<Item[]>) =>
    lists.getOrSet(key, async ({ setTags }) => {
      const items = await load()
      setTags(...items.map(productTag))
      return items
    })

  router.get('/products/:id', async (req, res) => {
    const id = readId(req.params.id)
    const product = await products.getOrSet(`${id}`, () => timed(res, () => findProduct(database, id)), {
      tags: [productTag({ id })],
    })
    if (!product) throw new HttpError(404, `there is no product ${id}`)
    sendPage(res, product, [product])
  })

  router.get('/search', async (req, res) => {
    const words = readWords(req.query.q)
    const found = await list(`search:${words.join(' ')}`, () => timed(res, () => searchProducts(database, words)))
    sendPage(res, found, found)
  })

  router.get('/top', async (req, res) => {
    const days = readDays(req.query.days)
    const sellers = await list(`top:${days}`, () => timed(res, () => topSellers(database, days)))
    sendPage(res, sellers, sellers)
  })

  router.put('/products/:id/price', express.json({ limit: '1kb' }), async (req, res) => {
    const id = readId(req.params.id)
    const price = readPrice(req.body)
    if (!(await timed(res, () => setPrice(database, id, price)))) throw new HttpError(404, `there is no product ${id}`)
    const { acknowledged } = await cache.invalidateTags(productTag({ id }))
    res.json({ id, price, acknowledged })
  })

  return router
}

/**
 * Answers with a page that is the same for everybody. The cache in front keeps it for a minute, and serves it for ten
 * more while a newer one is made. No tag reaches browsers, so they ask each time, and get a 304 if nothing is new.
 */
function sendPage(res: Response, body: unknown, shown: readonly { readonly id: number }[]): void {
  res.cache.tags(...shown.map(productTag))
  res.set('Tiercache-Control', 'public, max-age=60, stale-while-revalidate=600, stale-if-error=86400')
  res.set('Cache-Control', 'no-cache')
  res.json(body)
}

function readId(text: string | undefined): number {
  const id = Number(text)
  if (!/^[1-9]\d{0,8}$/.test(text ?? '')) throw new HttpError(400, 'the id of a product is a whole number from 1')
  return id
}

/** The words of a search in one canonical form, so that equal searches share an entry. */
function readWords(q: unknown): string[] {
  const words =
    typeof q === 'string'
      ? [
          ...new Set(
            q
              .toLowerCase()
              .split(/[\s\0]+/)
              .filter(Boolean),
          ),
        ].sort()
      : []
  if (words.length === 0 || words.length > 5 || words.join(' ').length > 64) {
    throw new HttpError(400, 'q holds one to five words of 64 characters together, as in /search?q=oak+lamp')
  }
  return words
}

function readDays(text: unknown): number {
  if (text === undefined) return 90
  const days = Number(text)
  if (typeof text !== 'string' || !/^\d{1,3}$/.test(text) || days < 1 || days > 365) {
    throw new HttpError(400, 'days is a whole number from 1 to 365')
  }
  return days
}

function readPrice(body: unknown): number {
  const price = typeof body === 'object' && body !== null && 'price' in body ? body.price : undefined
  const cents = typeof price === 'number' ? Math.round(price * 100) : 0
  if (typeof price !== 'number' || Math.abs(cents / 100 - price) > 1e-9 || cents < 1 || cents > 10_000_000) {
    throw new HttpError(400, 'the body is {"price": n}, with n from 0.01 to 100000 and at most two decimals')
  }
  return cents / 100
}
