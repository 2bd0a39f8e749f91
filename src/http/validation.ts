import { entityTag } from './conditional.ts'
import { parseHttpDate } from './http-date.ts'
import { linesOf } from './message.ts'
import { connectionOptions, COOKIES, NEVER_KEPT } from './stored-response.ts'
import type { Field, Fields, ResponseHead } from './message.ts'
import type { StoredResponse } from './stored-response.ts'

/** The request fields by which the application can say that what is stored is still good, by lower-case name. */
export interface Validators {
  readonly 'if-none-match'?: string
  readonly 'if-modified-since'?: string
}

/**
 * The validators of a stored response, as the application is shown them (RFC 9111, section 4.3.1): its entity tag, and
 * its Last-Modified word for word. `undefined` if it has neither, so that there is nothing to validate.
 */
export function validatorsOf({ fields }: Pick<ResponseHead, 'fields'>, now: number): Validators | undefined {
  const [etag] = linesOf(fields, 'etag')
  const [modified] = linesOf(fields, 'last-modified')
  const tag = entityTag(etag) && etag
  const since = modified !== undefined && parseHttpDate(modified, now) !== undefined ? modified : undefined
  if (tag === undefined && since === undefined) return undefined
  return {
    ...(tag === undefined ? {} : { 'if-none-match': tag }),
    ...(since === undefined ? {} : { 'if-modified-since': since }),
  }
}

/**
 * Whether a 304 speaks of a stored response (RFC 9111, section 4.3.4): by a strong entity tag if it has one, else by a
 * weak one, else by Last-Modified. One without any answers the validators that it was asked with, and those were the
 * stored response's own.
 */
export function selects(notModified: Pick<ResponseHead, 'fields'>, stored: Pick<ResponseHead, 'fields'>): boolean {
  const [etag] = linesOf(notModified.fields, 'etag')
  const tag = entityTag(etag)
  if (tag) {
    const own = entityTag(linesOf(stored.fields, 'etag')[0])
    return own !== undefined && own.opaque === tag.opaque && (tag.weak || !own.weak)
  }
  const [modified] = linesOf(notModified.fields, 'last-modified')
  const [own] = linesOf(stored.fields, 'last-modified')
  return modified === undefined || own === undefined || modified.trim() === own.trim()
}

/**
 * Whether a 200 to HEAD is of another representation than is stored (RFC 9111, section 4.3.5). What one of them does not say
 * tells nothing.
 */
export function outdates({ status, fields }: ResponseHead, stored: StoredResponse): boolean {
  if (status !== 200 || stored.status !== 200) return false
  const [length] = linesOf(fields, 'content-length')
  if (length !== undefined && Number(length) !== stored.body.byteLength) return true
  const names = stored.taggedHere ? ['last-modified'] : ['etag', 'last-modified']
  return names.some((name) => {
    const [told, own] = [linesOf(fields, name)[0], linesOf(stored.fields, name)[0]]
    return told !== undefined && own !== undefined && told.trim() !== own.trim()
  })
}

/**
 * The head of a stored response after a 304 that speaks of it (RFC 9111, sections 3.2 and 4.3.4): each field of the 304
 * replaces all lines of that name, but for those of its connection, those that are never kept, cookies, and those that say how
 * the stored bytes are to be read, which only the response that brought the bytes could know. The Age of the 304 is
 * left among the fields, as its age counts from now on.
 */
export function freshen(stored: ResponseHead, notModified: Pick<ResponseHead, 'fields'>): ResponseHead {
  const ofConnection = new Set(connectionOptions(notModified.fields))
  const updates = notModified.fields.filter(([name]) => {
    const lower = name.toLowerCase()
    return lower === 'age' || !(NEVER_UPDATED.has(lower) || ofConnection.has(lower))
  })
  const replaced = new Set(updates.map(([name]) => name.toLowerCase()))
  const fields: Field[] = stored.fields.filter(([name]) => !replaced.has(name.toLowerCase()))
  return { ...stored, fields: [...fields, ...updates] satisfies Fields }
}

/**
 * Beside what is never kept, the fields of one user, and those of which the stored bytes depend: a framework may well put
 * a default Content-Type on a 304.
 */
const NEVER_UPDATED = new Set([
  ...NEVER_KEPT,
  ...COOKIES,
  'content-digest',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
  'repr-digest',
])
