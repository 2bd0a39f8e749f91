import type { Database } from './database.ts'

/** What the shop has after seeding: products, and rows in all tables together. */
export interface ShopSize {
  readonly products: number
  readonly rows: number
}

/**
 * Creates the shop's tables in a schema of their own and fills those that are empty.
 *
 * The script is one transaction behind an advisory lock: of two copies that start at the same moment on one
 * database the second waits, finds the rows of the first and adds none. The rows are computed, not drawn, so
 * every start gives the same shop.
 */
export async function seed(database: Database): Promise<ShopSize> {
  await database.run(script)
  const [size] = await database.query<ShopSize>(countRows)
  if (!size) throw new Error('counting the rows of the shop gave no answer')
  return size
}

const script = `
begin;
select pg_advisory_xact_lock(hashtext('tiercache_shop'));

create schema if not exists tiercache_shop;
set local search_path = tiercache_shop;

create table if not exists categories (
  id   int primary key,
  name text not null
);
create table if not exists suppliers (
  id      int primary key,
  name    text not null,
  country text not null
);
create table if not exists products (
  id          int primary key,
  name        text not null,
  category_id int not null references categories,
  supplier_id int not null references suppliers,
  price_cents int not null check (price_cents > 0)
);
create table if not exists stock (
  product_id int not null references products,
  warehouse  text not null,
  quantity   int not null check (quantity >= 0),
  primary key (product_id, warehouse)
);
create table if not exists reviews (
  id         int primary key,
  product_id int not null references products,
  rating     int not null check (rating between 1 and 5)
);
create table if not exists orders (
  id        int primary key,
  placed_on date not null
);
create table if not exists order_lines (
  order_id         int not null references orders,
  product_id       int not null references products,
  quantity         int not null check (quantity > 0),
  unit_price_cents int not null
);
create index if not exists reviews_by_product on reviews (product_id);
create index if not exists order_lines_by_product on order_lines (product_id);
create index if not exists order_lines_by_order on order_lines (order_id);

-- A number in [0, 1) that depends on nothing but its arguments.
create or replace function spread(i int, salt int) returns float8 language sql immutable as
  'select (hashint8extended(i, salt) & 2147483647) / 2147483648.0::float8';

insert into categories
  select i, (array['Lighting', 'Seating', 'Tables', 'Storage', 'Kitchen', 'Textiles', 'Garden', 'Office', 'Bath', 'Toys'])[i]
  from generate_series(1, 10) i
  where not exists (select from categories);

insert into suppliers
  select i,
    (array['Harbor', 'Northwind', 'Alder', 'Juniper', 'Meridian', 'Foxglove', 'Granite', 'Lindgren'])[1 + i % 8]
      || ' ' || (array['Works', 'Brothers', 'Trading', 'Studio', 'Mill'])[1 + i / 8 % 5] || ' ' || i,
    (array['NL', 'DE', 'FR', 'PL', 'PT', 'SE', 'IT'])[1 + i % 7]
  from generate_series(1, 200) i
  where not exists (select from suppliers);

-- 20 adjectives, 20 materials and 50 things make 20,000 different names; 7919 shares no factor with 20,000,
-- so every combination comes up once.
insert into products
  select i,
    (array['Quiet', 'Bright', 'Sturdy', 'Slim', 'Round', 'Nordic', 'Rustic', 'Folding', 'Stackable', 'Classic', 'Modern',
      'Compact', 'Tall', 'Low', 'Curved', 'Plain', 'Woven', 'Painted', 'Vintage', 'Portable'])[1 + n % 20]
      || ' ' || (array['Oak', 'Walnut', 'Birch', 'Ash', 'Cherry', 'Pine', 'Bamboo', 'Rattan', 'Steel', 'Brass', 'Copper',
        'Iron', 'Glass', 'Marble', 'Slate', 'Linen', 'Wool', 'Cotton', 'Leather', 'Cork'])[1 + n / 20 % 20]
      || ' ' || (array['Lamp', 'Chair', 'Desk', 'Shelf', 'Pan', 'Rug', 'Bench', 'Pen Tray', 'Towel Rack', 'Train',
        'Lantern', 'Stool', 'Side Table', 'Cabinet', 'Bowl', 'Curtain', 'Planter', 'File Box', 'Mirror', 'Puzzle',
        'Sconce', 'Armchair', 'Dining Table', 'Chest', 'Kettle', 'Cushion', 'Trellis', 'Clock', 'Soap Dish', 'Blocks',
        'Pendant', 'Sofa', 'Coffee Table', 'Wardrobe', 'Board', 'Blanket', 'Hammock', 'Bookend', 'Basket', 'Kite',
        'Spotlight', 'Rocker', 'Trestle', 'Drawer', 'Jar', 'Tablecloth', 'Bird House', 'Stand', 'Step', 'Drum'])[1 + n / 400]
    , 1 + n / 400 % 10
    , 1 + (200 * spread(i, 1))::int % 200
    , 499 + (45000 * power(spread(i, 2), 2))::int
  from (select i, (i::bigint * 7919 % 20000)::int as n from generate_series(1, 20000) i) numbered
  where not exists (select from products);

insert into stock
  select i, warehouse, (120 * spread(i, ascii(warehouse)))::int
  from generate_series(1, 20000) i cross join unnest(array['Leipzig', 'Rotterdam']) warehouse
  where not exists (select from stock);

-- Powers make few products popular and most of them rare, as in a real shop.
insert into reviews
  select i, 1 + floor(20000 * power(spread(i, 3), 2))::int, 1 + floor(5 * sqrt(spread(i, 4)))::int
  from generate_series(1, 60000) i
  where not exists (select from reviews);

insert into orders
  select i, date '2025-01-01' + i * 364 / 30000
  from generate_series(1, 30000) i
  where not exists (select from orders);

insert into order_lines
  select 1 + i % 30000, p.id, 1 + floor(3 * spread(i, 5))::int, p.price_cents
  from generate_series(1, 90000) i
  join products p on p.id = 1 + floor(20000 * power(spread(i, 6), 2))::int
  where not exists (select from order_lines);

analyze categories, suppliers, products, stock, reviews, orders, order_lines;
commit;
`

const countRows = `
select
  (select count(*) from tiercache_shop.products)::int as products,
  ((select count(*) from tiercache_shop.categories)
    + (select count(*) from tiercache_shop.suppliers)
    + (select count(*) from tiercache_shop.products)
    + (select count(*) from tiercache_shop.stock)
    + (select count(*) from tiercache_shop.reviews)
    + (select count(*) from tiercache_shop.orders)
    + (select count(*) from tiercache_shop.order_lines))::int as rows
`
