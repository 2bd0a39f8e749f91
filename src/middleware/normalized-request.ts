import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHeaders } from '../http/message.ts'

/**
 * Has the application see these fields in place of the client's, raw ones too, until the response has gone out; loggers then
 * find what the client said. `undefined` stands for a field that is absent.
 */
export function showNormalized(req: IncomingMessage, res: ServerResponse, fields: RequestHeaders): void {
  const { headers, rawHeaders } = req
  const own = Object.fromEntries(Object.keys(fields).map((name) => [name, headers[name]]))
  replace(headers, fields)
  setRaw(req, rewritten(rawHeaders, fields))
  // Node goes by the number of fields that came.
  Object.defineProperty(req, 'headersDistinct', { configurable: true, get: () => distinct(req.rawHeaders) })
  // In front of the listeners of those who log.
  res.prependOnceListener('finish', () => {
    replace(headers, own)
    setRaw(req, rawHeaders)
    Reflect.deleteProperty(req, 'headersDistinct')
  })
}

function replace(headers: IncomingMessage['headers'], fields: RequestHeaders): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) delete headers[name]
    else headers[name] = value as string
  }
}

/** A field of its own on HTTP/1, a getter of the class on HTTP/2. */
function setRaw(req: IncomingMessage, value: readonly string[]): void {
  const enumerable = Object.hasOwn(req, 'rawHeaders')
  Object.defineProperty(req, 'rawHeaders', { configurable: true, enumerable, writable: true, value })
}

/** Names and values in turn. */
function rewritten(raw: readonly string[], fields: RequestHeaders): string[] {
  const kept: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]]
    if (!Object.hasOwn(fields, name.toLowerCase())) kept.push(name, value)
  }
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept.push(name, String(value))
  return kept
}

function distinct(raw: readonly string[]): Record<string, string[]> {
  const lines: Record<string, string[]> = Object.create(null)
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase()
    lines[name] = [...(lines[name] ?? []), raw[at + 1] ?? '']
  }
  return lines
}
