import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import express5 from 'express'
// @ts-expect-error It has no types here; what is used of it is the same.
import express4 from 'express4'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { detach } from '../../src/middleware/detached.ts'
import { requestOf } from '../../src/middleware/node-request.ts'
import { watchResponse } from '../../src/middleware/node-response.ts'
import { startServer, until } from './node-server.ts'
import { Noting } from './noting.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Exchange } from '../../src/http/exchange.ts'
import type { Rerun } from '../../src/middleware/detached.ts'
import type { Asking, HttpVersion, Listener } from './node-server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const watching =
  (listener: Listener): Rerun =>
  (req, res, watcher) => {
    watchResponse(res, watcher)
    listener(req, res)
  }

/** What `detach` makes of the request that a client sends; the client is answered, and its connection is closed. */
async function detached(listener: Listener, asking: Asking = {}, version: HttpVersion = 'HTTP/1.1', read = {}) {
  let made: Exchange | undefined
  const server = await startServer(version, (req, res) => {
    const request = { ...requestOf(req, () => false), ...read }
    made = detach(request, req, watching(listener))
    res.end()
  })
  cleanups.push(() => server.close())
  await server.ask(asking)
  return made
}

/** Runs a listener without a client, to the end of the response. */
async function rerun(listener: Listener, asking?: Asking, watcher = new Noting()): Promise<Noting> {
  const exchange = await detached(listener, asking)
  exchange?.forward(watcher)
  await until(() => watcher.notes.includes('complete') || watcher.notes.includes('over'))
  return watcher
}

describe('the request', () => {
  const fields = {
    accept: 'text/html',
    'x-a': 'ä',
    'if-none-match': '"1"',
    'if-modified-since': 'Sun, 06 Nov 1994 08:49:37 GMT',
    range: 'bytes=0-1',
    'if-range': '"1"',
    'cache-control': 'no-cache',
    cookie: 'user=7',
    'proxy-authorization': 'Basic x',
    te: 'trailers',
  }

  test('is that of the client, less what is of the client alone', async () => {
    let seen: Partial<IncomingMessage> = {}
    const exchange = await detached(
      (req, res) => {
        const { method, url, headers, httpVersion } = req
        seen = { method, url, headers, httpVersion }
        res.end()
      },
      { path: '/a?b=%20', headers: fields },
    )
    expect(exchange?.request).toMatchObject({ method: 'GET', target: '/a?b=%20', host: 'a.example' })
    expect(exchange?.request.headers).toEqual({ host: 'a.example', accept: 'text/html', 'x-a': 'Ã¤' })
    const watcher = new Noting()
    exchange?.forward(watcher, { 'if-none-match': '"ours"' })
    await until(() => watcher.notes.includes('complete'))
    expect(seen).toMatchObject({ method: 'GET', url: '/a?b=%20', httpVersion: '1.1' })
    expect(seen.headers).toEqual({ host: 'a.example', accept: 'text/html', 'x-a': 'Ã¤', 'if-none-match': '"ours"' })
    expect(exchange?.isGone()).toBe(false)
  })

  test('is a GET where it was a HEAD', async () => {
    const { notes } = await rerun((req, res) => res.end(req.method), { method: 'HEAD' })
    expect(notes.slice(0, 3)).toEqual(['head 200', 'chunk GET', 'complete'])
  })

  test('has the pseudo-fields of HTTP/2', async () => {
    let seen: IncomingMessage['headers'] = {}
    const listener: Listener = (req, res) => {
      seen = req.headers
      res.end()
    }
    const exchange = await detached(listener, { path: '/a', method: 'HEAD', headers: { cookie: 'a=1' } }, 'HTTP/2')
    const watcher = new Noting()
    exchange?.forward(watcher)
    await until(() => watcher.notes.includes('complete'))
    expect(seen).toEqual({
      host: 'a.example',
      ':authority': 'a.example',
      ':method': 'GET',
      ':path': '/a',
      ':scheme': 'http',
    })
  })

  test('of a QUERY has its content', async () => {
    const got: unknown[] = []
    const listener: Listener = async (req, res) => {
      for await (const chunk of req) got.push([req.method, req.headers['content-length'], String(chunk)])
      res.end()
    }
    const content = Buffer.from('select')
    const asking = { method: 'QUERY', body: 'select', headers: { 'content-type': 'text/plain' } }
    const exchange = await detached(listener, asking, 'HTTP/1.1', { content })
    const watcher = new Noting()
    exchange?.forward(watcher)
    await until(() => watcher.notes.includes('complete'))
    expect(got).toEqual([['QUERY', '6', 'select']])
  })

  test('is not made for one with Authorization', async () => {
    expect(await detached(() => {}, { headers: { authorization: 'Bearer x' } })).toBeUndefined()
  })

  test('is not made for a client with a certificate', async () => {
    const made: unknown[] = []
    const server = await startServer('HTTP/1.1', (req, res) => {
      const request = requestOf(req, () => false)
      for (const clientCertificate of [false, true]) made.push(detach({ ...request, clientCertificate }, req, () => {}))
      res.end()
    })
    cleanups.push(() => server.close())
    await server.ask()
    expect(made).toEqual([expect.anything(), undefined])
  })

  test('is not made for a client that has gone', async () => {
    const made: unknown[] = []
    const server = await startServer('HTTP/1.1', (req) => {
      req.socket.once('close', () =>
        made.push(
          detach(
            requestOf(req, () => false),
            req,
            () => {},
          ),
        ),
      )
    })
    cleanups.push(() => server.close())
    const socket = connectTcp(server.port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', () => socket.destroy())
    await until(() => made.length > 0)
    expect(made).toEqual([undefined])
  })

  test.each([
    ['a field', { headers: { 'x-a': 'b\r\nx-c: d' } }],
    ['a target', { target: '/ HTTP/1.1\r\n' }],
  ])('that cannot be written down (%s) is not run', async (_, changes) => {
    const runs: unknown[] = []
    let made: Exchange | undefined
    const server = await startServer('HTTP/1.1', (req, res) => {
      made = detach({ ...requestOf(req, () => false), ...changes }, req, () => runs.push(1))
      res.end()
    })
    cleanups.push(() => server.close())
    await server.ask()
    const watcher = new Noting()
    made?.forward(watcher)
    await until(() => watcher.notes.length > 0)
    expect([watcher.notes, runs]).toEqual([['over'], []])
  })

  test('comes over a connection that looks like that of the client, without what was known of him', async () => {
    let first: Socket | undefined
    let again: Record<string, unknown> = {}
    const server = await startServer('HTTP/1.1', (req, res) => {
      first = req.socket
      const { remoteAddress, localPort } = req.socket
      const exchange = detach(
        requestOf(req, () => false),
        req,
        (detachedReq, detachedRes) => {
          const { socket } = detachedReq
          socket.setTimeout(1000).setNoDelay().setKeepAlive().ref().unref()
          expect(socket).toMatchObject({ remoteAddress, localPort })
          again = { socket, encrypted: 'encrypted' in socket, address: socket.address() }
          detachedRes.end()
        },
      )
      res.end()
      exchange?.forward(new Noting())
    })
    cleanups.push(() => server.close())
    await server.ask()
    await until(() => 'socket' in again)
    expect(again).toMatchObject({ encrypted: false, address: {} })
    expect(again.socket).not.toBe(first)
  })
})

describe('the response', () => {
  test('is seen by the watcher, and finishes and closes as with a client', async () => {
    const events: string[] = []
    const { notes, heads } = await rerun((req, res) => {
      for (const event of ['finish', 'close']) res.on(event, () => events.push(`res ${event}`))
      req.on('close', () => events.push('req close'))
      res.writeHead(201, { 'X-A': 'a' })
      res.write('one')
      setImmediate(() => res.end('two', () => events.push('called back')))
    })
    await until(() => events.includes('res close'))
    expect(notes.slice(0, 4)).toEqual(['head 201', 'chunk one', 'chunk two', 'complete'])
    expect(heads).toMatchObject([{ status: 201, fields: [['X-A', 'a']] }])
    expect(events.toSorted()).toEqual(['called back', 'req close', 'res close', 'res finish'])
  })

  test('is pressed back when it is written faster than it is let go, and goes on', async () => {
    const turns: number[] = []
    const { notes } = await rerun(
      (_, res) => {
        let left = 40
        const write = () => {
          while (left > 0 && res.write(Buffer.alloc(2 ** 16))) left--
          turns.push(left)
          if (left > 0) res.once('drain', write)
          else res.end()
          left--
        }
        write()
      },
      {},
      Object.assign(new Noting(), { wants: false }),
    )
    expect(turns.length).toBeGreaterThan(10)
    expect(notes.at(-1)).toBe('over')
  })

  test('of a stream is whole', async () => {
    const done: unknown[] = []
    const { notes } = await rerun((_, res) => {
      pipeline(Readable.from(['a', 'b', 'c']), res, (error) => done.push(error))
    })
    await until(() => done.length > 0)
    expect(done).toEqual([undefined])
    expect(notes.slice(0, 5)).toEqual(['head 200', 'chunk a', 'chunk b', 'chunk c', 'complete'])
  })

  test('that never ends is cut off when nobody could keep it', async () => {
    let closed = false
    const { notes } = await rerun(
      (_, res) => {
        const endless = Readable.from(
          (function* () {
            for (;;) yield Buffer.alloc(2 ** 16)
          })(),
        )
        endless.pipe(res)
        res.on('close', () => {
          closed = true
          endless.destroy()
        })
      },
      {},
      Object.assign(new Noting(), { wants: false, orders: { watchBody: false } }),
    )
    await until(() => closed)
    expect(notes).toContain('over')
  })

  test('that is destroyed is over', async () => {
    const { notes } = await rerun((_, res) => res.write('half', () => res.destroy(new Error('broken'))))
    expect(notes).toContain('over')
    expect(notes).not.toContain('complete')
  })

  test('of a handler that hangs is cut off', async () => {
    let res: ServerResponse | undefined
    const exchange = await detached((_, response) => {
      res = response
      res.write('half')
    })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const watcher = new Noting()
    exchange?.forward(watcher)
    await until(() => watcher.notes.length === 2)
    vi.advanceTimersByTime(59_999)
    expect(res?.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    if (!res?.closed) await once(res as ServerResponse, 'close')
    expect(watcher.notes).toContain('over')
  })
})

describe.each([
  ['Express 5', express5],
  ['Express 4', express4 as typeof express5],
])('%s', (_, express) => {
  test.each([
    ['/json', 'chunk {"a":1}'],
    ['/send', 'chunk text'],
    ['/stream', 'chunk part'],
    ['/none', 'head 404'],
    ['/throws', 'head 500'],
  ])('answers %s', async (path, note) => {
    const app = express()
    app.get('/json', (_req, res) => {
      res.json({ a: 1 })
    })
    app.get('/send', (req, res) => {
      res.status(200).type('text').set('X-Ip', req.ip).send('text')
    })
    app.get('/stream', (_req, res) => {
      Readable.from(['part']).pipe(res)
    })
    app.get('/throws', () => {
      throw new Error('broken')
    })
    app.use((error: Error, _req: unknown, res: express5.Response, _next: unknown) => {
      res.status(500).end(error.message)
    })
    const { notes } = await rerun(app, { path })
    expect(notes).toContain(note)
    expect(notes).toContain('complete')
  })
})
