import { ServerResponse } from 'node:http'
import { isOrdinary, noteHead, replay } from './head-replay.ts'
import { isHttp2 } from './written-head.ts'
import type { Answer } from '../http/exchange.ts'
import type { Fields, FieldValue } from '../http/message.ts'

/** Writes a whole answer of the cache's own. */
export function sendAnswer(res: ServerResponse, answer: Answer): void {
  const front = fieldsInFront(res)
  // Who looks at the response afterwards finds all fields where there were some.
  if (front !== '') setHead(res, answer)
  if (front === undefined || !replay(res, answer, front)) sendDocumented(res, answer, front)
}

function sendDocumented(res: ServerResponse, answer: Answer, front: string | undefined): void {
  if (front !== undefined) {
    const mayReplay = isOrdinary(res)
    writeHead(res, answer, front === '' ? listOf(answer) : undefined)
    if (mayReplay) noteHead(res, answer, front)
  }
  if (answer.body === undefined) res.end()
  else res.end(answer.body)
}

function writeHead(res: ServerResponse, { status, message }: Answer, list: string[] | undefined): void {
  if (message === undefined) res.writeHead(status, list)
  else res.writeHead(status, message, list)
}

/**
 * What somebody in front has set on a response, as one text. `undefined`: there is much of it, or a method of his own is on
 * the response, which may add to it.
 */
function fieldsInFront(res: ServerResponse): string | undefined {
  if (res.writeHead !== ServerResponse.prototype.writeHead) return undefined
  const names = res.getHeaderNames()
  if (names.length > FRONT_MOST) return undefined
  let text = ''
  for (const name of names) {
    const value = res.getHeader(name)
    if (typeof value === 'object') return undefined
    text += `${name}: ${value}\n`
  }
  return text
}

const FRONT_MOST = 4

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

/** What is sent in place of an answer that could not be is not to look like it. */
export function takeBack(res: ServerResponse, { fields }: Answer): void {
  for (const name of [...fields.map(([each]) => each), 'Age', 'Cache-Status']) res.removeHeader(name)
  res.statusCode = 200
}

/** Names and values in turn, as `writeHead` of node:http takes them. */
type FieldList = FieldValue[]

/** Lists of stored responses, which end with what differs from hit to hit: Age and Cache-Status, behind those of others. */
const prepared = new WeakMap<Fields, FieldList>()

/** Valid until the next call: lists are made once for each stored response. */
function listOf({ fields, age, cacheStatus, body }: Answer): string[] {
  if (age === undefined || cacheStatus === undefined || body === undefined) return listOnce(fields, age, cacheStatus)
  let list = prepared.get(fields)
  if (list === undefined) {
    list = [...flat(fields), 'Age', '', 'Cache-Status', '']
    prepared.set(fields, list)
  }
  list[list.length - 3] = age
  list[list.length - 1] = cacheStatus
  return list as string[]
}

function listOnce(fields: Fields, age: string | undefined, cacheStatus: string | undefined): string[] {
  const list = flat(fields)
  if (age !== undefined) list.push('Age', age)
  if (cacheStatus !== undefined) list.push('Cache-Status', cacheStatus)
  return list as string[]
}

function flat(fields: Fields): FieldList {
  return fields.flat()
}
