import { describe, expect, test, vi } from 'vitest'
import { describeFaces } from './victim.ts'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { VictimOptions } from './victim.ts'

/** An application that lets what it reads of a request into a page that is for all. */
const reflecting =
  (read: (req: Parameters<RequestListener>[0]) => unknown): RequestListener =>
  (req, res) => {
    res.setHeader('Cache-Control', 'public, max-age=60')
    res.end(`<script src="//${String(read(req))}/x.js">`)
  }

/** The host that a client names, as the application reads it. */
const hostOf = ({ headers }: IncomingMessage) => headers.host ?? headers[':authority']

describeFaces((open, version) => {
  describe('request fields that are not in the key', () => {
    test.each([
      ['x-forwarded-host', 'evil.example'],
      ['x-forwarded-proto', 'evil'],
      ['x-forwarded-scheme', 'nothttps'],
      ['x-forwarded-prefix', '/evil'],
      ['x-forwarded-port', '1337'],
      ['x-forwarded-server', 'evil.example'],
      ['x-host', 'evil.example'],
      ['x-original-url', '/admin'],
      ['x-rewrite-url', '/admin'],
      ['x-http-method-override', 'POST'],
      ['x-method-override', 'DELETE'],
      ['x-backend-host', 'evil.example'],
      ['x-api-key', 'k-1'],
      ['x-user-id', '7'],
    ])('%s does not get into what others are sent', async (name, value) => {
      const { get } = await open(reflecting((req) => req.headers[name] ?? 'clean'))
      const attack = await get('/', { [name]: value })
      expect(attack.body).toContain(value)
      expect(attack.cacheStatus).toMatch(/detail=/)
      expect((await get('/')).body).toContain('clean')
      expect((await get('/')).cacheStatus).toMatch(/hit/)
    })

    test('whatever its name, it does not get into what says no lifetime of its own; where it does, it is told in development', async () => {
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      const silent = await open((req, res) => void res.end(String(req.headers['x-evil'] ?? 'clean')), { ttl: '1m' })
      expect((await silent.get('/', { 'X-Evil': 'poison' })).cacheStatus).toMatch(/detail=audit/)
      expect((await silent.get('/')).body).toBe('clean')
      const speaking = await open(reflecting((req) => req.headers['x-evil'] ?? 'clean'))
      expect((await speaking.get('/', { 'X-Evil': 'poison' })).cacheStatus).toMatch(/stored/)
      expect(warned.mock.calls.map(([message]) => message)).toContainEqual(
        expect.stringContaining('its handler read x-evil'),
      )
    })

    const ways: readonly (readonly [string, (req: IncomingMessage) => unknown])[] = [
      ['rawHeaders', (req: Parameters<RequestListener>[0]) => req.rawHeaders.join()],
      ...(version === 'HTTP/2'
        ? []
        : [['headersDistinct', (req: IncomingMessage) => req.headersDistinct['x-user']] as const]),
      ['all of them as JSON', (req: Parameters<RequestListener>[0]) => JSON.stringify(req.headers)],
      ['a copy', (req: Parameters<RequestListener>[0]) => ({ ...req.headers })['x-user']],
    ]

    test.each(ways)('nor does one that is read by %s', async (_, read) => {
      const { get } = await open(reflecting(read))
      expect((await get('/', { 'X-User': 'poison' })).body).toContain('poison')
      expect((await get('/')).body).not.toContain('poison')
    })

    test('one that is read while the body is written does not get into it', async () => {
      const { get } = await open((req, res) => {
        res.setHeader('Cache-Control', 'public, max-age=60')
        res.flushHeaders()
        setImmediate(() => res.end(String(req.headers['x-user'] ?? 'clean')))
      })
      expect((await get('/', { 'X-User': 'poison' })).body).toBe('poison')
      expect((await get('/')).body).toBe('clean')
    })

    test('one that browsers send is stored, told in development, refused by strict and told apart by vary', async () => {
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      const byAgent = reflecting((req) => req.headers['user-agent'])
      const guarded = await open(byAgent)
      await guarded.get('/', { 'User-Agent': 'a' })
      expect((await guarded.get('/', { 'User-Agent': 'b' })).cacheStatus).toMatch(/hit/)
      expect(warned.mock.calls.map(([message]) => message)).toEqual([
        expect.stringContaining('its handler read user-agent'),
      ])

      const strict = await open(byAgent, { audit: 'strict' })
      await strict.get('/')
      expect((await strict.get('/', { 'User-Agent': 'b' })).cacheStatus).toMatch(/fwd=uri-miss; detail=audit/)

      const vary = await open(byAgent, { audit: 'vary' })
      const first = await vary.get('/', { 'User-Agent': 'a' })
      expect(first.headers.vary).toBe('user-agent')
      expect((await vary.get('/', { 'User-Agent': 'b' })).body).toContain('//b/')
      const again = await vary.get('/', { 'User-Agent': 'a' })
      expect(again.cacheStatus).toMatch(/hit/)
      expect(again.body).toContain('//a/')
      expect(again.headers.vary).toBe('user-agent')
    })

    test('Vary and the option harmless are a word for it', async () => {
      const { get } = await open(
        (req, res) => {
          res.setHeader('Cache-Control', 'public, max-age=60')
          res.setHeader('Vary', 'X-Tenant')
          res.end(`${req.headers['x-tenant']} ${req.headers['x-log'] === ''}`)
        },
        { harmless: ['X-Log'] },
      )
      for (const tenant of ['a', 'b']) {
        const headers = { 'X-Tenant': tenant, 'X-Log': '7' }
        expect((await get('/', headers)).cacheStatus).toMatch(/stored/)
        expect((await get('/', headers)).body).toBe(`${tenant} false`)
        expect((await get('/', headers)).cacheStatus).toMatch(/hit/)
      }
    })
  })

  describe.each<VictimOptions>(
    (['guard', 'strict', 'vary', 'warn'] as const).map((audit) => ({ audit, trustProxy: 'loopback' })),
  )('the origin behind a trusted proxy, with $audit', (options) => {
    test.each<[name: string, Record<string, string>, (req: IncomingMessage) => unknown]>([
      ['a Host that is not the one of the key', { Host: 'evil' }, hostOf],
      ['… by rawHeaders', { Host: 'evil' }, (req) => req.rawHeaders.join()],
      ['a second host', { 'X-Forwarded-Host': 'shop, evil' }, (req) => req.headers['x-forwarded-host']],
      ['a port of its own', { Host: 'shop:1337' }, hostOf],
      ['a second scheme', { 'X-Forwarded-Proto': 'https, evil' }, (req) => req.headers['x-forwarded-proto']],
    ])('%s does not get into what others are sent', async (_, fields, read) => {
      const { get } = await open(reflecting(read), options)
      const usual = { Host: 'shop', 'X-Forwarded-Host': 'shop', 'X-Forwarded-Proto': 'https' }
      expect((await get('/', { ...usual, ...fields })).cacheStatus).toMatch(/detail=audit/)
      for (let round = 0; round < 2; round++) {
        const { body } = await get('/', usual)
        for (const [name, value] of Object.entries(fields)) {
          if (value !== usual[name as 'Host']) expect(body).not.toContain(value)
        }
      }
    })

    test('what is the same, or what nobody reads, is in the way of nothing', async () => {
      const { get } = await open(
        reflecting((req) => `${hostOf(req)} ${req.headers['x-forwarded-host']} ${req.headers['x-forwarded-proto']}`),
        options,
      )
      const usual = { Host: 'shop', 'X-Forwarded-Host': 'shop', 'X-Forwarded-Proto': 'https' }
      expect((await get('/', usual)).cacheStatus).toMatch(/stored/)
      expect((await get('/', usual)).cacheStatus).toMatch(/hit/)
      expect((await get('/', { ...usual, Host: 'inner:3000' })).body).toContain('//shop shop https')

      const blind = await open(
        reflecting(() => 'page'),
        options,
      )
      await blind.get('/', { ...usual, Host: 'inner:3000', 'X-Forwarded-Host': 'shop, inner' })
      expect((await blind.get('/', usual)).cacheStatus).toMatch(/hit/)
    })
  })

  test('an origin that the application says is harmless, or in Vary, is its own concern', async () => {
    const usual = { Host: 'inner:3000', 'X-Forwarded-Host': 'shop' }
    const trusting = { trustProxy: 'loopback' }
    const vouched = await open(
      reflecting((req) => typeof hostOf(req)),
      { ...trusting, harmless: ['Host'] },
    )
    await vouched.get('/', usual)
    expect((await vouched.get('/', usual)).cacheStatus).toMatch(/hit/)
    if (version === 'HTTP/2') return
    const varying = await open((req, res) => {
      res.setHeader('Vary', 'Host').setHeader('Cache-Control', 'public, max-age=60')
      res.end(req.headers.host)
    }, trusting)
    await varying.get('/', usual)
    expect(await varying.get('/', { ...usual, Host: 'evil' })).toMatchObject({ body: 'evil' })
    expect(await varying.get('/', usual)).toMatchObject({ body: 'inner:3000' })
    expect((await varying.get('/', usual)).cacheStatus).toMatch(/hit/)
  })

  describe('fields that nobody counts as a rule', () => {
    test.each([
      ['Content-Type', 'application/evil'],
      ['Content-Encoding', 'evil'],
      ['Content-Language', 'evil'],
      ['X-Request-Id', '<script>'],
      ['Traceparent', 'evil'],
      ['Proxy-Authorization', 'evil'],
    ])('%s on GET: strict counts it', async (name, value) => {
      const { get } = await open(
        reflecting((req) => req.headers[name.toLowerCase()] ?? 'clean'),
        { audit: 'strict' },
      )
      expect((await get('/', { [name]: value })).cacheStatus).toMatch(/detail=audit/)
      expect((await get('/')).body).toContain('clean')
    })

    test.each([
      ['Content-Type', 'application/evil'],
      ['Forwarded', 'host=evil'],
      ['Proxy-Authorization', 'evil'],
      ['From', 'evil'],
    ])('%s on GET: it does not get into what says no lifetime of its own', async (name, value) => {
      const { get } = await open((req, res) => res.end(String(req.headers[name.toLowerCase()] ?? 'clean')), {
        ttl: '1m',
      })
      expect((await get('/', { [name]: value })).cacheStatus).toMatch(/detail=audit/)
      expect((await get('/')).body).toBe('clean')
    })

    test('Forwarded does not get into what does, either', async () => {
      const { get } = await open(reflecting((req) => req.headers.forwarded ?? 'clean'))
      expect((await get('/', { Forwarded: 'host=evil' })).cacheStatus).toMatch(/detail=audit/)
      expect((await get('/')).body).toContain('clean')
    })
  })

  describe('a body on GET', () => {
    const echo: RequestListener = async (req, res) => {
      let text = ''
      for await (const chunk of req) text += chunk
      res.setHeader('Cache-Control', 'public, max-age=60')
      res.end(`body=${text}`)
    }

    if (version === 'HTTP/2') {
      test('over HTTP/2 is not answered from the cache, and does not get into it', async () => {
        const { get } = await open(echo)
        const ask = () => get('/', {}, 'GET', 'x=evil')
        expect((await ask()).body).toBe('body=x=evil')
        expect((await get('/')).body).toBe('body=')
        expect(await ask()).toMatchObject({
          body: 'body=x=evil',
          cacheStatus: 'tiercache; fwd=bypass; detail=request-body',
        })
      })
      return
    }

    test.each([
      ['Content-Length', 'Content-Length: 6\r\n\r\nx=evil'],
      ['chunks', 'Transfer-Encoding: chunked\r\n\r\n6\r\nx=evil\r\n0\r\n\r\n'],
    ])('with %s is not answered from the cache, and does not get into it', async (_, rest) => {
      const { get, raw } = await open(async (req, res) => {
        let text = ''
        for await (const chunk of req) text += chunk
        res.setHeader('Cache-Control', 'public, max-age=60')
        res.end(`body=${text}`)
      })
      const ask = () => raw(`GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${rest}`)
      expect(await ask()).toContain('body=x=evil')
      expect((await get('/')).body).toBe('body=')
      expect(await ask()).toMatch(/fwd=bypass; detail=request-body[\s\S]*body=x=evil/)
    })
  })

  describe('the query is taken as it is written', () => {
    test.each([
      ['/?a=1;a=evil', '/?a=1'],
      ['/?a=1&a=evil', '/?a=1'],
      ['/?a=1%26a=evil', '/?a=1'],
      ['/?a=1%23evil', '/?a=1'],
      ['/?a=1?a=evil', '/?a=1'],
      ['/?a=1%00evil', '/?a=1'],
      ['/?A=1', '/?a=1'],
      ['/?a=1&', '/?a=1'],
      ['/%3fa=1', '/?a=1'],
      ['//', '/'],
      ['/a/../b', '/b'],
      ['/%62', '/b'],
      ['/b;x=evil', '/b'],
      ['/b%00', '/b'],
      ['/b%0d%0aX-Evil:1', '/b'],
      ['/b\\x', '/b/x'],
    ])('%s is not %s', async (attack, victim) => {
      const { get } = await open((req, res) => {
        res.setHeader('Cache-Control', 'public, max-age=60')
        res.end(req.url)
      })
      expect((await get(attack)).body).toBe(attack)
      const got = await get(victim)
      expect(got.body).toBe(victim)
      expect(got.cacheStatus).toMatch(/fwd=uri-miss; stored/)
    })
  })

  describe('errors that a request has brought about', () => {
    test('a field of 64 kB: the failure of the application goes to nobody else', async () => {
      const { get } = await open((req, res) => {
        res.setHeader('Cache-Control', 'public, max-age=60')
        if (String(req.headers['x-large'] ?? '').length > 8192) res.writeHead(400).end('too large')
        else res.end('fine')
      })
      expect((await get('/', { 'X-Large': 'a'.repeat(65_536) })).status).toBe(400)
      expect(await get('/')).toMatchObject({ status: 200, body: 'fine' })
    })

    const fine: RequestListener = (_, res) => {
      res.setHeader('Cache-Control', 'public, max-age=60')
      res.end('fine')
    }

    test('64 kB of Cache-Control, If-None-Match, Range, Cookie or Accept pass', async () => {
      const { get } = await open(fine, { clientDirectives: 'obey' })
      const long = 'a="b", '.repeat(9000)
      for (const name of [
        'Cache-Control',
        'If-None-Match',
        'If-Modified-Since',
        'Range',
        'If-Range',
        'Cookie',
        'Accept',
      ]) {
        expect((await get('/', { [name]: long })).status).toBe(200)
      }
      expect((await get('/')).body).toBe('fine')
    })

    if (version === 'HTTP/2') return
    test('a field over the limit of the server is its own 431, and the server lives', async () => {
      const { get, raw } = await open(fine)
      // Just over it: what a server has not read when it closes resets the connection, and its answer may be lost with that.
      const answer = await raw(`GET / HTTP/1.1\r\nHost: h\r\nX-Large: ${'a'.repeat(256 * 1024)}\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 431 /)
      expect(await get('/')).toMatchObject({ status: 200, body: 'fine' })
    })
  })
})
