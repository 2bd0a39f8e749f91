import { systemClock } from '../clock.ts'
import { isHttp2 } from './written-head.ts'
import type { ServerResponse } from 'node:http'

/** For so long at most a client may take what it is sent before its connection is cut off all the same. */
const LONGEST_SENDING_MS = 10_000

/**
 * Has a response go out whole that the application cuts off, by whatever way: `res.destroy()`, or `req.socket.destroy()` as
 * Express does where a handler throws after its head. All of them destroy what carries the response. `end` ends it, and
 * calls back when all of it is on its way; only then the cut is made.
 */
export function endBeforeCut(res: ServerResponse, end: (sent: () => void) => void): void {
  const carrier = carrierOf(res)
  if (!carrier) return
  const cut = carrier.destroy
  const guarded = (error?: Error) => {
    if (carrier.destroy === guarded) carrier.destroy = cut
    if (res.writableFinished || carrier.closed) return cut.call(carrier, error)
    const cancel = systemClock.inBackground(LONGEST_SENDING_MS, () => cut.call(carrier, error))
    res.once('close', cancel)
    end(() => {
      // A stream of HTTP/2 closes by itself; cut now, it could lose its last frames.
      if (!isHttp2(res)) cut.call(carrier, error)
    })
    return carrier
  }
  carrier.destroy = guarded
  res.once('close', () => {
    if (carrier.destroy === guarded) carrier.destroy = cut
  })
}

interface Carrier {
  destroy: (error?: Error) => unknown
  readonly closed?: boolean
}

/** The connection of HTTP/1, the stream of HTTP/2; `undefined`: the client has gone. */
function carrierOf(res: ServerResponse): Carrier | undefined {
  return isHttp2(res) ? (res as unknown as { stream?: Carrier }).stream : res.req.socket
}
