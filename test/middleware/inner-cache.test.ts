import { afterEach, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { accelerate } from '../../src/middleware/node.ts'
import { cached } from '../../src/middleware/cached.ts'
import { startServer } from './node-server.ts'
import type { HttpCacheOptions } from '../../src/middleware/node.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** One cache in front of the application, another one of its own at the route. */
async function serve(outer: HttpCacheOptions, inner: HttpCacheOptions) {
  const cache = createCache()
  cleanups.push(() => cache.close())
  let runs = 0
  const route = cached(cache, (req, res) => res.end(`${req.headers['x-tenant']} ${++runs}`), { ttl: '1m', ...inner })
  const front = accelerate(cache, route, outer)
  const server = await startServer('HTTP/1.1', front)
  cleanups.push(() => server.close())
  const get = (tenant: string, path = '/') => server.ask({ path, headers: { 'x-tenant': tenant } })
  return { get, purge: front.purge }
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
