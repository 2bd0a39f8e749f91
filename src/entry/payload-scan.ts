import { undecodable } from './header.ts'

/** How deep values may nest, in both directions. */
export const DEPTH_MOST = 200

/** The extension type under which a Map is written: its keys and values in turn, as one array. */
export const MAP_EXTENSION = 0x4d

/** The extension type under which -0 is written, which msgpack has no short form for: a mark, and 0 behind it. */
export const MINUS_ZERO_EXTENSION = 0x2d

/** The extension type under which a text with lone surrogates is written: a mark, and its UTF-16 units as bytes behind it. */
export const UNITS_EXTENSION = 0x55

const EXTENSION_UNDEFINED = 0x00
const EXTENSION_BIGINT = 0x42
const EXTENSION_SET = 0x73
const EXTENSION_TYPED_ARRAY = 0x74
const EXTENSION_DATE = 0xff

/** Longer ones take more than linear time to read. */
export const BIGINT_BYTES_MOST = 4096

/**
 * Walks over msgpack bytes without building anything, and throws `ERR_UNDECODABLE` at what we never write: foreign
 * extension types, lengths beyond the bytes, nesting beyond {@link DEPTH_MOST}, trailing bytes. What comes from Redis
 * is foreign: a declared length of four billion must not become an array, nor an extension become a RegExp.
 */
export function scanPayload(bytes: Buffer): void {
  const end = scanValue(bytes, 0, 0)
  if (end !== bytes.length) throw undecodable('bytes behind the value')
}

/** Returns where the value that begins at `at` ends. */
function scanValue(bytes: Buffer, at: number, depth: number): number {
  const token = bytes[at]
  if (token === undefined) throw undecodable('bytes end within a value')
  const next = at + 1
  if (token < 0x80 || token >= 0xe0) return next
  if (token < 0x90) return scanItems(bytes, next, (token & 0x0f) * 2, depth)
  if (token < 0xa0) return scanItems(bytes, next, token & 0x0f, depth)
  if (token < 0xc0) return skip(bytes, next, token & 0x1f)
  switch (token) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return next
    case 0xc4:
    case 0xd9:
      return skip(bytes, next + 1, length(bytes, next, 1))
    case 0xc5:
    case 0xda:
      return skip(bytes, next + 2, length(bytes, next, 2))
    case 0xc6:
    case 0xdb:
      return skip(bytes, next + 4, length(bytes, next, 4))
    case 0xc7:
      return scanExtension(bytes, next + 1, length(bytes, next, 1), depth)
    case 0xc8:
      return scanExtension(bytes, next + 2, length(bytes, next, 2), depth)
    case 0xc9:
      return scanExtension(bytes, next + 4, length(bytes, next, 4), depth)
    case 0xca:
    case 0xce:
    case 0xd2:
      return skip(bytes, next, 4)
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return skip(bytes, next, 8)
    case 0xcc:
    case 0xd0:
      return skip(bytes, next, 1)
    case 0xcd:
    case 0xd1:
      return skip(bytes, next, 2)
    case 0xd4:
      return scanExtension(bytes, next, 1, depth)
    case 0xd5:
      return scanExtension(bytes, next, 2, depth)
    case 0xd6:
      return scanExtension(bytes, next, 4, depth)
    case 0xd7:
      return scanExtension(bytes, next, 8, depth)
    case 0xd8:
      return scanExtension(bytes, next, 16, depth)
    case 0xdc:
      return scanItems(bytes, next + 2, length(bytes, next, 2), depth)
    case 0xdd:
      return scanItems(bytes, next + 4, length(bytes, next, 4), depth)
    case 0xde:
      return scanItems(bytes, next + 2, length(bytes, next, 2) * 2, depth)
    case 0xdf:
      return scanItems(bytes, next + 4, length(bytes, next, 4) * 2, depth)
    default:
      throw undecodable(`a token that is never written (${token})`)
  }
}

function length(bytes: Buffer, at: number, size: 1 | 2 | 4): number {
  if (at + size > bytes.length) throw undecodable('bytes end within a length')
  return bytes.readUIntBE(at, size)
}

function skip(bytes: Buffer, at: number, count: number): number {
  if (at + count > bytes.length) throw undecodable('a length beyond the bytes')
  return at + count
}

function scanItems(bytes: Buffer, start: number, count: number, depth: number): number {
  if (depth > DEPTH_MOST) throw undecodable('nested too deeply')
  // Every item takes a byte at least, so a count beyond the bytes is a lie and must not be walked.
  if (count > bytes.length - start) throw undecodable('a length beyond the bytes')
  let at = start
  for (let index = 0; index < count; index++) at = scanValue(bytes, at, depth + 1)
  return at
}

function scanExtension(bytes: Buffer, at: number, size: number, depth: number): number {
  const type = bytes[at]
  const end = skip(bytes, at + 1, size)
  switch (type) {
    case EXTENSION_UNDEFINED:
      if (size === 1) return end
      break
    case EXTENSION_SET:
    case MAP_EXTENSION:
      // The extension is a mark of one byte; its content is the array that follows, on the same level.
      if (size === 1 && isArray(bytes[end])) return scanValue(bytes, end, depth)
      break
    case UNITS_EXTENSION:
      if (size === 1 && isBytes(bytes[end])) return scanValue(bytes, end, depth)
      break
    case MINUS_ZERO_EXTENSION:
      if (size === 1 && bytes[end] === 0) return end + 1
      break
    case EXTENSION_TYPED_ARRAY:
      if (size >= 1) return end
      break
    case EXTENSION_BIGINT:
      if (size <= BIGINT_BYTES_MOST) return end
      break
    case EXTENSION_DATE:
      if (size === 1 || size === 4 || size === 8 || size === 12) return end
      break
  }
  throw undecodable(`an extension that is never written (type ${type}, ${size} bytes)`)
}

function isArray(token: number | undefined): boolean {
  return token !== undefined && ((token >= 0x90 && token < 0xa0) || token === 0xdc || token === 0xdd)
}

function isBytes(token: number | undefined): boolean {
  return token === 0xc4 || token === 0xc5 || token === 0xc6
}
