import { describe, expect, test } from 'vitest'
import { judgeStamps, readStamp } from '../../src/entry/stamp.ts'

describe('readStamp', () => {
  test('reads what the scripts write', () => {
    expect(readStamp(Buffer.from('1790000000000001:00112233aabbccdd'))).toEqual({
      name: '1790000000000001:00112233aabbccdd',
      softN: 0,
    })
    expect(readStamp(Buffer.from('0:0000000000000000'))).toEqual({ name: '0:0000000000000000', softN: 0 })
  })

  test('reads a soft invalidation behind it', () => {
    expect(readStamp(Buffer.from('5:00112233aabbccdd:1790000000000001'))).toEqual({
      name: '5:00112233aabbccdd',
      softN: 1790000000000001,
    })
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

describe('judgeStamps', () => {
  const stamps = (...names: string[]) => names.map((name) => ({ name, softN: 0 }))

  test('holds when every current stamp is the one carried', () => {
    expect(judgeStamps(['a', 'b'], 5, stamps('a', 'b'))).toBe('holds')
    expect(judgeStamps(['a', 'b', 'of a tag'], 5, stamps('a', 'b'))).toBe('holds')
    expect(judgeStamps([], 5, [])).toBe('holds')
  })

  test('void when one moved, went away, or was never carried', () => {
    expect(judgeStamps(['a', 'b'], 5, stamps('a', 'c'))).toBe('void')
    expect(judgeStamps(['a', 'b'], 5, stamps('b', 'a'))).toBe('void')
    expect(judgeStamps(['a', 'b'], 5, [undefined, ...stamps('b')])).toBe('void')
    expect(judgeStamps(['a'], 5, stamps('a', 'b'))).toBe('void')
    expect(judgeStamps([], 5, [undefined])).toBe('void')
  })

  test('stale when one was softly invalidated after what the entry follows, void wins over stale', () => {
    const soft = (softN: number) => [{ name: 'a', softN }, ...stamps('b')]
    expect(judgeStamps(['a', 'b'], 5, soft(6))).toBe('stale')
    expect(judgeStamps(['a', 'b'], 6, soft(6))).toBe('holds')
    expect(judgeStamps(['a', 'c'], 5, soft(6))).toBe('void')
  })
})
