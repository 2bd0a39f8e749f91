import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Algorithm } from '../../src/entry/compression.ts'
import { compress, decompress, isAvailable, SYNCHRONOUS_BYTES_MOST } from '../../src/entry/compression.ts'

const MOST = 2 ** 24
const algorithms = (['deflate', 'zstd'] as const).filter(isAvailable)
const text = (length: number) =>
  Buffer.from('the price of product 7 is 12.50 '.repeat(length / 32 + 1)).subarray(0, length)

async function compressed(algorithm: Algorithm, payload: Buffer): Promise<Buffer> {
  const bytes = await compress(algorithm, payload)
  if (!bytes) throw new Error('it was not compressed')
  return bytes
}

/** What came of it: its bytes, a word, or the code of what was thrown or rejected with. */
async function outcome(bytes: Buffer, most = MOST): Promise<Buffer | string> {
  try {
    return await decompress(bytes, most)
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

const front = (mark: number, length: number) => {
  const bytes = Buffer.alloc(5, mark)
  bytes.writeUInt32BE(length, 1)
  return bytes
}

test('every Node has deflate', () => {
  expect(algorithms).toContain('deflate')
})

describe.each(algorithms)('%s', (algorithm) => {
  test.each([1000, SYNCHRONOUS_BYTES_MOST, SYNCHRONOUS_BYTES_MOST + 1, 1_000_000])(
    '%d bytes come back',
    async (length) => {
      const bytes = await compressed(algorithm, text(length))
      expect(bytes.length).toBeLessThan(length / 5)
      expect(text(length).equals((await outcome(bytes)) as Buffer)).toBe(true)
      expect(text(length).equals((await outcome(bytes, length)) as Buffer)).toBe(true)
      expect(await outcome(bytes, length - 1)).toBe('too-large')
    },
  )

  test('small ones at once, large ones beside the event loop', async () => {
    const [small, large] = [text(SYNCHRONOUS_BYTES_MOST), text(SYNCHRONOUS_BYTES_MOST + 1)]
    expect(compress(algorithm, small)).toBeInstanceOf(Buffer)
    expect(compress(algorithm, large)).toBeInstanceOf(Promise)
    expect(decompress(await compressed(algorithm, small), MOST)).toBeInstanceOf(Buffer)
    expect(decompress(await compressed(algorithm, large), MOST)).toBeInstanceOf(Promise)
  })

  test.each([100, 100_000])('%d bytes that do not get smaller are left as they are', async (length) => {
    expect(await compress(algorithm, randomBytes(length))).toBeUndefined()
  })

  test.each([2000, 100_000])(
    'of %d bytes: more or fewer than they say, or cut off, they are refused',
    async (length) => {
      const bytes = await compressed(algorithm, text(length))
      for (const said of [1, length - 1, length + 1, MOST]) {
        expect(await outcome(Buffer.concat([front(bytes[0] as number, said), bytes.subarray(5)]))).toBe(
          'ERR_UNDECODABLE',
        )
      }
      for (const end of [5, 6, bytes.length - 1]) {
        expect([end, await outcome(bytes.subarray(0, end))]).toEqual([end, 'ERR_UNDECODABLE'])
      }
    },
  )

  test('arbitrary bytes are read or refused, whatever they say', async () => {
    const mark = (await compressed(algorithm, text(1000)))[0] as number
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), fc.nat(100_000), async (bytes, said) => {
        const result = await outcome(Buffer.concat([front(mark, said), bytes]))
        if (typeof result === 'string') expect(result).toBe('ERR_UNDECODABLE')
        else expect(result).toHaveLength(said)
      }),
    )
  })
})

test('a bomb bursts at the length that it says, and that is bounded', async () => {
  const bomb = deflateRawSync(Buffer.alloc(2 ** 28), { level: 9 })
  expect(bomb.length).toBeLessThan(300_000)
  expect(await outcome(Buffer.concat([front(1, 1000), bomb]))).toBe('ERR_UNDECODABLE')
  expect(await outcome(Buffer.concat([front(1, MOST), bomb]))).toBe('ERR_UNDECODABLE')
  expect(await outcome(Buffer.concat([front(1, 2 ** 28), bomb]))).toBe('too-large')
})

test.each([0, 3, 255])('an algorithm %d may be one of a later version', async (mark) => {
  expect(await outcome(Buffer.concat([front(mark, 5), Buffer.from('hello')]))).toBe('algorithm')
})

test('an algorithm that this Node does not have is told apart from bytes that nobody can read', async () => {
  const bytes = Buffer.concat([front(2, 5), Buffer.from('hello')])
  expect(await outcome(bytes)).toBe(isAvailable('zstd') ? 'ERR_UNDECODABLE' : 'algorithm')
})

test.each([0, 1, 4])('%d bytes are too few', async (length) => {
  expect(await outcome(Buffer.alloc(length, 1))).toBe('ERR_UNDECODABLE')
})

test('nothing is never compressed', async () => {
  expect(await outcome(front(1, 0))).toBe('ERR_UNDECODABLE')
})
