import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isConditional, isNotModified, notModifiedFields } from '../../src/http/conditional.ts'
import type { Fields } from '../../src/http/message.ts'

const NOW = Date.UTC(2026, 5, 1)
const OLD = 'Sun, 06 Nov 1994 08:49:37 GMT'
const NEWER = 'Mon, 07 Nov 1994 08:49:37 GMT'

function head(fields: Fields, status = 200) {
  return { status, fields }
}

describe('If-None-Match', () => {
  test.each([
    ['"a"', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['"x", W/"a" ,"y"', '"a"', true],
    ['"x,\\"', '"x,\\"', true],
    ['"b"', '"a"', false],
    ['a', '"a"', false],
    ['"A"', '"a"', false],
    ['*', '"a"', true],
    ['', '"a"', false],
    ['"a"', 'a', false],
  ])('%s against %s: %s', (list, tag, expected) => {
    expect(isNotModified({ 'if-none-match': list }, head([['ETag', tag]]), NOW)).toBe(expected)
  })

  test('comes before If-Modified-Since', () => {
    const fields: Fields = [
      ['ETag', '"a"'],
      ['Last-Modified', OLD],
    ]
    expect(isNotModified({ 'if-none-match': '"b"', 'if-modified-since': NEWER }, head(fields), NOW)).toBe(false)
  })

  test('* matches a response without a tag, a tag does not', () => {
    expect(isNotModified({ 'if-none-match': '*' }, head([]), NOW)).toBe(true)
    expect(isNotModified({ 'if-none-match': '"a"' }, head([]), NOW)).toBe(false)
  })
})

describe('If-Modified-Since', () => {
  test.each([
    [NEWER, [['Last-Modified', OLD]], true],
    [OLD, [['Last-Modified', OLD]], true],
    [OLD, [['Last-Modified', NEWER]], false],
    [NEWER, [['Date', OLD]], true],
    [NEWER, [], false],
    ['yesterday', [['Last-Modified', OLD]], false],
    [NEWER, [['Last-Modified', '0']], false],
  ] satisfies [string, Fields, boolean][])('%s against %j: %s', (since, fields, expected) => {
    expect(isNotModified({ 'if-modified-since': since }, head(fields), NOW)).toBe(expected)
  })
})

test('only a 2xx becomes a 304', () => {
  expect(isNotModified({ 'if-none-match': '*' }, head([], 404), NOW)).toBe(false)
  expect(isNotModified({ 'if-none-match': '*' }, head([], 301), NOW)).toBe(false)
})

test('a 304 has the fields of RFC 9110, section 15.4.5, and none that describe content', () => {
  const names = ['ETag', 'Date', 'Cache-Control', 'Expires', 'Vary', 'Content-Location', 'Access-Control-Allow-Origin']
  const left = ['Content-Length', 'content-type', 'Content-Encoding', 'Content-Language', 'Last-Modified']
  const fields = [...names, ...left].map((name) => [name, 'x'] as const)
  expect(notModifiedFields(fields).map(([name]) => name)).toEqual(names)
  expect(notModifiedFields([['Last-Modified', OLD]])).toEqual([['Last-Modified', OLD]])
})

test('isConditional', () => {
  expect(isConditional({})).toBe(false)
  expect(isConditional({ 'if-none-match': '' })).toBe(true)
  expect(isConditional({ 'if-modified-since': OLD })).toBe(true)
})

test('never throws on what clients and applications write', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, text, (tags, since, tag) => {
      expect(isNotModified({ 'if-none-match': tags }, head([['etag', tag]], 404), NOW)).toBe(false)
      expect(isNotModified({ 'if-none-match': tags }, head([['etag', tag]]), NOW)).toBeTypeOf('boolean')
      expect(isNotModified({ 'if-modified-since': since }, head([['last-modified', tag]]), NOW)).toBeTypeOf('boolean')
    }),
  )
})
