import { ServerResponse } from 'node:http'
import { isHttp2 } from './written-head.ts'
import type { Answer } from '../http/exchange.ts'
import type { Fields, FieldValue } from '../http/message.ts'

/** Writes a whole answer of the cache's own. */
export function sendAnswer(res: ServerResponse, answer: Answer): void {
  sendHead(res, answer)
  if (answer.body === undefined) res.end()
  else res.end(answer.body)
}

function sendHead(res: ServerResponse, answer: Answer): void {
  if (isUntouched(res)) {
    const { status, message } = answer
    if (message === undefined) res.writeHead(status, listOf(answer))
    else res.writeHead(status, message, listOf(answer))
    return
  }
  setHead(res, answer)
}

/** Sets status and fields of an answer, in place of fields of the same name; Cache-Status behind what is there. */
export function setHead(res: ServerResponse, answer: Answer): void {
  for (const [name, value] of answer.fields) res.setHeader(name, value as string | string[])
  if (answer.age !== undefined) res.setHeader('Age', answer.age)
  if (answer.cacheStatus !== undefined) {
    const earlier = res.getHeader('Cache-Status')
    res.setHeader('Cache-Status', earlier === undefined ? answer.cacheStatus : `${earlier}, ${answer.cacheStatus}`)
  }
  res.statusCode = answer.status
  // Setting one makes HTTP/2, which has none, warn the process.
  if (answer.message !== undefined && !isHttp2(res)) res.statusMessage = answer.message
}

/** Nobody in front has set a field or put a method of its own on it, so that Node writes a list as it stands. */
function isUntouched(res: ServerResponse): boolean {
  return res.writeHead === ServerResponse.prototype.writeHead && res.getHeaderNames().length === 0
}

/** Names and values in turn, as `writeHead` of node:http takes them. */
type FieldList = FieldValue[]

/** The fields of a stored response as a list. Those that differ from hit to hit are the last four: Age, Cache-Status. */
interface Prepared {
  readonly list: FieldList
  readonly earlierStatus: string
}

const prepared = new WeakMap<Fields, Prepared>()

/** Valid until the next call: lists are made once for each stored response. */
function listOf({ fields, age, cacheStatus, body }: Answer): string[] {
  if (age === undefined || cacheStatus === undefined || body === undefined) return listOnce(fields, age, cacheStatus)
  let ready = prepared.get(fields)
  if (ready === undefined) {
    ready = prepare(fields)
    prepared.set(fields, ready)
  }
  const { list, earlierStatus } = ready
  list[list.length - 3] = age
  list[list.length - 1] = earlierStatus === '' ? cacheStatus : earlierStatus + cacheStatus
  return list as string[]
}

function prepare(fields: Fields): Prepared {
  const list: FieldList = []
  const earlier: string[] = []
  for (const [name, value] of fields) {
    if (name.toLowerCase() === 'cache-status') earlier.push(...[value].flat())
    else list.push(name, value)
  }
  list.push('Age', '', 'Cache-Status', '')
  return { list, earlierStatus: earlier.map((member) => `${member}, `).join('') }
}

function listOnce(fields: Fields, age: string | undefined, cacheStatus: string | undefined): string[] {
  const { list, earlierStatus } = prepare(fields)
  list.length -= 4
  if (age !== undefined) list.push('Age', age)
  if (cacheStatus !== undefined) list.push('Cache-Status', earlierStatus + cacheStatus)
  return list as string[]
}
