import { systemClock } from '../clock.ts'
import { hasUndeclaredContent } from './node-request.ts'
import type { IncomingMessage } from 'node:http'

/** A longer query is not told apart from others, and passes by the cache. */
const MOST_BYTES = 2 ** 16
/** A client that takes longer to send its query is passed on with what it has sent. */
const LONGEST_READ_MS = 10_000

/**
 * Reads the content of a QUERY (RFC 10008), and puts it back for the application. `done` is called with `undefined` for
 * one without a declared length, or a large one; and not at all if the client goes.
 */
export function readContent(req: IncomingMessage, done: (content: Uint8Array | undefined) => void): void {
  const length = declaredLength(req)
  if (length === undefined || length > MOST_BYTES || isTaken(req)) done(undefined)
  else if (length === 0) done(new Uint8Array())
  else readAll(req, length, done)
}

function readAll(req: IncomingMessage, length: number, done: (content: Uint8Array | undefined) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  const take = () => {
    while (bytes < length) {
      const chunk: Buffer | null = req.read()
      if (chunk === null) return
      chunks.push(chunk)
      bytes += chunk.length
    }
    giveBack(Buffer.concat(chunks))
  }
  const giveBack = (content: Uint8Array | undefined) => {
    leave()
    for (const chunk of chunks.reverse()) req.unshift(chunk)
    done(content)
  }
  const leave = () => {
    cancel()
    req.off('readable', take).off('close', leave)
  }
  const cancel = systemClock.inBackground(LONGEST_READ_MS, () => giveBack(undefined))
  req.on('readable', take).on('close', leave)
}

/** Without either field HTTP/1.1 has no content; HTTP/2 may have one all the same. */
function declaredLength(req: IncomingMessage): number | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers
  if (length !== undefined) return Number(length)
  return coding !== undefined || hasUndeclaredContent(req) ? undefined : 0
}

/** Something in front has read it, or has begun to. */
function isTaken(req: IncomingMessage): boolean {
  return req.readableDidRead || req.readableFlowing === true || req.readableEncoding !== null || req.destroyed
}
