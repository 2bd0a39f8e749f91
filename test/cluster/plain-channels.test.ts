import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { expect, test } from 'vitest'
import { ask } from '../doubles/redis-deployment.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { listenOn } from '../redis/rig.ts'
import { keyOf, onCluster, slot } from './fleet.ts'

const fleet = onCluster({ replicas: 0 })

/** An instance of the application whose servers say that they are of before Redis 7, which has no sharded channels. */
function ofRedis6(): Cluster {
  const made = fleet.instance()
  const nodes = made.nodes.bind(made)
  made.nodes = (role) => nodes(role).map(disguised)
  return made
}

function disguised(node: Redis): Redis {
  const duplicate = (options?: Partial<RedisOptions>) => {
    const connection = node.duplicate(options)
    const call = connection.call.bind(connection) as (...values: string[]) => Promise<unknown>
    const answer = async (command: string, ...values: string[]) => {
      const reply = await call(command, ...values)
      return command === 'INFO' ? String(reply).replace(/redis_version:\S+/, 'redis_version:6.2.14') : reply
    }
    return Object.assign(connection, { call: answer })
  }
  return new Proxy(node, {
    get(target, name) {
      if (name === 'duplicate') return duplicate
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

const join = () => fleet.join({ redis: ofRedis6() as never })

test('notices of all masters are heard on plain channels, in order and at once', async () => {
  const [a, b] = [await join(), await join()]
  const masters = await fleet.cluster.masters()
  const buckets = await Promise.all(masters.map(async (master) => (await fleet.bucketsOf(master))[0] as number))
  const gaps = b.of('gap').length
  for (const [nth, bucket] of buckets.entries()) {
    await a.cache.set(keyOf(bucket), 1)
    await b.cache.set(keyOf(bucket, 'own'), 1)
    await expect.poll(async () => (await b.cache.get(keyOf(bucket))) && b.cache.peek(keyOf(bucket))).toBe(1)
    await a.cache.set(keyOf(bucket), 2)
    await expect.poll(() => b.cache.peek(keyOf(bucket))).toBe(undefined)
    expect(await b.cache.get(keyOf(bucket))).toBe(2)
    const { channel } = fleet.names(bucket)
    expect(await ask(masters[nth] as RedisServer, 'PUBSUB', 'NUMSUB', channel)).toEqual([channel, 2])
    expect(await ask(masters[nth] as RedisServer, 'PUBSUB', 'SHARDNUMSUB', channel)).toEqual([channel, 0])
  }
  await expect.poll(() => b.cache.gauges().coherent).toBe(true)
  expect(b.of('gap').slice(gaps)).toEqual([])
  expect(b.of('l2-error')).toEqual([])
})

test('what one master publishes is told on all others, and heard from there by nobody of us', async () => {
  const { cache } = await join()
  const [first, second] = (await fleet.cluster.masters()) as [RedisServer, RedisServer]
  const [bucket] = (await fleet.bucketsOf(first)) as [number]
  const ear = await listenOn(second.url, fleet.names(bucket).channel)
  const before = cache.counters.noticesReceived
  await cache.delete(keyOf(bucket))
  await expect.poll(() => ear.messages).toHaveLength(1)
  await expect.poll(() => cache.counters.noticesReceived - before).toBe(1)
  ear.close()
})

test('a bucket that moves is heard at its new server', async () => {
  const [a, b] = [await join(), await join()]
  const [from, to] = (await fleet.cluster.masters()) as [RedisServer, RedisServer]
  const [bucket] = (await fleet.bucketsOf(from)) as [number]
  await a.cache.set(keyOf(bucket), 1)
  await fleet.cluster.moveSlots([slot(bucket)], from, to)
  await expect.poll(() => a.of('gap').at(-1)).toEqual({ reason: 'another server holds this bucket', buckets: 1 })
  await expect.poll(() => b.of('gap').at(-1)).toEqual({ reason: 'another server holds this bucket', buckets: 1 })
  await expect.poll(() => b.cache.gauges().coherent).toBe(true)
  const { channel } = fleet.names(bucket)
  await expect.poll(() => ask(to, 'PUBSUB', 'NUMSUB', channel)).toEqual([channel, 2])
  await expect.poll(() => ask(from, 'PUBSUB', 'NUMSUB', channel)).toEqual([channel, 0])
  const before = b.cache.counters.noticesReceived
  expect(await a.cache.set(keyOf(bucket), 2)).toEqual({ acknowledged: true })
  await expect.poll(() => b.cache.counters.noticesReceived - before).toBe(1)
  expect(await b.cache.get(keyOf(bucket))).toBe(2)
  await fleet.cluster.moveSlots([slot(bucket)], to, from)
})
