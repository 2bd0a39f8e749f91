import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, createServer as createHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown
export type HttpVersion = 'HTTP/1.1' | 'HTTP/2'

export interface Got {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

export interface Asking {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A server of either version of HTTP in front of one listener. */
export interface NodeServer {
  readonly port: number
  ask(asking?: Asking): Promise<Got>
  close(): void
}

export async function startServer(version: HttpVersion, listener: Listener): Promise<NodeServer> {
  const server = version === 'HTTP/2' ? createHttp2(listener as never) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  if (version === 'HTTP/1.1') {
    return { port, ask: (asking) => askHttp1(port, asking), close: () => server.close() }
  }
  const client = connect(`http://127.0.0.1:${port}`)
  const close = () => {
    client.destroy()
    server.close()
  }
  return { port, ask: (asking) => askHttp2(client, asking), close }
}

async function askHttp1(port: number, { path = '/', method = 'GET', headers = {}, body }: Asking = {}): Promise<Got> {
  const fields = { host: 'a.example', connection: 'close', ...headers }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  if (body !== undefined) lines.push(`content-length: ${Buffer.byteLength(body)}\r\n`)
  return parsed(await rawHttp1(port, `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`))
}

/** All that the server sends over a connection until it closes it. */
export async function rawHttp1(port: number, text: string): Promise<string> {
  const socket = connectTcp(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (data) => {
    answer += data
  })
  socket.on('error', () => {})
  socket.write(text)
  await once(socket, 'close')
  return answer
}

function parsed(answer: string): Got {
  const end = answer.indexOf('\r\n\r\n')
  const [first = '', ...lines] = answer.slice(0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const body = answer.slice(end + 4)
  const status = Number(first.split(' ')[1])
  return { status, headers, body: headers['transfer-encoding'] === 'chunked' ? unchunked(body) : body }
}

function unchunked(body: string): string {
  const [, size = '0', rest = ''] = /^([0-9a-f]+)\r\n([\s\S]*)$/.exec(body) ?? []
  const length = Number.parseInt(size, 16)
  return length === 0 ? '' : rest.slice(0, length) + unchunked(rest.slice(length + 2))
}

async function askHttp2(
  client: ReturnType<typeof connect>,
  { path = '/', method = 'GET', headers = {}, body }: Asking = {},
): Promise<Got> {
  const { host = 'a.example', ...others } = headers
  const fields = { ':path': path, ':method': method, ':authority': host, ...others }
  const stream = client.request(fields, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  let got: Record<string, unknown> = {}
  stream.on('response', (given) => {
    got = { ...given }
  })
  let text = ''
  for await (const chunk of stream) text += chunk
  return { status: Number(got[':status']), headers: got, body: text }
}

/** Resolves when the condition holds; turns of the event loop go by, no time is waited for. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`waited too long for ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
