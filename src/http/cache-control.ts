/**
 * The directives of a Cache-Control field: by lower-case name, the arguments of each occurrence in order
 * (`undefined` where it had none, text without its quotes where it had one).
 */
export type CacheControl = ReadonlyMap<string, readonly (string | undefined)[]>

/** What a field says that is not there. */
export const NO_DIRECTIVES: CacheControl = new Map()
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i
const DIGITS = /^\d+$/

/** The greatest delta-seconds that is told apart (RFC 9111, section 1.2.2). */
export const LONGEST_SECONDS = 2 ** 31

/**
 * Reads the syntax of Cache-Control (RFC 9111, section 5.2), without any policy. Names are case-insensitive; an
 * argument may be a token or a quoted text; what is neither is passed over. A quotation mark that is never closed
 * quotes nothing, so that it cannot hide the directives behind it.
 */
export function parseCacheControl(text: string | undefined): CacheControl {
  if (text === undefined || text === '') return NO_DIRECTIVES
  const directives = new Map<string, (string | undefined)[]>()
  for (const part of splitList(text)) {
    const equals = part.indexOf('=')
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase()
    if (!TOKEN.test(name)) continue
    const argument = equals < 0 ? undefined : unquote(part.slice(equals + 1).trim())
    const occurrences = directives.get(name)
    if (occurrences) occurrences.push(argument)
    else directives.set(name, [argument])
  }
  return directives
}

/** Seconds of a delta-seconds text (RFC 9111, section 1.2.2), or `undefined` if it is none. */
export function deltaSeconds(text: string | undefined): number | undefined {
  if (text === undefined || !DIGITS.test(text)) return undefined
  return Math.min(Number(text), LONGEST_SECONDS)
}

/**
 * The seconds that a directive says: the least of its occurrences, where one that is not delta-seconds counts as 0, so
 * that what contradicts itself or makes no sense is as good as stale (section 4.2.1). `undefined`: it is not there.
 */
export function leastSeconds(control: CacheControl, directive: string): number | undefined {
  const args = control.get(directive)
  return args && Math.min(...args.map((argument) => deltaSeconds(argument) ?? 0))
}

/**
 * The lower-case field names that all occurrences of a directive list (`private="x-user, x-cart"`), or `'all'` if one
 * of them lists none: the directive without an argument means the whole response.
 */
export function fieldNames(control: CacheControl, directive: string): 'all' | readonly string[] {
  const names: string[] = []
  for (const argument of control.get(directive) ?? []) {
    const listed = (argument ?? '').split(',').map((name) => name.trim().toLowerCase())
    if (!listed.every((name) => TOKEN.test(name))) return 'all'
    names.push(...listed)
  }
  return names
}

/** The members of a comma-separated list, commas inside quoted texts aside. Empty members are left out. */
export function splitList(text: string): string[] {
  const members: string[] = []
  let from = 0
  let quoting = true
  for (let at = 0; at <= text.length; at++) {
    const character = text[at]
    if (character === '"' && quoting) {
      const closing = closingQuote(text, at)
      if (closing === undefined) quoting = false
      else at = closing
    } else if (character === ',' || at === text.length) {
      const member = text.slice(from, at).trim()
      if (member !== '') members.push(member)
      from = at + 1
    }
  }
  return members
}

function closingQuote(text: string, opening: number): number | undefined {
  for (let at = opening + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return undefined
}

function unquote(argument: string): string {
  const quoted = argument.length >= 2 && argument.startsWith('"') && argument.endsWith('"')
  return quoted ? argument.slice(1, -1).replace(/\\(.)/gs, '$1').trim() : argument
}
