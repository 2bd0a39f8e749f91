import { afterEach, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { accelerate } from '../../src/middleware/node.ts'
import { cached } from '../../src/middleware/cached.ts'
import { startServer } from './node-server.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { HttpCacheOptions } from '../../src/middleware/node.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const oneOf = (cache: Cache): readonly [outer: Cache, inner: Cache] => [cache, cache]
const apart = (cache: Cache): readonly [outer: Cache, inner: Cache] => [
  cache.namespace('front'),
  cache.namespace('pages'),
]

/** One cache in front of the application, another one of its own at the route. */
async function serve(outer: HttpCacheOptions, inner: HttpCacheOptions, parts = oneOf) {
  const cache = createCache()
  cleanups.push(() => cache.close())
  const [front, own] = parts(cache)
  let runs = 0
  const route = cached(own, (req, res) => res.end(`${req.headers['x-tenant']} ${++runs}`), { ttl: '1m', ...inner })
  const application = accelerate(front, route, outer)
  const server = await startServer('HTTP/1.1', application)
  cleanups.push(() => server.close())
  const get = (tenant: string, path = '/') => server.ask({ path, headers: { 'x-tenant': tenant } })
  return { cache, get, purge: application.purge, inner: route }
}

test.each<[string, HttpCacheOptions]>([
  ['has no keyHeaders', {}],
  ['has others of the query', { query: { ignore: ['u'] } }],
])('a purge of what the outer cache keeps under keyHeaders finds it, though the inner one %s', async (_, inner) => {
  const { get, purge } = await serve({ keyHeaders: ['x-tenant'] }, inner)
  expect(await get('a', '/?u=1')).toMatchObject({ body: 'a 1' })
  expect(await get('b', '/?u=1')).toMatchObject({ body: 'b 2' })
  expect(await get('a', '/?u=1')).toMatchObject({ body: 'a 1' })
  await purge('http://a.example/?u=1')
  expect(await get('a', '/?u=1')).toMatchObject({ body: 'a 3' })
  expect(await get('b', '/?u=1')).toMatchObject({ body: 'b 4' })
})

test.each<HttpCacheOptions>([{}, { audit: 'warn' }, { audit: 'vary' }])(
  'what the inner cache would have in its keys tells pages apart for the outer one, too: %o',
  async (options) => {
    const { get } = await serve({}, { keyHeaders: ['X-Tenant'], ...options })
    expect(await get('a')).toMatchObject({ body: 'a 1', headers: { vary: 'x-tenant' } })
    expect(await get('b')).toMatchObject({ body: 'b 2', headers: { vary: 'x-tenant' } })
    expect(await get('a')).toMatchObject({ body: 'a 1' })
    expect(await get('b')).toMatchObject({ body: 'b 2' })
  },
)

test.each<[string, HttpCacheOptions, HttpCacheOptions, typeof oneOf]>([
  ['over another namespace', {}, {}, apart],
  ['over another namespace, where Vary has the outer one keep variants', {}, { keyHeaders: ['X-Tenant'] }, apart],
  ['with another query', {}, { query: { ignore: ['u'] } }, oneOf],
  ['without the query of the outer one', { query: { ignore: ['u'] } }, {}, oneOf],
  ['without its keyHeaders', { keyHeaders: ['x-tenant'] }, {}, apart],
])('a purge of the inner cache, %s, finds what the outer one keeps', async (_, outer, own, parts) => {
  const { get, inner } = await serve(outer, { harmless: ['x-tenant'], ...own }, parts)
  await get('a', '/?u=1')
  expect(await get('a', '/?u=1')).toMatchObject({ body: 'a 1' })
  expect(await inner.purge('http://a.example/?u=1')).toEqual({ acknowledged: true })
  expect(await get('a', '/?u=1')).toMatchObject({ body: 'a 2' })
  await inner.softPurge('http://a.example/?u=1')
  expect(await get('a', '/?u=1')).toMatchObject({ body: 'a 3' })
  expect(await get('a', '/?u=1')).toMatchObject({ body: 'a 3' })
})
