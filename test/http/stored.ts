import type { Fields } from '../../src/http/message.ts'
import type { StoredResponse } from '../../src/http/stored-response.ts'

/** A stored response, whole but for what a test says of it. */
export function storedOf({
  body = '',
  ...changes
}: Partial<Omit<StoredResponse, 'body'>> & { body?: string }): StoredResponse {
  const bytes = Buffer.from(body)
  const fields: Fields = [...(changes.fields ?? []), ['Content-Length', String(bytes.byteLength)]]
  return {
    kind: 'response',
    resource: 'r',
    status: 200,
    bornAt: 0,
    freshUntil: 1,
    forAuthorized: false,
    whileRevalidateMs: 0,
    ifErrorMs: 0,
    mustRevalidate: false,
    retentionMs: 0,
    tags: [],
    unsent: [],
    taggedHere: false,
    ...changes,
    body: bytes,
    fields,
  }
}
