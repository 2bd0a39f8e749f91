import type { ServerResponse } from 'node:http'
import type { Field, FieldValue } from '../http/message.ts'

/** Arguments of `writeHead`, in any of their forms. */
export interface WrittenHead {
  readonly status: number
  readonly message: string | undefined
  /** An object, a flat list of names and values, or a list of pairs. */
  readonly headers: unknown
}

export function writtenHead(args: readonly unknown[]): WrittenHead {
  const message = typeof args[1] === 'string' ? args[1] : undefined
  return { status: Number(args[0]), message, headers: args[2] ?? (message === undefined ? args[1] : undefined) }
}

/** A 1xx, which the final head follows; or what Node refuses with an error of its own. */
export function isNoFinalHead({ status, headers }: WrittenHead): boolean {
  return isInformational(status) || isUneven(headers)
}

function isInformational(status: number): boolean {
  return status < 200 && status !== 101
}

/** A flat list of names and values with one missing: Node says so. */
function isUneven(headers: unknown): boolean {
  return Array.isArray(headers) && !Array.isArray(headers[0]) && headers.length % 2 !== 0
}

/** Headers given to `writeHead` never show in `getHeaders()` otherwise. They replace those of the same name. */
export function applyHeaders(res: ServerResponse, headers: unknown): void {
  const given = new Set<string>()
  for (const [name, value] of pairsOf(headers)) {
    if (name === '') continue
    const lower = name.toLowerCase()
    if (given.has(lower)) res.setHeader(name, [res.getHeader(name), value].flat().map(String))
    else res.setHeader(name, value as string)
    given.add(lower)
  }
}

/** An object, a flat list of names and values, or a list of pairs. */
function pairsOf(headers: unknown): [name: string, value: unknown][] {
  if (typeof headers !== 'object' || headers === null) return []
  if (!Array.isArray(headers)) return Object.entries(headers)
  if (Array.isArray(headers[0])) return headers.map(([name, value]) => [String(name), value])
  const pairs: [string, unknown][] = []
  for (let at = 0; at < headers.length; at += 2) pairs.push([String(headers[at]), headers[at + 1]])
  return pairs
}

export function fieldsOf(res: ServerResponse): Field[] {
  return namesOf(res).map((name) => [name, fieldValue(res.getHeader(name))])
}

/** As the application wrote them; HTTP/2 knows lower case only. */
function namesOf(res: ServerResponse): readonly string[] {
  const { getRawHeaderNames } = res as { getRawHeaderNames?: () => string[] }
  return getRawHeaderNames ? getRawHeaderNames.call(res) : res.getHeaderNames()
}

function fieldValue(value: number | string | readonly string[] | undefined): FieldValue {
  return typeof value === 'object' ? value.map(String) : String(value ?? '')
}

/** The reason phrase that the application set; asking HTTP/2 for it makes a process warning. */
export function ownMessage(res: ServerResponse): string | undefined {
  return isHttp2(res) ? undefined : res.statusMessage || undefined
}

/** The compatibility response of node:http2. */
export function isHttp2(res: ServerResponse): boolean {
  return 'stream' in res
}
