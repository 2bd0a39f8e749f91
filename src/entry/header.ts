import { TierCacheError } from '../errors.ts'
import { TAGS_MOST } from './key.ts'

/**
 * The clear header in front of every entry in Redis. Its offsets are shared with the Lua scripts, which read the fill
 * stamp and the version, and write `n0` and the stamps; all numbers are big-endian.
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 2 | magic `tc` |
 * | 2 | 1 | format, 1 |
 * | 3 | 1 | flags |
 * | 4 | 8 | fill stamp: random, names this very fill |
 * | 12 | 8 | n0: the chain's number that this value is known to follow (float64; written by the script) |
 * | 20 | 8 | createdAt, server time in ms (float64, as the next two) |
 * | 28 | 8 | freshUntil |
 * | 36 | 8 | staleUntil |
 * | 44 | 8 | version given by the caller (float64; NaN: none) |
 * | 52 | 4 | load time in ms |
 * | 56 | 2 | count of stamps (written by the script, as the next two) |
 * | 58 | 4 | bytes of all stamps |
 * | 62 | … | stamps, each behind a byte that tells its length: those of the namespaces above, then those of the tags |
 * | … | … | names of the tags, each behind two bytes that tell its length |
 * | … | … | payload; what it was put into is told in `envelope.ts` |
 */
export interface Header {
  readonly flags: number
  readonly fillStamp: Buffer
  readonly createdAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly version: number | undefined
  readonly loadMs: number
}

/** What stands behind the fixed part. */
export interface HeaderRead extends Header {
  readonly n0: number
  readonly stamps: readonly string[]
  readonly tags: readonly string[]
  readonly payload: Buffer
}

export const FORMAT = 1

export const FLAG_NULL = 1
export const FLAG_INTEGER = 2
/** The next three tell what the payload was put into; see `envelope.ts`. */
export const FLAG_COMPRESSED = 4
export const FLAG_ENCRYPTED = 8
export const FLAG_VERSIONED = 16

/** Where the part that the client writes ends and the part that the script writes begins. */
const STAMPS_AT = 56
const FIXED_BYTES = 62
const MAGIC = 0x7463
const NO_TAGS: readonly string[] = Object.freeze([])
const ALL_FLAGS = FLAG_NULL | FLAG_INTEGER | FLAG_COMPRESSED | FLAG_ENCRYPTED | FLAG_VERSIONED

/** The first bytes of an entry, up to the stamps, which the script adds. */
export function writeHead(header: Header): Buffer {
  const head = Buffer.alloc(STAMPS_AT)
  head.writeUInt16BE(MAGIC, 0)
  head.writeUInt8(FORMAT, 2)
  head.writeUInt8(header.flags, 3)
  header.fillStamp.copy(head, 4, 0, 8)
  head.writeDoubleBE(header.createdAt, 20)
  head.writeDoubleBE(header.freshUntil, 28)
  head.writeDoubleBE(header.staleUntil, 36)
  head.writeDoubleBE(header.version ?? Number.NaN, 44)
  head.writeUInt32BE(Math.min(Math.max(0, Math.round(header.loadMs)), 0xffffffff), 52)
  return head
}

/** The last bytes of an entry: the names of its tags, and the payload. */
export function writeTail(tags: readonly string[], payload: Buffer): Buffer {
  const parts: Buffer[] = []
  for (const tag of tags) {
    const name = Buffer.from(tag)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(name.length)
    parts.push(length, name)
  }
  return parts.length === 0 ? payload : Buffer.concat([...parts, payload])
}

/**
 * Takes an entry's bytes apart. `above` is the count of namespaces whose clear stamps come before those of the tags.
 * Throws `ERR_UNDECODABLE` for whatever is no entry of this format.
 */
export function readHeader(bytes: Buffer, above: number): HeaderRead {
  if (bytes.length < FIXED_BYTES || bytes.readUInt16BE(0) !== MAGIC) throw undecodable('no entry of tiercache')
  if (bytes[2] !== FORMAT) throw undecodable(`format ${bytes[2]}, expected ${FORMAT}`)
  const flags = bytes[3] as number
  if ((flags & ~ALL_FLAGS) !== 0) throw undecodable(`unknown flags ${flags}`)
  const count = bytes.readUInt16BE(56)
  const stampsEnd = FIXED_BYTES + bytes.readUInt32BE(58)
  if (count < above || stampsEnd > bytes.length) throw undecodable('stamps do not fit')
  // Each tag costs its reader a key of Redis, so no more are believed than are ever written.
  if (count > above + TAGS_MOST) throw undecodable(`${count - above} tags, expected at most ${TAGS_MOST}`)
  const view = viewOf(bytes)
  const version = view.getFloat64(bytes.byteOffset + 44)
  const [tags, payloadAt] = count === above ? [NO_TAGS, stampsEnd] : readTags(bytes, stampsEnd, count - above)
  return {
    flags,
    fillStamp: bytes.subarray(4, 12),
    n0: view.getFloat64(bytes.byteOffset + 12),
    createdAt: instant(view, bytes.byteOffset + 20),
    freshUntil: instant(view, bytes.byteOffset + 28),
    staleUntil: instant(view, bytes.byteOffset + 36),
    version: Number.isNaN(version) ? undefined : version,
    loadMs: bytes.readUInt32BE(52),
    stamps: readStamps(bytes, stampsEnd, count),
    tags,
    payload: bytes.subarray(payloadAt),
  }
}

let lastView: DataView = new DataView(new ArrayBuffer(0))

/** A view of the memory that these bytes are part of: the answers of one MGET share theirs. */
function viewOf({ buffer }: Buffer): DataView {
  if (lastView.buffer !== buffer) lastView = new DataView(buffer)
  return lastView
}

function instant(view: DataView, offset: number): number {
  const value = view.getFloat64(offset)
  if (Number.isNaN(value) || value < 0) throw undecodable('a deadline is no instant')
  return value
}

function readStamps(bytes: Buffer, end: number, count: number): string[] {
  const stamps: string[] = []
  let at = FIXED_BYTES
  for (let index = 0; index < count; index++) {
    const length = at < end ? (bytes[at] as number) : Number.POSITIVE_INFINITY
    if (at + 1 + length > end) throw undecodable('stamps do not fit')
    stamps.push(bytes.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  if (at !== end) throw undecodable('stamps do not fit')
  return stamps
}

function readTags(bytes: Buffer, start: number, count: number): [tags: readonly string[], payloadAt: number] {
  const tags: string[] = []
  let at = start
  for (let index = 0; index < count; index++) {
    if (at + 2 > bytes.length) throw undecodable('names of tags do not fit')
    const end = at + 2 + bytes.readUInt16BE(at)
    if (end > bytes.length) throw undecodable('names of tags do not fit')
    tags.push(bytes.toString('utf8', at + 2, end))
    at = end
  }
  return [tags, at]
}

/** The error of bytes that are not what they should be. */
export function undecodable(why: string, cause?: unknown): TierCacheError {
  return new TierCacheError('ERR_UNDECODABLE', `an entry in Redis cannot be read: ${why}`, { cause })
}
