import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { names, searchClass, searchVariance, varianceText } from '../../src/http/no-vary-search.ts'
import { malformedVariances } from './malformed-variances.ts'

const of = (value: string) => searchVariance([['No-Vary-Search', value]])

describe('No-Vary-Search is read (section 4.1)', () => {
  test.each([
    ['key-order', { names: [], rule: 'all-but', orderCounts: false }],
    ['params', { names: [], rule: 'only', orderCounts: true }],
    ['params=?1', { names: [], rule: 'only', orderCounts: true }],
    ['params=("a")', { names: ['a'], rule: 'all-but', orderCounts: true }],
    ['params=("b" "a" "b")', { names: ['a', 'b'], rule: 'all-but', orderCounts: true }],
    ['params, except=("x")', { names: ['x'], rule: 'only', orderCounts: true }],
    ['params, except=()', { names: [], rule: 'only', orderCounts: true }],
    ['except=("x"), key-order, params', { names: ['x'], rule: 'only', orderCounts: false }],
    ['params=("%C3%A9+%E6%B0%97")', { names: ['é 気'], rule: 'all-but', orderCounts: true }],
    ['params=("a");q=1, other=5', { names: ['a'], rule: 'all-but', orderCounts: true }],
    ['key-order, params=?0', { names: [], rule: 'all-but', orderCounts: false }],
  ])('%s', (value, variance) => {
    expect(of(value)).toEqual(variance)
  })

  test.each(malformedVariances)('%j is the default variance', (value) => expect(of(value)).toBeUndefined())

  test('lines are put together, the last of a key counts', () => {
    expect(searchVariance([['no-vary-search', ['params=("a")', 'key-order']]])).toEqual({
      names: ['a'],
      rule: 'all-but',
      orderCounts: false,
    })
    expect(searchVariance([])).toBeUndefined()
  })
})

describe('targets are equivalent (section 5)', () => {
  const equal = (value: string, one: string, other: string) => {
    const variance = of(value)
    if (!variance) throw new Error('no variance')
    return searchClass(one, variance) === searchClass(other, variance)
  }

  test.each([
    ['key-order', '/?a=1&b=2', '/?b=2&a=1', true],
    ['key-order', '/?a=1&b=2&a=3', '/?b=2&a=1&a=3', true],
    ['key-order', '/?a=1&a=2', '/?a=2&a=1', false],
    ['key-order', '/?a=1', '/?a=2', false],
    ['params', '/?a=1', '/?b', true],
    ['params', '/', '/?b', true],
    ['params', '/', '/x', false],
    ['params=("a")', '/?a=1&b=2', '/?b=2&a=9&a', true],
    ['params=("a")', '/?b=2&c', '/?c&b=2', false],
    ['params=("a")', '/?b=2', '/?B=2', false],
    ['params, except=("id")', '/?id=1&utm=2', '/?utm=3&id=1', true],
    ['params, except=("id")', '/?id=1', '/?id=2', false],
    // The parser of forms makes these one.
    ['key-order', '/', '/?', true],
    ['key-order', '/?a=x', '/?%61=%78', true],
    ['key-order', '/?a=%f6', '/?a=%ef%bf%bd', true],
    ['key-order', '/?a=x&&&&', '/?a=x', true],
    ['key-order', '/?a=', '/?a', true],
    ['key-order', '/?a=%20', '/?a=+', true],
    // Values cannot pass for names, or for a path.
    ['key-order', '/?a=b%26c=d', '/?a=b&c=d', false],
    ['key-order', '/?%22,%22', '/?%22&%22', false],
    ['params', '/%61', '/a', false],
  ])('under %s, %s and %s: %s', (value, one, other, expected) => expect(equal(value, one, other)).toBe(expected))

  test('a target with a fragment, or with what is not of a URL, is in no class', () => {
    const variance = of('params')
    for (const target of ['/#?a', '/?a#b', '/?\u00e9', '/ ?a']) {
      expect(variance && searchClass(target, variance)).toBeUndefined()
    }
  })

  test('by pairs of names and values, as the section has them compared', () => {
    const part = fc.constantFrom('a', 'b', '%61', 'a=1', 'a=2', 'b=1', 'c', '', 'a+b', 'a%20b=')
    const query = fc.array(part, { maxLength: 5 }).map((parts) => `/?${parts.join('&')}`)
    const value = fc.constantFrom(
      'key-order',
      'params',
      'params=("a")',
      'params=("a" "b"), key-order',
      'params, except=("a"), key-order',
    )
    fc.assert(
      fc.property(value, query, query, (field, one, other) => {
        const pairs = (target: string) => {
          let found = [...new URL(target, 'http://x').searchParams]
          if (field.startsWith('params, except=')) found = found.filter(([name]) => name === 'a')
          else if (field === 'params') found = []
          else if (field.includes('"b"')) found = found.filter(([name]) => name !== 'a' && name !== 'b')
          else if (field.includes('"a"')) found = found.filter(([name]) => name !== 'a')
          if (!field.includes('key-order')) return found
          const names = [...new Set(found.map(([name]) => name))].sort()
          return names.flatMap((name) => found.filter(([each]) => each === name))
        }
        expect(equal(field, one, other)).toBe(JSON.stringify(pairs(one)) === JSON.stringify(pairs(other)))
      }),
      { numRuns: 500 },
    )
  })
})

test('a variance has one text, whatever its names are called', () => {
  const text = (value: string) => {
    const variance = of(value)
    return variance && varianceText(variance)
  }
  expect(text('params=("b" "a")')).toBe(text('params=("a" "b")'))
  const values = [
    'params=("a")',
    'params, except=("a")',
    'params=("a"), key-order',
    'params=("a,b")',
    'params=("a" "b")',
  ]
  expect(new Set(values.map(text)).size).toBe(values.length)
})

test('names: a response names this very variance', () => {
  const variance = of('params, except=("id")')
  if (!variance) throw new Error('no variance')
  expect(names([['No-Vary-Search', 'except=("id"), params']], variance)).toBe(true)
  expect(names([['No-Vary-Search', 'params']], variance)).toBe(false)
  expect(names([], variance)).toBe(false)
})
