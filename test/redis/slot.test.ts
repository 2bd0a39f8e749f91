import { expect, test } from 'vitest'
import { slotOf } from '../../src/redis/slot.ts'

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
