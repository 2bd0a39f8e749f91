import { expect, test } from 'vitest'
import { RecentKeys } from '../../src/tiers/recent-keys.ts'

test('a key is new once, and again when so many others have come that it is not remembered', () => {
  const keys = new RecentKeys(3)
  const adds = (...names: string[]) => names.map((name) => keys.adds(name))
  expect(adds('a', 'a', 'b', 'c')).toEqual([true, false, true, true])
  expect(adds('d', 'a', 'b', 'c', 'd')).toEqual([true, false, false, false, false])
  expect(adds('e', 'f', 'b')).toEqual([true, true, false])
  expect(adds('g', 'd', 'e', 'f', 'g')).toEqual([true, false, false, false, false])
  expect(adds('a')).toEqual([true])
})
