import express5 from 'express'
// @ts-expect-error It has no types here; what is used of it is the same.
import express4 from 'express4'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { accelerate } from '../../src/middleware/node.ts'
import { rawHttp1, startServer } from './node-server.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccelerateOptions, InCache } from '../../src/middleware/node.ts'
import type { HttpVersion, NodeServer } from './node-server.ts'

type Behind = (req: IncomingMessage, res: ServerResponse & InCache) => unknown

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server whose listener stands behind a cache, and how often the listener was entered. */
async function serve(
  version: HttpVersion,
  listener: Behind,
  options?: AccelerateOptions,
): Promise<NodeServer & { runs(): number }> {
  const cache = createCache()
  cleanups.push(() => cache.close())
  let runs = 0
  const counting: Behind = (req, res) => {
    runs++
    return listener(req, res)
  }
  const server = await startServer(version, accelerate(cache, counting, options))
  cleanups.push(() => server.close())
  return { ...server, runs: () => runs }
}

const hit = /^tiercache; hit; ttl=\d+; detail=L1$/

describe.each(['HTTP/1.1', 'HTTP/2'] as const)('%s', (version) => {
  test('a hit is answered without the listener', async () => {
    const { ask, runs } = await serve(version, (_, res) => {
      res.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'max-age=60', Link: ['<a>', '<b>'] })
      res.end('page')
    })
    const first = await ask()
    expect(first).toMatchObject({ status: 200, body: 'page' })
    expect(first.headers['cache-status']).toBe('tiercache; fwd=uri-miss; stored')
    const second = await ask()
    expect(second).toMatchObject({ status: 200, body: 'page' })
    expect(second.headers).toMatchObject({ 'content-type': 'text/plain', link: '<a>, <b>', age: '0' })
    expect(second.headers['content-length']).toBe('4')
    expect(second.headers.date).toBe(first.headers.date)
    expect(second.headers['cache-status']).toMatch(hit)
    expect(runs()).toBe(1)
  })

  test('each hit has its own Age, and all that is stored', async () => {
    const { ask } = await serve(version, (_, res) => {
      res.setHeader('Cache-Status', 'inner; hit')
      res.setHeader('Cache-Control', 'max-age=60')
      res.end('page')
    })
    await ask()
    const expected = expect.stringMatching(/^inner; hit, tiercache; hit; ttl=\d+; detail=L1$/)
    expect((await ask()).headers['cache-status']).toEqual(expected)
    expect((await ask()).headers['cache-status']).toEqual(expected)
  })

  test('HEAD has the fields alone, 304 has no body', async () => {
    const { ask, runs } = await serve(version, (_, res) => {
      res.setHeader('Cache-Control', 'max-age=60')
      res.setHeader('ETag', '"1"')
      res.end('page')
    })
    await ask()
    const head = await ask({ method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, body: '' })
    expect(head.headers['content-length']).toBe('4')
    const unmodified = await ask({ headers: { 'if-none-match': '"1"' } })
    expect(unmodified).toMatchObject({ status: 304, body: '' })
    expect(unmodified.headers.etag).toBe('"1"')
    expect(unmodified.headers['content-length']).toBeUndefined()
    expect(unmodified.headers['cache-status']).toMatch(hit)
    expect(runs()).toBe(1)
  })

  test('conditionals of a client are hidden from the listener until it has written its head', async () => {
    const seen: unknown[] = []
    const { ask } = await serve(version, (req, res) => {
      seen.push(req.headers['if-none-match'])
      res.setHeader('Cache-Control', 'max-age=60')
      res.setHeader('ETag', '"1"')
      res.end('page')
      seen.push(req.headers['if-none-match'])
    })
    expect(await ask({ headers: { 'if-none-match': '"1"' } })).toMatchObject({ status: 304, body: '' })
    expect(seen).toEqual([undefined, '"1"'])
    expect((await ask()).body).toBe('page')
  })

  test('authorities are told apart', async () => {
    const { ask, runs } = await serve(version, (req, res) => {
      res.setHeader('Cache-Control', 'max-age=60')
      res.end(String(req.headers[':authority'] ?? req.headers.host))
    })
    expect((await ask({ headers: { host: 'a.example' } })).body).toBe('a.example')
    expect((await ask({ headers: { host: 'b.example' } })).body).toBe('b.example')
    expect((await ask({ headers: { host: 'A.example' } })).headers['cache-status']).toMatch(hit)
    expect(runs()).toBe(2)
  })

  test('the listener may speak to the cache', async () => {
    const { ask, runs } = await serve(version, (req, res) => {
      if (req.url === '/skip') res.cache.skip()
      else res.cache.ttl('1m')
      res.end('page')
    })
    await ask()
    expect((await ask()).headers['cache-status']).toMatch(hit)
    await ask({ path: '/skip' })
    expect((await ask({ path: '/skip' })).headers['cache-status']).toContain('detail=skip')
    expect(runs()).toBe(3)
  })

  test('an unsafe method drops what is stored', async () => {
    const { ask, runs } = await serve(version, (req, res) => {
      req.resume()
      res.setHeader('Cache-Control', 'max-age=60')
      res.end(req.method)
    })
    await ask()
    expect((await ask({ method: 'POST', body: 'x' })).body).toBe('POST')
    expect((await ask()).headers['cache-status']).toBe('tiercache; fwd=uri-miss; stored')
    expect(runs()).toBe(3)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('a listener that %s: 500, and whoever asked to be is told', async (_, fail) => {
    const errors: unknown[] = []
    const { ask } = await serve(
      version,
      (_req, res) => {
        res.setHeader('X-Half', 'done')
        return fail()
      },
      { onError: (error) => errors.push(error) },
    )
    const got = await ask()
    expect(got).toMatchObject({ status: 500, body: '' })
    expect(got.headers['x-half']).toBeUndefined()
    expect(errors).toEqual([new Error('broken')])
    // So it is for what the cache only lets pass.
    expect(await ask({ method: 'OPTIONS' })).toMatchObject({ status: 500 })
    expect(errors).toHaveLength(2)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('deaf')
      },
    ],
    ['rejects', () => Promise.reject(new Error('deaf'))],
  ])('who asked to be told and %s: the process is told, and goes on', async (_, onError) => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { ask } = await serve(
      version,
      () => {
        throw new Error('broken')
      },
      { onError },
    )
    expect(await ask()).toMatchObject({ status: 500 })
    expect(await ask()).toMatchObject({ status: 500 })
    expect(warned.mock.calls.map(([message]) => String(message))).toEqual([
      expect.stringContaining('deaf'),
      expect.stringContaining('deaf'),
    ])
    warned.mockRestore()
  })

  test('a listener that fails when its head was sent: the response is cut off', async () => {
    const errors: unknown[] = []
    const { ask } = await serve(
      version,
      async (_, res) => {
        res.write('half')
        throw new Error('broken')
      },
      { onError: (error) => errors.push(error) },
    )
    await ask().then(
      ({ headers }) => expect(headers['content-length']).toBeUndefined(),
      () => {},
    )
    expect(errors).toEqual([new Error('broken')])
  })
})

describe('who is believed about host and scheme', () => {
  const forwarded = { 'x-forwarded-host': 'b.example', 'x-forwarded-proto': 'https' }
  const page: Behind = (_, res) => {
    res.setHeader('Cache-Control', 'max-age=60')
    res.end('page')
  }

  test.each([
    ['by default', undefined],
    ['false', false],
    ['other addresses', ['10.0.0.0/8', '::1']],
    ['a function', () => false],
    [
      'a function that throws',
      () => {
        throw new Error('broken')
      },
    ],
  ])('nobody: %s', async (_, trustProxy) => {
    const { ask, runs } = await serve('HTTP/1.1', page, { trustProxy })
    const host = { headers: { 'x-forwarded-host': 'b.example' } }
    expect((await ask(host)).headers['cache-status']).toBe('tiercache; fwd=uri-miss; detail=x-forwarded-host')
    const scheme = { headers: { 'x-forwarded-proto': 'https' } }
    expect((await ask(scheme)).headers['cache-status']).toBe('tiercache; fwd=bypass; detail=x-forwarded-proto')
    await ask()
    // What is stored for http would send the client of a proxy to https for ever.
    expect((await ask(scheme)).headers['cache-status']).toBe('tiercache; fwd=bypass; detail=x-forwarded-proto')
    expect((await ask({ headers: { 'x-forwarded-proto': 'http' } })).headers['cache-status']).toMatch(hit)
    expect(runs()).toBe(4)
  })

  test.each([
    ['everybody', true],
    ['an address', '127.0.0.1'],
    ['a subnet by its name', 'loopback'],
    ['several', ['10.0.0.0/8', '127.0.0.0/8']],
    ['a function', (address: string | undefined) => address === '127.0.0.1'],
  ])('%s', async (_, trustProxy) => {
    const { ask, runs } = await serve('HTTP/1.1', page, { trustProxy })
    await ask({ headers: forwarded })
    expect((await ask({ headers: forwarded })).headers['cache-status']).toMatch(hit)
    const first = { ...forwarded, 'x-forwarded-host': 'b.example, c.example' }
    expect((await ask({ headers: first })).headers['cache-status']).toMatch(hit)
    expect((await ask({ headers: { host: 'b.example' } })).headers['cache-status']).not.toMatch(hit)
    expect(runs()).toBe(2)
  })

  describe('over HTTP/2', () => {
    type Read = (req: IncomingMessage & { readonly scheme?: string; readonly authority?: string }) => unknown
    const reading =
      (read: Read): Behind =>
      (req, res) => {
        res.setHeader('Cache-Control', 'max-age=60')
        res.end(String(read(req)))
      }

    test.each<[string, Read]>([
      ['scheme', (req) => req.scheme],
      ['headers', (req) => req.headers[':scheme']],
      ['nothing', () => 'page'],
    ])('a scheme that is not that of the connection passes by: read by %s', async (_, read) => {
      const { ask, runs } = await serve('HTTP/2', reading(read), { trustProxy: 'loopback' })
      const got = await ask({ headers: { ':scheme': 'https' } })
      expect(got.headers['cache-status']).toBe('tiercache; fwd=bypass; detail=x-forwarded-proto')
      const other = await ask({ headers: { ':scheme': 'https', 'x-forwarded-proto': 'http' } })
      expect(other.headers['cache-status']).toBe('tiercache; fwd=bypass; detail=x-forwarded-proto')
      await ask({ headers: { ':scheme': 'http' } })
      expect((await ask({ headers: { ':scheme': 'http' } })).headers['cache-status']).toMatch(hit)
      expect(runs()).toBe(3)
    })

    test.each<[string, Read]>([
      ['authority', (req) => req.authority],
      ['headers', (req) => req.headers[':authority']],
      ['all headers', (req) => JSON.stringify(req.headers)],
      ['rawHeaders', (req) => req.rawHeaders],
      ['scheme', (req) => req.scheme],
    ])('what a trusted proxy says of the client counts, and nothing else may be read: by %s', async (name, read) => {
      const { ask } = await serve('HTTP/2', reading(read), { trustProxy: 'loopback', audit: 'warn' })
      const inner = { ':scheme': 'http', host: 'inner.example', ...forwarded }
      expect((await ask({ headers: inner })).headers['cache-status']).toMatch(/detail=audit$/)
      const same = { ...inner, ':scheme': 'https', host: 'b.example' }
      expect((await ask({ headers: same })).headers['cache-status'], name).toMatch(/stored$/)
      expect((await ask({ headers: inner })).headers['cache-status']).toMatch(hit)
    })
  })

  test.each([['10.0.0.0/33'], ['nobody'], [['10.0.0.1', 7]], ['10.0.0.0/8/8'], [1], ['::1/129'], ['10.0.0.0/x']])(
    'a bad option is told: %s',
    (trustProxy) => {
      const accelerated = () => accelerate(createCache(), page, { trustProxy: trustProxy as never })
      expect(accelerated).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
      expect(accelerated).toThrow('trustProxy')
    },
  )
})

describe('requests that are strange on the wire', () => {
  const page: Behind = (req, res) => {
    res.setHeader('Cache-Control', 'max-age=60')
    res.end(`${req.method} ${req.url}`)
  }

  test.each([
    ['no Host, HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nConnection: close\r\n\r\n'],
    ['absolute-form', 'GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'],
    ['asterisk-form', 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'],
  ])('%s passes, and is not stored', async (_, text) => {
    const { port, runs } = await serve('HTTP/1.1', page)
    const answer = await rawHttp1(port, text)
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).not.toContain('stored')
    await rawHttp1(port, text)
    expect(runs()).toBe(2)
  })

  test('a client of HTTP/1.0 gets hits, and its connection is closed, or kept if it asks for that', async () => {
    const { port, ask, runs } = await serve('HTTP/1.1', page)
    await ask()
    const closed = await rawHttp1(port, 'GET / HTTP/1.0\r\nHost: a.example\r\n\r\n')
    expect(closed).toContain('tiercache; hit')
    expect(closed).toContain('Connection: close\r\n')
    const kept = await rawHttp1(
      port,
      'GET / HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\nHost: a.example\r\n\r\n',
    )
    expect(kept.match(/tiercache; hit/g)).toHaveLength(2)
    expect(kept).toContain('Connection: keep-alive\r\n')
    expect(runs()).toBe(1)
  })

  test('hits over one connection, one behind the other', async () => {
    const { port, ask, runs } = await serve('HTTP/1.1', page)
    await ask()
    const get = 'GET / HTTP/1.1\r\nHost: a.example\r\n'
    const answers = await rawHttp1(
      port,
      `${get}\r\n${get}\r\n${get.replace('GET', 'HEAD')}\r\n${get}Connection: close\r\n\r\n`,
    )
    expect(answers.match(/HTTP\/1\.1 200 OK\r/g)).toHaveLength(4)
    expect(answers.match(/GET \//g)).toHaveLength(3)
    expect(runs()).toBe(1)
  })
})

describe.each([
  ['Express 5', express5],
  ['Express 4', express4 as typeof express5],
])('in front of %s', (_, express) => {
  test('a hit does not enter the application', async () => {
    const cache = createCache()
    cleanups.push(() => cache.close())
    const app = express()
    let runs = 0
    app.use((_req, _res, next) => {
      runs++
      next()
    })
    app.get('/json', (_req, res) => {
      res.cache.ttl('1m')
      res.json({ a: 1 })
    })
    const server = await startServer('HTTP/1.1', accelerate(cache, app))
    cleanups.push(() => server.close())
    const first = await server.ask({ path: '/json' })
    const second = await server.ask({ path: '/json' })
    expect(second).toMatchObject({ status: 200, body: '{"a":1}' })
    const { 'cache-status': _status, age, ...fields } = second.headers
    expect(first.headers).toMatchObject(fields)
    expect(fields['x-powered-by']).toBe('Express')
    expect(runs).toBe(1)
    expect((await server.ask({ path: '/none' })).status).toBe(404)
  })
})

test.each([[undefined], [{}], ['app']])('what is no listener is told: %s', (listener) => {
  expect(() => accelerate(createCache(), listener as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
  )
})

test.each([[null], ['log'], [{}]])('onError that is no function is told: %s', (onError) => {
  expect(() => accelerate(createCache(), () => {}, { onError: onError as never })).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringMatching(/^onError: expected a function, got /),
    }),
  )
})

test('options that do not exist are told', () => {
  expect(() => accelerate(createCache(), () => {}, { trustproxy: true } as never)).toThrow(
    expect.objectContaining({ code: 'ERR_UNKNOWN_OPTION' }),
  )
})
