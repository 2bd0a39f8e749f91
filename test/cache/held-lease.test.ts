import { expect, test } from 'vitest'
import { keepLease } from '../../src/cache/held-lease.ts'
import type { Parts } from '../../src/cache/parts.ts'
import type { Lease } from '../../src/stampede/lease.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const lease: Lease = { address: { namespace: '_', key: 'k' }, token: 'ab', n0: '5' }

/** A lease of 300 ms that is kept, and what its renewals are answered with. */
function kept(answer: () => Promise<boolean>) {
  const clock = new FakeClock()
  const renewed: number[] = []
  const renew = (given: Lease) => {
    expect(given).toBe(lease)
    renewed.push(clock.now())
    return answer()
  }
  const parts = { clock, settings: { leaseMs: 300 }, shared: { leases: { renew } } } as unknown as Parts
  return { clock, renewed, letGo: keepLease(parts, lease) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('it is renewed three times in its length, until it is let go', async () => {
  const { clock, renewed, letGo } = kept(async () => true)
  for (let third = 0; third < 6; third++) {
    clock.advance(100)
    await turn()
  }
  expect(renewed).toEqual([1100, 1200, 1300, 1400, 1500, 1600])
  letGo()
  expect(clock.pending).toBe(0)
})

test('one that is lost is renewed no more', async () => {
  const { clock, renewed } = kept(async () => false)
  clock.advance(100)
  await turn()
  expect(clock.pending).toBe(0)
  expect(renewed).toEqual([1100])
})

test('a renewal that fails is followed by the next one', async () => {
  const { clock, renewed, letGo } = kept(() => Promise.reject(new Error('Redis is away')))
  for (let third = 0; third < 3; third++) {
    clock.advance(100)
    await turn()
  }
  expect(renewed).toHaveLength(3)
  letGo()
  expect(clock.pending).toBe(0)
})
