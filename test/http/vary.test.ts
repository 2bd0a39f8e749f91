import { expect, test } from 'vitest'
import { covers, nominated, unite, variesBy } from '../../src/http/vary.ts'

test('variesBy: lower case, each once, sorted; * swallows all', () => {
  expect(variesBy([])).toEqual([])
  expect(variesBy([['Vary', 'Origin, accept-encoding , ORIGIN,']])).toEqual(['accept-encoding', 'origin'])
  expect(variesBy([['Vary', ['Origin', 'Accept']]])).toEqual(['accept', 'origin'])
  expect(variesBy([['Vary', 'Origin, *']])).toBe('*')
})

test('nominated: white space is normalised, absence is told apart (RFC 9111, section 4.1)', () => {
  expect(nominated({ a: ' x ,\ty  z ' }, 'a')).toBe('+x,y z')
  expect(nominated({ a: ['x', 'y'] }, 'a')).toBe('+x,y')
  expect(nominated({ a: '' }, 'a')).toBe('+')
  expect(nominated({}, 'a')).toBe('-')
  // In quadratic time this would outlast the test's time limit.
  expect(nominated({ a: `x${' '.repeat(1_000_000)}y` }, 'a')).toBe('+x y')
})

test('unite and covers', () => {
  expect(unite(['b', 'a'], ['c', 'a'])).toEqual(['a', 'b', 'c'])
  expect(covers(['a', 'b'], ['b'])).toBe(true)
  expect(covers(['a'], ['a', 'b'])).toBe(false)
})
