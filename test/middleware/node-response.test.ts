import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { connect, createServer as createHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { sendAnswer } from '../../src/middleware/node-answer.ts'
import { watchResponse } from '../../src/middleware/node-response.ts'
import { Noting } from './noting.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Answer } from '../../src/http/exchange.ts'

type Listener = (req: IncomingMessage, res: ServerResponse) => void

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Got {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: string
}

const versions = [
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const

describe.each(versions)('%s', (version, send) => {
  test('head, chunks and end are told once each, whichever way they are written', async () => {
    const watcher = new Noting()
    const got = await send((_, res) => {
      watchResponse(res, watcher)
      res.setHeader('X-A', 'a')
      res.write('one', () => {})
      res.write(Buffer.from('two'))
      res.end('dGhyZWU=', 'base64', () => {})
    })
    expect(got).toMatchObject({ status: 200, body: 'onetwothree', headers: { 'x-a': 'a' } })
    expect(watcher.notes.slice(0, 5)).toEqual(['head 200', 'chunk one', 'chunk two', 'chunk three', 'complete'])
  })

  test('end alone', async () => {
    const watcher = new Noting()
    const got = await send((_, res) => {
      watchResponse(res, watcher)
      res.statusCode = 404
      res.end('gone')
    })
    expect(got).toMatchObject({ status: 404, body: 'gone' })
    expect(watcher.notes.slice(0, 3)).toEqual(['head 404', 'chunk gone', 'complete'])
  })

  test('flushHeaders and a late end', async () => {
    const watcher = new Noting()
    await send((_, res) => {
      watchResponse(res, watcher)
      res.flushHeaders()
      setImmediate(() => res.end())
    })
    expect(watcher.notes.slice(0, 2)).toEqual(['head 200', 'complete'])
  })

  test('orders of the head are followed', async () => {
    const watcher = new Noting()
    watcher.orders = { set: [['X-B', ['1', '2']]], without: ['X-A'], watchBody: false }
    const got = await send((_, res) => {
      watchResponse(res, watcher)
      res.writeHead(200, { 'X-A': 'a', 'X-C': 'c' })
      res.end('x')
    })
    expect(got.headers['x-a']).toBeUndefined()
    expect(got.headers).toMatchObject({ 'x-b': '1, 2', 'x-c': 'c' })
    expect(watcher.heads[0]?.fields.map(([name, value]) => [name.toLowerCase(), value])).toEqual([
      ['x-a', 'a'],
      ['x-c', 'c'],
    ])
    expect(watcher.notes).not.toContain('chunk x')
  })

  test('a 304 in place of a 200 sends no body, and shows all of it', async () => {
    const watcher = new Noting()
    watcher.mayReplace = true
    watcher.orders = { status: 304, watchBody: true, without: ['Content-Length'] }
    const got = await send((req, res) => {
      watchResponse(res, watcher)
      if (req.url === '/end') {
        res.end('whole')
        return
      }
      res.write('one')
      res.write('two', () => res.end('three'))
    })
    expect(got).toMatchObject({ status: 304, body: '' })
    expect(got.headers['content-length']).toBeUndefined()
    expect(watcher.notes.slice(0, 5)).toEqual(['head 200', 'chunk one', 'chunk two', 'chunk three', 'complete'])
  })

  test('a 304 in place of a 200 that streams shows all of it', async () => {
    const watcher = new Noting()
    watcher.mayReplace = true
    watcher.orders = { status: 304, watchBody: true }
    const ended: unknown[] = []
    const got = await send((_, res) => {
      watchResponse(res, watcher)
      res.writeHead(200, { ETag: '"1"' })
      expect(res.headersSent).toBe(true)
      const chunks = async function* () {
        for (const chunk of ['one', 'two', 'three']) {
          for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
          yield chunk
        }
      }
      pipeline(Readable.from(chunks()), res, (error) => ended.push(error))
    })
    await until(() => ended.length > 0)
    expect(got).toMatchObject({ status: 304, body: '', headers: { etag: '"1"' } })
    expect(watcher.notes.slice(0, 5)).toEqual(['head 200', 'chunk one', 'chunk two', 'chunk three', 'complete'])
    expect(ended).toEqual([undefined])
  })

  test('a 304 in place of a 200 that is cut off is no complete response', async () => {
    const watcher = new Noting()
    watcher.mayReplace = true
    watcher.orders = { status: 304, watchBody: true }
    await send((_, res) => {
      watchResponse(res, watcher)
      res.writeHead(200).write('one')
      setImmediate(() => res.destroy())
    }).catch(() => {})
    await until(() => watcher.notes.includes('over'))
    expect(watcher.notes).not.toContain('complete')
  })

  describe("an answer in place of the application's", () => {
    const stale: Answer = {
      status: 200,
      message: undefined,
      fields: [
        ['Content-Length', '5'],
        ['Date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
        ['X-Kept', ['1', '2']],
      ],
      age: '7',
      cacheStatus: 'tiercache; hit',
      body: Buffer.from('stale'),
    }

    /** What the application writes, and what has to come of it there. */
    const ways: [string, (res: ServerResponse) => unknown][] = [
      ['end alone', (res) => res.end('sorry')],
      ['writeHead with a reason and fields', (res) => res.writeHead(500, 'Oh', { 'X-App': '1' }).end('sorry', 'utf8')],
      ['writeHead with a list', (res) => res.writeHead(500, ['X-App', '1', 'Content-Length', '3']).end('abc')],
      ['an encoding', (res) => res.end('c29ycnk=', 'base64', () => {})],
      ['flushHeaders', (res) => res.flushHeaders() ?? setImmediate(() => res.end())],
      ['write and end with callbacks', (res) => res.write('so', () => res.write('rry', 'latin1', () => res.end()))],
    ]

    test.each(ways)('%s', async (_, write) => {
      const watcher = new Noting()
      watcher.mayReplace = true
      watcher.watchesBody = false
      watcher.orders = { instead: stale }
      let finished = 0
      let put: unknown
      const got = await send((_req, res) => {
        const { write: ownWrite, end: ownEnd } = res
        watchResponse(res, watcher)
        res.statusCode = 500
        res.setHeader('X-App', '1')
        res.setHeader('Content-Type', 'text/plain')
        res.on('finish', () => finished++)
        res.on('close', () => {
          put = res.write === ownWrite && res.end === ownEnd
        })
        write(res)
        expect(res.headersSent).toBe(true)
      })
      await until(() => put !== undefined)
      expect(put).toBe(true)
      expect(got).toMatchObject({ status: 200, body: 'stale' })
      expect(got.headers).toMatchObject({ 'x-kept': '1, 2', age: '7', 'cache-status': 'tiercache; hit' })
      expect(got.headers.date).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
      expect(got.headers['x-app'] ?? got.headers['content-type']).toBeUndefined()
      expect(finished).toBe(1)
      expect(watcher.notes.slice(0, 2)).toEqual(['head 500', 'complete'])
    })

    test('a stream that is piped in runs to its end, and the answer does not wait for it', async () => {
      const watcher = new Noting()
      watcher.mayReplace = true
      watcher.watchesBody = false
      watcher.orders = {
        instead: { ...stale, body: Buffer.alloc(2 ** 20, 'x'), fields: [['Content-Length', '1048576']] },
      }
      const ended: string[] = []
      const piped = Readable.from(Array.from({ length: 200 }, () => Buffer.alloc(2 ** 14)))
      const got = await send((_, res) => {
        watchResponse(res, watcher)
        res.statusCode = 503
        pipeline(piped, res, (error) => ended.push(error ? error.message : 'done'))
      })
      expect(got.body).toHaveLength(2 ** 20)
      await until(() => ended.length > 0)
      expect(ended).toEqual(['done'])
      expect(piped.readableEnded).toBe(true)
    })

    const ends: [string, (req: IncomingMessage, res: ServerResponse) => unknown][] = [
      ['destroys its response', (_, res) => res.writeHead(503).destroy()],
      ['destroys it with an error', (_, res) => res.writeHead(503).destroy(new Error('broken'))],
      ['destroys its connection, as Express does', (req, res) => res.writeHead(503) && req.socket.destroy()],
      ['destroys it amidst its body', (req, res) => res.writeHead(503).write('so') && req.socket.destroy()],
      ['destroys it a turn later', (req, res) => res.writeHead(503) && setImmediate(() => req.socket.destroy())],
      ['destroys it after its end', (req, res) => res.writeHead(503).end('sorry') && req.socket.destroy()],
      [
        'destroys it and writes on',
        (req, res) => res.writeHead(503) && req.socket.destroy() && res.write('so') && res.end(),
      ],
    ]

    test.each(ends)('goes out whole when the application %s', async (_, cut) => {
      const body = Buffer.alloc(2 ** 23, 'x')
      const watcher = new Noting()
      watcher.mayReplace = true
      watcher.orders = { instead: { ...stale, body, fields: [['Content-Length', String(body.byteLength)]] } }
      let closed = false
      const got = await send((req, res) => {
        watchResponse(res, watcher)
        res.on('close', () => {
          closed = true
        })
        cut(req, res)
      })
      expect([got.status, got.body.length]).toEqual([200, body.byteLength])
      await until(() => closed)
    })

    test('a 304 of the application becomes an answer without a body', async () => {
      const watcher = new Noting()
      watcher.mayReplace = true
      watcher.watchesBody = false
      const fields = [['ETag', '"1"']] as const
      watcher.orders = { instead: { ...stale, status: 304, fields, body: undefined } }
      const got = await send((_, res) => {
        watchResponse(res, watcher)
        res.writeHead(304).end()
      })
      expect(got).toMatchObject({ status: 304, body: '', headers: { etag: '"1"' } })
      expect(got.headers['content-length']).toBeUndefined()
    })

    test('what the application writes may be watched all the same', async () => {
      const watcher = new Noting()
      watcher.mayReplace = true
      watcher.orders = { instead: stale, watchBody: true }
      const got = await send((_, res) => {
        watchResponse(res, watcher)
        res.write('one')
        res.end('two')
      })
      expect(got.body).toBe('stale')
      expect(watcher.notes.slice(0, 4)).toEqual(['head 200', 'chunk one', 'chunk two', 'complete'])
    })
  })

  test('an end that is held keeps back the end, not the head', async () => {
    const watcher = new Noting()
    let release = () => {}
    watcher.holdsEnd = true
    watcher.watchesBody = false
    watcher.orders = {}
    watcher.held = new Promise<void>((resolve) => {
      release = resolve
    })
    const got = await send((_, res) => {
      watchResponse(res, watcher)
      res.end('body')
      expect(res.headersSent).toBe(true)
      expect(res.writableEnded).toBe(false)
      expect(res.write('more')).toBe(false)
      res.end('again')
      setImmediate(release)
    })
    expect(got).toMatchObject({ status: 200, body: 'body', headers: { 'content-length': '4' } })
  })

  test.each([
    ['is ended at once', (res: ServerResponse) => res.writeHead(204).end()],
    [
      'is ended by nobody else',
      (res: ServerResponse) => (version === 'HTTP/2' ? res.writeHead(204) : res.writeHead(204).end()),
    ],
  ])('a 204 whose end is held, and that %s, is over for its client when that is', async (_, write) => {
    const watcher = new Noting()
    let release = () => {}
    watcher.holdsEnd = true
    watcher.orders = {}
    watcher.held = new Promise<void>((resolve) => {
      release = resolve
    })
    let isOver = false
    let wasOver: boolean | undefined
    const got = send((_req, res) => {
      watchResponse(res, watcher)
      write(res)
      expect(res.headersSent).toBe(true)
      setTimeout(() => {
        wasOver = isOver
        release()
      }, 50)
    }).then((answer) => {
      isOver = true
      return answer
    })
    expect(await got).toMatchObject({ status: 204, body: '' })
    expect(wasOver).toBe(false)
    expect(watcher.notes).toContain('head 204')
  })

  test.each([
    ['Cache-Control', (res: ServerResponse) => res.setHeader('Cache-Control', 'private')],
    ['Vary', (res: ServerResponse) => res.setHeader('Vary', 'Cookie')],
    ['Set-Cookie', (res: ServerResponse) => res.setHeader('Set-Cookie', ['a=1'])],
    ['X-Other', (res: ServerResponse) => res.setHeader('X-Other', '1')],
  ])('%s that something in front adds as the head is sent is told, if it bears on storing', async (name, add) => {
    const watcher = new Noting()
    await send((_, res) => {
      const { writeHead } = res
      res.writeHead = ((...args: Parameters<typeof writeHead>) => {
        add(res)
        return writeHead.apply(res, args)
      }) as typeof writeHead
      watchResponse(res, watcher)
      res.setHeader('Cache-Control', 'public, max-age=60')
      res.end('x')
    })
    const told = watcher.changed.map((fields) => fields.find(([each]) => each.toLowerCase() === name.toLowerCase()))
    expect(told.length).toBe(name === 'X-Other' ? 0 : 1)
    expect(told.every((field) => field !== undefined)).toBe(true)
  })

  test('trailers are told', async () => {
    for (const add of trailersOf(version)) {
      const watcher = new Noting()
      await send((_, res) => {
        watchResponse(res, watcher)
        res.write('x')
        add(res)
        res.end()
      })
      expect([...new Set(watcher.notes)].slice(0, 4)).toEqual(['head 200', 'chunk x', 'skip', 'complete'])
    }
  })

  test('what was there before is put back once nothing more is wanted', async () => {
    const watcher = new Noting()
    watcher.wants = false
    let same = false
    const got = await send((_, res) => {
      const { write, end, writeHead } = res
      watchResponse(res, watcher)
      res.write('one')
      same = res.write === write && res.end === end && res.writeHead === writeHead
      res.end('two')
    })
    expect(got.body).toBe('onetwo')
    expect(same).toBe(true)
    expect(watcher.notes.slice(0, 2)).toEqual(['head 200', 'chunk one'])
  })

  test('a response that is cut off is over, not complete', async () => {
    const watcher = new Noting()
    await send((_, res) => {
      watchResponse(res, watcher)
      res.write('one', () => (version === 'HTTP/2' ? Reflect.get(res, 'stream').close(2) : res.destroy()))
    }).catch(() => {})
    await until(() => watcher.notes.includes('over'))
    expect(watcher.notes).not.toContain('complete')
  })

  test('HEAD and 204 have no body to tell', async () => {
    const watcher = new Noting()
    const got = await send((_, res) => {
      sendAnswer(res, {
        status: 204,
        message: undefined,
        fields: [['X-A', ['1', '2']]],
        age: '3',
        cacheStatus: 'tiercache; hit',
        body: undefined,
      })
    })
    expect(watcher.notes).toEqual([])
    expect(got).toMatchObject({
      status: 204,
      body: '',
      headers: { age: '3', 'cache-status': 'tiercache; hit', 'x-a': '1, 2' },
    })
  })
})

describe('HTTP/1.1 alone', () => {
  test('1xx pass untouched', async () => {
    const watcher = new Noting()
    const { port } = await listen(
      createHttp((_, res) => {
        watchResponse(res, watcher)
        res.writeContinue()
        res.writeEarlyHints({ link: '</a.css>; rel=preload' })
        res.end('x')
      }),
    )
    const socket = connectTcp(port, '127.0.0.1')
    socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(text).toMatch(/^HTTP\/1\.1 100 [\s\S]*HTTP\/1\.1 103 [\s\S]*HTTP\/1\.1 200 /)
    expect(watcher.notes.slice(0, 2)).toEqual(['head 200', 'chunk x'])
  })

  test.each([
    ['an odd list', () => [200, ['X-A']]],
    ['a bad status', () => [20_000]],
    ['a bad name', () => [200, { 'X A': '1' }]],
  ])('writeHead refuses %s, as Node does', async (_, args) => {
    const watcher = new Noting()
    let code: unknown
    const got = await overHttp1((_, res) => {
      watchResponse(res, watcher)
      try {
        Reflect.apply(res.writeHead, res, args())
      } catch (error) {
        code = (error as NodeJS.ErrnoException).code
      }
      res.statusCode = 500
      res.end('sorry')
    })
    expect(code).toMatch(/^ERR_/)
    expect(got).toMatchObject({ status: 500, body: 'sorry' })
    expect(watcher.notes.filter((note) => note === 'complete' || note.startsWith('chunk'))).toEqual(
      watcher.notes.includes('head 20000') ? [] : ['chunk sorry', 'complete'],
    )
  })

  test('a list of pairs, and a name twice', async () => {
    const watcher = new Noting()
    const pairs = [
      ['X-A', '1'],
      ['X-A', '2'],
      ['X-B', '3'],
    ]
    const got = await overHttp1((_, res) => {
      watchResponse(res, watcher)
      Reflect.apply(res.writeHead, res, [200, 'Fine', pairs])
      res.end()
    })
    expect(got.headers).toMatchObject({ 'x-a': '1, 2', 'x-b': '3' })
    expect(watcher.heads).toMatchObject([{ status: 200, message: 'Fine' }])
  })

  test('a chunk that is none is refused as Node does, and not told', async () => {
    const watcher = new Noting()
    let code: unknown
    await overHttp1((_, res) => {
      watchResponse(res, watcher)
      try {
        res.end(42)
      } catch (error) {
        code = (error as NodeJS.ErrnoException).code
      }
      res.end('x')
    })
    expect(code).toBe('ERR_INVALID_ARG_TYPE')
    expect(watcher.notes.slice(0, 3)).toEqual(['head 200', 'chunk x', 'complete'])
  })
})

/** The ways in which trailers are added. */
function trailersOf(version: string): ((res: ServerResponse) => void)[] {
  const all = (res: ServerResponse) => res.addTrailers({ 'X-Sum': '1' })
  const one = (res: ServerResponse) => Reflect.get(res, 'setTrailer').call(res, 'X-Sum', '1')
  return version === 'HTTP/2' ? [all, one] : [all]
}

async function overHttp1(listener: Listener): Promise<Got> {
  const { port } = await listen(createHttp(listener))
  const response = await fetch(`http://127.0.0.1:${port}/`)
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}

async function overHttp2(listener: Listener): Promise<Got> {
  const server = createHttp2((req, res) => listener(req as never, res as never))
  const { port } = await listen(server)
  const client = connect(`http://127.0.0.1:${port}`)
  cleanups.push(() => client.destroy())
  const stream = client.request({ ':path': '/' })
  let headers: Record<string, unknown> = {}
  stream.on('response', (given) => {
    headers = { ...given }
  })
  let body = ''
  for await (const chunk of stream) body += chunk
  return { status: Number(headers[':status']), headers, body }
}

async function listen(
  server: ReturnType<typeof createHttp> | ReturnType<typeof createHttp2>,
): Promise<{ port: number }> {
  server.listen(0, '127.0.0.1')
  cleanups.push(() => server.close())
  await once(server, 'listening')
  return server.address() as AddressInfo
}

async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`waited too long for ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
