import { badValue } from '../errors.ts'
import { readFlag, readOptions } from '../options.ts'
import { bestCoding, bestLanguage, remembered } from './negotiation.ts'
import { patternOf } from './wildcard.ts'
import type { OptionTable } from '../options.ts'

/**
 * Which parameters of a query are meant: names, where `*` stands for anything (`'utm_*'`), patterns, or a function.
 * Names are compared as decoded (`%61` is `a`), with regard to case.
 */
export type ParameterNames = readonly (string | RegExp)[] | ((name: string) => boolean)

/** Which part of a query tells pages apart. */
export interface QueryOptions {
  /** The parameters that count; all others are as if absent. `[]`: none does. Default: all count. */
  readonly allow?: ParameterNames | undefined
  /** Parameters that do not count, as those of campaigns: `['utm_*', 'gclid']`. Default: none. */
  readonly ignore?: ParameterNames | undefined
  /** The order of parameters of different names does not count: `?a=1&b=2` is `?b=2&a=1`. Default `false`. */
  readonly sort?: boolean | undefined
}

export interface QuerySettings {
  /** Whether a parameter counts; `undefined`: all do. */
  readonly counts: ((name: string) => boolean) | undefined
  readonly sort: boolean
}

/**
 * By what the values of a request field that a response varies by are told apart.
 *
 * - `'coding'`, of Accept-Encoding: which of `br`, `gzip` and `identity` it wants most.
 * - a list, of Accept-Encoding or Accept-Language: which of these it wants most.
 * - a function: what it makes of the value (`undefined` where the field is absent).
 */
export type Normalizer = 'coding' | readonly string[] | ((value: string | undefined) => string | undefined)

export type Normalize = (value: string | undefined) => string | undefined

/** Normalisers by lower-case field name. */
export interface NormalizeSettings {
  readonly by: ReadonlyMap<string, Normalize>
  /** The field names whose normaliser is told from a list of codings. */
  readonly byCoding: boolean
}

export const ALL_COUNT: QuerySettings = Object.freeze({ counts: undefined, sort: false })
export const AS_IT_CAME: NormalizeSettings = Object.freeze({ by: new Map(), byCoding: false })

interface ReadQuery {
  readonly allow: ((name: string) => boolean) | undefined
  readonly ignore: ((name: string) => boolean) | undefined
  readonly sort: boolean
}

const QUERY: OptionTable<QueryOptions, ReadQuery> = {
  allow: { setting: 'allow', read: readNames },
  ignore: { setting: 'ignore', read: readNames },
  sort: { setting: 'sort', read: readFlag },
}

export function readQuery(name: string, value: unknown): QuerySettings {
  const none: ReadQuery = { allow: undefined, ignore: undefined, sort: false }
  const { allow, ignore, sort } = readOptions(name, value as QueryOptions, QUERY, none)
  if (!allow && !ignore) return { counts: undefined, sort }
  return { counts: (parameter) => (allow?.(parameter) ?? true) && !ignore?.(parameter), sort }
}

function readNames(name: string, value: unknown): (name: string) => boolean {
  if (typeof value === 'function') return (parameter) => Boolean(value(parameter))
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string' || each instanceof RegExp)) {
    throw badValue('ERR_INVALID_OPTION', name, 'a list of names and patterns, or a function', value)
  }
  const patterns = value.map(patternOf)
  return (parameter) => patterns.some((pattern) => pattern.test(parameter))
}

export function readNormalize(name: string, value: unknown): NormalizeSettings {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badValue('ERR_INVALID_OPTION', name, 'an object of normalisers by field name', value)
  }
  const by = new Map<string, Normalize>()
  let byCoding = false
  for (const [field, normalizer] of Object.entries(value)) {
    if (normalizer === undefined) continue
    const lower = field.toLowerCase()
    by.set(lower, readNormalizer(`${name}.${field}`, lower, normalizer))
    byCoding ||= lower === 'accept-encoding' && typeof normalizer !== 'function'
  }
  return { by, byCoding }
}

function readNormalizer(name: string, field: string, value: unknown): Normalize {
  if (typeof value === 'function') return caught(value as Normalize)
  const names = Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string')
  if (field === 'accept-encoding' && (value === 'coding' || names)) {
    const offered = value === 'coding' ? ['br', 'gzip'] : (value as string[]).map((each) => each.toLowerCase())
    return remembered((accepted) => bestCoding(accepted, offered))
  }
  if (field === 'accept-language' && names) return remembered((accepted) => bestLanguage(accepted, value as string[]))
  throw badValue('ERR_INVALID_OPTION', name, EXPECTED_NORMALIZER, value)
}

const EXPECTED_NORMALIZER =
  "a function, or 'coding' or a list of codings for Accept-Encoding, or a list of languages for Accept-Language"

/** What a function cannot make anything of is told apart as it came: there are only more variants. */
function caught(normalize: Normalize): Normalize {
  return (value) => {
    try {
      const text = normalize(value)
      return typeof text === 'string' ? text : undefined
    } catch {
      return value
    }
  }
}
