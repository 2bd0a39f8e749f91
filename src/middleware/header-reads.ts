import { noteAll, watchHeaders } from '../http/watched-headers.ts'
import type { IncomingMessage } from 'node:http'
import type { HeaderReads } from '../http/watched-headers.ts'

/**
 * Notes from now on which fields of a request are read: by `headers`, and by `rawHeaders`, of which `headersDistinct` is made
 * and which give all at once, and count so. To the application the request is what it was.
 */
export function watchReads(req: Pick<IncomingMessage, 'headers' | 'rawHeaders'>, reads: HeaderReads): void {
  const { headers, rawHeaders } = req
  const watched = watchHeaders(headers, reads)
  // HTTP/1 has a setter, and keeps the value where nobody sees it; HTTP/2 has none.
  if ('stream' in req) {
    Object.defineProperty(req, 'headers', { configurable: true, writable: true, value: watched })
    // The getters of the class look past these fields.
    const authority = { get: () => watched[':authority'] ?? watched.host }
    const scheme = { get: () => watched[':scheme'] }
    Object.defineProperties(req, { authority, scheme })
  } else req.headers = watched

  // A field of its own on HTTP/1, a getter of the class on HTTP/2.
  const enumerable = Object.hasOwn(req, 'rawHeaders')
  const set = (value: unknown) =>
    Object.defineProperty(req, 'rawHeaders', { configurable: true, enumerable, writable: true, value })
  const get = () => {
    noteAll(headers, reads)
    return rawHeaders
  }
  Object.defineProperty(req, 'rawHeaders', { configurable: true, enumerable, get, set })
}
