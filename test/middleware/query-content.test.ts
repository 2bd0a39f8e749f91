import { connect as connectTcp } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import express from 'express'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readContent } from '../../src/middleware/query-content.ts'
import { rawHttp1, startServer, until } from './node-server.ts'
import type { IncomingMessage } from 'node:http'
import type { Asking, HttpVersion } from './node-server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Reader = (req: IncomingMessage) => Promise<string>

const readers: [string, Reader][] = [
  ['as it comes', (req) => text(req)],
  [
    "by 'data'",
    (req) =>
      new Promise((resolve) => {
        let all = ''
        req.setEncoding('utf8').on('data', (chunk) => {
          all += chunk
        })
        req.on('end', () => resolve(all))
      }),
  ],
  ['by pipe', (req) => text(req.pipe(new PassThrough()))],
  ['later', (req) => new Promise((resolve) => setImmediate(() => resolve(text(Readable.from(req)))))],
]

/** What was read of a request, and what the application could read of it afterwards. */
async function read(version: HttpVersion, asking: Asking, reader: Reader) {
  const contents: (string | undefined)[] = []
  const server = await startServer(version, (req, res) => {
    readContent(req, (content) => {
      contents.push(content && Buffer.from(content).toString())
      void reader(req).then((body) => res.end(body))
    })
  })
  cleanups.push(() => server.close())
  const { body } = await server.ask({ method: 'QUERY', ...asking })
  return { content: contents[0], body, times: contents.length }
}

describe.each(['HTTP/1.1', 'HTTP/2'] as const)('%s', (version) => {
  const length = (body: string) => ({
    body,
    headers: version === 'HTTP/2' ? { 'content-length': `${body.length}` } : {},
  })

  test.each(readers)('the application reads it all the same: %s', async (_, reader) => {
    const small = await read(version, length('select'), reader)
    expect(small).toEqual({ content: 'select', body: 'select', times: 1 })
    const large = 'x'.repeat(2 ** 16)
    expect(await read(version, length(large), reader)).toEqual({ content: large, body: large, times: 1 })
  })

  test('what is too long is left alone', async () => {
    const body = 'x'.repeat(2 ** 16 + 1)
    expect(await read(version, length(body), text)).toEqual({ content: undefined, body, times: 1 })
  })

  test('so is what declares no length', async () => {
    if (version === 'HTTP/2') {
      expect(await read(version, { body: 'select' }, text)).toEqual({ content: undefined, body: 'select', times: 1 })
      return
    }
    const server = await startServer(version, (req, res) => {
      readContent(req, (content) => text(req).then((body) => res.end(`${content} ${body}`)))
    })
    cleanups.push(() => server.close())
    const head = 'QUERY / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
    expect(await rawHttp1(server.port, `${head}6\r\nselect\r\n0\r\n\r\n`)).toContain('undefined select')
  })

  test('nothing is a content, too', async () => {
    expect(await read(version, {}, text)).toEqual({ content: '', body: '', times: 1 })
  })
})

test('what somebody has read before is left alone', async () => {
  const contents: unknown[] = []
  const app = express()
  app.use(express.text())
  app.use((req, res) => readContent(req, (content) => contents.push(content) && res.end(req.body)))
  const server = await startServer('HTTP/1.1', app)
  cleanups.push(() => server.close())
  const got = await server.ask({ method: 'QUERY', body: 'select', headers: { 'content-type': 'text/plain' } })
  expect([contents, got.body]).toEqual([[undefined], 'select'])
})

test('a client that is slow is passed on with what it has sent, and one that goes is forgotten', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const requests: IncomingMessage[] = []
  const contents: unknown[] = []
  const server = await startServer('HTTP/1.1', (req) => {
    requests.push(req)
    readContent(req, (content) => contents.push(content))
  })
  cleanups.push(() => server.close())
  const sockets = ['sel', 'gone'].map((body) => {
    const socket = connectTcp(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`QUERY / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n${body}`)
    return socket
  })
  await until(() => requests.length === 2 && requests.every((req) => req.listenerCount('readable') > 0))
  sockets[1]?.destroy()
  await until(() => requests.some(({ destroyed }) => destroyed))
  vi.advanceTimersByTime(10_000)
  expect(contents).toEqual([undefined])
  const slow = requests.find(({ destroyed }) => !destroyed)
  await until(() => slow !== undefined && slow.readableLength > 0)
  expect(String(slow?.read())).toBe('sel')
  sockets[0]?.destroy()
})
