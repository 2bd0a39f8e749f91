import { bytesOf } from './written-chunk.ts'
import { isHttp2 } from './written-head.ts'
import type { ServerResponse } from 'node:http'

/**
 * The arguments of `write` or `end` so that the head which goes out with them has the bytes that it has when it is replayed. Node
 * sends a head in Latin-1, but may join it to a first chunk that is a text, and send both in UTF-8: only with bytes behind it
 * does `é` in a field stay one byte.
 */
export function behindHead(res: ServerResponse, args: unknown[]): unknown[] {
  const [chunk, encoding, ...rest] = args
  if (typeof chunk !== 'string' || begun.has(res)) return args
  begun.add(res)
  return isHttp2(res) || !Object.values(res.getHeaders()).some(isBeyondAscii)
    ? args
    : [bytesOf(chunk, encoding), encoding, ...rest]
}

/** Responses whose head is on its way. */
const begun = new WeakSet<ServerResponse>()

function isBeyondAscii(value: unknown): boolean {
  return /[\x80-\xff]/.test(String(value))
}
