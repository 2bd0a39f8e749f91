import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/entry/codec.ts'
import { scanPayload } from '../../src/entry/payload-scan.ts'
import { decodePlain, NOT_PLAIN } from '../../src/entry/plain-payload.ts'
import { anyValue } from './any-value.ts'

const payloadOf = (value: unknown) => encode({ value }).payload

/** Plain data: as JSON has it, with any text and any number that has a short form. */
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.integer({ min: -200, max: 70_000 }),
    fc.double().filter((number) => !Object.is(number, -0)),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ unit: 'binary', maxLength: 40 }).filter((name) => name !== '__proto__'),
      tie('value'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value

test('plain data is read as it was written', () => {
  fc.assert(
    fc.property(plain, (value) => {
      expect(decodePlain(payloadOf(value))).toStrictEqual({ value })
    }),
    { numRuns: 2000 },
  )
})

test.each([
  0,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  2 ** 32 - 1,
  -1,
  -32,
  -33,
  -128,
  -129,
  -32_768,
  -32_769,
  -(2 ** 31),
  0.5,
])('the number %d', (number) => {
  expect(decodePlain(payloadOf(number))).toStrictEqual({ value: number })
})

test.each([0, 1, 12, 13, 31, 32, 255, 256, 65_535])('a text of %d bytes, in Latin letters and in others', (length) => {
  for (const letter of ['a', 'é', '語']) {
    const text = letter.repeat(Math.floor(length / Buffer.byteLength(letter)))
    expect(decodePlain(payloadOf(text))).toStrictEqual({ value: text })
  }
})

test('more names than are remembered, and names of any length', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `${'n'.repeat(index % 40)}${index}`)
  const value = Object.fromEntries(names.map((name, index) => [name, index]))
  for (let time = 0; time < 2; time++) expect(decodePlain(payloadOf(value))).toStrictEqual({ value })
})

describe('is left to others', () => {
  test.each([
    ['a Date', new Date(0)],
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['bytes', Buffer.from('b')],
    ['a BigInt', 2n ** 70n],
    ['undefined', undefined],
    ['-0', -0],
    ['a long array', Array.from({ length: 70_000 }, () => 0)],
    ['a long text', 't'.repeat(70_000)],
  ])('%s, at any depth', (_, value) => {
    expect(decodePlain(payloadOf(value))).toBe(NOT_PLAIN)
    expect(decodePlain(payloadOf([{ inside: [1, value] }]))).toBe(NOT_PLAIN)
  })

  test('a name that would set a prototype', () => {
    const bytes = Buffer.concat([Buffer.from('81a9', 'hex'), Buffer.from('__proto__'), Buffer.from('80', 'hex')])
    expect(decodePlain(bytes)).toBe(NOT_PLAIN)
  })

  test.each(['91', '8100'])('nesting that is deeper than is written (%s)', (each) => {
    const level = Buffer.from(each === '91' ? each : '81a0', 'hex')
    expect(decodePlain(Buffer.concat([...Array.from({ length: 5000 }, () => level), Buffer.of(0xc0)]))).toBe(NOT_PLAIN)
  })

  test('all that is cut off, and what has bytes behind it', () => {
    fc.assert(
      fc.property(plain, fc.nat(), (value, cut) => {
        const bytes = payloadOf(value)
        const memory = Buffer.concat([bytes, bytes])
        expect(decodePlain(memory.subarray(0, cut % bytes.length))).toBe(NOT_PLAIN)
        expect(decodePlain(memory.subarray(0, bytes.length + 1))).toBe(NOT_PLAIN)
      }),
    )
  })

  test('all that the scan refuses', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.oneof(plain, anyValue()), damage, (value, changes) => {
        const bytes = Buffer.from(payloadOf(value))
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        if (decodePlain(bytes) !== NOT_PLAIN) expect(() => scanPayload(bytes)).not.toThrow()
      }),
      { numRuns: 5000 },
    )
  })
})
