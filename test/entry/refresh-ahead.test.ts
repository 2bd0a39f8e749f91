import { expect, test } from 'vitest'
import { calmUntil, dueFor } from '../../src/entry/refresh-ahead.ts'

const HOUR = { createdAt: 1000, ttlUntil: 2000, loadMs: 10 }

test('a fraction: due once that much of the ttl has passed, whatever the chance', () => {
  expect(calmUntil(HOUR, 0.8)).toBe(1800)
  expect(dueFor(0.8, 1799, 0.999)(HOUR)).toBe(false)
  expect(dueFor(0.8, 1800, 0)(HOUR)).toBe(true)
})

test('what has no end is never due', () => {
  const endless = { ...HOUR, ttlUntil: Number.POSITIVE_INFINITY }
  for (const ahead of [0.1, 'auto'] as const) {
    expect(calmUntil(endless, ahead)).toBe(Number.POSITIVE_INFINITY)
    expect(dueFor(ahead, 1e15, 0.999)(endless)).toBe(false)
  }
})

test('without refreshAhead nothing is due', () => {
  expect(dueFor(false, 1999, 0)(HOUR)).toBe(false)
})

test('auto: the longer the load took, and the greater the chance, the sooner', () => {
  // 1 - 1/e: the factor is 1.
  const one = 1 - 1 / Math.E
  expect(dueFor('auto', 1989, one)(HOUR)).toBe(false)
  expect(dueFor('auto', 1990.001, one)(HOUR)).toBe(true)
  expect(dueFor('auto', 1900.001, one)({ ...HOUR, loadMs: 100 })).toBe(true)
  expect(dueFor('auto', 1999, 0)(HOUR)).toBe(false)
})

test('auto: before it is calm no more, not one reader in a hundred million renews', () => {
  expect(calmUntil(HOUR, 'auto')).toBe(1800)
  expect(dueFor('auto', 1799, 1 - 1e-8)(HOUR)).toBe(false)
  expect(dueFor('auto', 1801, 1 - 1e-9)(HOUR)).toBe(true)
})

test('auto: of the readers at one instant as many renew as the exponential distribution says', () => {
  let due = 0
  for (let draw = 0; draw < 10_000; draw++) if (dueFor('auto', 1980, draw / 10_000)(HOUR)) due++
  expect(due / 10_000).toBeCloseTo(Math.exp(-2), 3)
})

test('auto: what took no time to load waits for its end', () => {
  expect(dueFor('auto', 1999, 0.999999)({ ...HOUR, loadMs: 0 })).toBe(false)
  expect(calmUntil({ ...HOUR, loadMs: 0 }, 'auto')).toBe(2000)
})
