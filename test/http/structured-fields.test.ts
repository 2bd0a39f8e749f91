import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDictionary, parseItem, parseList } from '../../src/http/structured-fields.ts'
import type { BareItem, Member } from '../../src/http/structured-fields.ts'

/** What was read, without its types: parameters behind the value, where there are any. */
function plain(member: Member): unknown {
  const value = member.type === 'inner-list' ? member.items.map(plain) : member.value
  return member.parameters.size === 0 ? value : [value, plainParameters(member.parameters)]
}

function plainParameters(parameters: ReadonlyMap<string, BareItem>): unknown {
  return Object.fromEntries([...parameters].map(([key, { value }]) => [key, value]))
}

function item(text: string): unknown {
  const found = parseItem(text)
  return found && { [found.type]: plain(found) }
}

function list(text: string): unknown {
  return parseList(text)?.map(plain)
}

function dictionary(text: string): unknown {
  const found = parseDictionary(text)
  return found && [...found].map(([key, member]) => [key, plain(member)])
}

describe('items (RFC 9651, section 3.3)', () => {
  test.each<[string, unknown]>([
    ['42', { integer: 42 }],
    ['  -42 ', { integer: -42 }],
    ['-0', { integer: 0 }],
    ['999999999999999', { integer: 999_999_999_999_999 }],
    ['1.5', { decimal: 1.5 }],
    ['-123456789012.125', { decimal: -123_456_789_012.125 }],
    ['"a, \\"b\\" \\\\ c"', { string: 'a, "b" \\ c' }],
    ['""', { string: '' }],
    ['no-store', { token: 'no-store' }],
    ['*a/b:c', { token: '*a/b:c' }],
    ['?1', { boolean: true }],
    ['?0', { boolean: false }],
    [':aGVsbG8=:', { bytes: Buffer.from('hello') }],
    [':aGVsbG8:', { bytes: Buffer.from('hello') }],
    ['::', { bytes: Buffer.from('') }],
    ['@1659578233', { date: 1_659_578_233 }],
    ['@-1', { date: -1 }],
    ['%"f%c3%bc"', { 'display-string': 'fü' }],
    ['a;b;c=1; d="x"', { token: ['a', { b: true, c: 1, d: 'x' }] }],
    ['a;b=1;b=2', { token: ['a', { b: 2 }] }],
  ])('%s', (text, expected) => {
    expect(item(text)).toEqual(expected)
  })

  test.each([
    '',
    ' ',
    '-',
    '--1',
    '1000000000000000',
    '1.',
    '.5',
    '1.2345',
    '1234567890123.1',
    '1e5',
    '+1',
    '1 2',
    '"a',
    '"a\\b"',
    '"é"',
    '"a\tb"',
    "'a'",
    '?',
    '?2',
    '?true',
    ':a b:',
    ':aGVsbG8=',
    '@1.5',
    '@',
    '%"f%C3%BC"',
    '%"%c3"',
    '%"%zz"',
    '%"é"',
    'a;B',
    'a;',
    'a; =1',
    'a ;b',
    'é',
    '(a)',
    '\ta',
  ])('%j is none', (text) => {
    expect(item(text)).toBeUndefined()
  })
})

describe('lists (section 3.1)', () => {
  test.each<[string, unknown]>([
    ['', []],
    ['  ', []],
    ['a', ['a']],
    ['a,b\t,  "c" ', ['a', 'b', 'c']],
    [
      'a;x=1, (b c);y',
      [
        ['a', { x: 1 }],
        [['b', 'c'], { y: true }],
      ],
    ],
    ['()', [[]]],
    ['(  a   b ), 1', [['a', 'b'], 1]],
    ['("a";x "b")', [[['a', { x: true }], 'b']]],
    ['a, a', ['a', 'a']],
  ])('%j', (text, expected) => {
    expect(list(text)).toEqual(expected)
  })

  test.each(['a,', ',a', 'a,,b', 'a b', '(a', '(a,b)', '("a""b")', '((a))', 'a)', '(a)b'])('%j is none', (text) => {
    expect(list(text)).toBeUndefined()
  })
})

describe('dictionaries (section 3.2)', () => {
  test.each<[string, unknown]>([
    ['', []],
    [
      'max-age=60, no-store',
      [
        ['max-age', 60],
        ['no-store', true],
      ],
    ],
    ['a=?0', [['a', false]]],
    ['a;x=1', [['a', [true, { x: 1 }]]]],
    ['a=(1 2);x', [['a', [[1, 2], { x: true }]]]],
    [
      'a=1,b=2,a=3',
      [
        ['a', 3],
        ['b', 2],
      ],
    ],
    ['*x_1.-*=1', [['*x_1.-*', 1]]],
    ['__proto__=1', undefined],
  ])('%j', (text, expected) => {
    expect(dictionary(text)).toEqual(expected)
  })

  test.each(['Max-Age=60', 'a=', 'a =1', 'a= 1', 'a=1 b', 'a,', '1=a', '=1', 'a=1;', 'max-age=60s', '"a"=1'])(
    '%j is none',
    (text) => {
      expect(dictionary(text)).toBeUndefined()
    },
  )
})

test('nothing throws, and what is read as a number or text is written back the same', () => {
  const unit = fc.constantFrom(...'aA1*_-.,;=()"\\?:@%/ \té\0')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
      for (const parse of [parseItem, parseList, parseDictionary]) parse(text)
    }),
  )
  fc.assert(
    fc.property(fc.integer(), (whole) => {
      expect(parseItem(`${whole}`)).toMatchObject({ type: 'integer', value: whole })
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
      const quoted = `"${text.replace(/["\\]/g, '\\$&')}"`
      expect(parseItem(quoted)).toMatchObject({ type: 'string', value: text })
    }),
  )
})
