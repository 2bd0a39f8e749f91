import { createCache } from '../../src/create-cache.ts'
import { expect, test } from 'vitest'
import { ask } from '../doubles/redis-deployment.ts'
import { BUCKETS, keyOf, onCluster } from './fleet.ts'

const fleet = onCluster()

test.each([
  ['nodes to begin with', () => ({ cluster: fleet.cluster.nodes.slice(0, 1) })],
  ['a Cluster of ioredis 5', () => fleet.instance('5')],
  ['a Cluster of ioredis 6', () => fleet.instance('6', { scaleReads: 'slave', enableReadyCheck: false })],
  ['one that is lazy', () => fleet.instance('6', { lazyConnect: true })],
])('all verbs, on all masters, from %s: each command touches one slot', async (_, redis) => {
  const a = await fleet.join({ redis: redis() as never })
  const b = await fleet.join()
  const keys = Array.from({ length: 3 * BUCKETS }, (_, nth) => keyOf(nth % BUCKETS, `k${nth}`))
  const shop = a.cache.namespace('shop')
  const theirs = b.cache.namespace('shop')
  await Promise.all(keys.map((key) => shop.set(key, 1, { tags: ['all', key] })))
  expect(await Promise.all(keys.map((key) => theirs.get(key)))).toEqual(keys.map(() => 1))
  await Promise.all(keys.map((key) => a.cache.getOrSet(key, () => key, { tags: ['all'] })))
  expect(await Promise.all(keys.map((key) => b.cache.getOrSet(key, () => 'again')))).toEqual(keys)

  expect(await shop.invalidateTags(String(keys[0]), String(keys[1]))).toEqual({ acknowledged: true })
  await expect
    .poll(() => Promise.all(keys.slice(0, 3).map((key) => theirs.get(key))))
    .toEqual([undefined, undefined, 1])
  expect(await a.cache.invalidateTags('all')).toEqual({ acknowledged: true })
  await expect.poll(() => Promise.all(keys.map((key) => b.cache.has(key)))).toEqual(keys.map(() => false))

  await Promise.all(keys.map((key) => shop.set(key, 2, { version: 2 })))
  expect(await Promise.all(keys.map((key) => theirs.set(key, 1, { version: 1 })))).toEqual(
    keys.map(() => ({ acknowledged: true, refused: 'older' })),
  )
  await Promise.all(keys.map((key) => shop.touch(key, '1h')))
  await Promise.all(keys.map((key) => shop.expire(key)))
  await Promise.all(keys.map((key) => shop.delete(key)))
  await expect.poll(() => Promise.all(keys.map((key) => theirs.has(key)))).toEqual(keys.map(() => false))
  await Promise.all(keys.map((key) => a.cache.increment(`n${key}`)))
  expect(await Promise.all(keys.map((key) => b.cache.increment(`n${key}`, 2)))).toEqual(keys.map(() => 3))
  await shop.set('last', 1)
  expect(await shop.clear()).toEqual({ acknowledged: true })
  expect(await a.cache.clear()).toEqual({ acknowledged: true })
  await expect.poll(() => b.cache.get(`n${keys[0]}`)).toBe(undefined)
  for (const { of } of [a, b])
    for (const name of ['l2-error', 'warning', 'unacknowledged'] as const) expect(of(name)).toEqual([])
})

test('L1 of all masters is kept current by their notices', async () => {
  const [a, b] = [await fleet.join(), await fleet.join()]
  const keys = Array.from({ length: BUCKETS }, (_, bucket) => keyOf(bucket))
  await Promise.all(keys.map((key) => a.cache.set(key, 1)))
  await Promise.all(keys.map((key) => b.cache.get(key)))
  await Promise.all(keys.map((key) => a.cache.set(key, 2)))
  await expect.poll(() => keys.filter((key) => b.cache.peek(key) !== undefined)).toEqual([])
  expect(await Promise.all(keys.map((key) => b.cache.get(key)))).toEqual(keys.map(() => 2))
})

test('a cache is coherent though nothing was ever told of most buckets', async () => {
  const cache = createCache({ prefix: 'quiet', redis: { cluster: fleet.cluster.nodes }, clusterBuckets: BUCKETS })
  fleet.cleanUp(() => cache.close())
  await expect.poll(() => cache.stats().coherent, { timeout: 5000 }).toBe(true)
  await cache.delete(keyOf(3), { requireAck: true })
  await expect.poll(() => cache.stats().coherent, { timeout: 5000 }).toBe(true)
})

test('a chain that a lease begins, which is told to nobody, is no reason to subscribe anew', async () => {
  const subscribed = async () => {
    const infos = await Promise.all(fleet.cluster.servers.map((server) => ask(server, 'INFO', 'commandstats')))
    return infos.map((info) => /cmdstat_ssubscribe:calls=(\d+)/.exec(String(info))?.[1])
  }
  const { cache } = fleet.start({ maxStaleness: '500ms' })
  await expect.poll(() => cache.stats().coherent, { timeout: 5000 }).toBe(true)
  const before = await subscribed()
  await Promise.all(Array.from({ length: BUCKETS }, (_, bucket) => cache.getOrSet(keyOf(bucket), () => 1)))
  await expect.poll(() => cache.counters.gaps, { timeout: 5000 }).toBeGreaterThan(0)
  await expect.poll(() => cache.stats().coherent, { timeout: 5000 }).toBe(true)
  expect(await subscribed()).toEqual(before)
})

test('the instance of the application is neither used, nor changed, nor closed', async () => {
  const own = fleet.instance('6')
  await own.set('{own}', '1')
  const events = ['refresh', 'error', 'end', 'ready', 'close', '+node', '-node']
  const before = events.map((event) => own.listenerCount(event))
  const sent: string[] = []
  const send = own.sendCommand.bind(own)
  own.sendCommand = (command, ...more) => {
    sent.push(command.name)
    return send(command, ...more)
  }
  const { cache, of } = await fleet.join({ redis: own as never })
  await cache.set('k', 1)
  await cache.clear()
  await cache.close()
  expect(sent).toEqual([])
  expect(events.map((event) => own.listenerCount(event))).toEqual(before)
  expect(own.status).toBe('ready')
  expect(await own.get('{own}')).toBe('1')
  expect(of('warning')).toEqual([])
})

test('close() leaves no connection', async () => {
  const redis = { cluster: fleet.cluster.nodes, connectionName: 'to-be-closed' } as never
  const { cache } = await fleet.join({ redis })
  const names = async () => {
    const lists = await Promise.all(fleet.cluster.servers.map((server) => ask(server, 'CLIENT', 'LIST')))
    return lists.join('').match(/name=\S*to-be-closed/g)?.length ?? 0
  }
  // Commands and subscription, of three masters.
  expect(await names()).toBeGreaterThanOrEqual(6)
  await cache.close()
  await expect.poll(names).toBe(0)
})
