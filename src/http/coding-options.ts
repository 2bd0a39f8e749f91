import { badValue } from '../errors.ts'
import { readInteger, readOptions } from '../options.ts'
import { bestCoding, remembered } from './negotiation.ts'
import { patternOf } from './wildcard.ts'
import type { OptionTable } from '../options.ts'

/** A coding that stored responses are sent in. */
export type Coding = 'br' | 'gzip'

/** How stored responses are compressed. */
export interface CompressOptions {
  /** The codings, the best first: of those that a client wants equally it gets the first. Default `['br', 'gzip']`. */
  readonly codings?: readonly Coding[] | undefined
  /** The smallest body that is compressed, in bytes. Default 1024. */
  readonly threshold?: number | undefined
  /**
   * The media types that are compressed: texts, where `*` stands for anything, or patterns; compared in lower case, without
   * parameters. Default: `text/*`, JSON, JavaScript, XML, SVG, WebAssembly, and fonts that are not compressed by themselves.
   */
  readonly types?: readonly (string | RegExp)[] | undefined
  /** How many bytes of compressed bodies are kept in this process; beyond it the oldest go. Default 32 MiB. */
  readonly maxBytes?: number | undefined
}

export interface CompressSettings {
  readonly codings: readonly Coding[]
  readonly thresholdBytes: number
  readonly types: readonly RegExp[]
  readonly maxBytes: number
  /** The coding that a client wants, by its Accept-Encoding. */
  readonly choose: (accepted: string | undefined) => Coding | 'identity'
}

interface ReadCompress extends Omit<CompressSettings, 'choose'> {}

const TYPES = [
  'text/*',
  '*+json',
  '*+xml',
  'application/javascript',
  'application/json',
  'application/manifest',
  'application/ndjson',
  'application/wasm',
  'application/x-javascript',
  'application/x-ndjson',
  'application/xml',
  'font/otf',
  'font/ttf',
  'image/bmp',
]

const DEFAULTS: ReadCompress = {
  codings: ['br', 'gzip'],
  thresholdBytes: 1024,
  types: TYPES.map(patternOf),
  maxBytes: 32 * 2 ** 20,
}

const COMPRESS: OptionTable<CompressOptions, ReadCompress> = {
  codings: { setting: 'codings', read: readCodings },
  threshold: { setting: 'thresholdBytes', read: (name, value) => readInteger(name, value, 0) },
  types: { setting: 'types', read: readTypes },
  maxBytes: { setting: 'maxBytes', read: (name, value) => readInteger(name, value, 0) },
}

export function readCompress(name: string, value: unknown): CompressSettings | undefined {
  if (value === false) return undefined
  const read = readOptions(name, value === true ? undefined : (value as CompressOptions), COMPRESS, DEFAULTS)
  return { ...read, choose: remembered((accepted) => bestCoding(accepted, read.codings) as Coding | 'identity') }
}

function readCodings(name: string, value: unknown): readonly Coding[] {
  if (Array.isArray(value) && value.length > 0 && value.every((each) => each === 'br' || each === 'gzip')) return value
  throw badValue('ERR_INVALID_OPTION', name, "a list of 'br' and 'gzip'", value)
}

function readTypes(name: string, value: unknown): readonly RegExp[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string' || each instanceof RegExp)) {
    return value.map(patternOf)
  }
  throw badValue('ERR_INVALID_OPTION', name, 'a list of media types and patterns', value)
}
