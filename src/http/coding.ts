import { parseCacheControl } from './cache-control.ts'
import { entityTag, namesTag } from './conditional.ts'
import { combined, linesOf, requestField } from './message.ts'
import { variesBy } from './vary.ts'
import type { Coding, CompressSettings } from './coding-options.ts'
import type { Field, Fields, HttpRequest, ResponseHead } from './message.ts'
import type { StoredResponse } from './stored-response.ts'

/**
 * Whether a stored response may be sent in another coding: a whole 200 in none, of a type that gets smaller, which does
 * not forbid it (RFC 9111, section 5.2.2.6), and without a digest or signature that would be wrong then.
 */
export function isCompressible(stored: StoredResponse, settings: CompressSettings): boolean {
  return stored.body.byteLength >= settings.thresholdBytes && mayBeCoded(stored, settings)
}

/** The same of a response whose length is not known yet. */
export function mayBeCoded({ status, fields }: ResponseHead, settings: CompressSettings): boolean {
  if (status !== 200) return false
  if (fields.some(([name]) => OF_THESE_BYTES.has(name.toLowerCase()))) return false
  if (parseCacheControl(combined(fields, 'cache-control')).has('no-transform')) return false
  const type = (combined(fields, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return settings.types.some((pattern) => pattern.test(type))
}

/** Fields that are true of the stored bytes alone. */
const OF_THESE_BYTES = new Set([
  'content-digest',
  'content-encoding',
  'content-md5',
  'content-range',
  'digest',
  'repr-digest',
  'signature',
])

/**
 * The coding in which a request wants a compressible response (RFC 9110, section 12.5.3). A request for a range, or one
 * that forbids it, gets the bytes as they are stored.
 */
export function codingFor({ headers }: HttpRequest, settings: CompressSettings): Coding | 'identity' {
  if (headers.range !== undefined) return 'identity'
  const choice = settings.choose(requestField(headers, 'accept-encoding'))
  if (choice === 'identity' || headers['cache-control'] === undefined) return choice
  return parseCacheControl(requestField(headers, 'cache-control')).has('no-transform') ? 'identity' : choice
}

/**
 * The coding whose entity tag If-None-Match names: what its client has is still good, whatever it would be sent now.
 */
export function codingHeld({ headers }: HttpRequest, fields: Fields, codings: readonly Coding[]): Coding | undefined {
  const held = headers['if-none-match'] === undefined ? undefined : requestField(headers, 'if-none-match')
  const tag = held === undefined ? undefined : entityTag(linesOf(fields, 'etag')[0])
  return tag && codings.find((coding) => namesTag(held ?? '', codedTag(tag.opaque, coding)))
}

/** The fields of the response in a coding, of one in none with these. */
export function codedFields(fields: Fields, coding: Coding, length: number): Fields {
  const coded: Field[] = []
  for (const [name, value] of withVary(fields)) {
    const lower = name.toLowerCase()
    if (lower === 'etag') coded.push([name, String(value).replace(/"[^"]*"/, (tag) => codedTag(tag, coding))])
    else if (lower !== 'content-length') coded.push([name, value])
  }
  coded.push(['Content-Encoding', coding], ['Content-Length', String(length)])
  return coded
}

/** A response that is sent in several codings says so in each of them (RFC 9110, section 12.5.5). */
export function withVary(fields: Fields): Fields {
  const names = variesBy(fields)
  if (names === '*' || names.includes('accept-encoding')) return fields
  const others = fields.filter(([name]) => name.toLowerCase() !== 'vary')
  return [...others, ['Vary', [...linesOf(fields, 'vary'), 'Accept-Encoding'].join(', ')]]
}

/** Other bytes have another tag (RFC 9110, section 8.8.3.3). */
function codedTag(opaque: string, coding: Coding): string {
  return `${opaque.slice(0, -1)}-${coding}"`
}
