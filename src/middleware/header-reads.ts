import { noteAll, watchHeaders } from '../http/watched-headers.ts'
import type { IncomingMessage } from 'node:http'
import type { HeaderReads } from '../http/watched-headers.ts'

/** The ways by which a node request gives its fields; `headersDistinct` is made of `rawHeaders`. */
type Readable = Pick<IncomingMessage, 'headers' | 'rawHeaders'>

/**
 * Notes which fields of a request are read; `rawHeaders` gives all at once, and counts so. Answers a function that ends it and
 * leaves the request as it was, but for what the application has put there.
 */
export function watchReads(req: Readable, reads: HeaderReads): () => void {
  const { headers } = req
  const undoHeaders = setHeaders(req, watchHeaders(headers, reads))
  const undoRaw = watchRaw(req, () => noteAll(headers, reads))
  return () => {
    undoHeaders()
    undoRaw()
  }
}

/** HTTP/1 has a setter, and keeps the value where nobody sees it; HTTP/2 has none. */
function setHeaders(req: Readable, watched: IncomingMessage['headers']): () => void {
  const { headers } = req
  const isSettable = !('stream' in req)
  if (isSettable) req.headers = watched
  else Object.defineProperty(req, 'headers', { configurable: true, writable: true, value: watched })
  return () => {
    if (req.headers !== watched) return
    if (isSettable) req.headers = headers
    else Reflect.deleteProperty(req, 'headers')
  }
}

/** A field of its own on HTTP/1, a getter of the class on HTTP/2. */
function watchRaw(req: Readable, note: () => void): () => void {
  const { rawHeaders } = req
  const before = Object.getOwnPropertyDescriptor(req, 'rawHeaders')
  const put = (value: unknown) => {
    if (before) Object.defineProperty(req, 'rawHeaders', { ...before, value })
    else Reflect.deleteProperty(req, 'rawHeaders')
  }
  const get = () => {
    note()
    return rawHeaders
  }
  Object.defineProperty(req, 'rawHeaders', { configurable: true, enumerable: before !== undefined, get, set: put })
  return () => {
    if (Object.getOwnPropertyDescriptor(req, 'rawHeaders')?.get === get) put(rawHeaders)
  }
}
