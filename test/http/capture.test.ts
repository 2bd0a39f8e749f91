import { expect, test } from 'vitest'
import { Capture, CaptureBudget } from '../../src/http/capture.ts'

function capture(maxBytes: number, budget = new CaptureBudget(100)) {
  return new Capture(maxBytes, budget)
}

test('copies what it is given, once, into memory of its own', () => {
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

test('lets everything go over the limit', () => {
  const budget = new CaptureBudget(100)
  const taken = capture(3, budget)
  expect(taken.add(Buffer.from('abc'))).toBe(true)
  expect(budget.bytes).toBe(3)
  expect(taken.add(Buffer.from('d'))).toBe(false)
  expect(taken.bytes).toBe(0)
  expect(budget.bytes).toBe(0)
})

test('all captures together hold no more than their budget, and give back what they held', () => {
  const budget = new CaptureBudget(5)
  const [some, others] = [capture(10, budget), capture(10, budget)]
  expect(some.add(Buffer.from('abc'))).toBe(true)
  expect(others.add(Buffer.from('abc'))).toBe(false)
  some.release()
  expect(budget.bytes).toBe(0)
  expect(capture(10, budget).add(Buffer.from('abcde'))).toBe(true)
})

test('a body may be empty', () => {
  expect(capture(0).body().byteLength).toBe(0)
  expect(capture(0).add(new Uint8Array())).toBe(true)
})
