import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/entry/codec.ts'
import { FLAG_INTEGER, FLAG_NULL, readHeader, writeHead, writeTail } from '../../src/entry/header.ts'
import { TierCacheError } from '../../src/errors.ts'
import { entryBytes } from './entry-bytes.ts'

const instant = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY))
const stamp = fc.tuple(fc.nat(), fc.stringMatching(/^[0-9a-f]{16}$/)).map(([n, nonce]) => `${n}:${nonce}`)

const anyEntry = fc.record({
  flags: fc.constantFrom(0, FLAG_NULL, FLAG_INTEGER),
  fillStamp: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  createdAt: instant,
  freshUntil: instant,
  staleUntil: instant,
  version: fc.option(fc.double({ noNaN: true }), { nil: undefined }),
  loadMs: fc.integer({ min: 0, max: 0xffffffff }),
  n0: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  above: fc.array(stamp, { minLength: 1, maxLength: 4 }),
  tags: fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 30 }), stamp), { maxLength: 64 }),
  payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
})

test('whatever is written is read again', () => {
  fc.assert(
    fc.property(anyEntry, ({ n0, above, tags, payload, ...header }) => {
      const names = tags.map(([name]) => name)
      const stamps = [...above, ...tags.map(([, each]) => each)]
      const bytes = entryBytes({ header, n0, stamps, tags: names, encoded: { flags: header.flags, payload } })
      expect(readHeader(bytes, above.length)).toEqual({ ...header, n0, stamps, tags: names, payload })
    }),
  )
})

describe('what is written', () => {
  const header = {
    flags: 0,
    fillStamp: Buffer.alloc(8),
    createdAt: 1,
    freshUntil: 2,
    staleUntil: 3,
    version: undefined,
    loadMs: 0,
  }

  test('the load time fits into its four bytes, whatever it was', () => {
    const read = (loadMs: number) => writeHead({ ...header, loadMs }).readUInt32BE(52)
    expect([read(1.5), read(-3), read(2 ** 40), read(Number.POSITIVE_INFINITY), read(Number.NaN)]).toEqual([
      2, 0, 0xffffffff, 0xffffffff, 0,
    ])
  })

  test('a payload without tags is not copied', () => {
    const payload = Buffer.from('payload')
    expect(writeTail([], payload)).toBe(payload)
  })

  test('names of tags are counted in bytes', () => {
    expect(writeTail(['é'], Buffer.of(9)).toString('hex')).toBe('0002c3a909')
  })
})

/** The word for what reading came to; anything but a value or `ERR_UNDECODABLE` is thrown. */
function outcome(bytes: Buffer, above: number): 'read' | 'refused' {
  try {
    decode(readHeader(bytes, above))
    return 'read'
  } catch (error) {
    if (error instanceof TierCacheError && error.code === 'ERR_UNDECODABLE') return 'refused'
    throw error
  }
}

describe('what is no entry', () => {
  const rich = entryBytes({
    stamps: ['1790000000000001:00112233aabbccdd', '7:ffeeddccbbaa9988', '9:0011223344556677'],
    tags: ['product:7'],
    encoded: encode({
      list: [1, -2.5, 3n, null, undefined, 'text'],
      map: new Map([[{ a: 1 }, new Set([new Date(5)])]]),
      bytes: Buffer.from('abc'),
      floats: new Float64Array([1, 2]),
    }),
  })

  test('every truncation is refused', () => {
    for (let length = 0; length < rich.length; length++) expect(outcome(rich.subarray(0, length), 2)).toBe('refused')
    expect(outcome(rich, 2)).toBe('read')
  })

  test('every corruption of one byte is read or refused, and leaves nothing behind', () => {
    const outcomes = { read: 0, refused: 0 }
    for (let at = 0; at < rich.length; at++) {
      for (let change = 1; change < 256; change++) {
        const bytes = Buffer.from(rich)
        bytes[at] = (bytes[at] as number) ^ change
        outcomes[outcome(bytes, 2)]++
      }
    }
    expect(outcomes.refused).toBeGreaterThan(10_000)
    expect(outcomes.read).toBeGreaterThan(1_000)
    expect(outcome(rich, 2)).toBe('read')
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('bytes behind the entry are refused', () => {
    expect(outcome(Buffer.concat([rich, Buffer.of(0)]), 2)).toBe('refused')
  })

  const plain = { encoded: encode('v') }
  function manyTags(count: number): Buffer {
    const tags = Array.from({ length: count }, () => '')
    return entryBytes({ ...plain, stamps: ['1:00112233aabbccdd', ...tags], tags })
  }
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = entryBytes(plain)
    change(bytes)
    return bytes
  }
  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'no entry of tiercache'],
    ['a text', Buffer.from('hello, world! '.repeat(10)), 'no entry of tiercache'],
    ['JSON', Buffer.from(JSON.stringify({ a: 'x'.repeat(100) })), 'no entry of tiercache'],
    ['zeros', Buffer.alloc(100), 'no entry of tiercache'],
    ['a later format', changed((bytes) => bytes.writeUInt8(2, 2)), 'format 2, expected 1'],
    ['a flag of a later version', changed((bytes) => bytes.writeUInt8(32, 3)), 'unknown flags 32'],
    ['fewer stamps than namespaces above', entryBytes({ ...plain, stamps: [] }), 'stamps do not fit'],
    ['stamps beyond the bytes', changed((bytes) => bytes.writeUInt32BE(0xffffffff, 58)), 'stamps do not fit'],
    ['more stamps than there are', changed((bytes) => bytes.writeUInt16BE(65, 56)), 'names of tags do not fit'],
    ['more tags than an entry may have', manyTags(65), '65 tags, expected at most 64'],
    ['as many as fit', manyTags(60_000), '60000 tags, expected at most 64'],
    ['a stamp longer than the section', changed((bytes) => bytes.writeUInt8(255, 62)), 'stamps do not fit'],
    ['a stamp shorter than the section', changed((bytes) => bytes.writeUInt8(1, 62)), 'stamps do not fit'],
    [
      'a deadline that is no number',
      changed((bytes) => bytes.writeDoubleBE(Number.NaN, 28)),
      'a deadline is no instant',
    ],
    ['a deadline before 1970', changed((bytes) => bytes.writeDoubleBE(-1, 36)), 'a deadline is no instant'],
    [
      'a creation without end',
      changed((bytes) => bytes.writeDoubleBE(Number.NEGATIVE_INFINITY, 20)),
      'a deadline is no instant',
    ],
  ])('%s', (_name, bytes, why) => {
    expect(() => readHeader(bytes, 1)).toThrow(`an entry in Redis cannot be read: ${why}`)
  })
})
