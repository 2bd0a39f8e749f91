import type { KeyObject } from 'node:crypto'
import { createSecretKey } from 'node:crypto'
import { isAvailable } from '../entry/compression.ts'
import type { Algorithm } from '../entry/compression.ts'
import { KEY_BYTES } from '../entry/encryption.ts'
import type { EnvelopeSettings } from '../entry/envelope.ts'
import { badValue, TierCacheError } from '../errors.ts'
import { definedOptions, readInteger, readWord } from '../options.ts'

/** What becomes of values on their way to Redis. */
export interface CodecOptions {
  /** Compresses large values. Any process reads what another one compressed. Default `false`. */
  readonly compression?: boolean | CompressionOptions | undefined
  /** Encrypts values with AES-256-GCM, but for integers. Keys and the names of tags stay in the clear. Default: none. */
  readonly encryption?: EncryptionOptions | undefined
}

/** How values are compressed. */
export interface CompressionOptions {
  /** From how many bytes of an encoded value on. Default 4 KiB. */
  readonly threshold?: number | undefined
  /**
   * `'deflate'` (the default), which every Node reads; `'zstd'`, which is faster and needs Node 22.15 or 23.8: for a
   * process with an older one, what was compressed so is a miss.
   */
  readonly algorithm?: Algorithm | undefined
}

/** How values are encrypted. */
export interface EncryptionOptions {
  /**
   * Keys of 32 random bytes, as bytes, base64 or hexadecimal digits. The first one encrypts, all decrypt: put a new one
   * last in all processes, then first, then take the old one out.
   */
  readonly keys: readonly (string | Uint8Array)[]
}

const THRESHOLD = 4096

/** Reads the option `codec`. Throws `ERR_UNKNOWN_OPTION`, `ERR_INVALID_OPTION`; what is wrong with a key never says it. */
export function readCodecOptions(options: CodecOptions | undefined): EnvelopeSettings {
  refuseText('codec', '{ compression, encryption }', options)
  const { compression, encryption } = definedOptions('codec', options, ['compression', 'encryption'])
  return Object.freeze({ compression: readCompression(compression), keys: readEncryption(encryption) })
}

function readCompression(compression: CodecOptions['compression']): EnvelopeSettings['compression'] {
  if (compression === false || compression === undefined) return undefined
  if (compression !== true && (typeof compression !== 'object' || compression === null)) {
    const expected = 'true, false, or { threshold, algorithm }'
    throw badValue('ERR_INVALID_OPTION', 'codec.compression', expected, compression)
  }
  const given = definedOptions('codec.compression', compression === true ? {} : compression, ['threshold', 'algorithm'])
  const { threshold = THRESHOLD, algorithm: named = 'deflate' } = given
  const algorithm = readWord('codec.compression.algorithm', named, ['deflate', 'zstd'])
  if (!isAvailable(algorithm)) {
    const expected = `'deflate' on Node ${process.versions.node} ('zstd' needs 22.15 or 23.8)`
    throw badValue('ERR_INVALID_OPTION', 'codec.compression.algorithm', expected, algorithm)
  }
  return Object.freeze({
    threshold: readInteger('codec.compression.threshold', threshold, 1),
    algorithm,
  })
}

function readEncryption(encryption: EncryptionOptions | undefined): EnvelopeSettings['keys'] {
  if (encryption === undefined) return undefined
  refuseText('codec.encryption', '{ keys }', encryption)
  const { keys } = definedOptions('codec.encryption', encryption, ['keys'])
  if (!Array.isArray(keys) || keys.length === 0)
    throw badKey('codec.encryption.keys', 'an array of one key or more', keys)
  const [first, ...others] = keys.map((key: unknown, index) => readKey(`codec.encryption.keys[${index}]`, key))
  return Object.freeze([first as KeyObject, ...others] as const)
}

const HEXADECIMAL = /^[0-9a-f]{64}$/i
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/

function readKey(name: string, key: unknown): KeyObject {
  const bytes = key instanceof Uint8Array ? key : typeof key === 'string' ? bytesOf(key) : undefined
  if (bytes?.length === KEY_BYTES) return createSecretKey(bytes)
  throw badKey(name, `${KEY_BYTES} bytes, or these in base64 or as 64 hexadecimal digits`, key)
}

function bytesOf(text: string): Buffer | undefined {
  if (HEXADECIMAL.test(text)) return Buffer.from(text, 'hex')
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** A text where an object belongs may be a key, and other messages would show it. */
function refuseText(name: string, expected: string, value: unknown): void {
  if (typeof value === 'string' || value instanceof Uint8Array) throw badKey(name, expected, value)
}

/** As `badValue`, of what may be a key: says what sort of thing it is, and nothing in it. */
function badKey(name: string, expected: string, got: unknown): TierCacheError {
  return new TierCacheError('ERR_INVALID_OPTION', `${name}: expected ${expected}, got ${sortOf(got)}`)
}

function sortOf(value: unknown): string {
  if (typeof value === 'string') return `a text of ${value.length} characters`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `an array of ${value.length}`
  return value === undefined || value === null ? String(value) : `a value of type ${typeof value}`
}
