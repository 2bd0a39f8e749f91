/**
 * Serves URLs that nobody asked for before, with and without a cache in front: `misses-server.js <accelerate|bare>`.
 * `/<bytes>/<anything>` answers so many bytes, in chunks of 64 KiB.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createCache } from 'tiercache'
import { accelerate } from 'tiercache/middleware/node'
import { collectGarbage } from '../harness/garbage.ts'
import { answerQuestions } from '../harness/program.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a server has used up so far. */
export interface Used {
  readonly cpuUs: number
  /** After a full collection: on V8's heap, and in buffers beside it. */
  readonly bytes: number
}

const chunk = Buffer.alloc(64 * 1024, 'x')

const [, , variant] = process.argv
const listener = variant === 'accelerate' ? accelerate(createCache(), stream, { maxBodyBytes: 15 * 2 ** 20 }) : stream
const server = createServer(listener)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

answerQuestions({ origin: () => origin, used })

async function stream(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const bytes = Number(req.url?.split('/')[1])
  res.setHeader('Content-Type', 'application/octet-stream')
  res.setHeader('Cache-Control', 'public, max-age=3600')
  if (bytes <= chunk.length) res.end(chunk.subarray(0, bytes))
  else await pipeline(Readable.from(chunksOf(bytes)), res)
}

function* chunksOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= chunk.length) yield left < chunk.length ? chunk.subarray(0, left) : chunk
}

function used(): Used {
  collectGarbage()
  const { user, system } = process.cpuUsage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { cpuUs: user + system, bytes: heapUsed + arrayBuffers }
}
