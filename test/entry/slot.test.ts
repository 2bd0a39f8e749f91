import { expect, test } from 'vitest'
import { hashTags, slotOf, SLOTS } from '../../src/entry/slot.ts'

// The check value is the specification's; the slots are what CLUSTER KEYSLOT answers.
test.each([
  ['123456789', 0x31c3],
  ['', 0],
  ['0', 13907],
  ['63', 10499],
  ['é', 10180],
])('the slot of %j', (hashTag, slot) => {
  expect(slotOf(hashTag)).toBe(slot)
})

test.each([1, 2, 12, 32, 64, 1000, 1024])(
  '%i buckets have hash tags of their own, spread evenly over the slots',
  (buckets) => {
    const tags = hashTags(buckets)
    expect(tags.map((tag) => Math.floor((slotOf(tag) * buckets) / SLOTS))).toEqual(tags.map((_, bucket) => bucket))
  },
)

test('the hash tags of a number of buckets are for ever the same', () => {
  expect(hashTags(1)).toEqual(['0'])
  expect(hashTags(4)).toEqual(['2/4', '1/4', '0/4', '3/4'])
})
