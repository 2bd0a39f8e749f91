import express from 'express'
import request from 'supertest'
import { afterEach, expect, test, vi } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { httpCache } from '../../src/middleware/express.ts'
import type { Cache } from '../../src/cache/cache.ts'

let cache: Cache
afterEach(async () => {
  vi.restoreAllMocks()
  await cache.close()
})

test('a ttl after the head warns once in a process, and cuts no response off', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  cache = createCache()
  const app = express()
  app.use(httpCache(cache))
  app.get('/in-time', (_, res) => {
    res.cache.ttl('10s')
    res.send('x')
  })
  app.get('/late', (_, res) => {
    res.write('a')
    res.cache.ttl('10s')
    res.end('b')
  })
  app.get('/bad', (_, res) => {
    res.write('a')
    expect(() => res.cache.ttl('soon' as never)).toThrow('res.cache.ttl: expected')
    res.end('b')
  })
  const agent = request(app)
  await agent.get('/in-time').expect('x')
  expect(warnings).not.toHaveBeenCalled()
  for (const path of ['/late', '/late', '/bad']) {
    const { text, headers } = await agent.get(path).expect(200)
    expect(text).toBe('ab')
    expect(headers['cache-status']).toBe('tiercache; fwd=uri-miss; detail=no-lifetime')
  }
  expect(warnings.mock.calls).toEqual([
    [expect.stringContaining('res.cache.ttl() was called after the head'), { type: 'TierCacheWarning' }],
  ])
})
