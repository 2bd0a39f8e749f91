import { describe, expect, test } from 'vitest'
import { describeExpress, raw, until } from './express-app.ts'
import type { AddressInfo } from 'node:net'
import type { HttpCacheOptions } from '../../src/middleware/express.ts'
import type { Route } from './express-app.ts'

describeExpress(({ hit, serve }) => {
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
        // Express confirms nothing to a request that says no-cache.
        const forwarded = {
          anew: /^tiercache; fwd=request; stored$/,
          confirmed: /^tiercache; fwd=request; fwd-status=304; ttl=60; stored$/,
        }
        await agent.get('/')
        for (const [directive, more] of Object.entries(expected)) {
          const before = runs()
          await agent
            .get('/')
            .set('Cache-Control', directive)
            .expect('Cache-Status', more ? forwarded[directive === 'no-cache' ? 'anew' : 'confirmed'] : hit)
          expect(runs() - before).toBe(more)
        }
      },
    )

    test('Range is passed on and not stored; a part of what is stored is answered', async () => {
      const { agent, runs } = await serve((req, res) => {
        res.set('Cache-Control', 'max-age=60')
        if (req.get('Range')) res.status(206).set('Content-Range', 'bytes 0-0/5').send('h')
        else res.send('hello')
      })
      await agent.get('/').set('Range', 'bytes=0-0').expect(206, 'h')
      await agent.get('/').expect(200, 'hello')
      await agent.get('/').set('Range', 'bytes=1-2').expect(206, 'el').expect('Content-Range', 'bytes 1-2/5')
      await agent.get('/').set('Range', 'bytes=9-').expect(416).expect('Content-Range', 'bytes */5')
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
      await open.agent
        .get('/')
        .set('X-Forwarded-Proto', 'https')
        .expect('Cache-Status', 'tiercache; fwd=bypass; detail=x-forwarded-proto')
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
})
