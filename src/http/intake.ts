import { ownTag } from './entity-tag.ts'
import { formatHttpDate } from './http-date.ts'
import { linesOf } from './message.ts'
import { isForAuthorized, withheldFields } from './storable.ts'
import { keep } from './stored-response.ts'
import { unsentNames } from './targeted.ts'
import type { Fields, ResponseHead } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { Candidate } from './storable.ts'
import type { StoredResponse } from './stored-response.ts'

/** What is known of a response beside its head and body. */
export interface Facts {
  readonly resource: string
  readonly tags: readonly string[]
  /** When its head came. */
  readonly headAt: number
}

/** The response that is kept of a candidate and its body. */
export function storedOf(
  { head, control, lifetime, initialAgeMs: ageMs, stale, retentionMs }: Candidate,
  body: Uint8Array,
  { resource, tags, headAt }: Facts,
  settings: HttpSettings,
): StoredResponse {
  const bornAt = headAt - ageMs
  const tagged = withTag(head, body)
  return keep(tagged.head, body, {
    resource,
    bornAt,
    freshUntil: bornAt + (lifetime?.ms ?? 0),
    forAuthorized: isForAuthorized(control),
    ...stale,
    retentionMs,
    tags,
    taggedHere: tagged.here,
    withheld: withheldFields(control, settings),
    targeted: unsentNames(settings),
  })
}

/** Node would add a Date that is not seen here: what is stored and what is sent would differ. */
export function withDate(head: ResponseHead, now: number): ResponseHead {
  if (linesOf(head.fields, 'date').length > 0) return head
  const fields: Fields = [...head.fields, ['Date', formatHttpDate(now)]]
  return { ...head, fields }
}

/** A 200 without an ETag gets one of ours, so that its readers need not be sent again what they have. */
function withTag(head: ResponseHead, body: Uint8Array): { readonly head: ResponseHead; readonly here: boolean } {
  if (head.status !== 200 || linesOf(head.fields, 'etag').length > 0) return { head, here: false }
  return { head: { ...head, fields: [...head.fields, ['ETag', ownTag(body)]] }, here: true }
}
