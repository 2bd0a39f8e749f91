import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/entry/codec.ts'
import { FLAG_INTEGER, FLAG_NULL } from '../../src/entry/header.ts'
import { TierCacheError } from '../../src/errors.ts'
import { anyValue } from './any-value.ts'

const through = (value: unknown) => decode(encode(value))

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'accepted'
  } catch (error) {
    return error instanceof TierCacheError ? error.code : `no error of ours: ${String(error)}`
  }
}

const nested = (levels: number, wrap: (inner: unknown) => unknown) => {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = wrap(value)
  return value
}

describe('what is stored comes back', () => {
  test('any value, exactly', () => {
    fc.assert(
      fc.property(anyValue(), (value) => {
        expect(isDeepStrictEqual(through(value), value)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test.each<[string, unknown]>([
    ['0', 0],
    ['-0', -0],
    ['-0 within', { a: [-0, 0] }],
    ['false', false],
    ['an empty text', ''],
    ['null', null],
    ['NaN', Number.NaN],
    ['Infinity', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ['the largest safe integers', [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
    ['a large integer', 2 ** 80],
    ['undefined members', { a: undefined, b: [undefined, 1] }],
    ['a date before 1970', new Date(-1)],
    ['the first and the last date', [new Date(-8.64e15), new Date(8.64e15)]],
    ['BigInts at the bounds of 64 bits', [2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 64n]],
    ['a large BigInt', -(7n ** 5000n)],
    [
      'a Map with objects as keys',
      new Map<unknown, unknown>([
        [{ a: 1 }, [1]],
        [new Date(1), new Map([[1, new Set(['x'])]])],
      ]),
    ],
    ['an empty Map and Set', [new Map(), new Set()]],
    ['a Map beside an object of the same content', [new Map([['a', 1]]), { a: 1 }]],
    ['a Map with a key __proto__', new Map([['__proto__', 1]])],
    ['a large Map', new Map(Array.from({ length: 70_000 }, (_, index) => [index, index]))],
    [
      'keys that others find special',
      JSON.parse('{"constructor":1,"toJSON":"x","then":[],"prototype":null,"toString":2,"__proto_":3}'),
    ],
    ['a text of 70,000 characters', 'é😀'.repeat(35_000)],
    ['a Buffer of 70,000 bytes', Buffer.alloc(70_000, 7)],
    ['a part of a Buffer', Buffer.from('whole').subarray(1, 3)],
    ['a part of a typed array', new Float32Array(new ArrayBuffer(16), 4, 2)],
    ['an array of 70,000', Array.from({ length: 70_000 }, (_, index) => index)],
    ['texts that occur again', Array.from({ length: 300 }, () => ({ name: 'the same text again and again' }))],
  ])('%s', (_name, value) => {
    expect(isDeepStrictEqual(through(value), value)).toBe(true)
  })

  test('an invalid date', () => {
    const [date] = through([new Date(Number.NaN)]) as [Date]
    expect(date).toBeInstanceOf(Date)
    expect(date.getTime()).toBeNaN()
  })

  test('an object of 70,000 keys', () => {
    const value = Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`key ${index}`, index]))
    expect(isDeepStrictEqual(through(value), value)).toBe(true)
  })

  test('exactly 200 levels below the value, of each kind', () => {
    for (const wrap of [
      (inner: unknown) => [inner],
      (inner: unknown) => ({ inner }),
      (inner: unknown) => new Map([['inner', inner]]),
      (inner: unknown) => new Map([[inner, 'outer']]),
      (inner: unknown) => new Set([inner]),
    ]) {
      const value = nested(201, wrap)
      expect(isDeepStrictEqual(through(value), value)).toBe(true)
      expect(codeOf(() => encode(nested(202, wrap)))).toBe('ERR_UNSTORABLE_VALUE')
    }
  })

  test('null and whole numbers in the clear: a script can count with them', () => {
    expect(encode(null)).toEqual({ flags: FLAG_NULL, payload: Buffer.alloc(0) })
    expect(encode(-42)).toEqual({ flags: FLAG_INTEGER, payload: Buffer.from('-42') })
    expect(encode(Number.MAX_SAFE_INTEGER).payload.toString()).toBe('9007199254740991')
    expect(encode(1.5).flags).toBe(0)
    expect(encode(2 ** 53).flags).toBe(0)
  })

  test('bytes stay what they were when the value changes after it was encoded', () => {
    const value = { bytes: Buffer.from('before') }
    const encoded = encode(value)
    encode({ others: 'x'.repeat(10_000) })
    value.bytes.write('behind')
    expect(decode(encoded)).toEqual({ bytes: Buffer.from('before') })
  })

  test('decoded bytes are no window on the entry', () => {
    const encoded = encode({ bytes: Buffer.from('inside'), typed: new Uint8Array([1, 2]) })
    const value = decode(encoded) as { bytes: Buffer; typed: Uint8Array }
    value.bytes.fill(0)
    value.typed.fill(0)
    expect(decode(encoded)).toEqual({ bytes: Buffer.from('inside'), typed: new Uint8Array([1, 2]) })
  })
})

describe('what comes back as something near', () => {
  test('an object without a prototype gets the ordinary one', () => {
    const bare = Object.assign(Object.create(null), { a: 1, constructor: 2 })
    expect(Object.getPrototypeOf(through(bare))).toBe(Object.prototype)
    expect(through({ deep: [bare] })).toStrictEqual({ deep: [{ a: 1, constructor: 2 }] })
  })

  test('an instance of another class becomes a plain object of its own enumerable properties', () => {
    class Point {
      x = 1
      #secret = 2
      get double() {
        return this.x * this.#secret
      }
    }
    expect(through([new Point()])).toStrictEqual([{ x: 1 }])
  })

  test('an object with toJSON becomes what that returns, whether of a class or plain', () => {
    class Money {
      readonly cents: number
      constructor(cents: number) {
        this.cents = cents
      }
      toJSON() {
        return { euros: this.cents / 100, at: new Date(0) }
      }
    }
    expect(through({ price: new Money(250) })).toStrictEqual({ price: { euros: 2.5, at: new Date(0) } })
    expect(through({ a: { toJSON: () => [1] } })).toStrictEqual({ a: [1] })
    expect(
      through({
        own: 5,
        toJSON(this: { own: number }) {
          return this.own
        },
      }),
    ).toBe(5)
    expect(through(new URL('http://shop.test/a?b'))).toBe('http://shop.test/a?b')
  })

  test('texts come back as they were, those with lone surrogates too', () => {
    const half = '\u{1f600}'.slice(0, 1)
    const texts = [half, `a${half}`, `${half}b`, `${half}${half}`, '\udc00\ud800', `\u00e9${half}`, half.repeat(70_000)]
    for (const text of texts) {
      expect(through(text)).toBe(text)
      const value = { text, list: [text, 'plain'], map: new Map([[text, 1]]), set: new Set([text]) }
      expect(through(value)).toStrictEqual(value)
    }
  })

  test('boxed primitives become primitives, holes undefined', () => {
    expect(through([Object(1), Object('x'), Object(true)])).toStrictEqual([1, 'x', true])
    const holes: unknown[] = [1]
    holes[2] = 3
    expect(through(holes)).toStrictEqual([1, undefined, 3])
  })
})

describe('what cannot be stored is refused, at any depth', () => {
  const circular: Record<string, unknown> = {}
  circular.self = { circular }
  const circularMap = new Map<unknown, unknown>()
  circularMap.set('self', [circularMap])
  const unstorable: [string, unknown][] = [
    ['a function', () => 1],
    ['a name with a lone surrogate', { '\ud800': 1 }],
    ['a class', class {}],
    ['a symbol', Symbol('x')],
    ['a RegExp', /x/],
    ['an Error', new TypeError('x')],
    ['a Promise', Promise.resolve(1)],
    ['a WeakMap', new WeakMap()],
    ['a WeakSet', new WeakSet()],
    ['a WeakRef', new WeakRef({})],
    ['a SharedArrayBuffer', new SharedArrayBuffer(1)],
    ['a circle', circular],
    ['a circle of Maps', circularMap],
    ['a BigInt beyond all measure', 1n << 40_000n],
    ['a negative BigInt beyond all measure', -(1n << 40_000n)],
    ['an own __proto__, which decoding never sets', JSON.parse('{"__proto__":{"isAdmin":true}}')],
    ['an own __proto__ that is plain', JSON.parse('{"__proto__":1}')],
    ['toJSON that returns a function', { toJSON: () => () => 1 }],
    [
      'toJSON that returns itself',
      {
        toJSON(this: unknown) {
          return this
        },
      },
    ],
  ]
  const places: [string, (value: unknown) => unknown][] = [
    ['alone', (value) => value],
    ['in an array', (value) => [1, value]],
    ['in an object', (value) => ({ a: 1, value })],
    ['as a value of a Map', (value) => new Map([['k', value]])],
    ['as a key of a Map', (value) => new Map([[value, 1]])],
    ['in a Set', (value) => new Set([value])],
    [
      'in what toJSON returns',
      (value) =>
        new (class {
          toJSON() {
            return [value]
          }
        })(),
    ],
    ['in an instance', (value) => Object.assign(new (class Shop {})(), { value })],
    ['far below', (value) => [{ a: new Map([[1, new Set([[{ value }]])]]) }]],
  ]

  test.each(unstorable)('%s', (_name, value) => {
    for (const [place, wrap] of places)
      expect([place, codeOf(() => encode(wrap(value)))]).toEqual([place, 'ERR_UNSTORABLE_VALUE'])
  })

  test('a name that cannot be kept is called by its name', () => {
    expect(() => encode({ user: JSON.parse('{"__proto__":1}') })).toThrow(
      /user: expected names of properties other than __proto__, got that$/,
    )
  })

  test('undefined alone is refused; it is the word for absence', () => {
    expect(() => encode(undefined)).toThrow(
      'the value: expected plain data, Date, Map, Set, BigInt, Buffer or typed arrays, got undefined',
    )
    expect(codeOf(() => encode({ toJSON: () => undefined }))).toBe('ERR_UNSTORABLE_VALUE')
  })

  test('the message says where, and stays short however long the way is', () => {
    expect(() => encode({ list: [1, { load() {} }] })).toThrow('the value.list[1].load: expected plain data')
    expect(() => encode({ ['secret '.repeat(10_000)]: [Symbol('x')] })).toThrow(/^the value\.secret .{0,200}$/)
    expect(() => encode(circular)).toThrow(
      /^the value.{0,31}…: expected at most 200 levels, got a circular or deeper value$/,
    )
  })

  test('a getter or toJSON that throws throws its own error', () => {
    const broken = {
      get a() {
        throw new RangeError('mine')
      },
    }
    expect(() => encode(broken)).toThrow(RangeError)
    expect(isDeepStrictEqual(through({ a: 1 }), { a: 1 })).toBe(true)
  })
})

test('encoding changes nothing in the value', () => {
  fc.assert(
    fc.property(anyValue(), (value) => {
      const before = structuredClone(withoutBuffers(value))
      encode(value)
      expect(isDeepStrictEqual(withoutBuffers(value), before)).toBe(true)
    }),
  )
  const frozen = Object.freeze({ map: new Map([[1, -0]]), inner: Object.freeze([Object.create(null), new Date(0)]) })
  expect(() => encode(frozen)).not.toThrow()
  expect(frozen.map).toStrictEqual(new Map([[1, -0]]))
})

/** `structuredClone` makes a Uint8Array of a Buffer. */
function withoutBuffers(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(withoutBuffers)
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [withoutBuffers(key), withoutBuffers(item)]))
  if (value instanceof Set) return new Set([...value].map(withoutBuffers))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutBuffers(item)]))
}

describe('what is foreign', () => {
  test.each([
    '',
    '-',
    'x',
    '1.5',
    '9007199254740992',
    '-9007199254740992',
    'NaN',
    'Infinity',
    '1'.repeat(18),
    '1\0',
    '٣',
  ])('%j under the flag of integers is refused', (text) => {
    expect(codeOf(() => decode({ flags: FLAG_INTEGER, payload: Buffer.from(text) }))).toBe('ERR_UNDECODABLE')
  })

  test('an own __proto__ neither sets a prototype nor reaches any other object', () => {
    const foreign = new Packr({ useRecords: false }).pack(
      JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}'),
    )
    const value = decode({ flags: 0, payload: foreign }) as { a: object }
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(value.a)).toBe(Object.prototype)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect((value as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('another use of msgpackr in the same process writes Maps and numbers as before', () => {
    const others = new Packr({ useRecords: false, mapsAsObjects: false })
    expect(others.unpack(others.pack(new Map([[1, -0]])))).toEqual(new Map([[1, 0]]))
  })
})
