import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { freshen, selects, validatorsOf } from '../../src/http/validation.ts'
import type { Fields } from '../../src/http/message.ts'

const NOW = Date.UTC(2026, 5, 1)
const OLD = 'Sun, 06 Nov 1994 08:49:37 GMT'
const NEWER = 'Mon, 07 Nov 1994 08:49:37 GMT'

function of(fields: Fields) {
  return { status: 200, fields }
}

test('the validators of a stored response go to the application as they are (RFC 9111, section 4.3.1)', () => {
  const tag: Fields = [['ETag', 'W/"a"']]
  const date: Fields = [['last-modified', OLD]]
  expect(validatorsOf(of([...tag, ...date]), NOW)).toEqual({ 'if-none-match': 'W/"a"', 'if-modified-since': OLD })
  expect(validatorsOf(of(tag), NOW)).toEqual({ 'if-none-match': 'W/"a"' })
  expect(validatorsOf(of(date), NOW)).toEqual({ 'if-modified-since': OLD })
})

test.each([
  [[]],
  [[['ETag', 'a']]],
  [[['ETag', '*']]],
  [[['ETag', '']]],
  [[['Last-Modified', 'today']]],
] satisfies Fields[][])('%j validates nothing', (fields) => expect(validatorsOf(of(fields), NOW)).toBeUndefined())

describe('a 304 selects a stored response (RFC 9111, section 4.3.4)', () => {
  test.each([
    ['a strong tag', [['ETag', '"a"']], [['ETag', '"a"']], true],
    ['another one', [['ETag', '"b"']], [['ETag', '"a"']], false],
    ['a strong tag for a weak one', [['ETag', '"a"']], [['ETag', 'W/"a"']], false],
    ['a weak tag', [['ETag', 'W/"a"']], [['ETag', 'W/"a"']], true],
    ['a weak tag for a strong one', [['ETag', 'W/"a"']], [['ETag', '"a"']], true],
    ['another weak tag', [['ETag', 'W/"b"']], [['ETag', '"a"']], false],
    ['a tag where none is stored', [['ETag', '"a"']], [['Last-Modified', OLD]], false],
    ['a date', [['Last-Modified', OLD]], [['Last-Modified', OLD]], true],
    ['another date', [['Last-Modified', NEWER]], [['Last-Modified', OLD]], false],
    ['no validator', [], [['ETag', '"a"']], true],
    ['garbage', [['ETag', 'a']], [['ETag', '"a"']], true],
  ] satisfies [string, Fields, Fields, boolean][])('%s', (_, told, stored, expected) => {
    expect(selects(of(told), of(stored))).toBe(expected)
  })
})

describe('freshen (RFC 9111, section 3.2)', () => {
  const stored = of([
    ['Content-Type', 'text/plain'],
    ['Content-Length', '5'],
    ['Cache-Control', 'max-age=1'],
    ['X-A', 'old'],
    ['X-B', 'old'],
    ['Link', ['<a>', '<b>']],
  ])

  test('fields of the 304 replace those of their name, and others stay', () => {
    const told: Fields = [
      ['cache-control', 'max-age=9'],
      ['x-a', 'new'],
      ['X-C', 'new'],
      ['Link', '<c>'],
      ['ETag', '"a"'],
    ]
    expect(freshen(stored, of(told))).toEqual({
      status: 200,
      fields: [['Content-Type', 'text/plain'], ['Content-Length', '5'], ['X-B', 'old'], ...told],
    })
  })

  test('what describes the stored bytes stays, as does what is never kept, and what is of the connection', () => {
    const names = ['Content-Length', 'Content-Encoding', 'Content-Type', 'Content-Range', 'Content-MD5']
    const connection = ['Transfer-Encoding', 'Keep-Alive', 'Set-Cookie', 'Upgrade', 'X-A', 'X-Named']
    const told: Fields = [...names, ...connection].map((name) => [name, 'new'] as const)
    expect(freshen(stored, of([...told, ['Connection', 'x-a, X-Named, close']]))).toEqual(stored)
  })

  test('the Age of the 304 counts', () => {
    expect(freshen(stored, of([['Age', '7']])).fields).toContainEqual(['Age', '7'])
  })

  test('once freshened, a second time changes nothing', () => {
    const name = fc.constantFrom('Content-Type', 'Cache-Control', 'X-A', 'x-a', 'ETag', 'Connection', 'Set-Cookie')
    const fields = fc.array(fc.tuple(name, fc.constantFrom('x-a', 'b', 'etag')))
    fc.assert(
      fc.property(fields, (told) => {
        const once = freshen(stored, of(told))
        expect(freshen(once, of(told))).toEqual(once)
        expect(once.fields.find(([each]) => each === 'Content-Type')).toEqual(['Content-Type', 'text/plain'])
      }),
    )
  })
})
