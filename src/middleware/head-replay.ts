import { ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { systemClock } from '../clock.ts'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Answer } from '../http/exchange.ts'
import type { Fields } from '../http/message.ts'

/**
 * What a response of node:http has beyond what is documented, as far as it bears on its head
 * (docs/decisions/0047-heads-are-replayed.md). Where one of them is missing, or says otherwise than it does for most
 * responses, everything is sent as documented.
 */
interface Inner {
  readonly shouldKeepAlive: boolean
  readonly maxRequestsOnConnectionReached: boolean
  readonly _defaultKeepAlive: boolean
  readonly _removedConnection: boolean
  readonly _expect_continue: boolean
  readonly _keepAliveTimeout: number
  readonly _maxRequestsPerSocket: number
  readonly outputSize: number
  /** The head as it was rendered; `null`: not yet. */
  _header: string | null
  _headerSent: boolean
}

type Known = ServerResponse & Inner

/** A head as Node has rendered it, and what it was rendered of. */
interface Rendered {
  readonly text: string
  /** Made when it is sent again. */
  bytes: Buffer | undefined
  /** Head and body in one, made when it is sent for the third time. */
  whole: { readonly body: Uint8Array; readonly bytes: Buffer } | undefined
  readonly status: number
  readonly message: string
  /** The fields that somebody in front had set. */
  readonly front: string
  readonly age: string
  readonly cacheStatus: string
  readonly keepAliveMs: number
  readonly requestsMost: number
}

/** The last head of each stored response. Its Age changes with every second, and then it is rendered anew. */
const heads = new WeakMap<Fields, Rendered>()

/**
 * Sends an answer whose head is that of an earlier one, to the letter: as the bytes that Node has rendered then, and in one
 * write with the body. `false`: nothing was done.
 */
export function replay(res: ServerResponse, answer: Answer, front: string): boolean {
  const { fields, age, cacheStatus, status, body } = answer
  const head = heads.get(fields)
  if (head === undefined || body === undefined || head.age !== age || head.front !== front) return false
  if (head.cacheStatus !== cacheStatus || head.status !== status) return false
  const known = res as Known
  if (known._keepAliveTimeout !== head.keepAliveMs || known._maxRequestsPerSocket !== head.requestsMost) return false
  const { socket } = known
  if (socket === null || !socket.writable || socket.writableLength > 0 || socket.writableCorked > 0) return false
  if (!isOrdinary(res) || isWatched(res) || res.writeHead !== OWN.writeHead) return false
  send(known, socket, head, body)
  return true
}

function send(known: Known, socket: Socket, head: Rendered, body: Uint8Array): void {
  const whole = wholeOf(head, body)
  if (whole) socket.write(whole)
  else sendInTwo(socket, head, body)
  known.statusCode = head.status
  known.statusMessage = head.message
  known._header = head.text
  known._headerSent = true
  known.end()
}

function sendInTwo(socket: Socket, head: Rendered, body: Uint8Array): void {
  head.bytes ??= Buffer.from(head.text, 'latin1')
  socket.cork()
  socket.write(head.bytes)
  socket.write(body)
  socket.uncork()
}

/** Larger bodies are not copied: what is spared for them is little of what they take. */
const WHOLE_BYTES_MOST = 65_536
/** So many answers are kept whole at one time, 4 MiB in all at most. */
const WHOLES_MOST = 64
/** As long as most of them are of use: their Age changes. */
const WHOLES_MS = 1000

let wholes: Rendered[] = []
let wholesSince = 0

/** An answer as one Buffer; `undefined`: it is not asked for often enough, it is large, or others are. */
function wholeOf(head: Rendered, body: Uint8Array): Buffer | undefined {
  if (head.whole) return head.whole.body === body ? head.whole.bytes : undefined
  if (head.bytes === undefined || body.byteLength > WHOLE_BYTES_MOST || !hasRoom()) return undefined
  head.whole = { body, bytes: Buffer.concat([head.bytes, body]) }
  wholes.push(head)
  return head.whole.bytes
}

function hasRoom(): boolean {
  if (wholes.length < WHOLES_MOST) return true
  const now = systemClock.now()
  if (now - wholesSince < WHOLES_MS) return false
  for (const head of wholes) head.whole = undefined
  wholes = []
  wholesSince = now
  return true
}

/** Whether nothing but its fields, and what the server says of its connections, bears on the head that Node would render. */
export function isOrdinary(res: ServerResponse): boolean {
  const known = res as Known
  return (
    known._header === null &&
    known._headerSent === false &&
    known.shouldKeepAlive === true &&
    known._defaultKeepAlive === true &&
    known._removedConnection === false &&
    known.maxRequestsOnConnectionReached === false &&
    known._expect_continue === false &&
    known.sendDate === true &&
    known.outputSize === 0 &&
    known.writableCorked === 0
  )
}

/** Notes the head of a response that {@link isOrdinary} and has been given it, but has not sent it. */
export function noteHead(res: ServerResponse, answer: Answer, front: string): void {
  const { fields, age, cacheStatus, status, body } = answer
  const { _header: text, _keepAliveTimeout: keepAliveMs, _maxRequestsPerSocket: requestsMost } = res as Known
  if (age === undefined || cacheStatus === undefined || body === undefined || typeof text !== 'string') return
  if (!isNodeKnown()) return
  const message = res.statusMessage
  heads.set(fields, {
    text,
    bytes: undefined,
    whole: undefined,
    status,
    message,
    front,
    age,
    cacheStatus,
    keepAliveMs,
    requestsMost,
  })
}

/** Whether somebody in front counts what is written, has put it off, or is told when it is done. */
function isWatched(res: ServerResponse): boolean {
  return res.end !== OWN.end || res.write !== OWN.write || res.listenerCount('finish') > LISTENERS_OF_NODE
}

/** What all responses have, unless somebody has put something else in its place for all of them. */
const OWN = methodsOfAll()
const LISTENERS_OF_NODE = 1

function methodsOfAll(): Pick<ServerResponse, 'writeHead' | 'write' | 'end'> {
  const { writeHead, write, end } = ServerResponse.prototype
  return { writeHead, write, end }
}

let isKnown: boolean | undefined

/**
 * Whether a head that is put in place is taken for sent, as in all versions of Node that were there when this was written,
 * and the methods of a response are those of Node: what an agent has put in their place may write another head each time.
 */
function isNodeKnown(): boolean {
  isKnown ??= Object.entries(OWN).every(isNamed) && seesTo('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n')
  return isKnown
}

function isNamed([name, method]: readonly [string, unknown]): boolean {
  return String(method).startsWith(`function ${name}(`)
}

function seesTo(text: string): boolean {
  const written: string[] = []
  const socket = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      written.push(chunk.toString('latin1'))
      callback()
    },
  })
  const request = { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1, headers: {} } as IncomingMessage
  try {
    const res = new ServerResponse(request) as Known
    res.assignSocket(socket as Socket)
    const head = {
      text,
      bytes: undefined,
      whole: undefined,
      status: 200,
      message: 'OK',
      front: '',
      age: '',
      cacheStatus: '',
    }
    send(res, socket as Socket, { ...head, keepAliveMs: 0, requestsMost: 0 }, Buffer.from('x'))
    return written.join('') === `${text}x` && res.headersSent && res.writableEnded
  } catch {
    return false
  }
}
