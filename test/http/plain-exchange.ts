import type { Answer, Exchange, Watcher } from '../../src/http/exchange.ts'
import type { HttpCache } from '../../src/http/http-cache.ts'
import type { Fields, HttpRequest, RequestHeaders } from '../../src/http/message.ts'

/** What a scripted application answers. */
export interface Script {
  readonly status?: number
  readonly fields?: Fields
  readonly body?: string
}

/** Answers a request as it sees it, with or without the client's conditionals. */
export type Application = (seen: HttpRequest) => Script | Promise<Script>

/** What a client got: from the cache, or from the application through the cache. */
export interface Got {
  readonly from: 'cache' | 'application'
  readonly status: number
  readonly fields: Fields
  readonly body: string
  readonly cacheStatus: string | undefined
}

export function requestOf(changes: Partial<HttpRequest> = {}): HttpRequest {
  const plain = { method: 'GET', scheme: 'http', host: 'a.example', target: '/', headers: {}, foreignHost: false }
  return { ...plain, ...changes }
}

/** Sends a request through the engine, in front of an application, on an exchange that has these in place of its own. */
export function ask(
  engine: HttpCache,
  request: HttpRequest,
  application: Application,
  changes: Partial<Exchange> = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const forward = (asked: HttpRequest, to: (got: Got) => void): Exchange['forward'] => {
      return (watcher, shown) => {
        const headers = watcher.hidesConditionals ? { ...without(asked.headers), ...shown } : asked.headers
        const script = application({ ...asked, headers })
        const got = script instanceof Promise ? script.then((made) => write(watcher, made)) : write(watcher, script)
        got.then(to, reject)
      }
    }
    engine.handle({
      request,
      isGone: () => false,
      answer: (answer) => resolve(told(answer)),
      forward: forward(request, resolve),
      detached: () => {
        const again = { ...request, method: 'GET', headers: without(request.headers, OF_A_CLIENT) }
        return {
          request: again,
          isGone: () => false,
          answer: () => reject(new Error('a detached exchange was answered')),
          forward: forward(again, () => {}),
        }
      },
      ...changes,
    } satisfies Exchange)
  })
}

const HIDDEN = ['if-none-match', 'if-modified-since', 'range', 'if-range']
const OF_A_CLIENT = [...HIDDEN, 'cookie']

function without(headers: RequestHeaders, names = HIDDEN): RequestHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
}

function told({ status, fields, body, cacheStatus }: Answer): Got {
  return { from: 'cache', status, fields, body: body ? Buffer.from(body).toString() : '', cacheStatus }
}

async function write(watcher: Watcher, { status = 200, fields = [], body = '' }: Script): Promise<Got> {
  const orders = watcher.head({ status, fields })
  if (orders.instead) {
    watcher.over(true)
    return told(orders.instead)
  }
  const replaced = new Set([...orders.without, ...orders.set.map(([name]) => name)].map((name) => name.toLowerCase()))
  const sent = [...fields.filter(([name]) => !replaced.has(name.toLowerCase())), ...orders.set]
  if (orders.watchBody) watcher.chunk(Buffer.from(body))
  await watcher.beforeEnd()
  watcher.over(true)
  const cacheStatus = orders.set.find(([name]) => name === 'Cache-Status')?.[1]?.toString()
  return {
    from: 'application',
    status: orders.status,
    fields: sent,
    body: orders.status === 304 ? '' : body,
    cacheStatus,
  }
}
