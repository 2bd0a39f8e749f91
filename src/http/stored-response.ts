import { combined, linesOf } from './message.ts'
import { variesBy } from './vary.ts'
import type { Field, Fields, FieldValue, ResponseHead } from './message.ts'

/** A response as it is kept: plain data, so that every tier can hold it. */
export interface StoredResponse {
  readonly kind: 'response'
  /** The resource that it answers, compared on every hit: a key is only a digest. */
  readonly resource: string
  readonly status: number
  /** The reason phrase, if it is not the usual one. */
  readonly message?: string
  readonly fields: Fields
  readonly body: Uint8Array
  /** The instant that its age counts from. */
  readonly bornAt: number
  readonly freshUntil: number
  /** Whether it may answer a request with Authorization. */
  readonly forAuthorized: boolean
  /** For how long after its freshness it may be served while it is revalidated (RFC 5861, section 3). */
  readonly whileRevalidateMs: number
  /** For how long after its freshness it may be served in place of an error (RFC 5861, section 4). */
  readonly ifErrorMs: number
  /** It is never served stale without a validation, whoever asks for that (RFC 9111, sections 4.2.4 and 5.2.2). */
  readonly mustRevalidate: boolean
  /** For how long after its freshness it is kept: to be served stale, or validated. */
  readonly retentionMs: number
  /** Fields that speak to this cache alone (RFC 9213): not sent, and heeded again when a 304 freshens the response. */
  readonly unsent: Fields
  /** What it is invalidated by, beside its key. */
  readonly tags: readonly string[]
  /** Its ETag is of this cache's making: the application knows nothing of it. */
  readonly taggedHere: boolean
}

/** What a stored response is made of, beside the head and body that the application wrote. */
export interface Keeping extends Omit<StoredResponse, 'kind' | 'status' | 'message' | 'fields' | 'unsent' | 'body'> {
  /** Names of fields, in lower case, that must not be kept. */
  readonly withheld: readonly string[]
  /** Names of fields, in lower case, that are kept, but not sent. */
  readonly targeted: readonly string[]
}

/** Fields of one connection, or made anew on every hit (RFC 9111, section 3.1). */
export const NEVER_KEPT: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'age',
  'content-length',
])

/** Fields of one user: left out of what is kept, unless the options say otherwise. */
export const COOKIES: readonly string[] = ['set-cookie', 'set-cookie2']

/** Statuses whose responses have no Content-Length of their own (RFC 9110, section 8.6). */
const WITHOUT_LENGTH = new Set([204, 304])

/**
 * Keeps a complete response: fields of the connection, those that `Connection` names and those withheld are left out,
 * and its length is that of the body as it was counted.
 */
export function keep(head: ResponseHead, body: Uint8Array, keeping: Keeping): StoredResponse {
  const { withheld, targeted, ...kept } = keeping
  const dropped = new Set([...NEVER_KEPT, ...connectionOptions(head.fields), ...withheld])
  const fields: Field[] = []
  const unsent: Field[] = []
  for (const field of head.fields) {
    const lower = field[0].toLowerCase()
    if (!dropped.has(lower)) (targeted.includes(lower) ? unsent : fields).push(field)
  }
  if (!WITHOUT_LENGTH.has(head.status)) fields.push(['Content-Length', String(body.byteLength)])
  return {
    kind: 'response',
    status: head.status,
    ...(head.message === undefined ? {} : { message: head.message }),
    fields,
    unsent,
    body,
    ...kept,
  }
}

/** Whether something that looks like a stored response can be sent as one, whoever wrote it. */
export function isIntact(stored: Partial<StoredResponse>): boolean {
  const { resource, status, message, fields, unsent, body, tags } = stored
  return (
    typeof resource === 'string' &&
    Number.isInteger(status) &&
    Number(status) >= 200 &&
    Number(status) <= 599 &&
    (message === undefined || isFieldText(message)) &&
    Array.isArray(fields) &&
    fields.every(isField) &&
    Array.isArray(unsent) &&
    unsent.every(isField) &&
    body instanceof Uint8Array &&
    INSTANTS.every((name) => Number.isFinite(stored[name])) &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === 'string')
  )
}

const INSTANTS = ['bornAt', 'freshUntil', 'whileRevalidateMs', 'ifErrorMs', 'retentionMs'] as const
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i
const FIELD_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/

function isField(field: unknown): boolean {
  if (!Array.isArray(field) || typeof field[0] !== 'string' || !FIELD_NAME.test(field[0])) return false
  return Array.isArray(field[1]) ? field[1].every(isFieldText) : isFieldText(field[1])
}

function isFieldText(text: unknown): boolean {
  return typeof text === 'string' && FIELD_TEXT.test(text)
}

/** About how many bytes a response takes in memory. */
export function responseBytes({ resource, fields, unsent, body, tags }: StoredResponse): number {
  let bytes = RESPONSE_BYTES + body.byteLength + resource.length
  for (const [name, value] of fields) bytes += FIELD_BYTES + name.length + textLength(value)
  for (const [name, value] of unsent) bytes += FIELD_BYTES + name.length + textLength(value)
  for (const tag of tags) bytes += TAG_BYTES + tag.length
  return bytes
}

/** What V8 takes for the objects around the texts. Estimates. */
const RESPONSE_BYTES = 640
const FIELD_BYTES = 96
const TAG_BYTES = 32

function textLength(value: FieldValue): number {
  return typeof value === 'string' ? value.length : value.reduce((sum, line) => sum + FIELD_BYTES + line.length, 0)
}

/** The Age of a stored response, in seconds (RFC 9111, sections 4 and 5.1). */
export function ageSeconds(stored: StoredResponse, now: number): number {
  return Math.max(0, Math.floor((now - stored.bornAt) / 1000))
}

/** How long it is still fresh, in seconds; negative when it is not. */
export function ttlSeconds(stored: StoredResponse, now: number): number {
  return Math.floor((stored.freshUntil - now) / 1000)
}

/** For how long it has been stale, by its own lifetime, in ms; 0 while it is fresh. */
export function staleMs(stored: StoredResponse, now: number): number {
  return Math.max(0, now - stored.freshUntil)
}

/** The request fields that a stored response depends on; what depends on everything is never stored. */
export function storedVary({ fields }: Pick<StoredResponse, 'fields'>): readonly string[] {
  const names = variesBy(fields)
  return names === '*' ? [] : names
}

/** The fields that a message says are those of its connection (RFC 9110, section 7.6.1), in lower case. */
export function connectionOptions(fields: Fields): readonly string[] {
  if (linesOf(fields, 'connection').length === 0) return []
  return (combined(fields, 'connection') ?? '').split(',').map((name) => name.trim().toLowerCase())
}
