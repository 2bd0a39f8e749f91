import { afterEach, expect, test } from 'vitest'
import { idOf, viewOf } from '../doubles/redis-cluster-view.ts'
import { ask, askAll, until } from '../doubles/redis-deployment.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { Member } from './fleet.ts'
import { keyOf, onCluster, slot } from './fleet.ts'

const fleet = onCluster()
const healings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const heal of healings.splice(0).reverse()) await heal()
})

/** A master, one for each test, one of its buckets, its replica, another master, and all others. */
async function roles(nth: 0 | 1 | 2) {
  const masters = await fleet.cluster.masters()
  const [master, second] = [masters[nth], masters[(nth + 1) % 3]] as [RedisServer, RedisServer]
  const [bucket] = (await fleet.bucketsOf(master)) as [number]
  const replica = await until('the master has a replica', async () => (await fleet.cluster.replicasOf(master))[0])
  const others = fleet.cluster.servers.filter((server) => server !== master)
  return { master, second, bucket, replica, others }
}

type Roles = Awaited<ReturnType<typeof roles>>

/** The master knows none of the others any more; they make its replica the master. */
async function cutOff({ master, bucket, replica, others }: Roles): Promise<void> {
  // Who asks it for the slots is told what is not so any more.
  await ask(master, 'ACL', 'SETUSER', 'default', '-cluster|slots')
  for (const other of others) await ask(master, 'CLUSTER', 'FORGET', await idOf(other))
  healings.push(async () => {
    await ask(master, 'ACL', 'SETUSER', 'default', '+@all')
    const meetings = others.map(({ host, port }) => ['CLUSTER', 'MEET', host, port] as const)
    await askAll(master, meetings)
    await fleet.cluster.rejoined(master)
  })
  await until('the replica is the master for all others', async () => {
    // Refused once it is one.
    await ask(replica, 'CLUSTER', 'FAILOVER', 'TAKEOVER').catch(() => {})
    return (await seenBy(others, bucket)).every((port) => port === replica.port) || undefined
  })
}

/** The port of the owner of a bucket, in the eyes of some servers. */
async function seenBy(servers: readonly RedisServer[], bucket: number): Promise<unknown[]> {
  return (await Promise.all(servers.map(viewOf))).map(({ owners }) => owners[slot(bucket)])
}

async function reads(members: readonly Member[], key: string, value: unknown): Promise<void> {
  for (const { cache } of members) {
    await expect.poll(() => cache.gauges(), { timeout: 20_000 }).toMatchObject({ journalled: 0, coherent: true })
    await expect.poll(() => cache.get(key), { timeout: 5000 }).toBe(value)
  }
}

/**
 * 1. a master is cut off from the others, which make its replica the master
 * 2. it says CLUSTERDOWN to whatever concerns its slots, and answers all else
 */
test('a master that serves nothing any more, though it answers, is left for its successor', async () => {
  const a = await fleet.join()
  const cast = await roles(0)
  const key = keyOf(cast.bucket, 'left')
  expect(await a.cache.set(key, 1)).toEqual({ acknowledged: true })
  await cutOff(cast)
  await expect.poll(async () => (await a.cache.set(key, 2)).acknowledged, { timeout: 20_000, interval: 100 }).toBe(true)
  expect(a.of('resync').map(({ reason }) => reason)).toContain('another server has succeeded')
  await reads([a], key, 2)
})

/**
 * 1. a master is cut off; what it acknowledges from then on is lost for its successor
 * 2. that hands the bucket on to a master that is well known
 * 3. a looks once: the bucket has come from a server that answers to one that held others
 */
test('a succession behind which the bucket was handed on is none the less one', async () => {
  const seeing = fleet.blind()
  const a = await fleet.join({ redis: seeing as never })
  const cast = await roles(1)
  const { master, second, bucket, replica, others } = cast
  const key = keyOf(bucket, 'handed on')
  await a.cache.set(key, 1)
  await ask(master, 'WAIT', 1, 5000)
  await ask(master, 'CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
  healings.push(() => ask(master, 'CONFIG', 'SET', 'cluster-require-full-coverage', 'yes'))
  await cutOff(cast)
  expect(await a.cache.delete(key)).toEqual({ acknowledged: true })

  const [heirId, secondId] = [await idOf(replica), await idOf(second)]
  await ask(second, 'CLUSTER', 'SETSLOT', slot(bucket), 'IMPORTING', heirId)
  await ask(replica, 'CLUSTER', 'SETSLOT', slot(bucket), 'MIGRATING', secondId)
  const keys = (await ask(replica, 'CLUSTER', 'GETKEYSINSLOT', slot(bucket), 1000)) as string[]
  await ask(replica, 'MIGRATE', second.host, second.port, '', 0, 5000, 'KEYS', ...keys)
  for (const server of [second, replica]) await ask(server, 'CLUSTER', 'SETSLOT', slot(bucket), 'NODE', secondId)
  await until('all agree', async () => {
    return (await seenBy(others, bucket)).every((port) => port === second.port) || undefined
  })
  const b = await fleet.join()
  expect(await b.cache.get(key)).toBe(1)
  // The numbers of the chain go on past what a had heard.
  for (let nth = 0; nth < 5; nth++) await b.cache.set(keyOf(bucket), nth)

  seeing.see()
  await new Promise((resolve) => seeing.refreshSlotsCache(resolve))
  await expect.poll(() => a.of('resync').map(({ reason }) => reason)).toContain('another server has succeeded')
  await reads([a, b], key, undefined)
})

/**
 * 1. the replica gets nothing any more; a's deletion of k is acknowledged
 * 2. the replica takes over, with the old value of k
 * 3. the former master redirects a's reads of k to it, and a does not find out yet that it has succeeded
 */
test('a read is not sent on to a successor that is not known to be one', async () => {
  const seeing = fleet.blind()
  const a = await fleet.join({ redis: seeing as never })
  const { master, bucket, replica } = await roles(2)
  const key = keyOf(bucket, 'unseen')
  await a.cache.set(key, 1)
  await ask(master, 'WAIT', 1, 5000)
  await askAll(replica, [
    ['CONFIG', 'SET', 'masteruser', 'nobody'],
    ['CONFIG', 'SET', 'masterauth', 'x'],
  ])
  healings.push(() =>
    askAll(replica, [
      ['CONFIG', 'SET', 'masteruser', ''],
      ['CONFIG', 'SET', 'masterauth', ''],
    ]),
  )
  await ask(master, 'CLIENT', 'KILL', 'TYPE', 'replica')
  expect(await a.cache.delete(key)).toEqual({ acknowledged: true })
  await ask(replica, 'CLUSTER', 'FAILOVER', 'TAKEOVER')
  const entry = fleet.names(bucket).entry({ namespace: '_', key })
  expect(await ask(replica, 'EXISTS', entry)).toBe(1)
  await until('the former master redirects', async () => {
    return (await seenBy([master], bucket))[0] === replica.port || undefined
  })
  const read = new Set<unknown>()
  const visitors = async () => String(await ask(replica, 'CLIENT', 'LIST')).split('\n').length
  const before = await visitors()
  await until('a is connected to the successor, or has found out that its master is one no more', async () => {
    read.add(await a.cache.get(key))
    return a.of('disconnected').length > 0 || (await visitors()) >= before + 2 || undefined
  })
  for (let nth = 0; nth < 50; nth++) read.add(await a.cache.get(key))
  expect([...read]).toEqual([undefined])
  seeing.see()
  await reads([a], key, undefined)
})
