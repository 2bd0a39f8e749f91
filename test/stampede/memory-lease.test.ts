import { expect, test } from 'vitest'
import { MemoryLeases } from '../../src/stampede/memory-lease.ts'
import { leaseSuite } from '../conformance/lease.suite.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const LEASE_MS = 3000
const k = { namespace: '_', key: 'k' }

leaseSuite('in memory', async () => {
  const clock = new FakeClock()
  const leases = new MemoryLeases(clock, LEASE_MS)
  return {
    here: leases,
    there: leases,
    leaseMs: LEASE_MS,
    runOut: async () => clock.advance(LEASE_MS),
    elapse: (ms) => clock.advance(ms),
    close: () => {},
  }
})

test('a lease ends exactly at its end, and renewal counts from now', async () => {
  const clock = new FakeClock()
  const leases = new MemoryLeases(clock, LEASE_MS)
  const reply = await leases.acquire(k, undefined, false)
  if (reply.word !== 'granted') throw new Error('expected a lease')
  clock.advance(2000)
  expect(await leases.renew(reply.lease)).toBe(true)
  clock.advance(2999)
  expect(await leases.acquire(k, undefined, false)).toEqual({ word: 'busy', leftMs: 1 })
  clock.advance(1)
  expect((await leases.acquire(k, undefined, false)).word).toBe('granted')
})

test("settle ends the lease of its holder and calls those who wait; revoke ends anybody's", async () => {
  const clock = new FakeClock()
  const leases = new MemoryLeases(clock, LEASE_MS)
  const first = await leases.acquire(k, undefined, false)
  if (first.word !== 'granted') throw new Error('expected a lease')
  const waiter = leases.wait(k)
  expect(leases.settle(first.lease)).toBe(true)
  expect(await waiter.called(0)).toBe(true)
  expect(leases.settle(first.lease)).toBe(false)
  const second = await leases.acquire(k, undefined, false)
  if (second.word !== 'granted') throw new Error('expected a lease')
  leases.revoke(k)
  expect(await waiter.called(0)).toBe(true)
  expect(leases.settle(second.lease)).toBe(false)
  expect(await leases.renew(second.lease)).toBe(false)
})

test('what a holder left takes no memory when its moment is over', async () => {
  const clock = new FakeClock()
  const leases = new MemoryLeases(clock, LEASE_MS)
  for (let index = 0; index < 100; index++) {
    const address = { namespace: '_', key: `k${index}` }
    const reply = await leases.acquire(address, undefined, false)
    if (reply.word === 'granted') await leases.release(reply.lease, { word: 'skipped' })
  }
  expect(clock.pending).toBe(100)
  clock.advance(1000)
  expect(clock.pending).toBe(0)
  expect((await leases.acquire({ namespace: '_', key: 'k0' }, undefined, false)).word).toBe('granted')
})

test('a late lease is free after one more, may be settled until its end, and then takes no memory', async () => {
  const clock = new FakeClock()
  const leases = new MemoryLeases(clock, LEASE_MS)
  const late = async (key: string) => {
    const reply = await leases.acquire({ namespace: '_', key }, undefined, false)
    if (reply.word !== 'granted') throw new Error('expected a lease')
    await leases.release(reply.lease, { word: 'late', keptMs: 1000, code: 'E', message: 'm' })
    return reply.lease
  }
  const [stored, replaced, dropped] = [await late('stored'), await late('replaced'), await late('dropped')]
  clock.advance(LEASE_MS - 1)
  expect(await leases.acquire(replaced.address, undefined, false)).toEqual({ word: 'late', leftMs: 1 })
  clock.advance(1)
  expect((await leases.acquire(replaced.address, undefined, true)).word).toBe('granted')
  expect(leases.settle(replaced)).toBe(false)
  expect(leases.settle(stored)).toBe(true)
  clock.advance(1000)
  expect(leases.settle(dropped)).toBe(false)
  expect(clock.pending).toBe(0)
})
