import { describe, expect, test } from 'vitest'
import { readStamp, stampsHold } from '../../src/entry/stamp.ts'

describe('readStamp', () => {
  test('reads what the scripts write', () => {
    expect(readStamp(Buffer.from('1790000000000001:00112233aabbccdd'))).toBe('1790000000000001:00112233aabbccdd')
    expect(readStamp(Buffer.from('0:0000000000000000'))).toBe('0:0000000000000000')
  })

  test.each([
    '',
    ':',
    '1:',
    ':00112233aabbccdd',
    '1:00112233aabbccd',
    '1:00112233aabbccdd0',
    '1:00112233AABBCCDD',
    '1.5:00112233aabbccdd',
    '-1:00112233aabbccdd',
    '1.79e+15:00112233aabbccdd',
    '123456789012345678:00112233aabbccdd',
    '1:00112233aabbccdd\n',
    ' 1:00112233aabbccdd',
    '1:00112233aabbccdd:soft5',
    '\xff\xfe',
    'x'.repeat(100_000),
  ])('%j is no stamp, and counts as absent', (text) => {
    expect(readStamp(Buffer.from(text, 'latin1'))).toBeUndefined()
  })

  test('absence is absence', () => {
    expect([readStamp(null), readStamp(undefined)]).toEqual([undefined, undefined])
  })
})

describe('stampsHold', () => {
  test('when every current stamp is the one carried', () => {
    expect(stampsHold(['a', 'b'], ['a', 'b'])).toBe(true)
    expect(stampsHold(['a', 'b', 'of a tag'], ['a', 'b'])).toBe(true)
    expect(stampsHold([], [])).toBe(true)
  })

  test('not when one moved, went away, or was never carried', () => {
    expect(stampsHold(['a', 'b'], ['a', 'c'])).toBe(false)
    expect(stampsHold(['a', 'b'], ['b', 'a'])).toBe(false)
    expect(stampsHold(['a', 'b'], [undefined, 'b'])).toBe(false)
    expect(stampsHold(['a'], ['a', 'b'])).toBe(false)
    expect(stampsHold([], [undefined])).toBe(false)
  })
})
