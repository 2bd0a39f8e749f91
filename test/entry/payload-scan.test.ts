import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/entry/codec.ts'
import { scanPayload } from '../../src/entry/payload-scan.ts'
import { TierCacheError } from '../../src/errors.ts'
import { anyValue } from './any-value.ts'

/** The word for what decoding came to; anything but a value or `ERR_UNDECODABLE` is thrown. */
function outcome(payload: Buffer): 'read' | 'refused' {
  try {
    decode({ flags: 0, payload })
    return 'read'
  } catch (error) {
    if (error instanceof TierCacheError && error.code === 'ERR_UNDECODABLE') return 'refused'
    throw error
  }
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const repeated = (bytes: string, count: number, end = '') =>
  Buffer.concat([Buffer.alloc(count * hex(bytes).length, hex(bytes)), hex(end)])

test('what we write passes', () => {
  fc.assert(
    fc.property(anyValue(), (value) => {
      const { flags, payload } = encode(value)
      if (flags === 0) expect(() => scanPayload(payload)).not.toThrow()
    }),
  )
})

describe('what is never written is refused', () => {
  test('before anything is built of it: lengths, depth and trailing bytes are judged by the walk alone', () => {
    for (const bytes of ['01 01', 'dd ffffffff 01', 'a5 61', 'c9 ffffffff 74 00', 'd4 78 00']) {
      expect(() => scanPayload(hex(bytes))).toThrow(expect.objectContaining({ code: 'ERR_UNDECODABLE' }))
    }
    expect(() => scanPayload(repeated('91', 100_000, '01'))).toThrow('nested too deeply')
  })

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['the token that msgpack leaves out', hex('c1')],
    ['a byte behind the value', hex('01 01')],
    ['an array shorter than it says', hex('92 01')],
    ['an object without its last value', hex('81 a1 61')],
    ['a text longer than the bytes', hex('a5 61')],
    ['an array of four billion', hex('dd ffffffff 01')],
    ['an object of four billion', hex('df ffffffff a1 61 01')],
    ['a text of four billion', hex('db ffffffff 61')],
    ['a Buffer of four billion', hex('c6 ffffffff 61')],
    ['an extension of four billion', hex('c9 ffffffff 74 00')],
    ['lengths that are cut off', hex('dd ffff')],
    ['an array of arrays that each claim the rest', repeated('dd 0000ffff', 20_000)],
    ['100,000 nested arrays', repeated('91', 100_000, '01')],
    ['100,000 nested objects', repeated('81 a1 61', 100_000, '01')],
    ['100,000 nested Sets', repeated('d4 73 00 91', 100_000, '01')],
    ['100,000 nested Maps', repeated('d4 4d 00 92 01', 100_000, '01')],
    ['a RegExp (x)', hex('d4 78 00 92 a1 61 a1 67')],
    ['an Error (e)', hex('d4 65 00 93 a5 4572726f72 a1 6d c0')],
    ['a record definition (r)', hex('d4 72 40 91 a1 61 01')],
    ['a record with an inline class (72, two bytes)', hex('d5 72 40 00 91 a1 61 01')],
    ['bundled strings (b)', hex('d6 62 00000000')],
    ['a structured clone with an id (i)', hex('d6 69 00000001 91 01')],
    ['a pointer to an id (p)', hex('d6 70 00000001')],
    ['a bomb of references', Buffer.concat([hex('d6 69 00000001 dc ffff'), repeated('d6 70 00000001', 65_535)])],
    ['temporary values (0x10)', hex('d4 10 01')],
    ['a Set that is no array', hex('d4 73 00 81 01 01')],
    ['a Set without content', hex('d4 73 00')],
    ['a Map that is a number', hex('d4 4d 00 05')],
    ['a Map of an odd count', hex('d4 4d 00 91 01')],
    ['a Map with a longer mark', hex('d5 4d 00 00 90')],
    ['a -0 that is something else', hex('d4 2d 00 91 01')],
    ['undefined with a longer mark', hex('d5 00 0000')],
    ['a typed array without its kind', hex('c7 00 74')],
    ['a typed array of an unknown kind', hex('c7 02 74 63 00')],
    ['a typed array with half an element', hex('c7 04 74 08 000000')],
    ['a BigInt of 5,000 bytes', Buffer.concat([hex('c8 1388 42'), Buffer.alloc(5000, 1)])],
    ['a date of three bytes', hex('c7 03 ff 000000')],
    ['a date of 13 bytes', Buffer.concat([hex('c7 0d ff'), Buffer.alloc(13)])],
    ['an object whose key is an array', hex('81 91 01 01')],
    ['an object whose key is a Buffer', hex('81 c4 01 61 01')],
    ['JSON', Buffer.from('{"a":1}')],
    ['the format of v8.serialize', hex('ff 0f 6f 22 01 61 49 02 7b 01')],
  ])('%s', (_name, payload) => {
    expect(outcome(payload)).toBe('refused')
    expect(outcome(encode({ after: [1] }).payload)).toBe('read')
  })

  test('as every extension type but ours, in every form', () => {
    const ours = new Set([0x00, 0x2d, 0x42, 0x4d, 0x73, 0x74, 0xff])
    for (let type = 0; type < 256; type++) {
      if (ours.has(type)) continue
      for (const size of [1, 2, 4, 8, 16]) {
        const mark = 0xd4 + Math.log2(size)
        expect(outcome(Buffer.concat([Buffer.of(mark, type), Buffer.alloc(size)]))).toBe('refused')
      }
      for (const head of [hex('c7 03'), hex('c8 0003'), hex('c9 00000003')]) {
        expect(outcome(Buffer.concat([head, Buffer.of(type), Buffer.alloc(3)]))).toBe('refused')
      }
    }
  })
})

describe('whatever bytes come', () => {
  const before = Object.getOwnPropertyNames(Object.prototype).join()
  const check = (payload: Buffer) => {
    outcome(payload)
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before)
  }

  test('random ones are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(Buffer.from(bytes))),
      { numRuns: 5000 },
    )
  })

  test('random ones made of the tokens of msgpack are read or refused', () => {
    const token = fc.oneof(
      fc.constantFrom(0x80, 0x81, 0x82, 0x90, 0x91, 0x92, 0xa0, 0xa1, 0xc0, 0xc2, 0xd4, 0xd6, 0xc7, 0xc4, 0xdc, 0xde),
      fc.constantFrom(0x00, 0x01, 0x2d, 0x42, 0x4d, 0x73, 0x74, 0xff, 0x62, 0x72, 0x69, 0x70, 0x78),
      fc.constant([...Buffer.from('\xa9__proto__', 'latin1')]),
      fc.constant([...Buffer.from('\xabconstructor', 'latin1')]),
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => check(Buffer.from(tokens.flat()))),
      { numRuns: 10_000 },
    )
  })

  test('damaged ones of ours are read or refused', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(anyValue(), damage, (value, changes) => {
        const bytes = Buffer.from(encode(value).payload)
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
        check(bytes)
      }),
      { numRuns: 5000 },
    )
  })
})
