import { endBeforeCut } from './cut-off.ts'
import { holdHead } from './held-head.ts'
import { setHead } from './node-answer.ts'
import { behindHead } from './head-encoding.ts'
import { bytesOf, callbackOf, isChunk, refuseLateWrite } from './written-chunk.ts'
import { applyHeaders, fieldsOf, isHttp2, isNoFinalHead, ownMessage, writtenHead } from './written-head.ts'
import type { ServerResponse } from 'node:http'
import type { Answer, HeadOrders, Watcher } from '../http/exchange.ts'

/** The fields that tell what may be stored, and for whom. */
const DECISIVE = ['cache-control', 'expires', 'vary', 'set-cookie']

/** The methods of a response that are watched. Applications call them in many forms. */
interface Methods {
  writeHead: (...args: unknown[]) => unknown
  write: (...args: unknown[]) => boolean
  end: (...args: unknown[]) => unknown
  addTrailers: (...args: unknown[]) => unknown
  /** Of HTTP/2 alone, where `addTrailers` goes through it. */
  setTrailer?: (...args: unknown[]) => unknown
}

/**
 * Shows a response to a watcher while the application writes it. Call it before the application can write.
 * `afterHead` runs when the head is there.
 */
export function watchResponse(res: ServerResponse, watcher: Watcher, afterHead?: () => void): void {
  new WatchedResponse(res, watcher, afterHead).start()
}

/**
 * A node response with its methods replaced by ones that also tell a watcher. Every way to send a head leads through
 * `writeHead`, once; a body goes through `write` and `end`. What was there before is put back as soon as the watcher
 * wants no more; if a middleware further inside has put its own methods on top by then, ours just hand on.
 */
class WatchedResponse {
  readonly #res: ServerResponse
  readonly #watcher: Watcher
  readonly #afterHead: (() => void) | undefined
  readonly #before: Methods
  readonly #ours: Partial<Methods> = {}
  #headSeen = false
  /** `waiting` for the head, `watching` the body or the end, `off`: handing on. */
  #state: 'waiting' | 'watching' | 'off' = 'waiting'
  #bodyWatched = false
  /** What the application writes is not for the client: it gets a 304 in place of a 200, or another answer. */
  #bodySwallowed = false
  /** HTTP/2 writes the last chunk through `write`, HTTP/1 does not: within `end`, `write` tells nothing. */
  #ending = false
  #endHeld = false
  /** HTTP/2 closes a response that has no content with its head, maybe before the application ends it. */
  #endsWithHead = false
  /** Sends the head that is kept back. */
  #releaseHead: (() => void) | undefined
  /** What that head waits for, and the end with it. */
  #heldWithHead: Promise<unknown> | undefined

  constructor(res: ServerResponse, watcher: Watcher, afterHead: (() => void) | undefined) {
    this.#res = res
    this.#watcher = watcher
    this.#afterHead = afterHead
    const { writeHead, write, end, addTrailers, setTrailer } = methodsOf(res)
    this.#before = { writeHead, write, end, addTrailers, ...(setTrailer && { setTrailer }) }
  }

  start(): void {
    const methods = methodsOf(this.#res)
    this.#ours.writeHead = (...args) => this.#writeHead(args)
    methods.writeHead = this.#ours.writeHead
    const { watchesBody, holdsEnd, mayReplace } = this.#watcher
    if (!watchesBody && !holdsEnd && !mayReplace) return
    this.#ours.write = (...args) => this.#write(args)
    this.#ours.end = (...args) => this.#end(args)
    this.#ours.addTrailers = (...args) => this.#trailers('addTrailers', args)
    if (this.#before.setTrailer) this.#ours.setTrailer = (...args) => this.#trailers('setTrailer', args)
    Object.assign(methods, this.#ours)
    this.#res.once('close', () => this.#watcher.over(this.#endsWithHead))
  }

  #writeHead(args: unknown[]): unknown {
    const written = writtenHead(args)
    if (this.#releaseHead) return this.#res
    if (this.#headSeen || isNoFinalHead(written)) return this.#sendHead(args)
    const { status, message } = written
    applyHeaders(this.#res, written.headers)
    this.#headSeen = true
    const head = { status, message: message ?? ownMessage(this.#res), fields: fieldsOf(this.#res) }
    const orders = this.#watcher.head(head)
    this.#afterHead?.()
    try {
      if (orders.instead) return this.#sendInstead(orders.instead, orders.watchBody)
      this.#follow(orders, status)
      const isOwn = orders.status !== status || message === undefined
      const isEmpty = isHttp2(this.#res) && (status === 204 || status === 205)
      this.#endsWithHead = isEmpty
      const send = () => this.#sendJudged(isOwn ? [orders.status] : [status, message])
      if (isHttp2(this.#res) && this.#bodySwallowed && this.#bodyWatched) {
        this.#releaseHead = holdHead(this.#res, send)
        return this.#res
      }
      return isEmpty && this.#watcher.holdsEnd ? this.#holdWhole(send) : send()
    } catch (error) {
      // A head that Node refuses is not sent; what the application sends in its place was not judged.
      this.#stop()
      this.#watcher.over(false)
      throw error
    }
  }

  /** What stands in front of the cache has written its fields when the head is sent, as sessions do. */
  #sendJudged(args: unknown[]): unknown {
    this.#releaseHead = undefined
    const judged = DECISIVE.map((name) => this.#res.getHeader(name))
    const result = this.#sendHead(args)
    const isAsJudged = DECISIVE.every((name, index) => this.#res.getHeader(name) === judged[index])
    if (!isAsJudged) this.#watcher.headChanged?.(fieldsOf(this.#res))
    return result
  }

  /** HTTP/2 ends a response without content with its head: where the end is held, the head waits as well. */
  #holdWhole(send: () => unknown): unknown {
    const held = this.#watcher.beforeEnd()
    if (!held) return send()
    this.#heldWithHead = held
    const release = holdHead(this.#res, send)
    this.#releaseHead = release
    held.then(release, release)
    return this.#res
  }

  #follow(orders: HeadOrders, status: number): void {
    for (const name of orders.without) this.#res.removeHeader(name)
    for (const [name, value] of orders.set) this.#res.setHeader(name, value as string | string[])
    if (orders.status !== status) {
      this.#bodySwallowed = true
      if (!isHttp2(this.#res)) this.#res.statusMessage = ''
    }
    this.#bodyWatched = orders.watchBody
    this.#state = 'watching'
    if (!this.#bodyWatched && !this.#bodySwallowed && !this.#watcher.holdsEnd) this.#stop()
  }

  /**
   * Head and body of another answer go out at once; the end waits for that of the application, which may be piping into
   * the response: that would stop with 'finish'.
   */
  #sendInstead(answer: Answer, watchBody: boolean): unknown {
    const res = this.#res
    for (const name of res.getHeaderNames()) res.removeHeader(name)
    if (!isHttp2(res)) res.statusMessage = ''
    setHead(res, answer)
    this.#bodySwallowed = true
    this.#bodyWatched = watchBody
    this.#state = 'watching'
    endBeforeCut(res, (sent) => this.#before.end.call(res, sent))
    const result = this.#sendHead([answer.status])
    if (answer.body === undefined) res.flushHeaders()
    else this.#before.write.call(res, answer.body)
    return result
  }

  #write(args: unknown[]): boolean {
    const [chunk, encoding] = args
    if (this.#state === 'off' || this.#ending || !isChunk(chunk)) return this.#before.write.apply(this.#res, args)
    if (this.#endHeld) return refuseLateWrite(args)
    if (this.#opensHeadItself()) this.#res.writeHead(this.#res.statusCode)
    if (!this.#bodySwallowed) {
      const flowing = this.#before.write.apply(this.#res, behindHead(this.#res, args))
      return this.#tellChunk(chunk, encoding) || flowing
    }
    this.#tellChunk(chunk, encoding)
    const callback = callbackOf(args)
    if (callback) process.nextTick(callback)
    return true
  }

  #end(args: unknown[]): unknown {
    const chunk = typeof args[0] === 'function' ? undefined : args[0]
    if (this.#state === 'off' || this.#ending || !isChunk(chunk)) return this.#before.end.apply(this.#res, args)
    if (this.#endHeld) return this.#res
    if (this.#opensHeadItself()) this.#openHead(chunk, args[1])
    const { holdsEnd } = this.#watcher
    if (holdsEnd) this.#tellChunk(chunk, args[1])
    const held = this.#heldWithHead ?? this.#watcher.beforeEnd()
    if (held) return this.#holdEnd(held, args)

    const result = this.#sendEnd(args)
    if (!holdsEnd) this.#tellChunk(chunk, args[1])
    this.#stop()
    this.#watcher.over(!isDestroyed(this.#res))
    return result
  }

  #sendEnd(args: unknown[]): unknown {
    this.#releaseHead?.()
    this.#ending = true
    try {
      return this.#before.end.apply(this.#res, this.#bodySwallowed ? [callbackOf(args)] : behindHead(this.#res, args))
    } finally {
      this.#ending = false
    }
  }

  /** The head is written, so that nobody can change it any more; the bytes that complete the response wait. */
  #holdEnd(held: Promise<unknown>, args: unknown[]): unknown {
    this.#endHeld = true
    const release = () => {
      this.#releaseHead?.()
      this.#stop()
      this.#before.end.apply(this.#res, args)
    }
    held.then(release, release)
    return this.#res
  }

  /** Trailers are not kept: a response that has some is not complete without them. */
  #trailers(method: 'addTrailers' | 'setTrailer', args: unknown[]): unknown {
    if (this.#state !== 'off') this.#watcher.skip()
    return this.#before[method]?.apply(this.#res, args)
  }

  /** Where a body may have to be swallowed or an end held, the head must be known before Node sees the first chunk. */
  #opensHeadItself(): boolean {
    const early = this.#watcher.mayReplace || this.#watcher.holdsEnd
    return early && !this.#headSeen && !this.#res.headersSent
  }

  /** As Node itself does when the first chunk is also the last: the length is known, so it is told. */
  #openHead(chunk: unknown, encoding: unknown): void {
    const res = this.#res
    const bodiless = res.statusCode === 204 || res.statusCode === 304
    if (!bodiless && !res.hasHeader('Content-Length') && !res.hasHeader('Transfer-Encoding')) {
      res.setHeader('Content-Length', bytesOf(chunk, encoding)?.byteLength ?? 0)
    }
    res.writeHead(res.statusCode)
  }

  /**
   * Whether the watcher wants more. While it does, the application is told to write on, though the client may not keep
   * up: others wait for the whole body, and one slow client must not slow them. The watcher's limit bounds what piles
   * up.
   */
  #tellChunk(chunk: unknown, encoding: unknown): boolean {
    if (!this.#bodyWatched) return false
    const bytes = bytesOf(chunk, encoding)
    if (bytes === undefined || this.#watcher.chunk(bytes)) return true
    this.#bodyWatched = false
    this.#releaseHead?.()
    if (!this.#bodySwallowed && !this.#watcher.holdsEnd) this.#stop()
    return false
  }

  #sendHead(args: unknown[]): unknown {
    return this.#before.writeHead.apply(this.#res, args)
  }

  #stop(): void {
    this.#state = 'off'
    const methods = methodsOf(this.#res)
    const ours = this.#ours
    if (methods.writeHead === ours.writeHead) methods.writeHead = this.#before.writeHead
    if (ours.write && methods.write === ours.write) methods.write = this.#before.write
    if (ours.end && methods.end === ours.end) methods.end = this.#before.end
    if (ours.addTrailers && methods.addTrailers === ours.addTrailers) methods.addTrailers = this.#before.addTrailers
    if (ours.setTrailer && methods.setTrailer === ours.setTrailer)
      Object.assign(methods, { setTrailer: this.#before.setTrailer })
  }
}

function methodsOf(res: ServerResponse): Methods {
  return res as unknown as Methods
}

/** Whether nothing that is written to it can reach a client. */
export function isDestroyed(res: ServerResponse): boolean {
  const { stream } = res as { stream?: { destroyed?: boolean } }
  return res.destroyed || stream?.destroyed === true
}
