import { combined, requestField } from './message.ts'
import type { Normalize, NormalizeSettings } from './key-options.ts'
import type { Fields, RequestHeaders } from './message.ts'

/**
 * The request fields that a response depends on (RFC 9110, section 12.5.5): lower case, sorted, each once. `'*'`
 * if it depends on more than the cache can see: such a response never fits another request.
 */
export function variesBy(fields: Fields): '*' | readonly string[] {
  const text = combined(fields, 'vary')
  if (text === undefined) return []
  const names = text.split(',').map((name) => name.trim().toLowerCase())
  if (names.includes('*')) return '*'
  return [...new Set(names.filter((name) => name !== ''))].sort()
}

/** Both sets of field names as one, sorted. A response may be told apart by more fields than it varies by. */
export function unite(some: readonly string[], others: readonly string[]): readonly string[] {
  return [...new Set([...some, ...others])].sort()
}

/** Whether every one of `names` is among `known`. */
export function covers(known: readonly string[], names: readonly string[]): boolean {
  return names.every((name) => known.includes(name))
}

/**
 * What a request says in one of the named fields, so that two requests match if and only if the texts are equal
 * (RFC 9111, section 4.1): lines combined, absence told apart from emptiness; or what the normaliser of the field makes of it.
 * White space is normalised where the field is known to be a list. Of all others nothing is known: `user="Ann Lee"` and
 * `user="Ann  Lee"` may be two users.
 */
export function nominated(headers: RequestHeaders, name: string, normalizers?: ReadonlyMap<string, Normalize>): string {
  const value = requestField(headers, name)
  const normalize = normalizers?.get(name)
  if (normalize) {
    const text = normalize(value)
    return text === undefined ? '-' : `+${text}`
  }
  if (value === undefined) return '-'
  // A comma within quotes separates nothing.
  if (!LISTS.has(name) || value.includes('"')) return `+${value}`
  const members = value.split(',').map((member) => member.trim())
  return `+${members.join(',')}`
}

/** Lists by their grammar (RFC 9110, section 12.5), in which quotes are rare. */
const LISTS: ReadonlySet<string> = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language'])

/**
 * Whether a response is in another coding than the one that its variant was named after: the next client of the variant
 * may not know that coding, as its `Accept-Encoding` was taken for the same.
 */
export function isOtherCoding(headers: RequestHeaders, fields: Fields, { by, byCoding }: NormalizeSettings): boolean {
  const coding = byCoding ? combined(fields, 'content-encoding')?.trim().toLowerCase() : undefined
  if (coding === undefined || coding === 'identity') return false
  return by.get('accept-encoding')?.(requestField(headers, 'accept-encoding')) !== coding
}

/**
 * The fields of a request that its normalisers change, as they have them: where the application sees these, no response can be
 * made of what clients of one variant say differently. Credentials are left alone, since sessions would be lost: what is made
 * of them is not for others unless it says so. `undefined`: none.
 */
export function normalizedFields(headers: RequestHeaders, { by }: NormalizeSettings): RequestHeaders | undefined {
  let changed: Record<string, string | undefined> | undefined
  for (const [name, normalize] of by) {
    if (CREDENTIALS.includes(name)) continue
    const value = requestField(headers, name)
    const text = normalize(value)
    if (text === value) continue
    changed ??= {}
    changed[name] = text
  }
  return changed
}

const CREDENTIALS = ['cookie', 'authorization', 'proxy-authorization']
