import { describe, expect, test } from 'vitest'
import { covers, nominated, unite, variesBy } from '../../src/http/vary.ts'

test('variesBy: lower case, each once, sorted; * swallows all', () => {
  expect(variesBy([])).toEqual([])
  expect(variesBy([['Vary', 'Origin, accept-encoding , ORIGIN,']])).toEqual(['accept-encoding', 'origin'])
  expect(variesBy([['Vary', ['Origin', 'Accept']]])).toEqual(['accept', 'origin'])
  expect(variesBy([['Vary', 'Origin, *']])).toBe('*')
})

describe('nominated (RFC 9111, section 4.1)', () => {
  test('lines are combined, and absence is told apart from emptiness', () => {
    expect(nominated({ a: ['x', 'y'] }, 'a')).toBe('+x, y')
    expect(nominated({ a: '' }, 'a')).toBe('+')
    expect(nominated({}, 'a')).toBe('-')
  })

  test.each(['accept', 'accept-charset', 'accept-encoding', 'accept-language'])(
    'of the list %s white space around commas does not count',
    (name) => {
      expect(nominated({ [name]: ' x ,\ty;q=1 , z ' }, name)).toBe('+x,y;q=1,z')
      expect(nominated({ [name]: ['x', 'y'] }, name)).toBe(nominated({ [name]: 'x,y' }, name))
      expect(nominated({ [name]: 'x y' }, name)).not.toBe(nominated({ [name]: 'x  y' }, name))
    },
  )

  test.each([
    ['cookie', 'user="Ann Lee"', 'user="Ann  Lee"'],
    ['cookie', 'u=a,b', 'u=a ,b'],
    ['authorization', 'Digest username="ann,x"', 'Digest username="ann, x"'],
    ['x-tenant', 'a b', 'a  b'],
    ['x-tenant', 'a,b', 'a, b'],
    ['accept', 'text/html;profile="a,b"', 'text/html;profile="a, b"'],
  ])('of %s, %s is not %s', (name, one, other) => {
    expect(nominated({ [name]: one }, name)).not.toBe(nominated({ [name]: other }, name))
  })

  test('takes no longer than the text', () => {
    // In quadratic time this would outlast the test's time limit.
    const long = `x${' '.repeat(1_000_000)}y`
    expect(nominated({ accept: long }, 'accept').length).toBe(long.length + 1)
  })
})

test('unite and covers', () => {
  expect(unite(['b', 'a'], ['c', 'a'])).toEqual(['a', 'b', 'c'])
  expect(covers(['a', 'b'], ['b'])).toBe(true)
  expect(covers(['a'], ['a', 'b'])).toBe(false)
})
