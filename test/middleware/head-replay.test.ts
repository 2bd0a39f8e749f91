import { once } from 'node:events'
import { OutgoingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { sendAnswer } from '../../src/middleware/node-answer.ts'
import { rawHttp1, startServer } from './node-server.ts'
import type { Answer } from '../../src/http/exchange.ts'
import type { Listener, NodeServer } from './node-server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const ASK = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'
const LAST = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'

function answerWith(text: string, changes: Partial<Answer> = {}): Answer {
  const body = Buffer.from(text)
  const fields = [
    ['Date', 'Sun, 22 Nov 2026 04:27:50 GMT'],
    ['Content-Length', String(body.byteLength)],
  ] as const
  const status = 'tiercache; hit; ttl=59; detail=L1'
  return { status: 200, message: undefined, fields, age: '1', cacheStatus: status, body, ...changes }
}

/** A server whose listener answers by `sendAnswer`, and how many heads Node has rendered there. */
async function serve(listener: Listener): Promise<NodeServer & { rendered(): number }> {
  const spy = vi.spyOn(OutgoingMessage.prototype as unknown as { _storeHeader(): void }, '_storeHeader')
  cleanups.push(() => spy.mockRestore())
  const server = await startServer('HTTP/1.1', listener)
  cleanups.push(() => server.close())
  return { ...server, rendered: () => spy.mock.calls.length }
}

/** What comes over one connection: each request is sent when the answer to the one before it, which ends so, is there. */
async function oneByOne(port: number, requests: readonly string[], end: string): Promise<string[]> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  const answers: string[] = []
  for (const request of requests) {
    socket.write(request)
    let answer = ''
    for (let last = ''; !last.endsWith(end); last = answer.slice(-end.length)) answer += (await once(socket, 'data'))[0]
    answers.push(answer)
  }
  socket.destroy()
  return answers
}

test('another body under the same head is sent as it is', async () => {
  const answer = answerWith('one page')
  let asked = 0
  const { port } = await serve((_, res) => {
    sendAnswer(res, ++asked === 4 ? { ...answer, body: Buffer.from('two page') } : answer)
  })
  const answers = await oneByOne(port, [ASK, ASK, ASK, ASK], ' page')
  expect(answers.map((text) => text.slice(-8))).toEqual(['one page', 'one page', 'one page', 'two page'])
})

test('the hottest answers leave as one Buffer, and each with its own body', async () => {
  const writes: number[] = []
  const answers = Array.from({ length: 70 }, (_, index) => answerWith(`page ${String(index).padStart(3, '0')}`))
  const large = answerWith(`${'x'.repeat(70_000)}end of it`)
  const { port } = await serve((req, res) => {
    const socket = req.socket as unknown as { _writev(...values: unknown[]): void; _write(...values: unknown[]): void }
    const spies = [vi.spyOn(socket, '_writev'), vi.spyOn(socket, '_write')] as const
    const index = Number(req.url?.slice(1))
    sendAnswer(res, answers[index] ?? large)
    writes.push(spies[0].mock.calls.length * 10 + spies[1].mock.calls.length)
    for (const spy of spies) spy.mockRestore()
  })
  const ask = (index: number) => `GET /${index} HTTP/1.1\r\nHost: a.example\r\n\r\n`
  await oneByOne(port, Array(4).fill(ask(99)), 'end of it')
  expect(writes.splice(0).slice(1)).toEqual([10, 10, 10])
  for (let index = 0; index < 70; index++) {
    const page = `page ${String(index).padStart(3, '0')}`
    const [first, ...others] = await oneByOne(port, Array(4).fill(ask(index)), page)
    expect(others).toEqual([first, first, first])
  }
  const perPage = Array.from({ length: 70 }, (_, index) => writes.slice(4 * index + 1, 4 * index + 4).join())
  // By `writev` of two, and then by one plain write.
  expect(perPage[0]).toBe('10,1,1')
  expect(new Set(perPage)).toEqual(new Set(['10,1,1', '10,10,10']))
})

test('an answer in the same words is sent as the same bytes, rendered once', async () => {
  const answer = answerWith('page')
  const { port, rendered } = await serve((_, res) => sendAnswer(res, answer))
  const [first, ...others] = await oneByOne(port, [ASK, ASK, ASK], '\r\n\r\npage')
  expect(rendered()).toBe(1)
  expect(others).toEqual([first, first])
  expect(first).toMatch(
    /^HTTP\/1\.1 200 OK\r\nDate: .*\r\nContent-Length: 4\r\nAge: 1\r\nCache-Status: .*\r\nConnection: keep-alive\r\n/,
  )
})

test('one of another age, or with another status of the cache, is rendered anew', async () => {
  const answer = answerWith('page')
  const answers = [answer, { ...answer, age: '2' }, { ...answer, age: '2', cacheStatus: 'tiercache; hit; ttl=58' }]
  let next = 0
  const { port, rendered } = await serve((_, res) => sendAnswer(res, answers[next++] as Answer))
  const [, second, third] = await oneByOne(port, [ASK, ASK, ASK], 'page')
  expect(rendered()).toBe(3)
  expect(second).toContain('\r\nAge: 2\r\nCache-Status: tiercache; hit; ttl=59;')
  expect(third).toContain('\r\nAge: 2\r\nCache-Status: tiercache; hit; ttl=58\r\n')
})

test('who wants the connection closed is told that it will be, and it is', async () => {
  const answer = answerWith('page')
  const { port } = await serve((_, res) => sendAnswer(res, answer))
  await oneByOne(port, [ASK, ASK], 'page')
  expect(await rawHttp1(port, LAST)).toContain('\r\nConnection: close\r\n')
})

test('a field that somebody in front has taken out stays out', async () => {
  const answer = answerWith('page')
  const { port } = await serve((req, res) => {
    if (req.url === '/bare') res.removeHeader('Connection')
    sendAnswer(res, answer)
  })
  const [, , bare] = await oneByOne(port, [ASK, ASK, ASK.replace('/', '/bare')], 'page')
  expect(bare).not.toMatch(/\r\nConnection:/)
})

test('answers to requests that come at once keep their order', async () => {
  const answers = new Map(['/1', '/2', '/3'].map((path) => [path, answerWith(`page ${path}`)]))
  const { port } = await serve((req, res) => sendAnswer(res, answers.get(req.url ?? '') as Answer))
  const asks = ['/1', '/2', '/3', '/1', '/2', '/3'].map((path) => ASK.replace('/', path))
  const all = await rawHttp1(port, asks.join('') + LAST.replace('/', '/1'))
  expect(all.match(/page \/\d/g)).toEqual(['/1', '/2', '/3', '/1', '/2', '/3', '/1'].map((path) => `page ${path}`))
})

test('a body of any size arrives whole, and the next answer after it', async () => {
  const large = answerWith(`${'x'.repeat(2 ** 20)} end`)
  const { port, rendered } = await serve((_, res) => sendAnswer(res, large))
  const got = await oneByOne(port, [ASK, ASK, ASK], ' end')
  expect(rendered()).toBe(1)
  expect(got[2] === got[0] && got[1] === got[0]).toBe(true)
})

test('what stands in front sees a response that was sent and has ended', async () => {
  const answer = answerWith('page', { status: 404, message: 'Nowhere' })
  const seen: unknown[] = []
  const { port } = await serve((_, res) => {
    sendAnswer(res, answer)
    seen.push([res.statusCode, res.statusMessage, res.headersSent, res.writableEnded])
  })
  const [first, second] = await oneByOne(port, [ASK, ASK], 'page')
  expect(first).toMatch(/^HTTP\/1\.1 404 Nowhere\r\n/)
  expect(second).toBe(first)
  expect(seen).toEqual([
    [404, 'Nowhere', true, true],
    [404, 'Nowhere', true, true],
  ])
})

test('who has put a method of its own on a response sees the body, and who listens for its end is given the documented way', async () => {
  const answer = answerWith('page')
  const seen: unknown[] = []
  const { port, rendered } = await serve((req, res) => {
    if (req.url === '/watched') {
      const { end } = res
      res.end = ((chunk: unknown) => {
        seen.push(String(chunk))
        return end.call(res, chunk as string, 'utf8')
      }) as typeof end
    }
    if (req.url === '/logged') res.once('finish', () => seen.push('finish'))
    sendAnswer(res, answer)
  })
  await oneByOne(port, [ASK, ASK, ASK.replace('/', '/watched'), ASK.replace('/', '/logged')], 'page')
  expect(seen).toEqual(['page', 'finish'])
  expect(rendered()).toBe(3)
})

test('a method that was put in place for all responses is called for each', async () => {
  const answer = answerWith('page')
  const { port, rendered } = await serve((_, res) => sendAnswer(res, answer))
  const spy = vi.spyOn(ServerResponse.prototype, 'writeHead')
  cleanups.push(() => spy.mockRestore())
  await oneByOne(port, [ASK, ASK, ASK], 'page')
  expect(rendered()).toBe(3)
})

test('fields that somebody in front has set are sent as they are for this response, and found on it afterwards', async () => {
  const answer = answerWith('page')
  const seen: unknown[] = []
  const { port, rendered } = await serve((req, res) => {
    res.setHeader('X-Request-Path', req.url ?? '')
    res.setHeader('Cache-Status', 'inner; hit')
    sendAnswer(res, answer)
    seen.push(res.getHeader('Age'))
  })
  const paths = ['/a', '/a', '/b', '/b']
  const got = await oneByOne(
    port,
    paths.map((path) => ASK.replace('/', path)),
    'page',
  )
  expect(rendered()).toBe(2)
  expect(got[1]).toBe(got[0])
  expect(got[3]).toBe(got[2])
  expect(got.map((text) => /X-Request-Path: (.*)\r/.exec(text)?.[1])).toEqual(paths)
  expect(got[3]).toContain('\r\nCache-Status: inner; hit, tiercache; hit; ttl=59; detail=L1\r\n')
  expect(seen).toEqual(['1', '1', '1', '1'])
})
