import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deltaSeconds, fieldNames, leastSeconds, parseCacheControl, splitList } from '../../src/http/cache-control.ts'

describe('parseCacheControl', () => {
  test('reads names without regard to case, tokens and quoted texts', () => {
    const control = parseCacheControl('Public, MAX-AGE=60, x="a, b", s-maxage="5"')
    expect([...control]).toEqual([
      ['public', [undefined]],
      ['max-age', ['60']],
      ['x', ['a, b']],
      ['s-maxage', ['5']],
    ])
  })

  test('keeps every occurrence of a repeated directive', () => {
    expect(parseCacheControl('max-age=1, max-age=2').get('max-age')).toEqual(['1', '2'])
  })

  test('passes over empty members and what is no token', () => {
    expect([...parseCacheControl(', ,, no-store ,=5, a b=1').keys()]).toEqual(['no-store'])
  })

  test('a quotation mark that is never closed hides nothing behind it', () => {
    expect(parseCacheControl('private="x, no-store').has('no-store')).toBe(true)
  })

  test('allows white space around the equals sign, and escapes within quotes', () => {
    expect(parseCacheControl('max-age = 5').get('max-age')).toEqual(['5'])
    expect(parseCacheControl('x="a\\"b"').get('x')).toEqual(['a"b'])
  })

  test('has nothing to say of an absent or empty field', () => {
    expect(parseCacheControl(undefined).size).toBe(0)
    expect(parseCacheControl('').size).toBe(0)
  })

  test('names such as __proto__ are directives like others', () => {
    const control = parseCacheControl('__proto__=1, constructor')
    expect(control.get('__proto__')).toEqual(['1'])
    expect(control.has('toString'.toLowerCase())).toBe(false)
  })

  test('never throws, and finds no-store among whatever other members', () => {
    const member = fc.string({ unit: fc.constantFrom('a', '=', '"', '\\', ' ', '\t', '\0', 'é', '1') })
    fc.assert(
      fc.property(fc.array(member), fc.array(member), (before, after) => {
        const control = parseCacheControl([...before.map(closed), 'No-Store', ...after].join(','))
        expect(control.has('no-store')).toBe(true)
      }),
    )
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseCacheControl(text) instanceof Map))
  })

  test('takes linear time over quotation marks that are never closed', () => {
    // In quadratic time this would outlast the test's time limit many times over.
    expect(parseCacheControl('"\\'.repeat(1_000_000)).size).toBe(0)
  })
})

/** A member whose quotes cannot reach into the next one. */
function closed(member: string): string {
  return member.replaceAll('"', '')
}

test('deltaSeconds takes digits only, and caps them', () => {
  expect(deltaSeconds('60')).toBe(60)
  expect(deltaSeconds('99999999999999')).toBe(2 ** 31)
  for (const text of ['', '-1', '1.5', '1s', ' 1', undefined]) expect(deltaSeconds(text)).toBeUndefined()
})

test('leastSeconds: the least, and 0 for what makes no sense', () => {
  expect(leastSeconds(parseCacheControl('max-age=9, max-age="5"'), 'max-age')).toBe(5)
  expect(leastSeconds(parseCacheControl('max-age=9, max-age'), 'max-age')).toBe(0)
  expect(leastSeconds(parseCacheControl('max-age=x'), 'max-age')).toBe(0)
  expect(leastSeconds(parseCacheControl('public'), 'max-age')).toBeUndefined()
})

test('fieldNames: a directive without a list means all', () => {
  expect(fieldNames(parseCacheControl('private="X-User, x-cart"'), 'private')).toEqual(['x-user', 'x-cart'])
  expect(fieldNames(parseCacheControl('private="x", private'), 'private')).toBe('all')
  expect(fieldNames(parseCacheControl('private=""'), 'private')).toBe('all')
  expect(fieldNames(parseCacheControl('private=", x"'), 'private')).toBe('all')
  expect(fieldNames(parseCacheControl('public'), 'private')).toEqual([])
})

test('splitList leaves commas within quotes alone', () => {
  expect(splitList('"a,b", W/"c" ,, d')).toEqual(['"a,b"', 'W/"c"', 'd'])
})
