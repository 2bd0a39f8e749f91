import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { connect, createServer as createServer2 } from 'node:http2'
import { describe, expect, test } from 'vitest'
import { watchReads } from '../../src/middleware/header-reads.ts'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

type Handler = (req: IncomingMessage) => void

/** Runs `handler` on a request with X-A and X-B. */
const protocols: Record<string, (handler: Handler) => Promise<void>> = {
  async 'HTTP/1.1'(handler) {
    const server = createServer((req, res) => {
      handler(req)
      res.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const [response] = await once(get({ port, host: '127.0.0.1', headers: { 'X-A': '1', 'X-B': '2' } }), 'response')
    response.resume()
    server.close()
  },
  async 'HTTP/2'(handler) {
    const server = createServer2((req, res) => {
      handler(req as unknown as IncomingMessage)
      res.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await once(client.request({ 'x-a': '1', 'x-b': '2' }).resume(), 'end')
    client.close()
    server.close()
  },
}

describe.each(Object.entries(protocols))('the fields of a request, %s', (_, run) => {
  /** What `act` was noted to read, and what it gives without and with being watched. */
  async function noted(act: (req: IncomingMessage) => unknown) {
    const reads = new Set<string>()
    const seen: unknown[] = []
    await run((req) => {
      seen.push(act(req))
      watchReads(req, reads)
      seen.push(act(req))
    })
    return { seen, read: [...reads].filter((name) => name.startsWith('x-')).sort() }
  }

  test.each<[string, (req: IncomingMessage) => unknown, string[]]>([
    ['one field', ({ headers }) => headers['x-a'], ['x-a']],
    ['an absent one', ({ headers }) => headers['x-c'], ['x-c']],
    ['all as JSON', ({ headers }) => JSON.stringify(headers), ['x-a', 'x-b']],
    ['rawHeaders', ({ rawHeaders }) => [...rawHeaders], ['x-a', 'x-b']],
    ['nothing', (req) => [Object.keys(req), Object.keys(Object.getPrototypeOf(req)), req.url], []],
    ['nothing of the fields', (req) => [typeof req.headers, Array.isArray(req.headers), 'headers' in req], []],
  ])('%s: noted, and the same as before', async (_, act, names) => {
    const { seen, read } = await noted(act)
    expect(read).toEqual(names)
    expect(seen).toHaveLength(2)
    expect(seen[1]).toEqual(seen[0])
  })

  test('authority and scheme of HTTP/2 are the same as before', async () => {
    const { seen } = await noted(({ authority, scheme }: { authority?: string; scheme?: string } & IncomingMessage) => [
      authority,
      scheme,
    ])
    expect(seen[1]).toEqual(seen[0])
  })

  test('what the application puts in their place stays', async () => {
    const left: unknown[] = []
    await run((req) => {
      watchReads(req, new Set())
      req.headers = { 'x-own': '1' }
      req.rawHeaders = ['X-Own', '1']
      left.push(req.headers, req.rawHeaders)
    })
    expect(left).toEqual([{ 'x-own': '1' }, ['X-Own', '1']])
  })
})

test('headersDistinct counts as all', async () => {
  const reads = new Set<string>()
  await protocols['HTTP/1.1']?.((req) => {
    watchReads(req, reads)
    void req.headersDistinct
  })
  expect([...reads]).toEqual(expect.arrayContaining(['x-a', 'x-b']))
})
