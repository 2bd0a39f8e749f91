import { createRequire } from 'node:module'
import { once } from 'node:events'
import { connect } from 'node:net'
import { PassThrough, Transform } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { AsyncLocalStorage } from 'node:async_hooks'
import express5 from 'express'
import request from 'supertest'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { httpCache } from '../../src/middleware/express.ts'
import { startRedis } from '../doubles/redis.ts'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Express, NextFunction, Request, Response } from 'express'
import type { Cache } from '../../src/cache/cache.ts'
import type { HttpCacheOptions } from '../../src/middleware/express.ts'
import type { RedisServer } from '../doubles/redis.ts'

// Express 4 has no types of its own here; what is used of it is the same.
const express4 = createRequire(import.meta.url)('express4') as typeof express5

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const setups = [
  { name: 'Express 5, L1', express: express5, tiers: 'l1' },
  { name: 'Express 4, L1', express: express4, tiers: 'l1' },
  { name: 'Express 5, L2', express: express5, tiers: 'l2' },
  { name: 'Express 5, L1 and L2', express: express5, tiers: 'l1+l2' },
] as const

type Agent = ReturnType<typeof request>
type Route = (req: Request, res: Response, next: NextFunction) => unknown

describe.each(setups)('$name', ({ express, tiers }) => {
  const cleanups: (() => Promise<unknown> | unknown)[] = []
  let prefixes = 0

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  /** A cache that knows its Redis: until then, L1 keeps nothing for long. */
  async function open(prefix: string): Promise<Cache> {
    const l1 = tiers === 'l2' ? { l1: false as const } : {}
    const cache = createCache(tiers === 'l1' ? {} : { redis: redis.url, prefix, ...l1 })
    cleanups.push(() => cache.close())
    // The first notice that is heard tells what chain there is.
    while (tiers !== 'l1' && cache.counters.gaps === 0) {
      await cache.delete('warm-up')
      await settle()
    }
    return cache
  }

  /** An application with one middleware and one route for everything, listening. */
  async function serve(route: Route, options?: HttpCacheOptions, before?: (app: Express) => void): Promise<Served> {
    const prefix = `t${process.pid}-${tiers.replace('+', '')}-${express === express4 ? 4 : 5}-${prefixes++}`
    const cache = await open(prefix)
    let runs = 0
    const app = express()
    app.use((req, _, next) => {
      if (req.get('X-Patient')) until(() => cache.counters.loadsWaiting === 0).then(next, next)
      else next()
    })
    before?.(app)
    app.use(httpCache(cache, options))
    app.use((req, res, next) => {
      runs++
      return route(req, res, next)
    })
    const server = app.listen(0, '127.0.0.1')
    cleanups.push(() => {
      server.closeAllConnections()
      server.close()
    })
    await once(server, 'listening')
    // vitest does not count the expectations of supertest, which are all that some tests need.
    expect(server.listening).toBe(true)
    return {
      agent: request.agent(server).set('X-Patient', '1'),
      hasty: request(server),
      server,
      cache,
      prefix,
      runs: () => runs,
    }
  }

  interface Served {
    /** Its requests wait until what those before them leave in the cache has landed. */
    readonly agent: Agent
    /** Its requests wait for nothing. */
    readonly hasty: Agent
    readonly server: Server
    readonly cache: Cache
    readonly prefix: string
    runs(): number
  }

  const near = tiers === 'l2' ? 'L2' : 'L1'
  const hit = new RegExp(`^tiercache; hit; ttl=\\d+; detail=${near}$`)

  describe('a hit', () => {
    test('has status, fields and bytes of the first response, an Age, and says where it came from', async () => {
      const { agent, runs } = await serve((_, res) => {
        res.status(203).set({ 'Cache-Control': 'public, max-age=60', 'X-Thing': 'a', Link: ['<a>', '<b>'] })
        res.json({ n: 1 })
      })
      const first = await agent.get('/x?q=1')
      const second = await agent.get('/x?q=1')
      expect(runs()).toBe(1)
      expect(first.headers['cache-status']).toBe('tiercache; fwd=uri-miss; stored')
      expect(first.headers.age).toBeUndefined()
      expect(second.headers['cache-status']).toMatch(hit)
      expect(second.headers.age).toMatch(/^\d$/)
      expect(second.status).toBe(203)
      expect(second.body).toEqual({ n: 1 })
      expect(without(second.headers, 'age', 'cache-status', 'connection', 'keep-alive')).toEqual(
        without(first.headers, 'cache-status', 'connection', 'keep-alive'),
      )
    })

    test('another query, path or host is another resource', async () => {
      const { agent, runs } = await serve((req, res) => {
        res.set('Cache-Control', 'max-age=60').send(req.headers.host + req.url)
      })
      for (let round = 0; round < 2; round++) {
        await agent.get('/x?a=1').expect(/x\?a=1$/)
        await agent.get('/x?a=2').expect(/x\?a=2$/)
        await agent.get('/y').expect(/\/y$/)
        await agent
          .get('/y')
          .set('Host', 'Other.example')
          .expect(/^other\.example\/y$/i)
        await agent
          .get('/y')
          .set('Host', 'other.example')
          .expect(/^other\.example\/y$/i)
      }
      expect(runs()).toBe(4)
    })

    test.each([
      ['end(buffer)', (res: Response) => res.end(Buffer.from([0, 1, 255]))],
      ['end(string, encoding)', (res: Response) => res.end('0001ff', 'hex')],
      ['end(callback)', (res: Response) => res.write(Buffer.from([0, 1, 255])) && res.end(() => {})],
      ['write(chunk, callback)', (res: Response) => res.write(Buffer.from([0, 1]), () => res.end(Buffer.from([255])))],
      ['write(latin1)', (res: Response) => res.write('\0\x01', 'latin1') && res.end('ff', 'hex')],
      ['Uint8Array', (res: Response) => res.write(new Uint8Array([0, 1])) && res.end(new Uint8Array([255]))],
      [
        'one memory for all chunks',
        (res: Response) => {
          const memory = Buffer.from([0])
          res.write(memory, () => {
            memory[0] = 1
            res.write(memory, () => {
              memory[0] = 255
              res.end(memory)
            })
          })
        },
      ],
    ])('keeps a body written with %s', async (_, write) => {
      const { agent, runs } = await serve((_, res) => {
        res.set('Cache-Control', 'max-age=60').type('bin')
        write(res)
      })
      const first = await agent.get('/').buffer().parse(bytes)
      const second = await agent.get('/').buffer().parse(bytes)
      expect(runs()).toBe(1)
      expect([...(first.body as Buffer)]).toEqual([0, 1, 255])
      expect([...(second.body as Buffer)]).toEqual([0, 1, 255])
      expect(second.headers['content-length']).toBe('3')
    })

    test.each<[string, Record<string, string> | string[]]>([
      ['an object', { 'Cache-Control': 'max-age=60', 'X-Set': 'b' }],
      ['a flat list', ['Cache-Control', 'max-age=60', 'X-Set', 'b']],
      ['a list with a name twice', ['Cache-Control', 'max-age=60', 'X-Set', 'b', 'Link', '<a>', 'Link', '<b>']],
    ])('keeps fields given to writeHead as %s', async (_, headers) => {
      const { agent, runs } = await serve((_, res) => {
        res.setHeader('X-Set', 'a')
        res.writeHead(200, 'Fine', headers as never).end('x')
      })
      const first = await agent.get('/')
      const second = await agent.get('/')
      expect(runs()).toBe(1)
      for (const response of [first, second]) {
        expect(response.headers['x-set']).toBe('b')
        expect(response.headers.link).toBe(Array.isArray(headers) && headers.length === 8 ? '<a>, <b>' : undefined)
        expect(Reflect.get(response, 'res')).toMatchObject({ statusMessage: 'Fine' })
      }
    })

    test('a response that is empty is a response', async () => {
      const { agent, runs } = await serve((_, res) => res.set('Cache-Control', 'max-age=60').status(204).end())
      await agent.get('/').expect(204)
      const second = await agent.get('/').expect(204).expect('Cache-Status', hit)
      expect(second.headers['content-length']).toBeUndefined()
      expect(runs()).toBe(1)
    })

    test('redirects and errors with a lifetime of their own are stored', async () => {
      const { agent, runs } = await serve((req, res) => {
        res.set('Cache-Control', 's-maxage=60')
        if (req.path === '/away') res.redirect(301, '/there')
        else res.sendStatus(404)
      })
      for (let round = 0; round < 2; round++) {
        await agent.get('/away').expect(301).expect('Location', '/there')
        await agent.get('/nowhere').expect(404)
      }
      expect(runs()).toBe(2)
    })

    test('fields of the connection are left out, with those that it names', async () => {
      const { agent } = await serve((_, res) => {
        res.set({
          'Cache-Control': 'max-age=60',
          Connection: 'keep-alive, X-Hop',
          'X-Hop': '1',
          'Keep-Alive': 'timeout=9',
        })
        res.set({ 'Proxy-Authenticate': 'Basic', 'X-End': '1' })
        res.send('x')
      })
      await agent.get('/').expect('X-Hop', '1')
      const second = await agent.get('/').expect('Cache-Status', hit).expect('X-End', '1')
      expect(second.headers['x-hop']).toBeUndefined()
      expect(second.headers['proxy-authenticate']).toBeUndefined()
      expect(second.headers['keep-alive']).not.toBe('timeout=9')
    })

    test('an Age and a Cache-Status from further inside are counted in', async () => {
      const { agent } = await serve((_, res) => {
        res.set({ 'Cache-Control': 'max-age=60', Age: '40', 'Cache-Status': 'origin; hit' }).send('x')
      })
      await agent.get('/').expect('Age', '40').expect('Cache-Status', 'origin; hit, tiercache; fwd=uri-miss; stored')
      const second = await agent.get('/').expect('Age', /^4[01]$/)
      expect(second.headers['cache-status']).toMatch(/^origin; hit, tiercache; hit; ttl=(19|20); /)
    })
  })

  describe('what is not stored', () => {
    const cases: [string, string, Record<string, string | string[]>, string?][] = [
      ['nothing says how long', 'no-lifetime', {}],
      ['no-store', 'no-store', { 'Cache-Control': 'max-age=60, No-Store' }],
      ['private', 'private', { 'Cache-Control': 'Private, max-age=60' }],
      ['no-cache', 'no-cache', { 'Cache-Control': 'no-cache, max-age=60' }],
      ['max-age=0', 'expired', { 'Cache-Control': 'max-age=0' }],
      ['s-maxage=0', 'expired', { 'Cache-Control': 'max-age=60, s-maxage=0' }],
      ['two lifetimes, one over', 'expired', { 'Cache-Control': 'max-age=60, max-age=0' }],
      ['Expires: 0', 'expired', { Expires: '0' }],
      ['an Age over the lifetime', 'expired', { 'Cache-Control': 'max-age=60', Age: '60' }],
      ['Set-Cookie', 'set-cookie', { 'Cache-Control': 'public, max-age=60', 'Set-Cookie': 'a=1' }],
      ['Vary: *', 'vary', { 'Cache-Control': 'max-age=60', Vary: '*' }],
    ]
    test.each(cases)('%s', async (_, detail, fields) => {
      const { agent, runs } = await serve((_, res) => res.set(fields).send('x'))
      for (let round = 0; round < 2; round++) {
        const response = await agent.get('/').expect(200, 'x')
        expect(response.headers['cache-status']).toBe(`tiercache; fwd=uri-miss; detail=${detail}`)
      }
      expect(runs()).toBe(2)
    })

    test('a route may say so, and may say how long', async () => {
      const { agent, runs } = await serve((req, res) => {
        if (req.path === '/skip') res.set('Cache-Control', 'max-age=60')
        if (req.path === '/skip') res.cache.skip()
        else res.cache.ttl('10s')
        res.send('x')
      })
      await agent.get('/skip').expect('Cache-Status', 'tiercache; fwd=uri-miss; detail=skip')
      await agent.get('/skip').expect('Cache-Status', 'tiercache; fwd=uri-miss; detail=skip')
      await agent.get('/ttl').expect('Cache-Status', 'tiercache; fwd=uri-miss; stored')
      await agent.get('/ttl').expect('Cache-Status', /hit; ttl=(9|10);/)
      expect(runs()).toBe(3)
    })

    test('a bad ttl of a route is the route’s error', async () => {
      const { agent } = await serve((_, res) => {
        res.cache.ttl('soon' as never)
      }, {})
      const response = await agent.get('/').expect(500)
      expect(response.text).toContain('res.cache.ttl')
    })

    test('the option ttl is for what says nothing, and for no error', async () => {
      const { agent, runs } = await serve(
        (req, res) => {
          if (req.path === '/error') res.status(500)
          if (req.path === '/own') res.set('Cache-Control', 'max-age=0')
          res.send('x')
        },
        { ttl: '1m' },
      )
      for (const path of ['/', '/own', '/error']) for (let round = 0; round < 2; round++) await agent.get(path)
      expect(runs()).toBe(1 + 2 + 2)
    })

    test('a body over the limit streams on, uncached', async () => {
      const { agent, runs } = await serve(
        (req, res) => {
          res.set('Cache-Control', 'max-age=60')
          if (req.path === '/told') return res.send('x'.repeat(1001))
          for (let n = 0; n < 11; n++) res.write('y'.repeat(100))
          return res.end()
        },
        { maxBodyBytes: 1000 },
      )
      for (let round = 0; round < 2; round++) {
        await agent
          .get('/told')
          .expect('x'.repeat(1001))
          .expect('Cache-Status', /detail=too-large$/)
        await agent.get('/untold').expect('y'.repeat(1100))
      }
      expect(runs()).toBe(4)
    })

    test('a body shorter or longer than its Content-Length, or one with trailers', async () => {
      const { server, runs } = await serve((req, res) => {
        res.set('Cache-Control', 'max-age=60')
        if (req.path === '/trailers') {
          res.write('x')
          res.addTrailers({ 'X-Sum': '1' })
          return res.end()
        }
        res.set('Content-Length', '10')
        res.write('12345')
        return res.end()
      })
      for (let round = 0; round < 2; round++) {
        await raw(server, 'GET /short HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
        await raw(server, 'GET /trailers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      }
      expect(runs()).toBe(4)
    })

    test('a response that its application cuts off', async () => {
      const { agent, runs } = await serve((_, res) => {
        res.set('Cache-Control', 'max-age=60')
        res.write('half', () => res.destroy())
      })
      for (let round = 0; round < 2; round++) await agent.get('/').then(fail, () => {})
      expect(runs()).toBe(2)
    })

    test('a head that Node refuses, and what is sent in its place', async () => {
      const { agent, runs } = await serve((_, res) => {
        res.set('Cache-Control', 'max-age=60')
        try {
          res.writeHead(99_999)
        } catch {
          res.statusCode = 200
          res.end('in its place')
        }
      })
      for (let round = 0; round < 2; round++) await agent.get('/').expect('in its place')
      expect(runs()).toBe(2)
    })

    test('fields that private and no-cache name are left out of what is shared', async () => {
      const { agent, runs } = await serve((_, res) => {
        res.set({ 'Cache-Control': 'max-age=60, private="X-User"', 'X-User': 'ada' }).send('x')
      })
      await agent.get('/').expect('X-User', 'ada')
      const second = await agent.get('/').expect('Cache-Status', hit)
      expect(second.headers['x-user']).toBeUndefined()
      expect(runs()).toBe(1)
    })
  })

  describe('credentials', () => {
    test('Authorization is neither answered nor stored, unless the response says so', async () => {
      const { agent, runs } = await serve((req, res) => {
        res.set('Cache-Control', `${req.query.say ?? 'max-age=60'}`).send(req.headers.authorization ?? 'nobody')
      })
      await agent
        .get('/b')
        .set('Authorization', 'Basic ada')
        .expect('Basic ada')
        .expect('Cache-Status', /detail=authorization$/)
      await agent.get('/b').set('Authorization', 'Basic bob').expect('Basic bob')
      await agent.get('/a').expect('nobody')
      await agent.get('/a').expect('nobody').expect('Cache-Status', hit)
      await agent
        .get('/a')
        .set('Authorization', 'Basic bob')
        .expect('Basic bob')
        .expect('Cache-Status', 'tiercache; fwd=bypass; detail=authorization')
      expect(runs()).toBe(4)
      for (const say of ['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60']) {
        const url = `/?say=${encodeURIComponent(say)}`
        await agent.get(url).set('Authorization', 'Basic ada').expect('Basic ada')
        await agent.get(url).set('Authorization', 'Basic bob').expect('Basic ada')
        await agent.get(url).expect('Basic ada')
      }
      expect(runs()).toBe(7)
    })

    test('a response to a request with Cookie is stored only if it says so; stored ones answer it', async () => {
      const { agent, runs } = await serve((req, res) => {
        res.set('Cache-Control', `${req.query.say ?? 'max-age=60'}`).send(req.headers.cookie ?? 'nobody')
      })
      await agent
        .get('/b')
        .set('Cookie', 'sid=1')
        .expect('sid=1')
        .expect('Cache-Status', /detail=cookie$/)
      await agent.get('/b').set('Cookie', 'sid=2').expect('sid=2')
      await agent.get('/').expect('nobody')
      await agent.get('/').set('Cookie', 'sid=1').expect('nobody').expect('Cache-Status', hit)
      await agent.get('/?say=s-maxage=60').set('Cookie', 'sid=1').expect('sid=1')
      await agent.get('/?say=s-maxage=60').set('Cookie', 'sid=2').expect('sid=1')
      expect(runs()).toBe(4)
    })

    // With L2, a load that stored nothing keeps the others from storing for a second.
    test.runIf(tiers === 'l1')(
      'a request with credentials that comes first keeps nothing from those without',
      async () => {
        const { agent, runs } = await serve((req, res) =>
          res.set('Cache-Control', 'max-age=60').send(req.headers.cookie ?? 'nobody'),
        )
        await agent.get('/').set('Cookie', 'sid=1').expect('sid=1')
        await agent.get('/').expect('nobody').expect('Cache-Status', 'tiercache; fwd=uri-miss; stored')
        await agent.get('/').expect('nobody').expect('Cache-Status', hit)
        expect(runs()).toBe(2)
      },
    )

    test("cookies: 'ignore' and 'bypass'", async () => {
      const route: Route = (_, res) => res.set('Cache-Control', 'max-age=60, public').send('x')
      const ignoring = await serve(route, { cookies: 'ignore' })
      for (const cookie of ['a=1', 'a=2']) await ignoring.agent.get('/').set('Cookie', cookie).expect('x')
      expect(ignoring.runs()).toBe(1)
      const passing = await serve(route, { cookies: 'bypass' })
      await passing.agent.get('/').expect('x')
      await passing.agent.get('/').set('Cookie', 'a=1').expect('Cache-Status', 'tiercache; fwd=bypass; detail=cookie')
      expect(passing.runs()).toBe(2)
    })

    test('a handler that hides credentials from itself does not make its response shareable', async () => {
      const { agent, runs } = await serve((req, res) => {
        const { authorization, cookie } = req.headers
        delete req.headers.authorization
        delete req.headers.cookie
        res.set('Cache-Control', 'max-age=60').send(authorization ?? cookie ?? 'nobody')
      })
      await agent.get('/').set('Authorization', 'Basic ada').expect('Basic ada')
      await agent.get('/').set('Cookie', 'sid=1').expect('sid=1')
      await agent.get('/').expect('nobody')
      expect(runs()).toBe(3)
    })
  })

  describe('Vary', () => {
    const greet: Route = (req, res) => {
      res.set({ 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' }).send(req.get('Accept-Language') ?? 'none')
    }

    test('one response per variant', async () => {
      const { agent, runs } = await serve(greet)
      for (let round = 0; round < 2; round++) {
        await agent.get('/').set('Accept-Language', 'en').expect('en')
        await agent.get('/').set('Accept-Language', 'de').expect('de')
        await agent.get('/').expect('none')
      }
      expect(runs()).toBe(3)
      await agent.get('/').set('Accept-Language', ' en ').expect('en').expect('Cache-Status', hit)
      await agent.get('/').set('Accept-Language', 'fr').expect('Cache-Status', 'tiercache; fwd=vary-miss; stored')
    })

    test('responses of one resource that vary by different fields', async () => {
      const { agent, runs } = await serve((req, res) => {
        const by = req.get('X-By') === 'b' ? 'X-By, X-B' : 'X-By, X-A'
        res.set({ 'Cache-Control': 'max-age=60', Vary: by }).send(`${req.get('X-A')} ${req.get('X-B')}`)
      })
      const ask = (by: string, a: string, b: string, text: string) =>
        agent.get('/').set({ 'X-By': by, 'X-A': a, 'X-B': b }).expect(text)
      await ask('a', '1', '1', '1 1')
      await ask('b', '1', '1', '1 1')
      await ask('b', '1', '2', '1 2')
      await ask('a', '2', '1', '2 1')
      await ask('a', '1', '1', '1 1')
      await ask('b', '1', '1', '1 1')
      const before = runs()
      await ask('a', '1', '1', '1 1')
      await ask('b', '1', '2', '1 2')
      await ask('b', '1', '1', '1 1')
      await ask('a', '2', '1', '2 1')
      expect(runs()).toBeLessThanOrEqual(before + 2)
      const warm = runs()
      await ask('a', '1', '1', '1 1')
      await ask('b', '1', '2', '1 2')
      expect(runs()).toBe(warm)
    })

    test('a handler that changes its request fields does not change the variant', async () => {
      const { agent } = await serve((req, res, next) => {
        greet(req, res, next)
        req.headers['accept-language'] = 'xx'
      })
      await agent.get('/').set('Accept-Language', 'en').expect('en')
      await agent.get('/').set('Accept-Language', 'xx').expect('xx')
      await agent.get('/').set('Accept-Language', 'en').expect('en').expect('Cache-Status', hit)
    })
  })

  describe('conditional requests', () => {
    const page: Route = (_, res) => {
      res.set({ 'Cache-Control': 'max-age=60', ETag: '"v1"', 'Last-Modified': 'Sun, 06 Nov 1994 08:49:37 GMT' })
      res.set({ 'Content-Language': 'en', Vary: 'X-V', 'X-Other': '1', 'Content-Location': '/c' }).send('hello')
    }

    test('a hit is a 304 to who has it, with the right fields', async () => {
      const { agent, runs } = await serve(page)
      await agent.get('/').expect(200, 'hello')
      for (const tags of ['"v1"', 'W/"v1"', '"a", W/"v1"', '*']) {
        const response = await agent.get('/').set('If-None-Match', tags).expect(304, '')
        const { headers } = response
        expect(headers).toMatchObject({ etag: '"v1"', vary: 'X-V', 'content-location': '/c', 'x-other': '1' })
        expect(headers['cache-control']).toBe('max-age=60')
        expect(headers.date).toBeDefined()
        expect(headers.age).toMatch(/^\d$/)
        expect(headers['cache-status']).toMatch(hit)
        for (const name of ['content-length', 'content-type', 'content-language', 'last-modified']) {
          expect(headers[name]).toBeUndefined()
        }
      }
      await agent.get('/').set('If-None-Match', '"v2"').expect(200, 'hello')
      await agent.get('/').set('If-Modified-Since', 'Mon, 07 Nov 1994 08:49:37 GMT').expect(304)
      await agent.get('/').set('If-Modified-Since', 'Sat, 05 Nov 1994 08:49:37 GMT').expect(200, 'hello')
      await agent
        .get('/')
        .set({ 'If-None-Match': '"v2"', 'If-Modified-Since': 'Mon, 07 Nov 1994 08:49:37 GMT' })
        .expect(200)
      expect(runs()).toBe(1)
    })

    test('on a miss the application makes the whole response; it is stored, and who has it gets a 304', async () => {
      let seen: unknown
      let after: unknown
      const { agent, runs } = await serve((req, res, next) => {
        seen = req.headers['if-none-match']
        res.once('finish', () => {
          after = req.headers['if-none-match']
        })
        page(req, res, next)
      })
      const first = await agent.get('/').set('If-None-Match', '"v1"').expect(304, '')
      expect(first.headers['content-type']).toBeUndefined()
      expect(first.headers['content-length']).toBeUndefined()
      expect(first.headers.etag).toBe('"v1"')
      expect(first.headers['cache-status']).toBe('tiercache; fwd=uri-miss; stored')
      expect(seen).toBeUndefined()
      expect(after).toBe('"v1"')
      await agent.get('/').expect(200, 'hello').expect('Content-Language', 'en').expect('Cache-Status', hit)
      expect(runs()).toBe(1)
    })

    test('so it is for bodies that are streamed, and for private ones', async () => {
      const { agent } = await serve((req, res) => {
        res.set({ 'Cache-Control': req.path === '/private' ? 'private' : 'max-age=60', ETag: '"v1"' })
        res.write('hel')
        setImmediate(() => res.write('lo', () => res.end('!')))
      })
      await agent.get('/').set('If-None-Match', '"v1"').expect(304, '')
      await agent.get('/').expect(200, 'hello!').expect('Cache-Status', hit)
      await agent.get('/private').set('If-None-Match', '"v1"').expect(304, '')
      await agent.get('/private').set('If-None-Match', '"v2"').expect(200, 'hello!')
    })

    test('If-Match is for the application alone', async () => {
      const { agent } = await serve((req, res) =>
        res
          .set('Cache-Control', 'max-age=60')
          .status(req.get('If-Match') ? 412 : 200)
          .end(),
      )
      await agent.get('/').expect(200)
      await agent
        .get('/')
        .set('If-Match', '"x"')
        .expect(412)
        .expect('Cache-Status', 'tiercache; fwd=bypass; detail=precondition')
    })
  })

  describe('HEAD', () => {
    test('is served from a stored GET, with its length', async () => {
      const { agent, runs } = await serve((_, res) => res.set('Cache-Control', 'max-age=60').send('hello'))
      await agent.get('/').expect('hello')
      const response = await agent.head('/').expect(200).expect('Content-Length', '5').expect('Cache-Status', hit)
      expect(response.text).toBeUndefined()
      await agent.get('/').expect('hello')
      expect(runs()).toBe(1)
    })

    test('is never stored as a GET', async () => {
      const { agent, runs } = await serve((_, res) => res.set('Cache-Control', 'max-age=60').send('hello'))
      await agent.head('/').expect(200).expect('Cache-Status', 'tiercache; fwd=uri-miss; detail=head')
      await agent
        .get('/')
        .expect('hello')
        .expect('Cache-Status', /stored/)
      expect(runs()).toBe(2)
    })
  })

  describe('directives and fields of a request', () => {
    const page: Route = (_, res) => res.set('Cache-Control', 'max-age=60').send('x')

    test('no-store reads and does not fill, only-if-cached never reaches the application', async () => {
      const { agent, runs } = await serve(page)
      await agent.get('/').set('Cache-Control', 'only-if-cached').expect(504)
      expect(runs()).toBe(0)
      await agent
        .get('/')
        .set('Cache-Control', 'No-Store')
        .expect('Cache-Status', 'tiercache; fwd=uri-miss; detail=request-no-store')
      await agent.get('/').expect('Cache-Status', /stored/)
      await agent.get('/').set('Cache-Control', 'no-store').expect('Cache-Status', hit)
      await agent.get('/').set('Cache-Control', 'only-if-cached').expect(200, 'x')
      expect(runs()).toBe(2)
    })

    test.each([
      ['ignore', { 'no-cache': 0, 'max-age=0': 0, 'min-fresh=90': 0 }],
      ['validate', { 'no-cache': 1, 'max-age=0': 1, 'min-fresh=90': 0 }],
      ['obey', { 'no-cache': 1, 'max-age=9': 0, 'min-fresh=90': 1, 'min-fresh=9': 0 }],
    ] as [HttpCacheOptions['clientDirectives'], Record<string, number>][])(
      'clientDirectives: %s',
      async (clientDirectives, expected) => {
        const { agent, runs } = await serve(page, { clientDirectives })
        await agent.get('/')
        for (const [directive, more] of Object.entries(expected)) {
          const before = runs()
          await agent
            .get('/')
            .set('Cache-Control', directive)
            .expect('Cache-Status', more ? /^tiercache; fwd=request$/ : hit)
          expect(runs() - before).toBe(more)
        }
      },
    )

    test('Range is passed on and not stored; what is stored is answered in full', async () => {
      const { agent, runs } = await serve((req, res) => {
        res.set('Cache-Control', 'max-age=60')
        if (req.get('Range')) res.status(206).set('Content-Range', 'bytes 0-0/5').send('h')
        else res.send('hello')
      })
      await agent.get('/').set('Range', 'bytes=0-0').expect(206, 'h')
      await agent.get('/').expect(200, 'hello')
      await agent.get('/').set('Range', 'bytes=0-0').expect(200, 'hello')
      expect(runs()).toBe(2)
    })

    test.each([
      ['x-original-url', '/admin'],
      ['x-rewrite-url', '/admin'],
      ['x-host', 'evil.example'],
      ['x-http-method-override', 'DELETE'],
      ['x-method-override', 'DELETE'],
    ])('%s by-passes the cache', async (name, value) => {
      const { agent, runs } = await serve((req, res) =>
        res.set('Cache-Control', 'max-age=60').send(req.get(name) ?? 'plain'),
      )
      await agent
        .get('/')
        .set(name, value)
        .expect(value)
        .expect('Cache-Status', 'tiercache; fwd=bypass; detail=override')
      await agent.get('/').expect('plain')
      await agent.get('/').set(name, value).expect(value)
      expect(runs()).toBe(3)
    })

    test('a GET with a body by-passes the cache', async () => {
      const { agent, runs } = await serve(page)
      for (let round = 0; round < 2; round++) {
        await agent.get('/').send('a=1').expect('Cache-Status', 'tiercache; fwd=bypass; detail=request-body')
      }
      expect(runs()).toBe(2)
    })

    test('X-Forwarded-Host and -Proto count under trust proxy, and fill nothing without it', async () => {
      const route: Route = (req, res) =>
        res.set('Cache-Control', 'max-age=60').send(`${req.protocol} ${req.get('X-Forwarded-Host')}`)
      const open = await serve(route)
      await open.agent.get('/').set('X-Forwarded-Host', 'evil.example').expect('http evil.example')
      await open.agent.get('/').expect('http undefined')
      await open.agent.get('/').set('X-Forwarded-Proto', 'https').expect('Cache-Status', hit)
      const behind = await serve(route, {}, (app) => app.set('trust proxy', true))
      await behind.agent.get('/').set('X-Forwarded-Host', 'a.example').expect('http a.example')
      await behind.agent.get('/').set('X-Forwarded-Host', 'b.example').expect('http b.example')
      await behind.agent.get('/').set('X-Forwarded-Host', 'a.example').expect('Cache-Status', hit)
      await behind.agent
        .get('/')
        .set({ 'X-Forwarded-Host': 'a.example', 'X-Forwarded-Proto': 'https' })
        .expect('https a.example')
    })

    test('hosts and targets that name no resource pass', async () => {
      const { server, runs } = await serve(page)
      const requests = [
        'GET / HTTP/1.1\r\nHost: a b\r\n',
        'GET / HTTP/1.1\r\nHost:\r\n',
        'GET http://a.example/ HTTP/1.1\r\nHost: b\r\n',
      ]
      for (const head of [...requests, ...requests]) {
        expect(await raw(server, `${head}Connection: close\r\n\r\n`)).toMatch(
          /cache-status: tiercache; fwd=bypass; detail=target/i,
        )
      }
      expect(runs()).toBe(6)
    })

    test('other safe methods pass', async () => {
      const { agent, runs } = await serve(page)
      for (let round = 0; round < 2; round++) await agent.options('/').expect('Cache-Status', 'tiercache; fwd=method')
      await agent.get('/')
      await agent.options('/')
      await agent.get('/').expect('Cache-Status', hit)
      expect(runs()).toBe(4)
    })
  })

  describe('unsafe methods (RFC 9111, section 4.4)', () => {
    async function shop(answer: Route) {
      let price = 1
      return serve((req, res, next) => {
        if (req.method !== 'GET') {
          price++
          return answer(req, res, next)
        }
        return res.set({ 'Cache-Control': 'max-age=60', Vary: 'X-V' }).send(`price ${price}`)
      })
    }

    test.each(['post', 'put', 'delete', 'patch'] as const)(
      '%s makes the target invalid, all variants of it',
      async (method) => {
        const { agent } = await shop((_, res) => res.json({}))
        await agent.get('/p').expect('price 1')
        await agent.get('/p').set('X-V', '1').expect('price 1')
        await agent[method]('/p')
          .expect(200)
          .expect('Cache-Status', 'tiercache; fwd=method')
          .expect('Content-Length', '2')
        await agent.get('/p').expect('price 2')
        await agent.get('/p').set('X-V', '1').expect('price 2')
      },
    )

    test('an error makes nothing invalid', async () => {
      const { agent } = await shop((_, res) => res.status(422).json({}))
      await agent.get('/p').expect('price 1')
      await agent.post('/p').expect(422)
      await agent.get('/p').expect('price 1')
    })

    test('Location and Content-Location of the same origin are made invalid too', async () => {
      const { agent, server } = await shop((req, res) => {
        const port = (server.address() as AddressInfo).port
        if (req.path === '/same') res.set({ Location: '/p?a=ü', 'Content-Location': `http://127.0.0.1:${port}/q` })
        else res.set('Location', `http://other.example:${port}/p?a=ü`)
        res.status(201).end()
      })
      for (const path of ['/p?a=%C3%BC', '/q']) await agent.get(path).expect('price 1')
      await agent.post('/elsewhere').expect(201)
      for (const path of ['/p?a=%C3%BC', '/q']) await agent.get(path).expect('price 1')
      await agent.post('/same').expect(201)
      for (const path of ['/p?a=%C3%BC', '/q']) await agent.get(path).expect('price 3')
    })

    test('the client has the end of its answer only after the page is gone', async () => {
      const { agent, hasty } = await shop((_, res) => {
        res.write('a')
        setImmediate(() => res.end('b'))
      })
      for (let round = 1; round < 20; round++) {
        await agent.get('/p').expect(`price ${round}`)
        await hasty.post('/p').expect('ab')
        await agent.get('/p').expect(`price ${round + 1}`)
      }
    })

    test('a page that was loading meanwhile is not stored', async () => {
      const gates: (() => void)[] = []
      let price = 1
      const { agent, hasty, runs } = await serve((req, res) => {
        if (req.method === 'POST') return res.end(`${price++}`)
        const text = `price ${price}`
        res.set({ 'Cache-Control': 'max-age=60', Vary: 'X-V' })
        if (price > 1) return res.send(text)
        return gates.push(() => res.send(text))
      })
      const slow = hasty.get('/p').then(({ text }) => text)
      await until(() => gates.length === 1)
      await hasty.post('/p').expect(200)
      gates[0]?.()
      expect(await slow).toBe('price 1')
      await agent.get('/p').expect('price 2')
      expect(runs()).toBe(3)
    })

    test('end is callable in all its forms, once', async () => {
      const { agent } = await shop((req, res) => {
        if (req.path === '/callback') res.end('x', () => res.emit('told'))
        else if (req.path === '/empty') res.end()
        else if (req.path === '/204') res.status(204).end()
        else res.end('eA==', 'base64')
        res.end('again')
      })
      await agent.post('/callback').expect('x').expect('Content-Length', '1')
      await agent.post('/empty').expect('').expect('Content-Length', '0')
      expect((await agent.post('/204').expect(204)).headers['content-length']).toBeUndefined()
      await agent.post('/base64').expect('x')
    })
  })

  describe('collapsing', () => {
    test('100 cold requests run the handler once', async () => {
      const { hasty, runs } = await serve((_, res) => {
        setTimeout(() => res.set('Cache-Control', 'max-age=60').send('x'.repeat(5000)), 100)
      })
      const responses = await Promise.all(Array.from({ length: 100 }, () => hasty.get('/')))
      expect(runs()).toBe(1)
      expect(new Set(responses.map(({ text }) => text))).toEqual(new Set(['x'.repeat(5000)]))
      const statuses = responses.map(({ headers }) => headers['cache-status'])
      expect(statuses.filter((status) => status === 'tiercache; fwd=uri-miss; stored')).toHaveLength(1)
      expect(statuses.filter((status) => status === 'tiercache; fwd=uri-miss; collapsed')).not.toHaveLength(0)
    })

    test('so do 100 with Vary, one run per variant', async () => {
      const { hasty, runs } = await serve((req, res) => {
        setTimeout(() => res.set({ 'Cache-Control': 'max-age=60', Vary: 'X-V' }).send(req.get('X-V')), 50)
      })
      const texts = await Promise.all(
        Array.from({ length: 100 }, async (_, n) => (await hasty.get('/').set('X-V', `${n % 4}`)).text),
      )
      expect(runs()).toBe(4)
      expect(texts).toEqual(texts.map((_, n) => `${n % 4}`))
    })

    test('a response that cannot be shared releases all who wait, at its head', async () => {
      let heads = 0
      const ends: (() => void)[] = []
      const { hasty, runs } = await serve((req, res) => {
        setTimeout(() => {
          heads++
          res.set('Cache-Control', 'private').write(`${req.get('X-User')}`)
          ends.push(() => res.end())
        }, 20)
      })
      const texts = Promise.all(
        Array.from({ length: 10 }, async (_, n) => (await hasty.get('/').set('X-User', `${n}`)).text),
      )
      await until(() => heads === 10)
      for (const end of ends) end()
      expect(await texts).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
      expect(runs()).toBe(10)
      // For some seconds nobody waits for such a resource.
      const after = heads
      const more = Promise.all(Array.from({ length: 3 }, (_, n) => hasty.get('/').set('X-User', `${n}`)))
      await until(() => heads === after + 3)
      for (const end of ends) end()
      await more
    })

    test('Set-Cookie of the leader reaches nobody else', async () => {
      let n = 0
      const { hasty } = await serve((_, res) => {
        const id = n++
        setTimeout(() => res.set('Cache-Control', 'public, max-age=60').cookie('sid', `${id}`).send(`${id}`), 20)
      })
      const responses = await Promise.all(Array.from({ length: 10 }, () => hasty.get('/')))
      const ids = responses.map(({ headers, text }) => `${headers['set-cookie']} ${text}`)
      expect(new Set(ids).size).toBe(10)
    })

    test('when the leader goes away, another one leads', async () => {
      const waiting: Response[] = []
      const { hasty, server, runs } = await serve((_, res) => {
        waiting.push(res)
        if (waiting.length > 1) res.set('Cache-Control', 'max-age=60').send('whole')
        else res.set({ 'Cache-Control': 'max-age=60', 'Content-Length': '100' }).write('half')
      })
      const leader = send(server, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      await until(() => waiting.length === 1)
      const host = '127.0.0.1'
      const followers = Array.from({ length: 5 }, () =>
        hasty
          .get('/')
          .set('Host', host)
          .then(({ text }) => text),
      )
      await settle()
      leader.destroy()
      expect(await Promise.all(followers)).toEqual(Array(5).fill('whole'))
      expect(runs()).toBe(2)
    })

    test('a leader that fails leaves nobody with an empty 200', async () => {
      let n = 0
      const { hasty, runs } = await serve((_, res, next) => {
        if (n++ === 0) setTimeout(() => next(Object.assign(new Error('no'), { status: 503, expose: true })), 30)
        else res.set('Cache-Control', 'max-age=60').send('good')
      })
      const responses = await Promise.all(Array.from({ length: 5 }, () => hasty.get('/')))
      expect(responses.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 503])
      expect(runs()).toBe(5)
    })

    test('a follower gets the answer to its own conditional', async () => {
      const { hasty, runs } = await serve((_, res) => {
        setTimeout(() => res.set({ 'Cache-Control': 'max-age=60', ETag: '"v1"' }).send('x'), 50)
      })
      const [plain, conditional] = await Promise.all([hasty.get('/'), hasty.get('/').set('If-None-Match', '"v1"')])
      expect([plain.status, conditional.status]).toEqual([200, 304])
      expect(runs()).toBe(1)
    })

    test('credentials wait for nobody', async () => {
      const gates: (() => void)[] = []
      const { hasty } = await serve((req, res) => {
        if (req.headers.cookie) return res.set('Cache-Control', 'max-age=60').send('mine')
        return gates.push(() => res.set('Cache-Control', 'max-age=60').send('all'))
      })
      const slow = hasty.get('/').then(({ text }) => text)
      await until(() => gates.length === 1)
      await hasty.get('/').set('Cookie', 'sid=1').expect('mine')
      gates[0]?.()
      expect(await slow).toBe('all')
    })

    test('each handler runs in the async context of its own request', async () => {
      const storage = new AsyncLocalStorage<string>()
      const { hasty } = await serve(
        (_, res) => res.set('Cache-Control', 'private').send(storage.getStore()),
        {},
        (app) => app.use((req, _, next) => storage.run(`${req.get('X-User')}`, next)),
      )
      const texts = await Promise.all(
        Array.from({ length: 10 }, async (_, n) => (await hasty.get('/').set('X-User', `${n}`)).text),
      )
      expect(texts).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
    })
  })

  describe('streaming', () => {
    test('the first byte arrives before the last is written', async () => {
      let end = () => {}
      const { agent, server, runs } = await serve((_, res) => {
        res.set('Cache-Control', 'max-age=60').write('first ')
        end = () => res.end('last')
      })
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
      const socket = send(server, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      let text = ''
      socket.on('data', (data) => {
        text += data
      })
      await until(() => text.includes('first '))
      end()
      await once(socket, 'close')
      expect(text).toContain('last')
      await agent.get('/').expect('first last').expect('Cache-Status', hit)
      expect(runs()).toBe(1)
    })

    test('a body that is piped is stored whole', async () => {
      const { agent, runs } = await serve((_, res) => {
        const stream = new PassThrough()
        stream.pipe(res.set('Cache-Control', 'max-age=60').type('bin'))
        for (let n = 0; n < 100; n++) stream.write(Buffer.alloc(5000, n))
        stream.end()
      })
      const first = await agent.get('/').buffer().parse(bytes)
      const second = await agent.get('/').buffer().parse(bytes).expect('Cache-Status', hit)
      expect((first.body as Buffer).length).toBe(500_000)
      expect((second.body as Buffer).equals(first.body as Buffer)).toBe(true)
      expect(runs()).toBe(1)
    })
  })

  describe('beside other middlewares', () => {
    test('coding inside and outside of the cache', async () => {
      const inside = express.Router()
      inside.use((req, res, next) => {
        compress(req, res)
        next()
      })
      const hello: Route = (_, res) => res.set('Cache-Control', 'max-age=60').type('txt').send('hello '.repeat(500))
      inside.get('/', hello)
      for (const where of ['inside', 'outside']) {
        const served = await serve(where === 'inside' ? (inside as unknown as Route) : hello, {}, (app) => {
          if (where === 'inside') return
          app.use((req, res, next) => {
            compress(req, res)
            next()
          })
        })
        for (let round = 0; round < 2; round++) {
          const coded = await served.agent.get('/').set('Accept-Encoding', 'gzip').buffer()
          expect(coded.text).toBe('hello '.repeat(500))
          expect(coded.headers['content-encoding']).toBe('gzip')
          const plain = await served.agent.get('/').set('Accept-Encoding', 'identity')
          expect(plain.text).toBe('hello '.repeat(500))
          expect(plain.headers['content-encoding']).toBeUndefined()
        }
        expect(served.runs()).toBe(where === 'inside' ? 2 : 1)
      }
    })

    test('a second cache further inside lends its options to the first', async () => {
      const router = express.Router()
      const served = await serve(router as unknown as Route)
      router.use(httpCache(served.cache, { ttl: '1m' }))
      router.get('/', (_, res) => {
        res.send('x')
      })
      await served.agent.get('/').expect('Cache-Status', 'tiercache; fwd=uri-miss; stored')
      await served.agent.get('/').expect('Cache-Status', hit)
      expect(served.runs()).toBe(1)
    })

    test('a mounted router is keyed by the whole URL', async () => {
      const cache = await open(`t${process.pid}-mounted-${tiers}`.replace('+', ''))
      const app = express()
      for (const mount of ['/a', '/b']) {
        const router = express.Router()
        router.use(httpCache(cache, { ttl: '1m' }))
        router.get('/x', (_, res) => {
          res.send(mount)
        })
        app.use(mount, router)
      }
      for (let round = 0; round < 2; round++) {
        for (const mount of ['/a', '/b']) {
          const { text } = await request(app).get(`${mount}/x`).set('Host', 'h')
          expect(text).toBe(mount)
        }
      }
    })

    test('a closed cache lets everything pass', async () => {
      const { agent, cache, runs } = await serve((_, res) => res.set('Cache-Control', 'max-age=60').send('x'))
      await cache.close()
      await agent.get('/').expect(200, 'x')
      await agent.head('/').expect(200)
      await agent.post('/').expect(200, 'x')
      expect(runs()).toBe(3)
    })
  })

  if (tiers !== 'l1') {
    test('a Redis that stands still holds nobody up for long', async () => {
      const { hasty } = await serve((req, res) => {
        if (req.method === 'POST') res.send('done')
        else res.set('Cache-Control', 'max-age=60').send('page')
      })
      redis.freeze()
      try {
        expect((await hasty.get('/')).text).toBe('page')
        expect((await hasty.post('/')).text).toBe('done')
        expect((await hasty.head('/')).status).toBe(200)
        expect((await hasty.get('/')).text).toBe('page')
      } finally {
        redis.thaw()
      }
    })

    test('two processes share what one has stored', async () => {
      const first = await serve((_, res) => res.set({ 'Cache-Control': 'max-age=60', Vary: 'X-V' }).send('x'))
      await first.agent
        .get('/')
        .set('Host', 'h')
        .expect('Cache-Status', /stored/)
      const other = await open(first.prefix)
      const app = express()
      app.use(httpCache(other))
      await request(app)
        .get('/')
        .set('Host', 'h')
        .expect(200, 'x')
        .expect('Cache-Status', /^tiercache; hit; ttl=\d+; detail=L2$/)
      await request(app).head('/').set('Host', 'h').expect(200)
      await request(app).delete('/').set('Host', 'h').expect(404)
      expect(first.runs()).toBe(1)
    })
  }
})

/** A plain content coding in the manner of `compression`: decides at the head, replaces write and end. */
function compress(req: Request, res: Response): void {
  const { write, end, writeHead } = res
  const wanted = /gzip/.test(req.get('Accept-Encoding') ?? '')
  const chunks: Buffer[] = []
  let isHead = false
  const head = () => {
    isHead = true
    res.vary('Accept-Encoding')
    if (!wanted) return
    res.removeHeader('Content-Length')
    res.setHeader('Content-Encoding', 'gzip')
  }
  const coder = new Transform({
    transform(chunk, _, done) {
      chunks.push(chunk)
      done()
    },
  })
  Object.assign(res, {
    writeHead(...args: unknown[]) {
      if (!isHead) head()
      return Reflect.apply(writeHead, res, args)
    },
    write(chunk: string | Buffer) {
      if (!isHead) res.writeHead(res.statusCode)
      return wanted ? coder.write(chunk) : Reflect.apply(write, res, [chunk])
    },
    end(chunk?: string | Buffer) {
      if (!isHead) res.writeHead(res.statusCode)
      if (!wanted) return Reflect.apply(end, res, [chunk])
      if (chunk) coder.write(chunk)
      const coded = gzipSync(Buffer.concat(chunks))
      expect(gunzipSync(coded).length).toBeGreaterThan(0)
      return Reflect.apply(end, res, [coded])
    },
  })
}

function without(headers: Record<string, unknown>, ...names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
}

function bytes(res: request.Response, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = []
  const stream = res as unknown as NodeJS.ReadableStream
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => done(null, Buffer.concat(chunks)))
}

function fail(): never {
  throw new Error('expected a failure')
}

/** Resolves when the condition holds; turns of the event loop go by, no time is waited for. */
async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`waited too long for ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Some turns of the event loop, for requests that were sent to arrive. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function send(server: Server, text: string): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text)
  return socket
}

/** All that a server sends back until it closes the connection. */
async function raw(server: Server, text: string): Promise<string> {
  const socket = send(server, text)
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  await once(socket, 'close')
  return answer
}
