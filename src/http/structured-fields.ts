/** What an item says (RFC 9651, section 3.3). `value` of a date is in seconds since 1970. */
export type BareItem =
  | { readonly type: 'integer' | 'decimal' | 'date'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'display-string'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'bytes'; readonly value: Uint8Array }

/** What stands behind an item or list, after `;`, by key (section 3.1.2). */
export type Parameters = ReadonlyMap<string, BareItem>

export type Item = BareItem & { readonly parameters: Parameters }

/** Items in parentheses (section 3.1.1). */
export interface InnerList {
  readonly type: 'inner-list'
  readonly items: readonly Item[]
  readonly parameters: Parameters
}

export type Member = Item | InnerList

/**
 * Reads a List (RFC 9651, section 3.1) from a field whose lines were combined; the empty field is the empty list.
 * `undefined`: it is none, and the whole field is to be ignored.
 */
export function parseList(text: string): readonly Member[] | undefined {
  return parse(text, list)
}

/** Reads a Dictionary (section 3.2), as {@link parseList} reads lists. Of members of one key the last counts. */
export function parseDictionary(text: string): ReadonlyMap<string, Member> | undefined {
  return parse(text, dictionary)
}

/** Reads an Item (section 3.3), as {@link parseList} reads lists; the empty field is none. */
export function parseItem(text: string): Item | undefined {
  return parse(text, item)
}

/** A text, and how much of it was read. */
interface Scan {
  readonly text: string
  at: number
}

const MALFORMED = new Error('not a structured field')

/** The frame of all three (section 4.2). */
function parse<T>(text: string, read: (scan: Scan) => T): T | undefined {
  const scan: Scan = { text, at: 0 }
  try {
    take(scan, SPACES)
    const value = read(scan)
    take(scan, SPACES)
    return scan.at === text.length ? value : undefined
  } catch (error) {
    if (error === MALFORMED) return undefined
    throw error
  }
}

/** Section 4.2.1. */
function list(scan: Scan): readonly Member[] {
  const members: Member[] = []
  if (isAtEnd(scan)) return members
  do members.push(member(scan))
  while (hasNext(scan))
  return members
}

/** Section 4.2.2. */
function dictionary(scan: Scan): ReadonlyMap<string, Member> {
  const members = new Map<string, Member>()
  if (isAtEnd(scan)) return members
  do {
    const key = need(scan, KEY)
    members.set(key, skip(scan, '=') ? member(scan) : { ...TRUE, parameters: parameters(scan) })
  } while (hasNext(scan))
  return members
}

/** Whether a comma, and so one more member, follows. A comma at the end is malformed. */
function hasNext(scan: Scan): boolean {
  take(scan, WHITE_SPACE)
  if (isAtEnd(scan)) return false
  if (!skip(scan, ',')) throw MALFORMED
  take(scan, WHITE_SPACE)
  if (isAtEnd(scan)) throw MALFORMED
  return true
}

/** Section 4.2.1.1. */
function member(scan: Scan): Member {
  return skip(scan, '(') ? innerList(scan) : item(scan)
}

/** Section 4.2.1.2, behind the parenthesis. */
function innerList(scan: Scan): InnerList {
  const items: Item[] = []
  for (;;) {
    take(scan, SPACES)
    if (skip(scan, ')')) return { type: 'inner-list', items, parameters: parameters(scan) }
    items.push(item(scan))
    if (!isNext(scan, ' ') && !isNext(scan, ')')) throw MALFORMED
  }
}

/** Section 4.2.3. */
function item(scan: Scan): Item {
  const bare = bareItem(scan)
  return { ...bare, parameters: parameters(scan) }
}

const TRUE: BareItem = { type: 'boolean', value: true }
const NO_PARAMETERS: Parameters = new Map()

/** Section 4.2.3.2. */
function parameters(scan: Scan): Parameters {
  if (!isNext(scan, ';')) return NO_PARAMETERS
  const found = new Map<string, BareItem>()
  while (skip(scan, ';')) {
    take(scan, SPACES)
    const key = need(scan, KEY)
    found.set(key, skip(scan, '=') ? bareItem(scan) : TRUE)
  }
  return found
}

/** Section 4.2.3.1. */
function bareItem(scan: Scan): BareItem {
  switch (scan.text[scan.at]) {
    case '"':
      return { type: 'string', value: need(scan, STRING).slice(1, -1).replace(/\\(.)/g, '$1') }
    case '?':
      return { type: 'boolean', value: need(scan, BOOLEAN) === '?1' }
    case ':':
      return { type: 'bytes', value: Buffer.from(need(scan, BYTES).slice(1, -1), 'base64') }
    case '@':
      return dateOf(scan)
    case '%':
      return { type: 'display-string', value: displayed(need(scan, DISPLAY_STRING).slice(2, -1)) }
    default:
      return token(scan) ?? number(scan)
  }
}

/** Section 4.2.6. */
function token(scan: Scan): BareItem | undefined {
  const value = take(scan, TOKEN)
  return value === undefined ? undefined : { type: 'token', value }
}

/** Section 4.2.4: 15 digits, or 12 before the point and 3 behind it. */
function number(scan: Scan): BareItem {
  const [, whole = '', fraction] = NUMBER_PARTS.exec(need(scan, NUMBER)) ?? []
  if (fraction === undefined && whole.replace('-', '').length <= 15) return { type: 'integer', value: zeroed(whole) }
  if (fraction !== undefined && /^-?\d{1,12}$/.test(whole) && /^\d{1,3}$/.test(fraction)) {
    return { type: 'decimal', value: zeroed(`${whole}.${fraction}`) }
  }
  throw MALFORMED
}

/** There is one zero. */
function zeroed(digits: string): number {
  return Number(digits) + 0
}

/** Section 4.2.9. */
function dateOf(scan: Scan): BareItem {
  scan.at += 1
  const seconds = number(scan)
  if (seconds.type !== 'integer') throw MALFORMED
  return { type: 'date', value: seconds.value }
}

/** Section 4.2.10: percent-encoded UTF-8, in lower case. */
function displayed(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw MALFORMED
  }
}

const SPACES = / */y
const WHITE_SPACE = /[ \t]*/y
const KEY = /[a-z*][a-z0-9_\-.*]*/y
const STRING = /"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y
const NUMBER = /-?\d+(?:\.\d*)?/y
const NUMBER_PARTS = /^(-?\d+)(?:\.(\d*))?$/
const BOOLEAN = /\?[01]/y
const BYTES = /:[A-Za-z0-9+/]*={0,2}:/y
const DISPLAY_STRING = /%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/y

/** Reads what matches here, if anything does. */
function take(scan: Scan, pattern: RegExp): string | undefined {
  pattern.lastIndex = scan.at
  const found = pattern.exec(scan.text)?.[0]
  if (found !== undefined) scan.at += found.length
  return found
}

function need(scan: Scan, pattern: RegExp): string {
  const found = take(scan, pattern)
  if (found === undefined) throw MALFORMED
  return found
}

function isNext(scan: Scan, character: string): boolean {
  return scan.text[scan.at] === character
}

function skip(scan: Scan, character: string): boolean {
  if (!isNext(scan, character)) return false
  scan.at += 1
  return true
}

function isAtEnd({ text, at }: Scan): boolean {
  return at === text.length
}
