import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { partialFields, unsatisfiableFields, wantedOf } from '../../src/http/range.ts'
import { requestOf } from './plain-exchange.ts'
import type { Fields, HttpRequest } from '../../src/http/message.ts'

const NOW = Date.UTC(2026, 5, 1)
const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT'
const SECOND_LATER = 'Sun, 06 Nov 1994 08:49:38 GMT'

function wanted(headers: HttpRequest['headers'], length = 10, fields: Fields = []) {
  return wantedOf(requestOf({ headers }), { status: 200, fields }, length, NOW)
}

describe('Range (RFC 9110, section 14.2)', () => {
  test.each([
    ['bytes=0-4', { first: 0, last: 4 }],
    ['bytes=9-9', { first: 9, last: 9 }],
    ['bytes=4-', { first: 4, last: 9 }],
    ['bytes=4-99999999999999999999', { first: 4, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-10', { first: 0, last: 9 }],
    ['bytes=-99999999999999999999', { first: 0, last: 9 }],
    ['BYTES=0-0', { first: 0, last: 0 }],
    ['bytes= 0-0 ', { first: 0, last: 0 }],
    ['bytes=,0-0,', { first: 0, last: 0 }],
  ])('%s is a part', (range, part) => expect(wanted({ range })).toEqual(part))

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99999999999999999999-'])('%s is not there', (range) =>
    expect(wanted({ range })).toBe('unsatisfiable'),
  )

  test.each([
    ['several', 'bytes=0-1,3-4'],
    ['backwards', 'bytes=4-3'],
    ['another unit', 'lines=0-1'],
    ['no unit', '0-1'],
    ['empty', 'bytes='],
    ['no numbers', 'bytes=a-b'],
    ['no ends', 'bytes=-'],
    ['negative', 'bytes=--1'],
    ['a fraction', 'bytes=0-1.5'],
    ['space before =', 'bytes =0-1'],
    ['space inside', 'bytes=0 - 1'],
    ['nothing', ''],
  ])('%s is passed over: %s', (_, range) => expect(wanted({ range })).toBe('whole'))

  test('of an empty body there is no part', () => {
    expect(wanted({ range: 'bytes=0-' }, 0)).toBe('unsatisfiable')
    expect(wanted({ range: 'bytes=-1' }, 0)).toBe('whole')
  })

  test('is of GET and 200 alone', () => {
    const headers = { range: 'bytes=0-1' }
    for (const method of ['HEAD', 'QUERY', 'POST'])
      expect(wantedOf(requestOf({ method, headers }), { status: 200, fields: [] }, 10, NOW)).toBe('whole')
    for (const status of [203, 204, 404, 206])
      expect(wantedOf(requestOf({ headers }), { status, fields: [] }, 10, NOW)).toBe('whole')
  })

  test('repeated lines are several ranges', () => {
    expect(wanted({ range: ['bytes=0-1', 'bytes=2-3'] })).toBe('whole')
  })
})

describe('If-Range (RFC 9110, section 13.1.5)', () => {
  const range = 'bytes=0-1'
  const part = { first: 0, last: 1 }

  test.each([
    ['"a"', '"a"', part],
    ['"a"', '"b"', 'whole'],
    ['W/"a"', '"a"', 'whole'],
    ['"a"', 'W/"a"', 'whole'],
    ['W/"a"', 'W/"a"', 'whole'],
    ['"a", "b"', '"a"', 'whole'],
    ['*', '"a"', 'whole'],
    ['', '"a"', 'whole'],
  ])('%s against %s: %j', (condition, tag, expected) => {
    expect(wanted({ range, 'if-range': condition }, 10, [['ETag', tag]])).toEqual(expected)
  })

  test.each([
    [MODIFIED, MODIFIED, SECOND_LATER, part],
    ['Sunday, 06-Nov-94 08:49:37 GMT', MODIFIED, SECOND_LATER, part],
    [SECOND_LATER, MODIFIED, SECOND_LATER, 'whole'],
    [MODIFIED, SECOND_LATER, SECOND_LATER, 'whole'],
    // Made in the second in which it was changed: a weak validator.
    [MODIFIED, MODIFIED, MODIFIED, 'whole'],
    [MODIFIED, MODIFIED, 'never', 'whole'],
    ['yesterday', 'yesterday', SECOND_LATER, 'whole'],
  ])('%s against Last-Modified %s, Date %s: %j', (condition, modified, date, expected) => {
    const fields: Fields = [
      ['Last-Modified', modified],
      ['Date', date],
    ]
    expect(wanted({ range, 'if-range': condition }, 10, fields)).toEqual(expected)
  })

  test('with nothing to compare it does not hold; without Range it says nothing', () => {
    expect(wanted({ range, 'if-range': '"a"' })).toBe('whole')
    expect(wanted({ 'if-range': '"a"' }, 10, [['ETag', '"a"']])).toBe('whole')
  })
})

test('whatever is asked, a part lies inside the body', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('0', '9', '-', ',', ' ') }).map((set) => `bytes=${set}`),
  )
  fc.assert(
    fc.property(text, fc.nat(20), (range, length) => {
      const part = wanted({ range }, length)
      const isInside = typeof part === 'string' || (part.first >= 0 && part.last >= part.first && part.last < length)
      expect(isInside).toBe(true)
    }),
  )
})

const FIELDS: Fields = [
  ['Content-Type', 'text/plain'],
  ['Content-Length', '10'],
  ['ETag', '"a"'],
  ['Content-Digest', 'sha-256=:x:'],
  ['Cache-Control', 'max-age=60'],
  ['Access-Control-Allow-Origin', '*'],
  ['Vary', 'Accept'],
]

test('a 206 has the fields of the 200, and the range in place of the length (RFC 9110, section 15.3.7)', () => {
  expect(partialFields(FIELDS, { first: 2, last: 4 }, 10, false)).toEqual([
    ['Content-Type', 'text/plain'],
    ['ETag', '"a"'],
    ['Cache-Control', 'max-age=60'],
    ['Access-Control-Allow-Origin', '*'],
    ['Vary', 'Accept'],
    ['Content-Range', 'bytes 2-4/10'],
    ['Content-Length', '3'],
  ])
})

test('who resumes does not get again what describes the whole', () => {
  const names = partialFields(FIELDS, { first: 2, last: 4 }, 10, true).map(([name]) => name)
  expect(names).not.toContain('Content-Type')
  expect(names).toEqual(expect.arrayContaining(['ETag', 'Cache-Control', 'Vary', 'Content-Range', 'Content-Length']))
})

test('a 416 tells the length, and can stand for nothing (RFC 9110, section 15.5.17)', () => {
  expect(unsatisfiableFields(FIELDS, 10)).toEqual([
    ['Access-Control-Allow-Origin', '*'],
    ['Vary', 'Accept'],
    ['Content-Range', 'bytes */10'],
    ['Content-Length', '0'],
  ])
})
