import { entityTag, strongDate } from './conditional.ts'
import { linesOf, requestField } from './message.ts'
import { parseHttpDate } from './http-date.ts'
import type { Field, Fields, HttpRequest, ResponseHead } from './message.ts'

/**
 * What a request asks for of a body of known length (RFC 9110, sections 14.1 and 14.2).
 *
 * - `whole`: all of it: no range, none that counts, or several (which a server may answer with the whole).
 * - a part: one range of bytes, both ends included.
 * - `unsatisfiable`: nothing of what is there.
 */
export type Wanted = 'whole' | 'unsatisfiable' | Part

/** A range of bytes, both ends included. */
export interface Part {
  readonly first: number
  readonly last: number
}

/**
 * The range of a stored response that a request asks for. Only a GET has one, and only a 200 has parts; a range counts
 * only if what If-Range names is what is stored (RFC 9110, sections 13.1.5 and 14.2). A request that is answered with a
 * 304 must not come here: preconditions are judged first (section 13.2.2).
 */
export function wantedOf(request: HttpRequest, head: ResponseHead, length: number, now: number): Wanted {
  const { method, headers } = request
  const range = headers.range === undefined ? undefined : requestField(headers, 'range')
  if (range === undefined || method !== 'GET' || head.status !== 200) return 'whole'
  const condition = requestField(headers, 'if-range')
  if (condition !== undefined && !isUnchanged(condition, head.fields, now)) return 'whole'
  return parseRange(range, length)
}

/** The fields of the 206 for a part (RFC 9110, section 15.3.7), of a 200 with these. */
export function partialFields(fields: Fields, { first, last }: Part, length: number, resumes: boolean): Fields {
  const kept: Field[] = fields.filter(([name]) => {
    const lower = name.toLowerCase()
    return !REPLACED.has(lower) && !(resumes && KNOWN_TO_RESUMING.has(lower))
  })
  kept.push(['Content-Range', `bytes ${first}-${last}/${length}`], ['Content-Length', String(last - first + 1)])
  return kept
}

/**
 * The fields of the 416 for a range that is not there (RFC 9110, sections 14.4 and 15.5.17): how long the whole is, and
 * nothing that describes the whole or lets anybody keep the 416 in its place.
 */
export function unsatisfiableFields(fields: Fields, length: number): Fields {
  const kept: Field[] = fields.filter(([name]) => !OF_THE_WHOLE.has(name.toLowerCase()))
  kept.push(['Content-Range', `bytes */${length}`], ['Content-Length', '0'])
  return kept
}

/** Digests of the content are of the whole (RFC 9530, section 2); that of the representation stays true of a part. */
const REPLACED = new Set(['content-length', 'content-range', 'content-digest', 'content-md5'])

/** Who sends If-Range has these from before, and should not get them again (RFC 9110, section 15.3.7). */
const KNOWN_TO_RESUMING = new Set(['content-encoding', 'content-language', 'content-type', 'last-modified'])

const OF_THE_WHOLE = new Set([
  ...REPLACED,
  ...KNOWN_TO_RESUMING,
  'cache-control',
  'content-disposition',
  'content-location',
  'etag',
  'expires',
  'repr-digest',
])

const RANGES = /^bytes=(.*)$/is
const INT_RANGE = /^(\d+)-(\d*)$/
const SUFFIX_RANGE = /^-(\d+)$/

/** What is malformed, or has another unit, is passed over (RFC 9110, section 14.2). */
function parseRange(text: string, length: number): Wanted {
  const set = RANGES.exec(text.trim())?.[1]
  if (set === undefined) return 'whole'
  const members = set.split(',').map((member) => member.trim())
  const specs = members.filter((member) => member !== '')
  const [spec] = specs
  return spec === undefined || specs.length > 1 ? 'whole' : placed(spec, length)
}

/** One range, placed on a body (RFC 9110, section 14.1.2). */
function placed(spec: string, length: number): Wanted {
  const suffix = SUFFIX_RANGE.exec(spec)?.[1]
  if (suffix !== undefined) {
    const bytes = Number(suffix)
    if (bytes === 0) return 'unsatisfiable'
    // There is no way to write the range of nothing.
    return length === 0 ? 'whole' : { first: Math.max(0, length - bytes), last: length - 1 }
  }
  const match = INT_RANGE.exec(spec)
  if (!match) return 'whole'
  const first = Number(match[1])
  const last = match[2] === '' ? Number.POSITIVE_INFINITY : Number(match[2])
  if (last < first) return 'whole'
  return first >= length ? 'unsatisfiable' : { first, last: Math.min(last, length - 1) }
}

/**
 * Whether what If-Range names is what is stored (RFC 9110, section 13.1.5): a strong entity tag that is equal by strong
 * comparison, or the very Last-Modified where that is a strong validator. What is neither a tag nor a date is not.
 */
function isUnchanged(condition: string, fields: Fields, now: number): boolean {
  const tag = entityTag(condition)
  if (tag) {
    const current = entityTag(linesOf(fields, 'etag')[0])
    return current !== undefined && !tag.weak && !current.weak && tag.opaque === current.opaque
  }
  const date = parseHttpDate(condition, now)
  return date !== undefined && date === strongDate(fields, now)
}
