import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { BatchedReads } from '../../src/redis/batched-reads.ts'
import type { Bucket } from '../../src/redis/bucket.ts'
import { slotOf } from '../../src/entry/slot.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import type { ClusterDeployment } from '../doubles/redis-cluster.ts'
import { startCluster } from '../doubles/redis-cluster.ts'
import { idOf } from '../doubles/redis-cluster-view.ts'
import { ask, fieldsOf } from '../doubles/redis-deployment.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { codeOf, testClients } from './clients.ts'
import type { Rig } from './rig.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const BUCKETS = 12
const TIMEOUT_MS = 5000

const clients = testClients()

/** What a read of these keys brings, as text. */
function readerOf(clock: Clock = systemClock) {
  const reads = new BatchedReads(TIMEOUT_MS, clock)
  const one = (bucket: Bucket, key: string) =>
    new Promise<string | undefined>((resolve, reject) => {
      const done = (value: Buffer | null) => resolve(value?.toString())
      reads.read(bucket, { key, common: [], done, failed: reject })
    })
  return (bucket: Bucket, ...keys: string[]) => Promise.all(keys.map((key) => one(bucket, key)))
}

describe('on one server', () => {
  test('reads of one tick are one MGET, with each key in it once, and each gets its own values in their order', async () => {
    const { client, bucket, connected, counters } = clients.rig(clients.server().url)
    await connected()
    const admin = clients.ioredis(clients.server().url)
    await admin.mset('a', '1', 'b', '2', 'c', '3')
    const read = readerOf()
    const before = { gets: await mgetsOf(clients.server()), sent: counters.l2Timings.count }
    await expect(
      Promise.all([read(bucket, 'a', 'b'), read(bucket, 'c', 'none', 'a'), read(bucket, 'b')]),
    ).resolves.toEqual([['1', '2'], ['3', undefined, '1'], ['2']])
    expect([(await mgetsOf(clients.server())) - before.gets, counters.l2Timings.count - before.sent]).toEqual([1, 1])
    client.close()
  })

  test('keys that readers ask for by the same list are asked for once, and those readers get one list of values', async () => {
    const { client, bucket, connected } = clients.rig(clients.server().url)
    await connected()
    await clients.ioredis(clients.server().url).mset('a', '1', 'b', '2', 'c', '3')
    const reads = new BatchedReads(TIMEOUT_MS, systemClock)
    const ask = (key: string, common: readonly string[]) =>
      new Promise<{ own: string | undefined; common: readonly (Buffer | null)[] }>((resolve, failed) => {
        reads.read(bucket, {
          key,
          common,
          done: (own, values) => resolve({ own: own?.toString(), common: values }),
          failed,
        })
      })
    const list = ['b', 'none', 'c']
    const before = await mgetsOf(clients.server())
    const [first, second, other] = await Promise.all([ask('a', list), ask('b', list), ask('c', ['a'])])
    expect([first.own, second.own, other.own]).toEqual(['1', '2', '3'])
    expect(first.common.map((value) => value?.toString())).toEqual(['2', undefined, '3'])
    expect(second.common).toBe(first.common)
    expect(other.common.map((value) => value?.toString())).toEqual(['1'])
    expect((await mgetsOf(clients.server())) - before).toBe(1)
    const alone = await ask('a', list)
    expect([alone.own, alone.common.map((value) => value?.toString())]).toEqual(['1', ['2', undefined, '3']])
    client.close()
  })

  test('of many readers some are answered before others, and what they ask for next is sent meanwhile', async () => {
    const { client, bucket, connected } = clients.rig(clients.server().url)
    await connected()
    const sent: string[] = []
    const reads = new BatchedReads(TIMEOUT_MS, systemClock)
    vi.spyOn(bucket, 'run').mockImplementation(async (_, send) => {
      const mgetBuffer = async (...keys: string[]) => {
        sent.push(`${keys.length} asked`)
        return keys.map(() => null)
      }
      return (await send({ mgetBuffer } as never)) as never
    })
    const read = (key: string) =>
      new Promise<void>((resolve, failed) => {
        const done = () => {
          sent.push('answered')
          resolve()
        }
        reads.read(bucket, { key, common: [], done, failed })
      })
    await Promise.all(Array.from({ length: 40 }, (_, index) => read(`${index}`).then(() => read(`${index} again`))))
    const between = sent.indexOf('32 asked')
    expect(sent[0]).toBe('40 asked')
    expect(sent.slice(0, between).filter((each) => each === 'answered')).toHaveLength(32)
    expect(sent.filter((each) => each === 'answered')).toHaveLength(80)
    vi.restoreAllMocks()
    client.close()
  })

  test('more keys than one MGET takes are several, in one batch, and each read is answered once', async () => {
    const { bucket, connected, counters } = clients.rig(clients.server().url)
    await connected()
    await clients.ioredis(clients.server().url).mset('first', '1', 'last', '2')
    const many = ['first', ...Array.from({ length: 599 }, (_, index) => `many:${index}`)]
    const before = { gets: await mgetsOf(clients.server()), sent: counters.l2Timings.count }
    const reads = new BatchedReads(TIMEOUT_MS, systemClock)
    const answers = await Promise.all(
      [...many, 'last'].map(
        (key) =>
          new Promise<string | undefined>((resolve, reject) => {
            const done = (value: Buffer | null) => resolve(value?.toString())
            reads.read(bucket, { key, common: [], done, failed: reject })
          }),
      ),
    )
    expect(answers).toEqual(['1', ...many.slice(1).map(() => undefined), '2'])
    expect([(await mgetsOf(clients.server())) - before.gets, counters.l2Timings.count - before.sent]).toEqual([3, 1])
  })

  test('a batch of which nothing is answered counts as a failure of the server, before each of its parts does', async () => {
    const { bucket, connected, of } = clients.rig(clients.server().url)
    await connected()
    const admin = clients.ioredis(clients.server().url)
    await admin.config('SET', 'busy-reply-threshold', 1)
    const script = clients.ioredis(clients.server().url).eval('while true do end', 0)
    script.catch(() => {})
    await vi.waitFor(() => expect(admin.ping()).rejects.toThrow('BUSY'))
    const read = readerOf()
    const many = Array.from({ length: 600 }, (_, index) => `many:${index}`)
    const ends = await Promise.all([codeOf(read(bucket, ...many)), codeOf(read(bucket, 'last'))])
    await admin.script('KILL')
    expect(ends).toEqual(['ERR_REDIS_REPLY', 'ERR_REDIS_REPLY'])
    expect(of('breaker')).toEqual([expect.objectContaining({ from: 'closed', to: 'open' })])
  })
})

describe('on a Cluster', () => {
  let cluster: ClusterDeployment
  let rig: Rig
  beforeAll(async () => {
    cluster = await startCluster({ replicas: 0 })
  })
  afterAll(() => cluster.stop())

  async function open(clock?: Clock): Promise<void> {
    rig = clients.rig(
      { cluster: cluster.nodes },
      { clusterBuckets: BUCKETS, commandTimeoutMs: TIMEOUT_MS, ...(clock && { clock }) },
    )
    await rig.connected()
  }

  const keyOf = ({ names }: Bucket, name = 'k') => `{${names.hashTag}}:${name}`
  const ownerOf = ({ names }: Bucket) => cluster.serverOf(slotOf(names.hashTag))
  const holdersOf = (server: { readonly name: string } | undefined) =>
    rig.client.buckets.filter((bucket) => bucket.server === server)

  async function fill(): Promise<string[][]> {
    for (const bucket of rig.client.buckets) await ask(await ownerOf(bucket), 'SET', keyOf(bucket), `v${bucket.index}`)
    return rig.client.buckets.map(({ index }) => [`v${index}`])
  }

  /** A bucket of a server that holds others too, its server, and another one. */
  async function onTheMove(): Promise<{ bucket: Bucket; from: RedisServer; to: RedisServer; slot: number }> {
    const bucket = rig.client.buckets.find(({ server }) => holdersOf(server).length > 2) as Bucket
    const from = await ownerOf(bucket)
    const to = (await cluster.masters()).find((master) => master !== from) as RedisServer
    return { bucket, from, to, slot: slotOf(bucket.names.hashTag) }
  }

  test('reads of one tick are one MGET for each bucket, and one batch for each server', async () => {
    await open()
    const values = await fill()
    const read = readerOf()
    const mgets = await Promise.all((await cluster.masters()).map(mgetsOf))
    const sent = rig.counters.l2Timings.count
    const both = await Promise.all(
      [0, 1].map(() => Promise.all(rig.client.buckets.map((bucket) => read(bucket, keyOf(bucket))))),
    )
    expect(both).toEqual([values, values])
    const after = await Promise.all((await cluster.masters()).map(mgetsOf))
    expect(after.reduce((sum, count) => sum + count) - mgets.reduce((sum, count) => sum + count)).toBe(BUCKETS)
    expect(rig.counters.l2Timings.count - sent).toBe(3)
  })

  test('reads of several buckets wait for those of later ticks of the same turn', async () => {
    await open()
    await fill()
    const [first, second, third] = holdersOf((await onTheMove()).bucket.server) as [Bucket, Bucket, Bucket]
    const read = readerOf()
    const sent = rig.counters.l2Timings.count
    const early = [read(first, keyOf(first)), read(second, keyOf(second))]
    const late = new Promise((resolve) => {
      process.nextTick(() => process.nextTick(() => resolve(read(third, keyOf(third)))))
    })
    await Promise.all([...early, late])
    expect(rig.counters.l2Timings.count - sent).toBe(1)
  })

  test('a bucket that has moved is followed, and what came with it is not asked for again', async () => {
    await open()
    const values = await fill()
    const { bucket, from, to, slot } = await onTheMove()
    const held = holdersOf(bucket.server).length
    await cluster.moveSlots([slot], from, to)
    const before = await statsOf(from)
    const read = readerOf()
    await expect(Promise.all(rig.client.buckets.map((each) => read(each, keyOf(each))))).resolves.toEqual(values)
    const after = await statsOf(from)
    expect(after.calls - before.calls).toBe(held - 1)
    expect(after.rejected - before.rejected).toBe(2)
    expect([bucket.server?.name, rig.of('l2-error'), rig.of('breaker')]).toEqual([`127.0.0.1:${to.port}`, [], []])
  })

  test('a bucket that is moving is read where it goes to', async () => {
    await open()
    const values = await fill()
    const { bucket, from, to, slot } = await onTheMove()
    const read = readerOf()
    let found: unknown
    await cluster.moveSlots([slot], from, to, async () => {
      found = await Promise.all(rig.client.buckets.map((each) => read(each, keyOf(each))))
      expect(bucket.server?.name).toBe(`127.0.0.1:${from.port}`)
    })
    expect(found).toEqual(values)
    expect(rig.of('l2-error')).toEqual([])
  })

  test('what cannot be answered while a bucket is moving is the failure of its own reads', async () => {
    await open()
    const values = await fill()
    const { bucket, from, to, slot } = await onTheMove()
    await ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from))
    await ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to))
    const read = readerOf()
    // One of the two keys is here, the other one may be there: TRYAGAIN.
    const ends = await Promise.allSettled(
      rig.client.buckets.map((each) => read(each, keyOf(each), ...(each === bucket ? [keyOf(each, 'moved')] : []))),
    )
    await Promise.all([from, to].map((server) => ask(server, 'CLUSTER', 'SETSLOT', slot, 'STABLE')))
    const expected = values.map((value) => ({ status: 'fulfilled', value }))
    const failed = { status: 'rejected', reason: expect.objectContaining({ code: 'ERR_REDIS_REPLY' }) }
    expect(ends).toEqual(expected.with(bucket.index, failed as never))
    expect(rig.of('breaker')).toEqual([])
  })

  test('a server that stands still costs its own reads one deadline, and counts one failure', async () => {
    const clock = new FakeClock()
    await open(clock)
    const values = await fill()
    const { bucket, from } = await onTheMove()
    const silent = holdersOf(bucket.server)
    const read = readerOf(clock)
    from.freeze()
    try {
      const ends = rig.client.buckets.map((each) => read(each, keyOf(each)).catch(({ code }) => code))
      const answered = rig.client.buckets.filter((each) => !silent.includes(each))
      await Promise.all(answered.map(({ index }) => ends[index]))
      clock.advance(TIMEOUT_MS)
      await expect(Promise.all(ends)).resolves.toEqual(
        values.map((value, index) => (silent.some((each) => each.index === index) ? 'ERR_REDIS_TIMEOUT' : value)),
      )
      expect(rig.counters.l2Errors.get('ERR_REDIS_TIMEOUT')).toBe(1)
    } finally {
      from.thaw()
    }
  })

  test('the second attempt of what was refused has no deadline of its own', async () => {
    const clock = new FakeClock()
    await open(clock)
    await fill()
    const { bucket, from, to, slot } = await onTheMove()
    await cluster.moveSlots([slot], from, to)
    const read = readerOf(clock)
    const { send } = bucket.server as NonNullable<Bucket['server']>
    vi.spyOn(bucket.server as NonNullable<Bucket['server']>, 'send').mockImplementationOnce(async function (
      this: never,
      ...values
    ) {
      const reply = await send.apply(this, values)
      clock.advance(TIMEOUT_MS)
      to.freeze()
      return reply
    })
    const others = holdersOf(bucket.server).filter((each) => each !== bucket)
    const end = codeOf(read(bucket, keyOf(bucket)))
    await Promise.all(others.map((each) => read(each, keyOf(each))))
    clock.advance(0)
    to.thaw()
    await expect(end).resolves.toBe('ERR_REDIS_TIMEOUT')
  })
})

/** How many MGETs a server has been asked. */
async function mgetsOf(server: RedisServer): Promise<number> {
  return (await statsOf(server)).calls
}

async function statsOf(server: RedisServer): Promise<{ readonly calls: number; readonly rejected: number }> {
  const line = fieldsOf(await ask(server, 'INFO', 'commandstats')).cmdstat_mget ?? ''
  const of = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(line)?.[1] ?? 0)
  return { calls: of('calls'), rejected: of('rejected_calls') }
}
