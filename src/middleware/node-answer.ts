import { ServerResponse } from 'node:http'
import { isOrdinary, noteHead, replay } from './head-replay.ts'
import { isHttp2 } from './written-head.ts'
import type { Answer } from '../http/exchange.ts'
import type { Fields, FieldValue } from '../http/message.ts'

/** Writes a whole answer of the cache's own. */
export function sendAnswer(res: ServerResponse, answer: Answer): void {
  if (!isUntouched(res)) setHead(res, answer)
  else if (replay(res, answer)) return
  else writeHead(res, answer)
  if (answer.body === undefined) res.end()
  else res.end(answer.body)
}

function writeHead(res: ServerResponse, answer: Answer): void {
  const { status, message } = answer
  const mayReplay = isOrdinary(res)
  if (message === undefined) res.writeHead(status, listOf(answer))
  else res.writeHead(status, message, listOf(answer))
  if (mayReplay) noteHead(res, answer)
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

/** What is sent in place of an answer that could not be is not to look like it. */
export function takeBack(res: ServerResponse, { fields }: Answer): void {
  for (const name of [...fields.map(([each]) => each), 'Age', 'Cache-Status']) res.removeHeader(name)
  res.statusCode = 200
}

/** Nobody in front has set a field or put a method of its own on it, so that Node writes a list as it stands. */
function isUntouched(res: ServerResponse): boolean {
  return res.writeHead === ServerResponse.prototype.writeHead && res.getHeaderNames().length === 0
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
