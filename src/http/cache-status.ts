/**
 * Why a request went on to the application (RFC 9211, section 2.2).
 *
 * - `bypass`: the cache was not to deal with this request.
 * - `method`: its method is never answered from a cache.
 * - `uri-miss`: nothing is stored for the target.
 * - `vary-miss`: something is, but not for these request fields.
 * - `request`: something is, but the request does not accept it.
 * - `stale`: something is, but is not fresh any more.
 */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale'

/** What else is known of a forwarded request (RFC 9211, sections 2.3 to 2.8). */
export interface ForwardNotes {
  /** What the application answered, where the client gets something else. */
  readonly status?: number | undefined
  /** For how long what the client gets is still fresh, in seconds. */
  readonly ttl?: number | undefined
  /** The response is being stored, as far as its head tells. */
  readonly stored?: boolean
  /** The response was made for another request that came first. */
  readonly collapsed?: boolean
  /** What it is kept under, where the client is to be told. */
  readonly key?: string | undefined
  /** Why the response was not stored or the cache not asked: a token. */
  readonly detail?: string | undefined
}

/** The tier that an answer came from, as people read it. */
export type TierName = 'L1' | 'L2'

/** Cache-Status of an answer from the cache; `ttl` in seconds (RFC 9211, sections 2.1, 2.4 and 2.7). */
export function hitStatus(ttl: number, tier: TierName, key?: string): string {
  const status = `tiercache; hit; ttl=${ttl}; detail=${tier}`
  return key === undefined ? status : status + keyParameter(key)
}

/** Cache-Status of a response that the application made, for this request or for one that it was collapsed with. */
export function forwardStatus(reason: ForwardReason, notes: ForwardNotes = {}): string {
  let status = `tiercache; fwd=${reason}`
  if (notes.status !== undefined) status += `; fwd-status=${notes.status}`
  if (notes.ttl !== undefined) status += `; ttl=${notes.ttl}`
  if (notes.stored) status += '; stored'
  if (notes.collapsed) status += '; collapsed'
  if (notes.detail !== undefined) status += `; detail=${notes.detail}`
  if (notes.key !== undefined) status += keyParameter(notes.key)
  return status
}

/** A string of structured fields (RFC 9651, section 4.1.6), which has printable ASCII alone: the rest is percent-encoded. */
function keyParameter(key: string): string {
  const text = key.replace(/[^ -~]/g, (character) => encodeURIComponent(character.toWellFormed()))
  return `; key="${text.replace(/["\\]/g, '\\$&')}"`
}
