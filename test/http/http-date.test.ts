import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatHttpDate, parseHttpDate } from '../../src/http/http-date.ts'

const NOW = Date.UTC(2026, 5, 1)
const AT = Date.UTC(1994, 10, 6, 8, 49, 37)

test('reads all three forms of RFC 9110, section 5.6.7', () => {
  expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT', NOW)).toBe(AT)
  expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', NOW)).toBe(AT)
  expect(parseHttpDate('Sun Nov  6 08:49:37 1994', NOW)).toBe(AT)
  expect(parseHttpDate('sun, 06 nov 1994 08:49:37 gmt', NOW)).toBe(AT)
})

test('a two-digit year more than 50 years ahead means the past century', () => {
  expect(parseHttpDate('Sunday, 06-Nov-76 08:49:37 GMT', NOW)).toBe(Date.UTC(2076, 10, 6, 8, 49, 37))
  expect(parseHttpDate('Sunday, 06-Nov-77 08:49:37 GMT', NOW)).toBe(Date.UTC(1977, 10, 6, 8, 49, 37))
})

test.each([
  '0',
  '',
  '-1',
  'never',
  '2026-01-01',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 EST',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 25:49:37 GMT',
  'Sun, 06 Foo 1994 08:49:37 GMT',
  'Sun, 6 Nov 1994 08:49:37 GMT',
])('%j is no date', (text) => {
  expect(parseHttpDate(text, NOW)).toBeUndefined()
})

test('reads back whatever it writes, and never throws', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      expect(parseHttpDate(formatHttpDate(seconds * 1000), NOW)).toBe(seconds * 1000)
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseHttpDate(text, NOW)))
})
