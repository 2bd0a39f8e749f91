import { isConditional, isNotModified, notModifiedFields } from './conditional.ts'
import { partialFields, unsatisfiableFields, wantedOf } from './range.ts'
import { ageSeconds } from './stored-response.ts'
import type { Answer } from './exchange.ts'
import type { HttpRequest } from './message.ts'
import type { StoredResponse } from './stored-response.ts'

/**
 * What a stored response says to this request: itself, its head alone (HEAD), a 304, or a part. Preconditions count before
 * ranges (RFC 9110, section 13.2.2).
 */
export function answerOf(stored: StoredResponse, request: HttpRequest, cacheStatus: string, now: number): Answer {
  const seconds = ageSeconds(stored, now)
  const age = String(seconds)
  const { headers } = request
  if (isConditional(headers) && isNotModified(headers, stored, now)) {
    const fields = notModifiedFields(stored.fields)
    return { status: 304, message: undefined, fields, age, cacheStatus, body: undefined }
  }
  if (headers.range !== undefined) {
    const part = partOf(stored, request, age, cacheStatus, now)
    if (part) return part
  }
  const whole = wholeAnswer(stored, seconds, cacheStatus)
  return request.method === 'HEAD' ? { ...whole, body: undefined } : whole
}

/** All of a stored response, as it is. */
export function wholeAnswer(
  { status, message, fields, body }: StoredResponse,
  age: number,
  cacheStatus: string,
): Answer {
  return { status, message, fields, age: String(age), cacheStatus, body }
}

/** The 206 or 416 to a range; `undefined`: the whole is the answer. */
function partOf(
  stored: StoredResponse,
  request: HttpRequest,
  age: string,
  cacheStatus: string,
  now: number,
): Answer | undefined {
  const { fields, body } = stored
  const length = body.byteLength
  const wanted = wantedOf(request, stored, length, now)
  if (wanted === 'whole') return undefined
  const rest = { message: undefined, age, cacheStatus }
  if (wanted === 'unsatisfiable') {
    return { ...rest, status: 416, fields: unsatisfiableFields(fields, length), body: undefined }
  }
  const resumes = request.headers['if-range'] !== undefined
  const part = body.subarray(wanted.first, wanted.last + 1)
  return { ...rest, status: 206, fields: partialFields(fields, wanted, length, resumes), body: part }
}

/** The answer to `only-if-cached` when nothing stored will do (RFC 9111, section 5.2.1.7). */
export const GATEWAY_TIMEOUT: Answer = {
  status: 504,
  message: undefined,
  fields: [['Content-Length', '0']],
  age: undefined,
  // RFC 9211, section 2: not added to responses that the cache makes up by itself.
  cacheStatus: undefined,
  body: undefined,
}
