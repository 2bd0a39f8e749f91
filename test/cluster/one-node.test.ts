import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { hashTags, slotOf } from '../../src/entry/slot.ts'
import type { RedisSource } from '../../src/create-cache.ts'
import { onCluster } from './fleet.ts'

const fleet = onCluster({ replicas: 0 })

/** The slot of all keys of a cache on one server. */
const onlySlot = hashTags(1).map(slotOf)[0] as number

function instance(url: string): Redis {
  const made = new Redis(url, { autoResendUnfulfilledCommands: false })
  fleet.cleanUp(() => made.disconnect())
  return made
}

const forms: [string, (url: string) => RedisSource][] = [
  ['as a URL', (url) => url],
  ['as an instance', instance],
]

const warning = {
  code: 'ERR_CLUSTER_NODE',
  message: expect.stringMatching(/is a node of a Redis Cluster.*redis: \{ cluster: \[\{ host, port \}\] \}/),
  detail: { setting: 'cluster_enabled', found: '1', expected: '0' },
}

test.each(forms)('a node that is given %s is told of, and used while it holds our slot', async (_form, source) => {
  const { url } = await fleet.cluster.serverOf(onlySlot)
  const { cache, of } = fleet.start({ redis: source(url) })
  await expect.poll(() => cache.set('k', 1)).toEqual({ acknowledged: true })
  expect(of('warning')).toEqual([warning])
  expect(of('l2-error')).toEqual([])
})

test.each(forms)('one that does not hold it, given %s: callers hear of its own words', async (_form, source) => {
  const holder = await fleet.cluster.serverOf(onlySlot)
  const other = fleet.cluster.servers.find((server) => server !== holder) as typeof holder
  const { cache, of } = fleet.start({ redis: source(other.url) })
  await expect.poll(() => cache.stats().l2Usable).toBe(true)
  const moved = {
    code: 'ERR_REDIS_REPLY',
    message: expect.stringContaining(`MOVED ${onlySlot} ${holder.host}:${holder.port}`),
  }
  await expect(cache.increment('n')).rejects.toMatchObject(moved)
  expect(of('l2-error')).toContainEqual(expect.objectContaining(moved))
  expect(of('warning')).toContainEqual(warning)
  expect(await cache.getOrSet('other', () => 2)).toBe(2)
})

test('the masters of a Cluster are no such nodes', async () => {
  const { of } = await fleet.join()
  expect(of('warning')).toEqual([])
})

test.each(['5', '6'] as const)('an instance of ioredis %s with automatic pipelines', async (line) => {
  const redis = fleet.instance(line, { enableAutoPipelining: true, redisOptions: { enableAutoPipelining: true } })
  const { cache, of } = await fleet.join({ redis: redis as RedisSource })
  expect(await cache.set('k', 1)).toEqual({ acknowledged: true })
  expect([of('warning'), of('l2-error')]).toEqual([[], []])
})
