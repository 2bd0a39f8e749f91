import { expect, test, vi } from 'vitest'
import { RedisNames } from '../../src/entry/key.ts'
import { heardAll } from '../doubles/caches.ts'
import { ask, caughtUp } from '../doubles/redis-deployment.ts'
import type { SentinelFailover } from '../doubles/redis-sentinel.ts'
import type { Process } from './processes.ts'
import { callsOf, COMMAND_TIMEOUT_MS, deploy, processesOn, processWith, reached, repeated } from './processes.ts'

vi.setConfig({ testTimeout: 60_000 })

const entryOf = (key: string) => new RedisNames('tiercache', 0).entry({ namespace: '_', key })

/** Every process hears every other one, and uses L1. */
async function hearing(processes: readonly Process[]): Promise<void> {
  const told = async (teller: Process) => {
    expect(await teller.cache.set('told', 1)).toEqual({ acknowledged: true })
    for (const { cache } of processes) {
      await heardAll(cache, teller.cache)
      expect(await cache.get('told')).toBe(1)
      expect(cache.peek('told')).toBe(1)
    }
    expect(await teller.cache.delete('told')).toEqual({ acknowledged: true })
    for (const { cache } of processes) await vi.waitFor(() => expect(cache.peek('told')).toBeUndefined())
  }
  // Some may be about to find that they have to repeat what they heard last, this too.
  for (const teller of processes) await vi.waitFor(() => told(teller), { timeout: 10_000 })
  for (const { cache } of processes) expect(cache.gauges().coherent).toBe(true)
}

/**
 * 1. k is deleted, acknowledged by the master; the replica does not get it
 * 2. the master is lost: k is there again, with its old value
 * Each process repeats it as it reaches the new master.
 */
test.each<SentinelFailover>(['kill', 'freeze', 'sentinel'])(
  'after a failover (%s) that loses an acknowledged deletion nobody reads the old value, and all goes on',
  async (how) => {
    const deployment = await deploy()
    const [old, replica] = deployment.servers as [(typeof deployment.servers)[0], (typeof deployment.servers)[0]]
    const processes = await processesOn(deployment)
    const [first] = processes as [Process]
    await first.cache.set('k', 'old')
    for (const { cache } of processes) expect(await cache.get('k')).toBe('old')
    await caughtUp([replica], old)
    await deployment.cutReplication()
    expect(await first.cache.delete('k')).toEqual({ acknowledged: true })
    for (const { cache } of processes) await heardAll(cache, first.cache)
    expect(await ask(replica, 'EXISTS', entryOf('k'))).toBe(1)

    const callers = processes.map(callsOf)
    const next = await deployment.failover(how)
    if (how === 'freeze') old.thaw()
    await reached(processes, next)
    await repeated(processes)
    for (const { cache } of [...processes, await processWith(deployment.address)]) {
      expect(await cache.get('k')).not.toBe('old')
    }
    expect(await ask(next, 'EXISTS', entryOf('k'))).toBe(0)
    for (const caller of callers) expect(await caller.stop()).toBeLessThan(2 * COMMAND_TIMEOUT_MS)
    for (const { cache } of processes) expect(await cache.getOrSet('k', () => 'new')).toBe('new')
    await hearing(processes)
    const outages = processes.map(({ warnings }) => warnings)
    const one = ['ERR_REDIS_UNAVAILABLE']
    // Those that are told by the sentinels change over without one.
    expect(outages).toEqual([how === 'sentinel' ? [] : one, one, one])
  },
)

/**
 * 1. another server is made the master; a process hears nothing of it, and the former one goes on as a master for a while
 * 2. k is deleted there, acknowledged, and so is not deleted for the others
 * 3. the former master is demoted
 */
test('what a former master has acknowledged is repeated at the new one', async () => {
  const deployment = await deploy({ demoteAfterMs: 2_000 })
  const old = await deployment.master()
  const [hears, ...others] = (await processesOn(deployment)) as [Process, Process, Process]
  const next = await deployment.failover('sentinel')
  // Connections of its own are made anew at once.
  await reached([hears], next)
  await hears.cache.set('k', 'old')
  for (const { cache, servers } of others) {
    expect(await cache.delete('k')).toEqual({ acknowledged: true })
    expect(servers).toEqual([`${old.host}:${old.port} (main)`])
  }
  expect(await hears.cache.get('k')).toBe('old')
  await reached(others, next)
  await repeated(others)
  expect(await hears.cache.get('k')).toBeUndefined()
  await hearing([hears, ...others])
})
