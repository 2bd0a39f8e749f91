import { expect, test } from 'vitest'
import { idOf, viewOf } from '../doubles/redis-cluster-view.ts'
import { ask, askAll, connected, until } from '../doubles/redis-deployment.ts'
import type { ClusterFailover } from '../doubles/redis-cluster.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { Member } from './fleet.ts'
import { BUCKETS, keyOf, onCluster, slot } from './fleet.ts'

const fleet = onCluster()

/** A master with its buckets, and one bucket of another. */
async function roles(): Promise<{ master: RedisServer; bucket: number; held: number[]; other: number }> {
  const [master, second] = (await fleet.cluster.masters()) as [RedisServer, RedisServer]
  const held = await fleet.bucketsOf(master)
  const [other] = await fleet.bucketsOf(second)
  return { master, bucket: held[0] as number, held, other: other as number }
}

/** Both are current, have nothing left to repeat, and agree. */
async function agree(members: readonly Member[], key: string, value: unknown): Promise<void> {
  for (const { cache } of members) {
    await expect
      .poll(() => cache.gauges(), { timeout: 20_000 })
      .toMatchObject({ journalled: 0, coherent: true, l2Usable: true })
  }
  for (const { cache } of members) await expect.poll(() => cache.get(key), { timeout: 5000 }).toBe(value)
}

/** Whether a replica has an entry: it says so only to who asks for it. */
function has(replica: RedisServer, entry: string): Promise<boolean> {
  return connected(replica, async (redis) => {
    await redis.readonly()
    return (await redis.exists(entry)) === 1
  })
}

/**
 * 1. k = 1 is in L2, on the master and its replica
 * 2. the replica gets nothing any more; the deletion of k is acknowledged
 * 3. the master is lost, and its replica takes over: it has k = 1
 */
test.each<ClusterFailover>(['kill', 'freeze', 'takeover'])(
  'an acknowledged deletion that is lost by a failover (%s) is repeated, and never read as undone by who made it',
  async (how) => {
    const [a, b] = [await fleet.join({ commandTimeout: 250 }), await fleet.join({ commandTimeout: 250 })]
    const { master, bucket, other } = await roles()
    const key = keyOf(bucket, how)
    await expect.poll(() => a.cache.set(keyOf(other), 'kept')).toEqual({ acknowledged: true })
    await expect.poll(() => a.cache.set(key, 1)).toEqual({ acknowledged: true })
    await fleet.cluster.cutReplication(master)
    expect(await a.cache.delete(key)).toEqual({ acknowledged: true })
    const [heir] = (await fleet.cluster.replicasOf(master)) as [RedisServer]
    expect(await has(heir, fleet.names(bucket).entry({ namespace: '_', key }))).toBe(true)
    let isOver = false
    const seen = new Set<unknown>()
    const reading = (async () => {
      while (!isOver) {
        seen.add(await a.cache.get(key))
        await new Promise(setImmediate)
      }
    })()
    await fleet.cluster.failover(master, how)
    await agree([a, b], key, undefined)
    isOver = true
    await reading
    expect([...seen]).toEqual([undefined])
    expect(a.of('resync')).toContainEqual({
      reason: 'another server has succeeded',
      buckets: BUCKETS / 3,
      repeated: expect.any(Number),
    })
    expect(await a.cache.get(keyOf(other))).toBe('kept')
    if (how === 'kill') await master.restart()
    if (how === 'freeze') master.thaw()
    await fleet.cluster.rejoined(master)
    await agree([a, b], key, undefined)
  },
)

/**
 * 1. the deletion of k is acknowledged, and lost: the replica takes over without it; the former master follows it
 * 2. the successor gives the bucket to a master that a knows well; others write there, so that its chain goes on past what
 *    a had heard
 * 3. a looks: the bucket has come from a server that is alive to one that held others, as if it had been handed over
 */
test('a succession that was not seen is not taken for a move', async () => {
  const seeing = fleet.blind()
  const a = await fleet.join({ redis: seeing as never })
  const { master, bucket, other } = await roles()
  const key = keyOf(bucket, 'unseen')
  await a.cache.set(key, 1)
  await fleet.cluster.cutReplication(master)
  expect(await a.cache.delete(key)).toEqual({ acknowledged: true })
  const heir = await fleet.cluster.failover(master, 'freeze')
  master.thaw()
  await fleet.cluster.rejoined(master)
  const third = await fleet.cluster.serverOf(slot(other))
  await fleet.cluster.moveSlots([slot(bucket)], heir, third)
  const b = await fleet.join()
  expect(await b.cache.get(key)).toBe(1)
  for (let nth = 0; nth < 5; nth++) await b.cache.set(keyOf(bucket), nth)
  seeing.see()
  await agree([a, b], key, undefined)
  await fleet.cluster.moveSlots([slot(bucket)], third, heir)
})

/**
 * 1. a master is cut off from all others, which make its replica the master
 * 2. it goes on, and acknowledges what those change who are on its side
 * 3. it meets the others again, and becomes a replica: its changes are gone
 */
test('what a master acknowledges that is cut off is repeated when it is demoted', async () => {
  const seeing = fleet.blind()
  const a = await fleet.join({ redis: seeing as never })
  const b = await fleet.join()
  const { master, bucket } = await roles()
  const key = keyOf(bucket, 'cut off')
  await b.cache.set(key, 1)
  const [replica] = (await fleet.cluster.replicasOf(master)) as [RedisServer]
  const others = fleet.cluster.servers.filter((server) => server !== master)
  await ask(master, 'CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
  for (const other of others) await ask(master, 'CLUSTER', 'FORGET', await idOf(other))
  await until('the replica is the master for all others', async () => {
    // Refused once it is one.
    await ask(replica, 'CLUSTER', 'FAILOVER', 'TAKEOVER').catch(() => {})
    const views = await Promise.all(others.map(viewOf))
    return views.every(({ owners }) => owners[slot(bucket)] === replica.port) || undefined
  })
  expect(await a.cache.delete(key)).toEqual({ acknowledged: true })
  expect(await b.cache.get(key)).toBe(1)

  await askAll(
    master,
    others.map(({ host, port }) => ['CLUSTER', 'MEET', host, port] as const),
  )
  seeing.see()
  await expect.poll(() => a.of('resync').length, { timeout: 20_000 }).toBeGreaterThan(0)
  await agree([a, b], key, undefined)
  await fleet.cluster.rejoined(master)
  await ask(master, 'CONFIG', 'SET', 'cluster-require-full-coverage', 'yes')
})
