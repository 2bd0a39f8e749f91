import { isConditional, isNotModified, notModifiedFields } from './conditional.ts'
import { ageSeconds } from './stored-response.ts'
import type { Answer } from './exchange.ts'
import type { HttpRequest } from './message.ts'
import type { StoredResponse } from './stored-response.ts'

/** What a stored response says to this request: itself, its head alone (HEAD), or a 304. */
export function answerOf(stored: StoredResponse, request: HttpRequest, cacheStatus: string, now: number): Answer {
  const age = String(ageSeconds(stored, now))
  if (isConditional(request.headers) && isNotModified(request.headers, stored, now)) {
    const fields = notModifiedFields(stored.fields)
    return { status: 304, message: undefined, fields, age, cacheStatus, body: undefined }
  }
  const { status, message, fields, body } = stored
  return { status, message, fields, age, cacheStatus, body: request.method === 'HEAD' ? undefined : body }
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
