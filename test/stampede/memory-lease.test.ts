import { expect, test } from 'vitest'
import type { Address } from '../../src/entry/entry.ts'
import { MemoryLeases, MemoryLeaseTable } from '../../src/stampede/memory-lease.ts'
import { leaseSuite } from '../conformance/lease.suite.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const LEASE_MS = 3000
const k = { namespace: '_', key: 'k' }

/** Two processes; an end of a lease is told to both. */
function setup() {
  const clock = new FakeClock()
  const ground = { n: 7, other: false }
  const table = new MemoryLeaseTable(clock, LEASE_MS, { n: () => ground.n, hasOther: () => ground.other })
  const told: Address[] = []
  const released = (address: Address) => {
    told.push(address)
    for (const leases of [here, there]) leases.call(address)
  }
  const [here, there] = [new MemoryLeases(table, clock, released), new MemoryLeases(table, clock, released)]
  const granted = async () => {
    const reply = await here.acquire(k, undefined, false)
    if (reply.word !== 'granted') throw new Error(`expected a lease, got ${reply.word}`)
    return reply.lease
  }
  return { clock, ground, table, told, here, there, granted }
}

leaseSuite('in memory', async () => {
  const { clock, here, there } = setup()
  return {
    here,
    there,
    leaseMs: LEASE_MS,
    runOut: async () => clock.advance(LEASE_MS),
    elapse: (ms) => clock.advance(ms),
    close: () => {},
  }
})

test('a lease ends exactly at its end, and renewal counts from now', async () => {
  const { clock, here, granted } = setup()
  const lease = await granted()
  clock.advance(2000)
  expect(await here.renew(lease)).toBe(true)
  clock.advance(2999)
  expect(await here.acquire(k, undefined, false)).toEqual({ word: 'busy', leftMs: 1 })
  clock.advance(1)
  expect((await here.acquire(k, undefined, false)).word).toBe('granted')
})

test('a lease knows the number of the chain that it was granted at, and whether its end is waited for', async () => {
  const { table, ground, there, granted } = setup()
  const first = await granted()
  expect(first.n0).toBe('7')
  ground.n = 9
  expect(table.settle(k, first.token)).toMatchObject({ n0: 7, isAwaited: false })
  expect(table.settle(k, first.token)).toBeUndefined()
  const second = await granted()
  await there.acquire(k, undefined, false)
  expect(table.settle(k, 'another token')).toBeUndefined()
  expect(table.settle(k, second.token)).toMatchObject({ n0: 9, isAwaited: true })
})

test('while another entry is there, there is no lease', async () => {
  const { ground, here } = setup()
  ground.other = true
  expect(await here.acquire(k, undefined, false)).toEqual({ word: 'found' })
})

test('an end that nobody waits for is not told', async () => {
  const { told, here, there, granted } = setup()
  await here.release(await granted(), { word: 'refused' })
  expect(told).toEqual([])
  const lease = await granted()
  await there.acquire(k, undefined, false)
  await here.release(lease, { word: 'refused' })
  expect(told).toEqual([k])
})

test('revoked, it is nobody’s', async () => {
  const { table, here, there, granted } = setup()
  const lease = await granted()
  table.revoke(k)
  expect(await here.renew(lease)).toBe(false)
  expect((await there.acquire(k, undefined, false)).word).toBe('granted')
})

test('what a holder left takes no memory when its moment is over', async () => {
  const { clock, here } = setup()
  for (let index = 0; index < 100; index++) {
    const reply = await here.acquire({ namespace: '_', key: `k${index}` }, undefined, false)
    if (reply.word === 'granted') await here.release(reply.lease, { word: 'skipped' })
  }
  expect(clock.pending).toBe(100)
  clock.advance(1000)
  expect(clock.pending).toBe(0)
  expect((await here.acquire({ namespace: '_', key: 'k0' }, undefined, false)).word).toBe('granted')
})

test('a late lease is free after one more, may be settled until its end, and then takes no memory', async () => {
  const { clock, table, here } = setup()
  const late = async (key: string) => {
    const reply = await here.acquire({ namespace: '_', key }, undefined, false)
    if (reply.word !== 'granted') throw new Error('expected a lease')
    await here.release(reply.lease, { word: 'late', keptMs: 1000, code: 'E', message: 'm' })
    return reply.lease
  }
  const [stored, replaced, dropped] = [await late('stored'), await late('replaced'), await late('dropped')]
  clock.advance(LEASE_MS - 1)
  expect(await here.acquire(replaced.address, undefined, false)).toEqual({ word: 'late', leftMs: 1 })
  clock.advance(1)
  expect((await here.acquire(replaced.address, undefined, true)).word).toBe('granted')
  expect(table.settle(replaced.address, replaced.token)).toBeUndefined()
  expect(table.settle(stored.address, stored.token)).toMatchObject({ n0: 7, isAwaited: true })
  clock.advance(1000)
  expect(table.settle(dropped.address, dropped.token)).toBeUndefined()
  expect(clock.pending).toBe(0)
})
