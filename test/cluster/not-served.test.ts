import { beforeAll, expect, test } from 'vitest'
import { ask } from '../doubles/redis-deployment.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { keyOf, onCluster, slot } from './fleet.ts'

const fleet = onCluster({ replicas: 0 })

/** The first master with its buckets, and a bucket of another one. */
let master: RedisServer
let held: number[]
let other: number
beforeAll(async () => {
  const [first, second] = await fleet.cluster.masters()
  master = first as RedisServer
  held = await fleet.bucketsOf(master)
  other = (await fleet.bucketsOf(second as RedisServer))[0] as number
})

async function requireFullCoverage(word: 'yes' | 'no'): Promise<void> {
  const config = ['CONFIG', 'SET', 'cluster-require-full-coverage', word] as const
  await Promise.all(fleet.cluster.servers.map((server) => ask(server, ...config)))
}

test('a slot that nobody serves: its readers load, its changes are journalled, others go on; told once', async () => {
  const a = await fleet.join()
  await requireFullCoverage('no')
  const [bucket] = held as [number]
  await ask(master, 'CLUSTER', 'DELSLOTS', slot(bucket))
  expect(await a.cache.set(keyOf(bucket), 1)).toEqual({ acknowledged: false })
  expect(await a.cache.getOrSet(keyOf(bucket, 'read'), () => 2)).toBe(2)
  expect(await a.cache.delete(keyOf(bucket, 'deleted'))).toEqual({ acknowledged: false })
  for (const each of [held[1] as number, other]) {
    expect(await a.cache.set(keyOf(each), 3)).toEqual({ acknowledged: true })
  }
  expect(a.cache.gauges().l2Usable).toBe(false)
  const warnings = [{ code: 'ERR_REDIS_UNAVAILABLE', message: expect.stringContaining('CLUSTERDOWN') }]
  expect(a.of('warning')).toEqual(warnings)

  await ask(master, 'CLUSTER', 'ADDSLOTS', slot(bucket))
  await expect
    .poll(() => a.cache.gauges(), { timeout: 10_000 })
    .toMatchObject({ journalled: 0, coherent: true, l2Usable: true })
  expect(await a.cache.set(keyOf(bucket), 4)).toEqual({ acknowledged: true })
  expect(a.of('breaker')).toEqual([])
  expect(a.of('warning')).toEqual(warnings)
  await requireFullCoverage('yes')
})

test('a Cluster that is down as a whole: loaders, one warning, and back by itself', async () => {
  const [a, b] = [await fleet.join(), await fleet.join()]
  await b.cache.set(keyOf(other), 1)
  await master.kill()
  // For want of a part of the slots the others refuse everything.
  await expect.poll(() => a.cache.delete(keyOf(other)), { timeout: 20_000 }).toEqual({ acknowledged: false })
  expect(await a.cache.getOrSet(keyOf(other), () => 2)).toBe(2)
  expect(await a.cache.getOrSet(keyOf(held[0] as number), () => 3)).toBe(3)
  expect(await a.cache.clear()).toEqual({ acknowledged: false })
  const told = () => a.of('warning').map(({ message }) => /CLUSTERDOWN|cannot be reached/.exec(String(message))?.[0])
  expect(told().sort()).toEqual(['CLUSTERDOWN', 'cannot be reached'])
  await master.restart()
  await expect.poll(() => a.cache.gauges(), { timeout: 20_000 }).toMatchObject({ journalled: 0, l2Usable: true })
  await expect.poll(() => b.cache.get(keyOf(other))).toBe(undefined)
  expect(await a.cache.set(keyOf(other), 4)).toEqual({ acknowledged: true })
  expect(told()).toHaveLength(2)
})

test('one of three masters is down: the others go on in full, and a change of all buckets is owed to it alone', async () => {
  await requireFullCoverage('no')
  const [a, b] = [await fleet.join(), await fleet.join()]
  const [bucket] = held as [number]
  await b.cache.set(keyOf(bucket), 1, { tags: ['t'] })
  await b.cache.set(keyOf(other), 1, { tags: ['t'] })
  await master.kill()
  await expect.poll(() => a.of('disconnected').length).toBe(1)
  expect(await a.cache.invalidateTags('t')).toEqual({ acknowledged: false })
  expect(await a.cache.clear()).toEqual({ acknowledged: false })
  // Here it holds; and what the others have acknowledged is not repeated there, so that new values stay.
  expect(await a.cache.get(keyOf(other))).toBe(undefined)
  expect(await b.cache.set(keyOf(other), 2, { tags: ['t'] })).toEqual({ acknowledged: true })
  expect(await a.cache.get(keyOf(other))).toBe(2)
  await a.cache.delete(keyOf(bucket))
  expect(a.cache.gauges().journalled).toBe(3)
  // A repetition of all that can be repeated now, the oldest first: of these three, nothing.
  const late = keyOf(other, 'late')
  const second = await fleet.cluster.serverOf(slot(other))
  await ask(second, 'CONFIG', 'SET', 'min-replicas-to-write', '1')
  expect(await a.cache.delete(late)).toEqual({ acknowledged: false })
  await ask(second, 'CONFIG', 'SET', 'min-replicas-to-write', '0')
  await expect.poll(() => a.of('acknowledged'), { timeout: 10_000 }).toEqual([{ namespace: '_', key: late }])
  expect(a.cache.gauges().journalled).toBe(3)
  expect(await b.cache.get(keyOf(other))).toBe(2)
  await master.restart()
  await expect.poll(() => a.cache.gauges().journalled, { timeout: 20_000 }).toBe(0)
  expect(await b.cache.get(keyOf(other))).toBe(2)
  expect(await a.cache.get(keyOf(bucket))).toBe(undefined)
  await requireFullCoverage('yes')
})

test('a master that is down at the start keeps nobody waiting but for the first connection', async () => {
  await requireFullCoverage('no')
  await master.kill()
  const { cache, of } = fleet.start()
  expect(await cache.getOrSet(keyOf(held[0] as number), () => 1)).toBe(1)
  expect(await cache.getOrSet(keyOf(other), () => 2)).toBe(2)
  await expect.poll(() => cache.set(keyOf(other), 3)).toEqual({ acknowledged: true })
  expect(await cache.set(keyOf(held[0] as number), 4)).toEqual({ acknowledged: false })
  await master.restart()
  await expect.poll(() => cache.gauges(), { timeout: 20_000 }).toMatchObject({ journalled: 0, l2Usable: true })
  // It serves nothing yet when it comes up, and is told of as such.
  const unreachable = of('warning').filter(({ message }) => /cannot be reached/.test(String(message)))
  expect(unreachable).toEqual([expect.objectContaining({ code: 'ERR_REDIS_UNAVAILABLE' })])
  await requireFullCoverage('yes')
})
