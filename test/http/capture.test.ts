import { describe, expect, test } from 'vitest'
import { Capture, CaptureMemory } from '../../src/http/capture.ts'

const PIECE = 16 * 1024

function capture(maxBytes: number, memory = new CaptureMemory(100 * PIECE)) {
  return new Capture(maxBytes, memory)
}

test('copies what it is given, into memory of its own', () => {
  const taken = capture(10)
  const memory = Buffer.from('ab')
  taken.add(memory)
  memory.write('cd')
  taken.add(memory)
  memory.fill(0)
  const body = taken.body()
  expect(Buffer.from(body).toString()).toBe('abcd')
  expect(body.buffer.byteLength).toBe(4)
  expect(taken.bytes).toBe(4)
})

test('a body of many pieces, in chunks that end within them', () => {
  const whole = Buffer.from(Array.from({ length: 5 * PIECE }, (_, at) => (at * 7) % 251))
  for (const step of [1000, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE]) {
    const taken = capture(whole.length)
    for (let at = 0; at < whole.length; at += step) expect(taken.add(whole.subarray(at, at + step))).toBe(true)
    expect(Buffer.from(taken.body()).equals(whole)).toBe(true)
  }
})

test('what was recorded stays as it is when its pieces are used again', () => {
  const memory = new CaptureMemory(PIECE)
  const [first, second] = [capture(10, memory), capture(10, memory)]
  first.add(Buffer.from('first'))
  const body = first.body()
  first.release()
  second.add(Buffer.from('other'))
  expect(Buffer.from(body).toString()).toBe('first')
  expect(Buffer.from(second.body()).toString()).toBe('other')
})

test('lets everything go over the limit', () => {
  const memory = new CaptureMemory(100 * PIECE)
  const taken = capture(3, memory)
  expect(taken.add(Buffer.from('abc'))).toBe(true)
  expect(memory.bytes).toBe(PIECE)
  expect(taken.add(Buffer.from('d'))).toBe(false)
  expect(taken.bytes).toBe(0)
  expect(memory.bytes).toBe(0)
})

describe('the memory of all captures', () => {
  test('has an end, and is given back', () => {
    const memory = new CaptureMemory(2 * PIECE)
    const [some, others] = [capture(10 * PIECE, memory), capture(10 * PIECE, memory)]
    expect(some.add(Buffer.alloc(PIECE + 1))).toBe(true)
    expect(others.add(Buffer.from('a'))).toBe(false)
    some.release()
    expect(memory.bytes).toBe(0)
    expect(others.add(Buffer.alloc(2 * PIECE))).toBe(true)
    expect(others.add(Buffer.from('a'))).toBe(false)
    expect(memory.bytes).toBe(0)
  })

  test('is used again', () => {
    const memory = new CaptureMemory(2 * PIECE)
    const piece = memory.take() as Buffer
    memory.giveBack([piece])
    expect(memory.take()).toBe(piece)
  })
})

test('a body may be empty', () => {
  expect(capture(0).body().byteLength).toBe(0)
  expect(capture(0).add(new Uint8Array())).toBe(true)
})
