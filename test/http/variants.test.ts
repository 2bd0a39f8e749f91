import { expect, test } from 'vitest'
import { VariantCounts } from '../../src/http/variants.ts'

test('of 17 variants the one that was stored first makes room; one that is stored again is young again', () => {
  const counts = new VariantCounts()
  for (let index = 0; index < 16; index++) expect(counts.noted('r', 'n', `k${index}`)).toBeUndefined()
  expect(counts.noted('r', 'n', 'k0')).toBeUndefined()
  expect(counts.noted('r', 'n', 'k16')).toBe('k1')
  expect(counts.noted('r', 'n', 'k17')).toBe('k2')
})

test('variants of another rule, or page, are counted by themselves', () => {
  const counts = new VariantCounts()
  for (let index = 0; index < 16; index++) counts.noted('r', 'n', `k${index}`)
  expect(counts.noted('other', 'n', 'k16')).toBeUndefined()
  expect(counts.noted('r', 'm', 'k16')).toBeUndefined()
})
