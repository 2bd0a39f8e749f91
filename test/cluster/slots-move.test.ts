import { beforeEach, describe, expect, test } from 'vitest'
import { idOf } from '../doubles/redis-cluster-view.ts'
import { ask } from '../doubles/redis-deployment.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { BUCKETS, keyOf, onCluster, slot } from './fleet.ts'

const fleet = onCluster({ replicas: 0 })

/** A server with two of its buckets, and another server. Tests leave the slots where they were. */
let from: RedisServer
let to: RedisServer
let moved: number
let kept: number
beforeEach(async () => {
  const [first, second] = await fleet.cluster.masters()
  from = first as RedisServer
  to = second as RedisServer
  const [one, other] = await fleet.bucketsOf(from)
  moved = one as number
  kept = other as number
})

const move = (midway?: () => Promise<unknown>) => fleet.cluster.moveSlots([slot(moved)], from, to, midway)
const moveBack = () => fleet.cluster.moveSlots([slot(moved)], to, from)

test('a bucket that moves takes its chain along: only its own L1 is dropped, and both go on being heard', async () => {
  const [a, b] = [await fleet.join(), await fleet.join()]
  for (const bucket of [moved, kept]) {
    await a.cache.set(keyOf(bucket), 1)
    expect(await b.cache.get(keyOf(bucket))).toBe(1)
  }
  const gaps = a.of('gap').length
  await move()
  await expect.poll(() => a.of('gap').slice(gaps)).toEqual([{ reason: 'another server holds this bucket', buckets: 1 }])
  expect(a.cache.peek(keyOf(moved))).toBe(undefined)
  expect(a.cache.peek(keyOf(kept))).toBe(1)
  for (const bucket of [moved, kept]) {
    await expect.poll(() => a.cache.get(keyOf(bucket))).toBe(1)
    await expect.poll(() => a.cache.gauges().coherent).toBe(true)
    expect(await b.cache.set(keyOf(bucket), 2)).toEqual({ acknowledged: true })
    await expect.poll(() => a.cache.peek(keyOf(bucket))).toBe(undefined)
    expect(await a.cache.get(keyOf(bucket))).toBe(2)
  }
  expect(a.of('resync')).toEqual([])
  expect(a.of('warning')).toEqual([])
  await moveBack()
})

test('a command that meets a moved slot is sent once more, to where the slot is', async () => {
  const { cache, of } = await fleet.join({ redis: fleet.blind('6') as never })
  await cache.set(keyOf(moved), 1)
  await move()
  // The map is not known to have changed: the server itself says where the slot is.
  expect(await cache.set(keyOf(moved), 2)).toEqual({ acknowledged: true })
  expect(await cache.getOrSet(keyOf(moved, 'other'), () => 3)).toBe(3)
  expect(await cache.delete(keyOf(moved))).toEqual({ acknowledged: true })
  expect(of('l2-error')).toEqual([])
  await moveBack()
})

test('two servers that each name the other are asked once each', async () => {
  const { cache, of } = await fleet.join()
  const refused = async (server: RedisServer) => {
    const stats = String(await ask(server, 'INFO', 'commandstats'))
    return Number(/cmdstat_mget:.*rejected_calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }
  // One sends clients to the other with ASK; that one does not know of it, and sends them back with MOVED.
  await ask(from, 'CLUSTER', 'SETSLOT', slot(moved), 'MIGRATING', await idOf(to))
  const before = [await refused(from), await refused(to)]
  expect(await cache.get(keyOf(moved, 'absent'))).toBe(undefined)
  expect([await refused(from), await refused(to)]).toEqual(before.map((count) => count + 1))
  expect(of('breaker')).toEqual([])
  await ask(from, 'CLUSTER', 'SETSLOT', slot(moved), 'STABLE')
})

describe.each(['5', '6'] as const)('ioredis %s: a slot goes and comes back before anybody looks', (library) => {
  test('nothing has changed: L1 is kept', async () => {
    const a = await fleet.join({ redis: fleet.blind(library) as never })
    await a.cache.set(keyOf(moved), 1)
    const before = a.of('gap').length
    await move()
    await moveBack()
    await expect.poll(() => a.cache.gauges().coherent).toBe(true)
    expect(a.cache.peek(keyOf(moved))).toBe(1)
    expect(a.of('gap').slice(before)).toEqual([])
  })

  test('a change while it is away is missed, and found; later ones are heard again', async () => {
    const a = await fleet.join({ redis: fleet.blind(library) as never })
    const b = await fleet.join()
    await b.cache.set(keyOf(moved), 1)
    expect(await a.cache.get(keyOf(moved))).toBe(1)
    await move()
    await expect.poll(async () => (await b.cache.set(keyOf(moved), 2)).acknowledged).toBe(true)
    await moveBack()
    await expect.poll(() => a.cache.get(keyOf(moved))).toBe(2)
    await expect.poll(() => b.cache.gauges().journalled).toBe(0)
    // The server has ended the subscription; until there is another one, gaps are found in place of notices.
    const heard = a.cache.counters.noticesReceived
    const tell = async () => {
      await b.cache.set(keyOf(moved), 3)
      return a.cache.counters.noticesReceived
    }
    await expect.poll(tell, { timeout: 10_000 }).toBeGreaterThan(heard)
    await expect.poll(() => a.cache.get(keyOf(moved))).toBe(3)
  })
})

test('while the keys of a slot are at two servers, its changes are journalled and its readers load; others go on', async () => {
  const [a, b] = [await fleet.join(), await fleet.join()]
  await a.cache.set(keyOf(moved), 1)
  await b.cache.get(keyOf(moved))
  const [fromId, toId] = [await idOf(from), await idOf(to)]
  await ask(to, 'CLUSTER', 'SETSLOT', slot(moved), 'IMPORTING', fromId)
  await ask(from, 'CLUSTER', 'SETSLOT', slot(moved), 'MIGRATING', toId)
  // More in a row than it takes to open a breaker.
  const absent = Array.from({ length: 10 }, (_, nth) => keyOf(moved, `absent${nth}`))
  expect(await Promise.all(absent.map((key) => a.cache.getOrSet(key, () => key)))).toEqual(absent)
  expect(await Promise.all(absent.map((key) => a.cache.delete(key)))).toEqual(
    absent.map(() => ({ acknowledged: false })),
  )
  expect(await a.cache.set(keyOf(kept), 2)).toEqual({ acknowledged: true })
  expect(await a.cache.delete(keyOf(moved))).toEqual({ acknowledged: false })
  expect(await a.cache.get(keyOf(moved))).toBe(undefined)
  expect(a.of('l2-error')).toContainEqual(expect.objectContaining({ message: expect.stringContaining('TRYAGAIN') }))
  expect(a.of('breaker')).toEqual([])
  expect(a.of('warning')).toEqual([])
  await move()
  await expect.poll(() => a.cache.gauges().journalled, { timeout: 10_000 }).toBe(0)
  await expect.poll(() => b.cache.get(keyOf(moved))).toBe(undefined)
  await moveBack()
})

test('what has gone to the new owner is asked for there, before that owns the slot', async () => {
  const [a, b] = [await fleet.join(), await fleet.join()]
  await a.cache.set(keyOf(moved), 1)
  await move(async () => {
    expect(await b.cache.get(keyOf(moved))).toBe(1)
  })
  expect(b.of('l2-error')).toEqual([])
  await moveBack()
})

test('a server that has given away all its buckets is left, and found again when it gets one back', async () => {
  const redis = { cluster: fleet.cluster.nodes, connectionName: 'leaving' } as never
  const { cache, of } = await fleet.join({ redis })
  const names = async () => {
    const list = String(await ask(from, 'CLIENT', 'LIST'))
    return list.split('\n').filter((line) => line.includes('name=leaving') && !line.includes('refresher')).length
  }
  const held = await fleet.bucketsOf(from)
  const slots = held.map(slot)
  await cache.set(keyOf(moved), 1)
  await fleet.cluster.moveSlots(slots, from, to)
  await expect.poll(async () => (await cache.set(keyOf(moved), 2)).acknowledged).toBe(true)
  // ioredis itself stays connected to a node that holds slots.
  await expect.poll(names).toBeLessThanOrEqual(1)
  // It might as well have been succeeded.
  expect(new Set(of('resync').map(({ reason }) => reason))).toEqual(new Set(['another server has succeeded']))
  await fleet.cluster.moveSlots(slots, to, from)
  await expect.poll(async () => (await cache.set(keyOf(moved), 3)).acknowledged).toBe(true)
  await expect.poll(() => cache.gauges().coherent).toBe(true)
  expect(await cache.get(keyOf(moved))).toBe(3)
  expect(BUCKETS).toBeGreaterThan(held.length)
})
