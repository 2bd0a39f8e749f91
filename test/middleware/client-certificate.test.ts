import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:https'
import { join } from 'node:path'
import express from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { httpCache } from '../../src/middleware/express.ts'
import { accelerate } from '../../src/middleware/node.ts'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Cache } from '../../src/cache/cache.ts'

const file = (name: string) => readFileSync(join(import.meta.dirname, '../doubles/tls', name))
const pair = { key: file('test-only.key'), cert: file('test-only.crt') }

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const faces: Record<string, (cache: Cache, listener: RequestListener) => RequestListener> = {
  accelerate: (cache, listener) => accelerate(cache, listener, { ttl: '1m' }),
  httpCache: (cache, listener) => express().use(httpCache(cache, { ttl: '1m' }), listener),
}

describe.each(Object.entries(faces))('%s', (_, face) => {
  test.each([true, false])(
    'what is made for a client with a certificate (trusted: %s) is its own, unless it says that it is for all',
    async (trusted) => {
      const cache = createCache()
      let runs = 0
      const listener: RequestListener = (req, res) => {
        if (req.url === '/public') res.setHeader('Cache-Control', 'public')
        res.end(`run ${++runs}`)
      }
      const trust = trusted ? { ca: pair.cert } : {}
      const server = createServer(
        { ...pair, ...trust, requestCert: true, rejectUnauthorized: false },
        face(cache, listener),
      )
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      cleanups.push(
        () => server.closeAllConnections(),
        () => server.close(),
        () => cache.close(),
      )
      const { port } = server.address() as AddressInfo
      const get = async (path: string, own: object) => {
        const sent = request({ port, host: '127.0.0.1', path, rejectUnauthorized: false, agent: false, ...own }).end()
        const [response] = (await once(sent, 'response')) as [IncomingMessage]
        let body = ''
        for await (const chunk of response) body += chunk
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
        return { body, status: response.headers['cache-status'] }
      }
      expect(await get('/', pair)).toEqual({
        body: 'run 1',
        status: 'tiercache; fwd=uri-miss; detail=client-certificate',
      })
      expect(await get('/', {})).toEqual({ body: 'run 2', status: 'tiercache; fwd=uri-miss; stored' })
      expect((await get('/', {})).body).toBe('run 2')
      expect(await get('/', pair)).toEqual({ body: 'run 3', status: 'tiercache; fwd=bypass; detail=authorization' })
      expect((await get('/public', pair)).status).toMatch(/stored/)
      expect((await get('/public', pair)).body).toBe('run 4')
      expect((await get('/public', {})).body).toBe('run 4')
    },
  )
})
