import { expect, test } from 'vitest'
import { Renewals } from '../../src/cache/renewals.ts'

test('a key is renewed once at a time', () => {
  const renewals = new Renewals()
  expect([renewals.begin('a', {}), renewals.begin('a', {}), renewals.has('a')]).toEqual([true, false, true])
  renewals.end('a')
  expect([renewals.has('a'), renewals.begin('a', {})]).toEqual([false, true])
})

test('sixteen runs go on at one time; the keys of one batch are one run', () => {
  const renewals = new Renewals()
  const batch = {}
  const begun = Array.from({ length: 15 }, (_, nth) => renewals.begin(`single ${nth}`, {}))
  expect(begun.every(Boolean)).toBe(true)
  const together = Array.from({ length: 100 }, (_, nth) => renewals.begin(`batch ${nth}`, batch))
  expect(together.every(Boolean)).toBe(true)
  expect(renewals.begin('one more', {})).toBe(false)
  for (let nth = 0; nth < 99; nth++) renewals.end(`batch ${nth}`)
  expect(renewals.begin('one more', {})).toBe(false)
  renewals.end('batch 99')
  renewals.end('batch 99')
  expect(renewals.begin('one more', {})).toBe(true)
  expect(renewals.begin('and another', {})).toBe(false)
})
