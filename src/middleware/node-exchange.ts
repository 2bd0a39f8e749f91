import { sendAnswer, takeBack } from './node-answer.ts'
import { disguise } from './node-request.ts'
import { isDestroyed } from './node-response.ts'
import { showNormalized } from './normalized-request.ts'
import { watchForCache } from './response-cache.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer, Exchange, Watcher } from '../http/exchange.ts'
import type { HttpRequest, RequestHeaders } from '../http/message.ts'

/**
 * Sends an answer, unless a middleware in front (a time limit) has answered while the cache was asked. `fail` is told of an
 * error of what stands in front: nobody else would see it, as the cache may have been waited for.
 */
export function answerTo(res: ServerResponse, answer: Answer, fail: (error: unknown) => void): void {
  if (res.headersSent) return
  try {
    sendAnswer(res, answer)
  } catch (error) {
    if (!res.headersSent) takeBack(res, answer)
    fail(error)
  }
}

/** A request and response of Node, as the engine sees them; what the application is to them, a face adds. */
export abstract class NodeExchange<Request extends IncomingMessage = IncomingMessage> implements Exchange {
  readonly request: HttpRequest
  protected readonly req: Request
  protected readonly res: ServerResponse

  constructor(request: HttpRequest, req: Request, res: ServerResponse) {
    this.request = request
    this.req = req
    this.res = res
  }

  isGone(): boolean {
    return isDestroyed(this.res) || this.res.headersSent
  }

  answer(answer: Answer): void {
    answerTo(this.res, answer, (error) => this.fail(error))
  }

  forward(watcher: Watcher, shown?: RequestHeaders): void {
    if (this.res.headersSent) {
      watcher.over(false)
      return
    }
    if (watcher.normalized) showNormalized(this.req, this.res, watcher.normalized)
    watchForCache(this.res, watcher, disguise(this.req.headers, watcher.hidesConditionals, shown))
    this.run()
  }

  abstract detached(): Exchange | undefined

  /** What becomes of an error in front of the application. */
  protected abstract fail(error: unknown): void

  /** Lets the application answer. */
  protected abstract run(): void
}
