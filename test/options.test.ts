import { describe, expect, test } from 'vitest'
import { TierCacheError } from '../src/errors.ts'
import * as options from '../src/options.ts'

/** What a call refused with, or what it answered. */
function outcome(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof TierCacheError)) throw error
    return `${error.code} ${error.message}`
  }
}

const EXPECTED =
  "expected milliseconds >= 0, a text like '5m' (ms, s, m, h, d), { seconds, minutes, hours, days } or 'never'"

describe('durations', () => {
  test.each<[unknown, number]>([
    [0, 0],
    [-0, -0],
    [1.5, 1.5],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['0ms', 0],
    ['250ms', 250],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['007s', 7000],
    ['never', Number.POSITIVE_INFINITY],
    [{ seconds: 30 }, 30_000],
    [{ minutes: 1, seconds: 30 }, 90_000],
    [{ days: 1, hours: 1, minutes: 1, seconds: 1 }, 90_061_000],
    [{ minutes: 1, seconds: undefined }, 60_000],
    [{ seconds: 0 }, 0],
  ])('%j is %d ms', (value, ms) => {
    expect(options.readDuration('ttl', value)).toBe(ms)
  })

  test.each<[name: string, value: unknown, got: string]>([
    ['NaN', Number.NaN, 'NaN'],
    ['Infinity', Number.POSITIVE_INFINITY, 'Infinity'],
    ['-Infinity', Number.NEGATIVE_INFINITY, '-Infinity'],
    ['-1', -1, '-1'],
    ["'5 m'", '5 m', '"5 m"'],
    ["'-5m'", '-5m', '"-5m"'],
    ["'+5m'", '+5m', '"+5m"'],
    ["'5'", '5', '"5"'],
    ["'m'", 'm', '"m"'],
    ["'5M'", '5M', '"5M"'],
    ["'5min'", '5min', '"5min"'],
    ["'5w'", '5w', '"5w"'],
    ["'.5s'", '.5s', '".5s"'],
    ["'5.s'", '5.s', '"5.s"'],
    ["'1e3s'", '1e3s', '"1e3s"'],
    ["'0x10s'", '0x10s', '"0x10s"'],
    ["'5m\\n'", '5m\n', '"5m\\n"'],
    ["' 5m'", ' 5m', '" 5m"'],
    ["'٥m'", '٥m', '"٥m"'],
    ["'Infinitys'", 'Infinitys', '"Infinitys"'],
    ["'NEVER'", 'NEVER', '"NEVER"'],
    ["'toString'", 'toString', '"toString"'],
    ["'__proto__'", '__proto__', '"__proto__"'],
    ["''", '', '""'],
    ['a text of 400 digits', `${'9'.repeat(400)}d`, 'a string of 401 characters'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['true', true, 'true'],
    ['a bigint', 5n, 'a bigint'],
    ['a symbol', Symbol('5m'), 'a symbol'],
    ['a function', () => 5, 'a function'],
    ['{}', {}, 'an object'],
    ['[]', [], 'an array of 0'],
    ['[5]', [5], 'an array of 1'],
    ['a Date', new Date(5), 'an object of class Date'],
    ['new Number(5)', Object(5), 'an object of class Number'],
    ['{ hours: -1 }', { hours: -1 }, '{ "hours": -1 }'],
    ['{ hours: NaN }', { hours: Number.NaN }, '{ "hours": NaN }'],
    ['{ hours: Infinity }', { hours: Number.POSITIVE_INFINITY }, '{ "hours": Infinity }'],
    ["{ hours: '1' }", { hours: '1' }, '{ "hours": "1" }'],
    ['{ hours: null }', { hours: null }, '{ "hours": null }'],
    ['{ hours: undefined }', { hours: undefined }, '{ "hours": undefined }'],
    ['{ weeks: 1 }', { weeks: 1 }, '{ "weeks": 1 }'],
    ['{ minutes: 1, weeks: 1 }', { minutes: 1, weeks: 1 }, '{ "minutes": 1, "weeks": 1 }'],
    ['{ constructor: 1 }', { constructor: 1 }, '{ "constructor": 1 }'],
    ['{ toString: 1 }', { toString: 1 }, '{ "toString": 1 }'],
    ['an own __proto__', JSON.parse('{"__proto__":1}'), '{ "__proto__": 1 }'],
    ['inherited parts', Object.create({ minutes: 1 }), 'an object'],
    ['days beyond all numbers', { days: 1e305 }, '{ "days": 1e+305 }'],
  ])('%s is refused by all readers of durations', (_name, value, got) => {
    expect(outcome(() => options.readDuration('ttl', value))).toMatch(/^ERR_INVALID_OPTION ttl: /)
    const message = outcome(() => options.readDuration('ttl', value)) as string
    expect(message.startsWith(`ERR_INVALID_OPTION ttl: ${EXPECTED}, got ${got}`)).toBe(true)
    expect(outcome(() => options.readFiniteDuration('ttl', value))).toMatch(/^ERR_INVALID_OPTION ttl: /)
  })

  test('one with an end must have one, and be long enough', () => {
    expect(options.readFiniteDuration('lease', '3s')).toBe(3000)
    expect(options.readFiniteDuration('lease', 1)).toBe(1)
    expect(options.readFiniteDuration('lease', 0, 0)).toBe(0)
    for (const value of ['never', 0, 0.5]) {
      expect(outcome(() => options.readFiniteDuration('lease', value))).toMatch(
        /^ERR_INVALID_OPTION lease: expected a duration of at least 1 ms, with an end, got /,
      )
    }
    expect(outcome(() => options.readFiniteDuration('lease', 99, 100))).toContain('at least 100 ms')
  })
})

describe('numbers and words', () => {
  test('integers within their range', () => {
    expect(options.readInteger('max', 1, 1)).toBe(1)
    expect(options.readInteger('max', 10, 1, 10)).toBe(10)
    for (const value of [
      0,
      11,
      1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      '5',
      5n,
      null,
      undefined,
      [5],
      Object(5),
    ]) {
      expect(outcome(() => options.readInteger('max', value, 1, 10))).toMatch(
        /^ERR_INVALID_OPTION max: expected a whole number from 1 to 10, got /,
      )
    }
    expect(outcome(() => options.readInteger('max', 0, 1))).toBe(
      'ERR_INVALID_OPTION max: expected a whole number >= 1, got 0',
    )
  })

  test('numbers within their range', () => {
    expect(options.readNumber('jitter', 0, 0, 1)).toBe(0)
    expect(options.readNumber('jitter', 0.5, 0, 1)).toBe(0.5)
    expect(options.readNumber('jitter', 1, 0, 1)).toBe(1)
    for (const value of [-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY, '0.5', null, undefined, {}, Object(0.5)]) {
      expect(outcome(() => options.readNumber('jitter', value, 0, 1))).toMatch(
        /^ERR_INVALID_OPTION jitter: expected a number from 0 to 1, got /,
      )
    }
  })

  test('a word of a closed list', () => {
    expect(options.readWord('mode', 'copy', ['copy', 'frozen'])).toBe('copy')
    for (const value of ['Copy', '', 'toString', '__proto__', 0, null, undefined, ['copy']]) {
      expect(outcome(() => options.readWord('mode', value, ['copy', 'frozen']))).toMatch(
        /^ERR_INVALID_OPTION mode: expected 'copy', 'frozen', got /,
      )
    }
  })
})

describe('an object of options', () => {
  interface Some {
    readonly ttl?: unknown
    readonly redis?: unknown
  }
  const read = (given: unknown) => options.definedOptions<Some>('createCache', given as Some, ['ttl', 'redis'])

  test('undefined is absence, of the whole and of a part', () => {
    expect(read(undefined)).toEqual({})
    expect(read({ ttl: undefined, redis: 1 })).toStrictEqual({ redis: 1 })
    expect(read({ ttl: null, redis: 0 })).toStrictEqual({ ttl: null, redis: 0 })
  })

  test('an unknown name is refused, with those that there are', () => {
    expect(outcome(() => read({ tttl: 1 }))).toBe(
      "ERR_UNKNOWN_OPTION createCache: unknown option 'tttl', expected one of ttl, redis",
    )
    expect(outcome(() => read({ tttl: undefined }))).toContain('ERR_UNKNOWN_OPTION')
    expect(outcome(() => read({ constructor: 1 }))).toContain("unknown option 'constructor'")
    expect(outcome(() => read(JSON.parse('{"__proto__":{"ttl":1}}')))).toContain("unknown option '__proto__'")
  })

  test('what is inherited is no option', () => {
    expect(read(Object.create({ ttl: 1, unknown: 2 }))).toStrictEqual({})
  })

  test('what is no object is refused', () => {
    for (const given of [null, 0, '', 'redis://x', true, [], ['ttl'], () => ({}), Symbol('x')]) {
      expect(outcome(() => read(given))).toMatch(/^ERR_INVALID_OPTION createCache: expected an object of options, got /)
    }
  })

  test('the answer is another object than the one that was given', () => {
    const given = { ttl: 1 }
    expect(read(given)).not.toBe(given)
  })
})
