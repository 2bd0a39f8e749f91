import { hash } from 'node:crypto'

/** A strong entity tag for bytes (RFC 9110, section 8.8.3): the first 132 bits of their SHA-256. */
export function ownTag(body: Uint8Array): string {
  return `"${hash('sha256', body, 'base64url').slice(0, 22)}"`
}
