import { addExtension, Packr, Unpackr } from 'msgpackr'
import { describe, TierCacheError } from '../errors.ts'
import { FLAG_INTEGER, FLAG_NULL, undecodable } from './header.ts'
import { decodePlain, NOT_PLAIN } from './plain-payload.ts'
import {
  BIGINT_BYTES_MOST,
  DEPTH_MOST,
  MAP_EXTENSION,
  MINUS_ZERO_EXTENSION,
  scanPayload,
  UNITS_EXTENSION,
} from './payload-scan.ts'

/** A value as bytes, with the flags that say how to read them. */
export interface Encoded {
  readonly flags: number
  readonly payload: Buffer
}

/**
 * Stands for a Map while it is packed. msgpackr writes a Map and an object alike; a class of our own makes the
 * difference without changing how the application's other uses of msgpackr write their Maps.
 */
class PackedMap {
  readonly items: unknown[]

  constructor(items: unknown[]) {
    this.items = items
  }
}

// The types of msgpackr ask for the pair pack/unpack or read/write; this is the latter.
addExtension({
  Class: PackedMap,
  type: MAP_EXTENSION,
  write: (map: PackedMap) => map.items,
  read: readMap,
})

/** Stands for -0 while it is packed: msgpackr writes that as 0. */
class PackedMinusZero {}

addExtension({
  Class: PackedMinusZero,
  type: MINUS_ZERO_EXTENSION,
  write: () => 0,
  read: () => -0,
})

const MINUS_ZERO = new PackedMinusZero()

/** Stands for a text that is no Unicode while it is packed: UTF-8 has no bytes for a lone surrogate. */
class PackedUnits {
  readonly units: Buffer

  constructor(text: string) {
    this.units = Buffer.from(text, 'utf16le')
  }
}

addExtension({
  Class: PackedUnits,
  type: UNITS_EXTENSION,
  write: (text: PackedUnits) => text.units,
  read: (units: Uint8Array) => Buffer.from(units).toString('utf16le'),
})

function readMap(items: unknown): Map<unknown, unknown> {
  if (!Array.isArray(items) || items.length % 2 !== 0) throw undecodable('a Map without pairs')
  const map = new Map<unknown, unknown>()
  for (let index = 0; index < items.length; index += 2) map.set(items[index], items[index + 1])
  return map
}

const FOREIGN = { useRecords: false, structuredClone: false, mapsAsObjects: true, copyBuffers: true } as const
const packr = new Packr({ ...FOREIGN, moreTypes: true, useToJSON: false, variableMapSize: true } as object)
const unpackr = new Unpackr({ ...FOREIGN } as object)

/**
 * Encodes a value: plain data, Date, Map, Set, BigInt, Buffer, ArrayBuffer and typed arrays as themselves, texts too that are no Unicode; an object
 * with `toJSON` as what that returns; another class's instance as a plain object of its own enumerable properties.
 * Throws `ERR_UNSTORABLE_VALUE` for `undefined`, functions, symbols, RegExp, Error, Promise and the like, at any depth, and
 * for what is circular or nests deeper than {@link DEPTH_MOST}.
 */
export function encode(value: unknown): Encoded {
  if (value === null) return { flags: FLAG_NULL, payload: Buffer.alloc(0) }
  if (value === undefined) throw unstorable('the value', value)
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    return { flags: FLAG_INTEGER, payload: Buffer.from(String(value), 'latin1') }
  }
  const packable = prepare(value, 'the value', 0)
  // What toJSON returned.
  if (packable === undefined) throw unstorable('the value', packable)
  return { flags: 0, payload: Buffer.from(packr.pack(packable)) }
}

/** Decodes what {@link encode} made. Throws `ERR_UNDECODABLE` for anything else; never runs or pollutes anything. */
export function decode({ flags, payload }: Encoded): unknown {
  if (flags === FLAG_NULL) return null
  if (flags === FLAG_INTEGER) return readInteger(payload)
  const plain = decodePlain(payload)
  if (plain !== NOT_PLAIN) return plain
  scanPayload(payload)
  try {
    return unpackr.unpack(payload)
  } catch (error) {
    throw undecodable(error instanceof Error ? error.message : String(error), error)
  }
}

function readInteger(payload: Buffer): number {
  const value = integerOf(payload)
  if (value === undefined) throw undecodable('no integer')
  return value
}

const INTEGER = /^-?\d{1,16}$/

/**
 * What a payload with `FLAG_INTEGER` says; `undefined` for whatever is no exact integer in decimal digits. A script reads
 * it too (`redis/lua/includes/entry_counter.lua`).
 */
export function integerOf(payload: Buffer): number | undefined {
  const text = payload.length <= 17 ? payload.toString('latin1') : ''
  const value = INTEGER.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

/** The value itself where msgpackr writes it as it should be read; a copy where some part needs another form. */
function prepare(value: unknown, where: string, depth: number): unknown {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      throw unstorable(where, value)
    case 'string':
      return value.isWellFormed() ? value : new PackedUnits(value)
    case 'number':
      return Object.is(value, -0) ? MINUS_ZERO : value
    case 'bigint':
      // The last eight bytes are spare, since a BigInt is written in words of eight.
      if (BigInt.asIntN((BIGINT_BYTES_MOST - 8) * 8, value) !== value) throw unstorable(where, value)
      return value
    case 'object':
      if (value === null) return value
      if (depth > DEPTH_MOST) {
        throw new TierCacheError(
          'ERR_UNSTORABLE_VALUE',
          `${where.slice(0, 40)}…: expected at most ${DEPTH_MOST} levels, got a circular or deeper value`,
        )
      }
      return prepareObject(value, where, depth)
    default:
      return value
  }
}

function prepareObject(value: object, where: string, depth: number): unknown {
  if (Array.isArray(value)) return prepareArray(value, where, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return preparePlain(value, where, depth)
  if (value instanceof Map) {
    const items: unknown[] = []
    for (const [key, item] of value) {
      items.push(prepare(key, `a key of ${where}`, depth + 1), prepare(item, `a value of ${where}`, depth + 1))
    }
    return new PackedMap(items)
  }
  if (value instanceof Set) return new Set([...value].map((item) => prepare(item, `a member of ${where}`, depth + 1)))
  if (isBytesOrDate(value)) return value
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return value.valueOf()
  if ('toJSON' in value && typeof value.toJSON === 'function') return prepare(value.toJSON(), where, depth + 1)
  if (isHandle(value)) throw unstorable(where, value)
  return preparePlain(value, where, depth)
}

function isBytesOrDate(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date
}

/**
 * Instances whose content is not in their properties (RegExp, Promise, WeakMap, Blob, Headers, iterators): as plain
 * objects they would silently become `{}`.
 */
function isHandle(value: object): boolean {
  return value instanceof Error || Object.keys(value).length === 0
}

function prepareArray(array: readonly unknown[], where: string, depth: number): unknown {
  let copy: unknown[] | undefined
  for (let index = 0; index < array.length; index++) {
    const item = array[index]
    if (isAsItIs(item)) continue
    const prepared = prepare(item, `${where}[${index}]`, depth + 1)
    if (prepared === item) continue
    copy ??= [...array]
    copy[index] = prepared
  }
  return copy ?? array
}

/** Whether most of what there is: a text, or a number that is no zero. */
function isAsItIs(item: unknown): boolean {
  return typeof item === 'string' ? item.isWellFormed() : typeof item === 'number' && item !== 0
}

function preparePlain(object: object, where: string, depth: number): unknown {
  let copy: Record<string, unknown> | undefined
  const source = object as Record<string, unknown>
  for (const name of Object.keys(source)) {
    // Decoding never sets a prototype. Of two names with lone surrogates one would be lost.
    if (name === '__proto__') throw unnamable(where, 'other than __proto__, got that')
    if (!name.isWellFormed()) throw unnamable(where, 'without lone surrogates, got one with')
    const item = source[name]
    if (isAsItIs(item)) continue
    if (name === 'toJSON' && typeof item === 'function') return prepare(item.call(object), where, depth + 1)
    const prepared = prepare(item, `${where}.${name}`, depth + 1)
    if (prepared === item) continue
    copy ??= { ...source }
    copy[name] = prepared
  }
  return copy ?? (Object.getPrototypeOf(object) === Object.prototype ? object : { ...source })
}

function unstorable(where: string, value: unknown): TierCacheError {
  return new TierCacheError(
    'ERR_UNSTORABLE_VALUE',
    `${shortened(where)}: expected plain data, Date, Map, Set, BigInt, Buffer or typed arrays, got ${describe(value)}`,
  )
}

/** A name that would come back as another one, or get lost. */
function unnamable(where: string, saying: string): TierCacheError {
  const message = `${shortened(where)}: expected names of properties ${saying}`
  return new TierCacheError('ERR_UNSTORABLE_VALUE', message)
}

/** A path through a value is made of the value's own keys, which may be of any length. */
function shortened(where: string): string {
  return where.length > 80 ? `${where.slice(0, 50)}…${where.slice(-29)}` : where
}
