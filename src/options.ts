import { badValue, describe, TierCacheError } from './errors.ts'

/**
 * A length of time: milliseconds, a text such as `'5m'` (ms, s, m, h, d), parts, or `'never'` (no end).
 *
 * @example
 * cache.set('k', 1, { ttl: 1500 })
 * cache.set('k', 1, { ttl: '1.5s' })
 * cache.set('k', 1, { ttl: { minutes: 1, seconds: 30 } })
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}` | DurationParts | 'never'

export interface DurationParts {
  readonly seconds?: number | undefined
  readonly minutes?: number | undefined
  readonly hours?: number | undefined
  readonly days?: number | undefined
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const PART_MS: Record<string, number> = { seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 }
const DURATION_TEXT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const DURATION_EXPECTED =
  "milliseconds >= 0, a text like '5m' (ms, s, m, h, d), { seconds, minutes, hours, days } or 'never'"

/** Milliseconds of a `Duration`; `Infinity` for `'never'`. Throws `ERR_INVALID_OPTION`, naming the option. */
export function readDuration(name: string, value: unknown): number {
  const ms = durationMs(value)
  if (ms === undefined) throw badDuration(name, DURATION_EXPECTED, value)
  return ms
}

/** As {@link badValue}; of parts it says which. */
function badDuration(name: string, expected: string, value: unknown): TierCacheError {
  const parts = isParts(value) ? Object.entries(value).slice(0, PARTS_TOLD) : []
  if (parts.length === 0) return badValue('ERR_INVALID_OPTION', name, expected, value)
  const told = parts.map(([unit, count]) => `${JSON.stringify(unit.slice(0, 40))}: ${describe(count)}`)
  return new TierCacheError('ERR_INVALID_OPTION', `${name}: expected ${expected}, got { ${told.join(', ')} }`)
}

/** There are four. */
const PARTS_TOLD = 4

function isParts(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function durationMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  if (value === 'never') return Number.POSITIVE_INFINITY
  if (typeof value === 'string') return textMs(value)
  if (isParts(value)) return partsMs(value)
  return undefined
}

/** Texts read before: the same few come with every call. */
const knownTexts = new Map<string, number>()
const KNOWN_TEXTS_MOST = 256

function textMs(text: string): number | undefined {
  const known = knownTexts.get(text)
  if (known !== undefined) return known
  const ms = parseText(text)
  if (ms !== undefined && knownTexts.size < KNOWN_TEXTS_MOST) knownTexts.set(text, ms)
  return ms
}

function parseText(text: string): number | undefined {
  const match = DURATION_TEXT.exec(text)
  if (!match) return undefined
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
  return Number.isFinite(ms) ? ms : undefined
}

function partsMs(parts: object): number | undefined {
  const entries = Object.entries(parts).filter(([, count]) => count !== undefined)
  if (entries.length === 0) return undefined
  let ms = 0
  for (const [unit, count] of entries) {
    const unitMs = Object.hasOwn(PART_MS, unit) ? PART_MS[unit] : undefined
    if (unitMs === undefined || typeof count !== 'number' || !Number.isFinite(count) || count < 0) return undefined
    ms += count * unitMs
  }
  return Number.isFinite(ms) ? ms : undefined
}

/** A duration that must have an end and be at least `least` ms: for deadlines and leases. */
export function readFiniteDuration(name: string, value: unknown, least = 1): number {
  const ms = durationMs(value)
  if (ms === undefined || ms < least || ms === Number.POSITIVE_INFINITY) {
    throw badDuration(name, `a duration of at least ${least} ms, with an end`, value)
  }
  return ms
}

/** A whole number from `least` to `most`. */
export function readInteger(name: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? `>= ${least}` : `from ${least} to ${most}`
    throw badValue('ERR_INVALID_OPTION', name, `a whole number ${range}`, value)
  }
  return value
}

/** A number from `least` to `most`. */
export function readNumber(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw badValue('ERR_INVALID_OPTION', name, `a number from ${least} to ${most}`, value)
  }
  return value
}

/** One word of a closed list. */
export function readWord<Word extends string>(name: string, value: unknown, words: readonly Word[]): Word {
  if (!words.includes(value as Word)) {
    throw badValue('ERR_INVALID_OPTION', name, words.map((word) => `'${word}'`).join(', '), value)
  }
  return value as Word
}

/** Reads one word of a closed list; see {@link readWord}. */
export function oneOf<Word extends string>(...words: readonly Word[]): (name: string, value: unknown) => Word {
  return (name, value) => readWord(name, value, words)
}

export function readFlag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw badValue('ERR_INVALID_OPTION', name, 'true or false', value)
  return value
}

/** How each option is read, and the setting that it gives. */
export type OptionTable<Options, Settings> = {
  readonly [Name in keyof Options]-?: {
    readonly [Setting in keyof Settings]: {
      readonly setting: Setting
      readonly read: (name: string, value: unknown) => Settings[Setting]
    }
  }[keyof Settings]
}

/**
 * The settings of `base`, and over them those that the options give; `undefined` is absence. Refuses what is not a plain
 * object (`ERR_INVALID_OPTION`) and names that are not in the table (`ERR_UNKNOWN_OPTION`).
 */
export function readOptions<Options extends object, Settings extends object>(
  owner: string,
  options: Options | undefined,
  table: OptionTable<Options, Settings>,
  base: Settings,
): Settings {
  if (options === undefined) return base
  checkObject(owner, options)
  const settings = { ...base }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(table, name)) throw unknownOption(owner, name, Object.keys(table))
    const value = options[name as keyof Options]
    if (value === undefined) continue
    const { setting, read } = table[name as keyof Options]
    settings[setting] = read(name, value)
  }
  return settings
}

/**
 * The options as given, less those that are `undefined` (which is absence). Refuses what is not a plain object
 * (`ERR_INVALID_OPTION`) and names that are not in `known` (`ERR_UNKNOWN_OPTION`).
 */
export function definedOptions<O extends object>(owner: string, options: O | undefined, known: readonly string[]): O {
  if (options === undefined) return {} as O
  checkOptions(owner, options, known)
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O
}

/**
 * Refuses what is not a plain object (`ERR_INVALID_OPTION`) and names that are not in `known` (`ERR_UNKNOWN_OPTION`).
 * Copies nothing: for options that come with every call.
 */
export function checkOptions(owner: string, options: object, known: readonly string[]): void {
  checkObject(owner, options)
  for (const name of Object.keys(options)) if (!known.includes(name)) throw unknownOption(owner, name, known)
}

function checkObject(owner: string, options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw badValue('ERR_INVALID_OPTION', owner, 'an object of options', options)
  }
}

function unknownOption(owner: string, name: string, known: readonly string[]): TierCacheError {
  const expected = known.join(', ')
  return new TierCacheError('ERR_UNKNOWN_OPTION', `${owner}: unknown option '${name}', expected one of ${expected}`)
}
