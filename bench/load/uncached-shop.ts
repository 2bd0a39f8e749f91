import express from 'express'
import { findProduct, searchProducts, setPrice, topSellers } from '../../examples/express-app/src/catalogue.ts'
import type { Express } from 'express'
import type { Database } from '../../examples/express-app/src/database.ts'

/** The routes of the example shop as they would be without tiercache, single flight included. */
export function uncachedShop(database: Database): Express {
  const app = express()
  app.disable('x-powered-by')
  app.get('/products/:id', async (req, res) => {
    const product = await findProduct(database, Number(req.params.id))
    if (product) res.json(product)
    else res.status(404).json({ error: 'there is no such product' })
  })
  app.get('/search', async (req, res) => {
    res.json(await searchProducts(database, String(req.query.q).split(' ')))
  })
  app.get('/top', async (req, res) => {
    res.json(await topSellers(database, Number(req.query.days)))
  })
  app.put('/products/:id/price', express.json({ limit: '1kb' }), async (req, res) => {
    const id = Number(req.params.id)
    const { price } = req.body as { price: number }
    res.status((await setPrice(database, id, price)) ? 200 : 404).json({ id, price })
  })
  return app
}
