import { expect, test } from 'vitest'
import { Capture } from '../../src/http/capture.ts'

test('copies what it is given, once, into memory of its own', () => {
  const capture = new Capture(10)
  const memory = Buffer.from('ab')
  capture.add(memory)
  memory.write('cd')
  capture.add(memory)
  memory.fill(0)
  const body = capture.body()
  expect(Buffer.from(body).toString()).toBe('abcd')
  expect(body.buffer.byteLength).toBe(4)
  expect(capture.bytes).toBe(4)
})

test('lets everything go over the limit, and still counts', () => {
  const capture = new Capture(3)
  expect(capture.add(Buffer.from('abc'))).toBe(true)
  expect(capture.add(Buffer.from('d'))).toBe(false)
  expect(capture.add(Buffer.from('e'))).toBe(false)
  expect(capture.bytes).toBe(5)
})

test('a body may be empty', () => {
  expect(new Capture(0).body().byteLength).toBe(0)
  expect(new Capture(0).add(new Uint8Array())).toBe(true)
})
