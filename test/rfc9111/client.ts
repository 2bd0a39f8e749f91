import { once } from 'node:events'
import { Agent, request as requestHttp1 } from 'node:http'
import { connect } from 'node:http2'
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2'
import type { SetUp } from './front.ts'

/** Request fields; several lines of one name as a list. */
export type RequestFields = Readonly<Record<string, string | readonly string[]>>

export interface Ask {
  /** Default `GET`. */
  readonly method?: string
  readonly fields?: RequestFields
  /** Put behind the path of the test. */
  readonly below?: string
  /** Default `a.example`. */
  readonly host?: string
  readonly body?: string | Uint8Array
  /** Over HTTP/2, the length of the body is not told. */
  readonly lengthUntold?: boolean
}

/** A response as a client gets it. */
export class Got {
  readonly status: number
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly bytes: Buffer

  constructor(status: number, fields: readonly (readonly [name: string, value: string])[], bytes: Buffer) {
    this.status = status
    this.fields = fields
    this.bytes = bytes
  }

  get body(): string {
    return this.bytes.toString('latin1')
  }

  /** All lines of a field as one, or `undefined`. */
  field(name: string): string | undefined {
    const lines = this.lines(name)
    return lines.length === 0 ? undefined : lines.join(', ')
  }

  lines(name: string): string[] {
    return this.fields.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  }

  /** Age in seconds; NaN without one. */
  get age(): number {
    return Number(this.field('age') ?? Number.NaN)
  }

  /** Whether Cache-Status has this parameter of ours: `hit`, `fwd=stale`. */
  says(parameter: string): boolean {
    const member = (this.field('cache-status') ?? '').split(',').at(-1) ?? ''
    const [name, ...parameters] = member.split(';').map((each) => each.trim())
    return name === 'tiercache' && parameters.includes(parameter)
  }
}

/** A client with connections of its own to one server. */
export class Client {
  readonly port: number
  readonly #isHttp2: boolean
  readonly #agent = new Agent({ keepAlive: true })
  #session: ClientHttp2Session | undefined

  constructor(port: number, protocol: SetUp['protocol']) {
    this.port = port
    this.#isHttp2 = protocol === 'HTTP/2'
  }

  send(path: string, ask: Ask): Promise<Got> {
    return this.#isHttp2 ? this.#overHttp2(path, ask) : this.#overHttp1(path, ask)
  }

  close(): void {
    this.#agent.destroy()
    this.#session?.destroy()
  }

  async #overHttp1(
    path: string,
    { method = 'GET', fields = {}, below = '', host = 'a.example', body }: Ask,
  ): Promise<Got> {
    const headers: string[] = []
    headers.push('Host', host)
    for (const [name, value] of Object.entries(fields)) for (const line of [value].flat()) headers.push(name, line)
    if (body !== undefined && !headers.includes('Content-Length')) {
      headers.push('Content-Length', String(Buffer.byteLength(body)))
    }
    const request = requestHttp1({
      host: '127.0.0.1',
      port: this.port,
      method,
      path: path + below,
      headers: headers as unknown as Record<string, string>,
      setHost: false,
      agent: this.#agent,
    })
    request.end(body)
    const [response] = await once(request, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const { rawHeaders } = response
    const pairs = rawHeaders.flatMap((name: string, at: number) => (at % 2 === 0 ? [[name, rawHeaders[at + 1]]] : []))
    return new Got(response.statusCode, pairs, Buffer.concat(chunks))
  }

  async #overHttp2(
    path: string,
    { method = 'GET', fields = {}, below = '', host = 'a.example', body, lengthUntold }: Ask,
  ): Promise<Got> {
    if (!this.#session || this.#session.destroyed) {
      this.#session = connect(`http://127.0.0.1:${this.port}`)
      // Told by the stream that it ends.
      this.#session.on('error', () => {})
    }
    const headers: Record<string, string | string[]> = {
      ':method': method,
      ':path': path + below,
      ':authority': host,
      ':scheme': 'http',
    }
    for (const [name, value] of Object.entries(fields)) headers[name.toLowerCase()] = [value].flat() as string[]
    if (body !== undefined && !lengthUntold) headers['content-length'] = String(Buffer.byteLength(body))
    const stream = this.#session.request(headers, { endStream: body === undefined })
    if (body !== undefined) stream.end(body)
    const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const pairs = Object.entries(answered)
      .filter(([name]) => !name.startsWith(':'))
      .flatMap(([name, value]) => [value].flat().map((line) => [name, String(line)] as const))
    return new Got(answered[':status'], pairs, Buffer.concat(chunks))
  }
}
