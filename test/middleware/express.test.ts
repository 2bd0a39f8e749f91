import { once } from 'node:events'
import { connect } from 'node:net'
import { PassThrough, Readable, Transform } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { httpCache } from '../../src/middleware/express.ts'
import { bytes, describeExpress, nextPrefix, raw, send, until } from './express-app.ts'
import type { AddressInfo } from 'node:net'
import type { Request, Response } from 'express'
import type { Route } from './express-app.ts'

describeExpress((world) => {
  const { express, tiers, hit, open, serve } = world
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
      ['max-age=0', 'zero-lifetime', { 'Cache-Control': 'max-age=0' }],
      ['s-maxage=0', 'zero-lifetime', { 'Cache-Control': 'max-age=60, s-maxage=0' }],
      ['two lifetimes, one over', 'zero-lifetime', { 'Cache-Control': 'max-age=60, max-age=0' }],
      ['Expires: 0', 'zero-lifetime', { Expires: '0' }],
      ['an Age over the lifetime', 'expired', { 'Cache-Control': 'max-age=60', Age: '60' }],
      ['Set-Cookie', 'set-cookie', { 'Cache-Control': 'public, max-age=60', 'Set-Cookie': 'a=1' }],
      ['Vary: *', 'vary', { 'Cache-Control': 'max-age=60', Vary: '*' }],
    ]
    test.each(cases)('%s', async (_, detail, fields) => {
      const { agent, runs } = await serve((_, res) => res.set(fields).send('x'), { keep: 0 })
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

    test('a leader that reads nothing does not keep the others waiting', async () => {
      const size = 12 * 2 ** 20
      const { hasty, server, runs } = await serve(
        (_, res) => {
          res.set('Cache-Control', 'max-age=60').type('bin')
          Readable.from(Array.from({ length: 96 }, () => Buffer.alloc(size / 96, 'x'))).pipe(res)
        },
        { maxBodyBytes: size },
      )
      const leader = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
      leader.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
      await until(() => runs() === 1)
      const follower = await hasty.get('/').set('Host', 'h').buffer().parse(bytes)
      leader.destroy()
      expect((follower.body as Buffer).length).toBe(size)
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
      const cache = await open(nextPrefix())
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

    test('a time limit in front may answer while a request waits for another', async () => {
      const gates: (() => void)[] = []
      const { hasty, runs } = await serve(
        (_, res) => gates.push(() => res.set('Cache-Control', 'max-age=60').send('late')),
        {},
        (app) =>
          app.use((req, res, next) => {
            if (req.get('X-Limit')) setImmediate(() => setImmediate(() => res.status(503).send('too late')))
            next()
          }),
      )
      const leader = hasty.get('/').then(({ text }) => text)
      await until(() => gates.length === 1)
      await hasty.get('/').set('X-Limit', '1').expect(503, 'too late')
      gates[0]?.()
      expect(await leader).toBe('late')
      expect(runs()).toBe(1)
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
      world.redis.freeze()
      try {
        expect((await hasty.get('/')).text).toBe('page')
        expect((await hasty.post('/')).text).toBe('done')
        expect((await hasty.head('/')).status).toBe(200)
        expect((await hasty.get('/')).text).toBe('page')
      } finally {
        world.redis.thaw()
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

function fail(): never {
  throw new Error('expected a failure')
}
