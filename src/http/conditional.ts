import { parseHttpDate } from './http-date.ts'
import { linesOf, requestField } from './message.ts'
import type { Fields, RequestHeaders, ResponseHead } from './message.ts'

/** Whether a request asks for a body only if it is another than the client has. */
export function isConditional(headers: RequestHeaders): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined
}

/**
 * Whether a client has what a response would send it, so that 304 is the answer (RFC 9111, section 4.3.2; RFC 9110,
 * section 13.2.2). If-None-Match counts before If-Modified-Since; only a 2xx is ever turned into a 304.
 */
export function isNotModified(headers: RequestHeaders, head: ResponseHead, now: number): boolean {
  if (head.status < 200 || head.status > 299) return false
  const tags = requestField(headers, 'if-none-match')
  if (tags !== undefined) return matchesSomeTag(tags, linesOf(head.fields, 'etag')[0])
  const since = requestField(headers, 'if-modified-since')
  return since !== undefined && isUnmodifiedSince(since, head.fields, now)
}

/**
 * The fields of a 304 for a response (RFC 9110, section 15.4.5): all that do not describe the content, so that
 * Content-Location, Date, ETag, Vary, Cache-Control and Expires are among them; Last-Modified only without an ETag.
 */
export function notModifiedFields(fields: Fields): Fields {
  const tagged = linesOf(fields, 'etag').length > 0
  return fields.filter(([name]) => !isLeftOut(name, tagged))
}

/** Whether a field of a 200 has no place in the 304 for it. */
export function isLeftOut(name: string, tagged: boolean): boolean {
  const lower = name.toLowerCase()
  return DESCRIBES_CONTENT.has(lower) || (tagged && lower === 'last-modified')
}

const DESCRIBES_CONTENT = new Set([
  'accept-ranges',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
  'repr-digest',
  'transfer-encoding',
])

const ENTITY_TAG = /^(W\/)?("[\x21\x23-\x7e\x80-\xff]*")$/
const ENTITY_TAGS = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

/** An entity tag (RFC 9110, section 8.8.3): its quoted text, and whether it only says "as good as". */
export interface EntityTag {
  readonly weak: boolean
  readonly opaque: string
}

/** Reads one entity tag; `undefined` for anything else. */
export function entityTag(text: string | undefined): EntityTag | undefined {
  const match = text === undefined ? undefined : ENTITY_TAG.exec(text.trim())
  return match?.[2] === undefined ? undefined : { weak: match[1] !== undefined, opaque: match[2] }
}

/**
 * Last-Modified where it is a strong validator (RFC 9110, section 8.8.2.2): the response was made a second or more
 * after, so that no second change in the same second can be hidden behind it. In milliseconds since 1970.
 */
export function strongDate(fields: Fields, now: number): number | undefined {
  const modifiedAt = dateOf(fields, 'last-modified', now)
  const madeAt = dateOf(fields, 'date', now)
  if (modifiedAt === undefined || madeAt === undefined) return undefined
  return madeAt - modifiedAt >= 1000 ? modifiedAt : undefined
}

/** Weak comparison (RFC 9110, section 8.8.3.2); `*` matches whatever there is (section 13.1.2). */
function matchesSomeTag(list: string, current: string | undefined): boolean {
  if (list.trim() === '*') return true
  return namesTag(list, current)
}

/** Whether a list of entity tags has this one, be either weak. */
export function namesTag(list: string, current: string | undefined): boolean {
  const opaque = entityTag(current)?.opaque
  if (opaque === undefined) return false
  for (const [, tag] of list.matchAll(ENTITY_TAGS)) if (tag === opaque) return true
  return false
}

/** By Last-Modified, or by Date where there is none; a date that is none is not heeded (section 13.1.3). */
function isUnmodifiedSince(since: string, fields: Fields, now: number): boolean {
  const limit = parseHttpDate(since, now)
  const dated = linesOf(fields, 'last-modified').length > 0 ? 'last-modified' : 'date'
  const modifiedAt = dateOf(fields, dated, now)
  return limit !== undefined && modifiedAt !== undefined && modifiedAt <= limit
}

function dateOf(fields: Fields, name: string, now: number): number | undefined {
  const [line] = linesOf(fields, name)
  return line === undefined ? undefined : parseHttpDate(line, now)
}
