import { describe, expect, test } from 'vitest'
import * as errors from '../src/errors.ts'

test('every code has a sentence', () => {
  for (const [code, sentence] of Object.entries(errors.errorCodes)) {
    expect(code).toMatch(/^ERR_[A-Z0-9_]+$/)
    expect(sentence).toMatch(/^[A-Z].*\.$/)
  }
})

test('an error carries its code and its cause', () => {
  const cause = new Error('why')
  const error = new errors.TierCacheError('ERR_CLOSED', 'the cache was closed', { cause })
  expect(error).toBeInstanceOf(Error)
  expect([error.name, error.code, error.message, error.cause]).toEqual([
    'TierCacheError',
    'ERR_CLOSED',
    'the cache was closed',
    cause,
  ])
  expect(String(error)).toBe('TierCacheError: the cache was closed')
})

test('the error of a bad value says its name, what is expected, and what came', () => {
  const error = errors.badValue('ERR_INVALID_KEY', 'key', 'a string', 7)
  expect([error.code, error.message]).toEqual(['ERR_INVALID_KEY', 'key: expected a string, got 7'])
})

describe('describe', () => {
  class Shop {}
  test.each<[value: unknown, text: string]>([
    ['short', '"short"'],
    ['with "quotes" and\nlines\0', '"with \\"quotes\\" and\\nlines\\u0000"'],
    ['x'.repeat(40), `"${'x'.repeat(40)}"`],
    ['x'.repeat(41), 'a string of 41 characters'],
    [null, 'null'],
    [undefined, 'undefined'],
    [-0, '0'],
    [Number.NaN, 'NaN'],
    [true, 'true'],
    [12n, 'a bigint'],
    [Symbol('secret'), 'a symbol'],
    [['secret'], 'an array of 1'],
    [{ password: 'secret' }, 'an object'],
    [new Shop(), 'an object of class Shop'],
    [Object.create(null), 'an object'],
    [() => {}, 'a function'],
    [function load() {}, 'a function (load)'],
    [new Map([['secret', 'secret']]), 'an object of class Map'],
  ])('of a value: %s', (value, text) => {
    expect(errors.describe(value)).toBe(text)
  })

  test('never tells what is long or inside: a message of any value stays short', () => {
    const secret = 'secret'.repeat(100)
    const values = [
      secret,
      [secret],
      { [secret]: secret },
      new Map([[secret, secret]]),
      Buffer.from(secret),
      new Error(secret),
      Symbol(secret),
    ]
    for (const value of values) {
      expect(errors.describe(value)).not.toContain('secret')
      expect(errors.badValue('ERR_INVALID_KEY', 'key', 'a string', value).message.length).toBeLessThan(100)
    }
  })
})
