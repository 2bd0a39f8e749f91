/** The shop's questions to Postgres, without any cache. */
import type { Database } from './database.ts'

/** A product as its own page shows it. */
export interface Product {
  readonly id: number
  readonly name: string
  readonly price: number
  readonly category: string
  readonly supplier: { readonly name: string; readonly country: string }
  readonly stock: Readonly<Record<string, number>>
  readonly reviews: { readonly count: number; readonly average: number | null }
  readonly boughtTogether: readonly string[]
}

/** A product as a line of a search. */
export interface Found {
  readonly id: number
  readonly name: string
  readonly price: number
  readonly category: string
  readonly supplier: string
  readonly reviews: number
  readonly rating: number | null
}

/** A product as a line of the top-list. */
export interface Seller {
  readonly id: number
  readonly name: string
  readonly price: number
  readonly category: string
  readonly supplier: string
  readonly units: number
  readonly revenue: number
  readonly rating: number | null
}

/** One product, or `null` when the shop has none of this id. */
export async function findProduct(database: Database, id: number): Promise<Product | null> {
  const [product] = await database.query<Product>(productSql, [id])
  return product ?? null
}

/** The best reviewed products whose name, category or supplier has all of these words. */
export function searchProducts(database: Database, words: readonly string[]): Promise<Found[]> {
  return database.query<Found>(searchSql, [words.map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`)])
}

/** The products that earned most in the last days up to the newest order. */
export function topSellers(database: Database, days: number): Promise<Seller[]> {
  return database.query<Seller>(topSql, [days])
}

/** Gives a product a new price; `false` when the shop has none of this id. */
export async function setPrice(database: Database, id: number, price: number): Promise<boolean> {
  return (await database.query(setPriceSql, [id, Math.round(price * 100)])).length > 0
}

const productSql = `
select p.id, p.name, (p.price_cents / 100.0)::float8 as price, c.name as category,
  json_build_object('name', s.name, 'country', s.country) as supplier,
  (select json_object_agg(warehouse, quantity order by warehouse)
    from tiercache_shop.stock where product_id = p.id) as stock,
  (select json_build_object('count', count(*), 'average', round(avg(rating), 2))
    from tiercache_shop.reviews where product_id = p.id) as reviews,
  array(
    select other.name
    from tiercache_shop.order_lines mine
    join tiercache_shop.order_lines theirs on theirs.order_id = mine.order_id and theirs.product_id <> mine.product_id
    join tiercache_shop.products other on other.id = theirs.product_id
    where mine.product_id = p.id
    group by other.id
    order by count(*) desc, other.id
    limit 3
  ) as "boughtTogether"
from tiercache_shop.products p
join tiercache_shop.categories c on c.id = p.category_id
join tiercache_shop.suppliers s on s.id = p.supplier_id
where p.id = $1`

const searchSql = `
select p.id, p.name, (p.price_cents / 100.0)::float8 as price, c.name as category, s.name as supplier,
  count(r.id)::int as reviews, round(avg(r.rating), 2)::float8 as rating
from tiercache_shop.products p
join tiercache_shop.categories c on c.id = p.category_id
join tiercache_shop.suppliers s on s.id = p.supplier_id
left join tiercache_shop.reviews r on r.product_id = p.id
where concat_ws(' ', p.name, c.name, s.name) ilike all ($1::text[])
group by p.id, c.name, s.name
order by rating desc nulls last, reviews desc, p.id
limit 20`

const topSql = `
with sold as (
  select l.product_id, sum(l.quantity) as units, sum(l.quantity * l.unit_price_cents) as cents
  from tiercache_shop.order_lines l
  join tiercache_shop.orders o on o.id = l.order_id
  where o.placed_on > (select max(placed_on) from tiercache_shop.orders) - $1::int
  group by l.product_id
), rated as (
  select product_id, avg(rating) as rating from tiercache_shop.reviews group by product_id
)
select p.id, p.name, (p.price_cents / 100.0)::float8 as price, c.name as category, s.name as supplier,
  sold.units::int as units, (sold.cents / 100.0)::float8 as revenue, round(rated.rating, 2)::float8 as rating
from sold
join tiercache_shop.products p on p.id = sold.product_id
join tiercache_shop.categories c on c.id = p.category_id
join tiercache_shop.suppliers s on s.id = p.supplier_id
left join rated on rated.product_id = p.id
order by sold.cents desc, p.id
limit 10`

const setPriceSql = 'update tiercache_shop.products set price_cents = $2 where id = $1 returning id'
