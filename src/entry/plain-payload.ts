import { DEPTH_MOST } from './payload-scan.ts'

/** What is answered for bytes that hold anything but plain data, or not what they should. */
export const NOT_PLAIN = Symbol('not plain')

/** As long as that, joining characters is faster than asking Node for a text. */
const SHORT_TEXT_MOST = 12

/** Longer names of properties are not remembered. */
const NAME_BYTES_MOST = 32

/** How many names are remembered, each in the place that its bytes say: the same few come with every value. */
const NAMES = 4096

const NOTHING = Buffer.alloc(0)

interface Name {
  readonly bytes: Uint8Array
  readonly text: string
}

/** What {@link decodePlain} must give up at: it never leaves the reader. */
type Read = unknown

/** Reads one value of msgpack, bounds checked: whatever goes beyond the bytes is not plain. */
class PlainReader {
  readonly #names: (Name | undefined)[] = Array.from({ length: NAMES }, () => undefined)
  #bytes: Buffer = NOTHING
  #at = 0
  #end = 0

  /** The value that is all of these bytes. */
  read(bytes: Buffer): Read {
    this.#bytes = bytes
    this.#at = 0
    this.#end = bytes.length
    const value = this.#value(0)
    // What was read may be large, and is not to live until the next reading.
    this.#bytes = NOTHING
    return this.#at === bytes.length ? value : NOT_PLAIN
  }

  #value(depth: number): Read {
    const bytes = this.#bytes
    const token = bytes[this.#at++]
    if (token === undefined) return NOT_PLAIN
    if (token < 0x80) return token
    if (token < 0x90) return this.#object(token & 0x0f, depth)
    if (token < 0xa0) return this.#array(token & 0x0f, depth)
    if (token < 0xc0) return this.#text(token & 0x1f)
    if (token >= 0xe0) return token - 0x100
    switch (token) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xcb:
        return this.#has(8) ? bytes.readDoubleBE(this.#past(8)) : NOT_PLAIN
      case 0xcc:
        return this.#has(1) ? bytes[this.#past(1)] : NOT_PLAIN
      case 0xcd:
        return this.#has(2) ? bytes.readUInt16BE(this.#past(2)) : NOT_PLAIN
      case 0xce:
        return this.#has(4) ? bytes.readUInt32BE(this.#past(4)) : NOT_PLAIN
      case 0xd0:
        return this.#has(1) ? bytes.readInt8(this.#past(1)) : NOT_PLAIN
      case 0xd1:
        return this.#has(2) ? bytes.readInt16BE(this.#past(2)) : NOT_PLAIN
      case 0xd2:
        return this.#has(4) ? bytes.readInt32BE(this.#past(4)) : NOT_PLAIN
      case 0xd9:
        return this.#has(1) ? this.#text(bytes[this.#past(1)] as number) : NOT_PLAIN
      case 0xda:
        return this.#has(2) ? this.#text(bytes.readUInt16BE(this.#past(2))) : NOT_PLAIN
      case 0xdc:
        return this.#has(2) ? this.#array(bytes.readUInt16BE(this.#past(2)), depth) : NOT_PLAIN
      case 0xde:
        return this.#has(2) ? this.#object(bytes.readUInt16BE(this.#past(2)), depth) : NOT_PLAIN
      default:
        return NOT_PLAIN
    }
  }

  #has(count: number): boolean {
    return this.#at + count <= this.#end
  }

  /** Goes past so many bytes. Answers where they begin. */
  #past(count: number): number {
    const start = this.#at
    this.#at += count
    return start
  }

  #object(count: number, depth: number): Read {
    if (depth > DEPTH_MOST) return NOT_PLAIN
    const object: Record<string, unknown> = {}
    for (let index = 0; index < count; index++) {
      const name = this.#name()
      if (name === undefined) return NOT_PLAIN
      const value = this.#value(depth + 1)
      if (value === NOT_PLAIN) return NOT_PLAIN
      object[name] = value
    }
    return object
  }

  #array(count: number, depth: number): Read {
    if (depth > DEPTH_MOST) return NOT_PLAIN
    const array: unknown[] = []
    for (let index = 0; index < count; index++) {
      const value = this.#value(depth + 1)
      if (value === NOT_PLAIN) return NOT_PLAIN
      array.push(value)
    }
    return array
  }

  #text(length: number): Read {
    if (!this.#has(length)) return NOT_PLAIN
    const bytes = this.#bytes
    const start = this.#past(length)
    if (length > SHORT_TEXT_MOST) return bytes.toString('utf8', start, start + length)
    let text = ''
    for (let at = start; at < start + length; at++) {
      const code = bytes[at] as number
      if (code > 0x7f) return bytes.toString('utf8', start, start + length)
      text += String.fromCharCode(code)
    }
    return text
  }

  /** The name of a property; `undefined` for what is none, or would set a prototype. */
  #name(): string | undefined {
    const bytes = this.#bytes
    const token = bytes[this.#at++] ?? 0
    let length: number
    if (token >= 0xa0 && token < 0xc0) length = token & 0x1f
    else if (token === 0xd9 && this.#has(1)) length = bytes[this.#past(1)] as number
    else return undefined
    if (length === 0 || !this.#has(length)) return length === 0 ? '' : undefined
    const start = this.#past(length)
    const end = start + length
    const place = this.#placeOf(start, length)
    const known = this.#names[place]
    if (known !== undefined && isAt(known.bytes, bytes, start, length)) return known.text
    const text = bytes.toString('utf8', start, end)
    if (text === '__proto__') return undefined
    if (length <= NAME_BYTES_MOST) this.#names[place] = { bytes: Uint8Array.from(bytes.subarray(start, end)), text }
    return text
  }

  #placeOf(start: number, length: number): number {
    const bytes = this.#bytes
    const first = bytes[start] as number
    const middle = bytes[start + (length >> 1)] as number
    const last = bytes[start + length - 1] as number
    return ((length << 7) ^ (first * 31) ^ (last << 3) ^ middle) & (NAMES - 1)
  }
}

function isAt(name: Uint8Array, bytes: Buffer, start: number, length: number): boolean {
  if (name.length !== length) return false
  for (let index = 0; index < length; index++) if (name[index] !== bytes[start + index]) return false
  return true
}

const reader = new PlainReader()

/**
 * The value in msgpack bytes that hold nothing but plain data as JSON has it, in less time than a scan and msgpackr take:
 * it is most of what a read of L2 costs. {@link NOT_PLAIN} for everything else, be it a Date, a long array, or bytes that
 * we never write.
 */
export function decodePlain(bytes: Buffer): unknown {
  return reader.read(bytes)
}
