import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkKey } from '../../src/entry/key.ts'
import { keyOfArguments, keyOfId } from '../../src/entry/key-of.ts'

describe('keyOfId', () => {
  test.each<[unknown, string]>([
    [7, '7'],
    ['7', '"7"'],
    [7n, '7n'],
    ['', '""'],
    [true, 'true'],
    ['true', '"true"'],
    [-0, '0'],
    [1e21, '1e+21'],
    [{ user: 7, shop: 'a' }, '{"shop":"a","user":7}'],
    [{ a: undefined, b: null }, '{"b":null}'],
    [{ a: [1, undefined, { c: 1n }] }, '{"a":[1,undefined,{"c":1n}]}'],
    [[], '[]'],
    [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['\uD800', '"\\ud800"'],
  ])('%o is %s', (id, key) => {
    expect(keyOfId(id)).toBe(key)
  })

  const circle: unknown[] = []
  circle.push({ circle })
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['an infinite number', Number.POSITIVE_INFINITY],
    ['a date', new Date(0)],
    ['a Map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['an instance of a class', new (class User {})()],
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['an object with a symbol', { [Symbol('s')]: 1 }],
    ['a date in an object', { at: new Date(0) }],
    ['what holds itself', circle],
  ])('%s has no key', (_, id) => {
    expect(() => keyOfId(id)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })

  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt(),
    fc.boolean(),
  )
  const { id: anyId } = fc.letrec((tie) => ({
    id: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('id'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('id'), { maxKeys: 3 }),
    ),
  }))
  const same = (one: unknown, other: unknown) => {
    try {
      expect(one).toEqual(other)
      return true
    } catch {
      return false
    }
  }

  test('different ids have different keys, equal ones the same; all are keys', () => {
    fc.assert(
      fc.property(anyId, anyId, (one, other) => {
        const [a, b] = [keyOfId(one), keyOfId(other)]
        checkKey(a)
        // -0 is 0 for those who look it up.
        return (a === b) === same(withoutMinusZero(one), withoutMinusZero(other))
      }),
    )
  })

  test('the order of names makes no difference', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), leaf), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse())
        expect(keyOfId(reversed)).toBe(keyOfId(object))
      }),
    )
  })
})

test('keyOfArguments: undefined at the end is absent, elsewhere it is a value', () => {
  expect(keyOfArguments([])).toBe('[]')
  expect(keyOfArguments([1, undefined])).toBe('[1]')
  expect(keyOfArguments([undefined, null, '1'])).toBe('[undefined,null,"1"]')
  expect(() => keyOfArguments([new Date()])).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
})

function withoutMinusZero(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (Array.isArray(value)) return value.map(withoutMinusZero)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutMinusZero(item)]))
  }
  return value
}
