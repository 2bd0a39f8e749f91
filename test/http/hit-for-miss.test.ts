import { expect, test } from 'vitest'
import { HitForMiss } from '../../src/http/hit-for-miss.ts'

test('marks a key for a minute, or until it could be shared', () => {
  const marks = new HitForMiss()
  expect(marks.has('k', 0)).toBe(false)
  marks.mark('k', 1000)
  expect(marks.has('k', 60_999)).toBe(true)
  expect(marks.has('k', 61_000)).toBe(false)
  marks.mark('k', 62_000)
  marks.unmark('k')
  expect(marks.has('k', 62_000)).toBe(false)
})

test('is bounded: the oldest mark goes first', () => {
  const marks = new HitForMiss()
  for (let n = 0; n < 10_000; n++) marks.mark(`k${n}`, 0)
  expect(marks.has('k0', 1)).toBe(false)
  expect(marks.has('k9999', 1)).toBe(true)
})
