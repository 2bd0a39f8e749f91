import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { RedisBus } from '../../src/bus/redis-bus.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { noticeBody } from '../../src/entry/notice.ts'
import { scripts } from '../../src/redis/lua.generated.ts'
import { Hearing } from '../conformance/bus.suite.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'
import { testClients } from './clients.ts'

const BOUND_MS = 1000
const BEAT_MS = BOUND_MS / 5
const names = new RedisNames('tc', 0)
const { server, rig, ioredis, cleanUp } = testClients()

let other: RedisServer
beforeAll(async () => {
  other = await startRedis()
})
afterAll(() => other.stop())
beforeEach(async () => {
  await Promise.all([server(), other].map(({ url }) => ioredis(url).flushall()))
})

let tips = 0

/** Deletes a key, as another process would. */
async function change({ url }: RedisServer, subject: string): Promise<void> {
  const [tip, body] = [(++tips).toString(16).padStart(16, '0'), noticeBody('D', 'third', subject)]
  const keys = [`tc:{0}:v:${subject}`, `tc:{0}:l:${subject}`, names.chain]
  await ioredis(url).eval(scripts['invalidate-3'].lua, 3, ...keys, `PUBLISH ${names.channel}`, tip, body)
}

async function subscribers({ url }: RedisServer): Promise<unknown> {
  return ((await ioredis(url).pubsub('NUMSUB', names.channel)) as unknown[])[1]
}

/** An address behind which a test puts one server or another; connections that are there stay where they are. */
async function address(first: RedisServer) {
  const target = { host: first.host, port: first.port }
  const proxy = await startFaultProxy(target)
  cleanUp(() => proxy.stop())
  return { url: proxy.url, lead: ({ port }: RedisServer) => void Object.assign(target, { port }) }
}

/** A bus of a process whose commands and whose notices have an address each. Its time stands. */
async function hearingFrom(first: RedisServer, options = {}, version = 6) {
  const [commands, notices] = [await address(server()), await address(first)]
  const settings = { ...options, autoResendUnfulfilledCommands: false }
  const connect = (url: string, ours: object) => (version === 6 ? new Redis(url, ours) : new Redis5(url, ours))
  const own = connect(commands.url, settings)
  own.on('error', () => {})
  cleanUp(() => own.disconnect())
  const source = Object.assign(own, { duplicate: (ours: object) => connect(notices.url, { ...settings, ...ours }) })
  const clock = new FakeClock()
  const made = rig(source as unknown as Redis, { clock })
  const hearing = new Hearing()
  const bus = new RedisBus(made.client, { origin: 'here', maxStalenessMs: BOUND_MS }, clock)
  cleanUp(() => bus.close())
  bus.subscribe(hearing)
  await made.connected()
  /** Lets time go by until something is so. */
  const passing = (condition: () => unknown) =>
    vi.waitFor(
      async () => {
        clock.advance(BEAT_MS)
        await condition()
      },
      { timeout: 10_000, interval: 20 },
    )
  const proven = async () => {
    const from = clock.now()
    await passing(() => expect(bus.currency(0).verifiedAt).toBeGreaterThan(from))
  }
  return { made, bus, clock, hearing, commands, notices, passing, proven }
}

test.each([
  ['ioredis 6, RESP3', {}, 6],
  ['ioredis 6, RESP2', { protocol: 2 }, 6],
  ['ioredis 5', {}, 5],
] as const)(
  'one that comes to another server hears and proves nothing, and is made anew until it comes to the same: %s',
  async (_name, options, version) => {
    const { made, bus, hearing, notices, passing, proven } = await hearingFrom(other, options, version)
    await change(server(), '_:k')
    const connected = vi.fn()
    made.server.subscriber.on('ready', connected)
    await passing(() => expect(connected.mock.calls.length).toBeGreaterThan(2))
    await change(other, '_:k')
    expect(await subscribers(other)).toBe(0)
    expect(made.server.hasSubscriber).toBe(false)
    expect([bus.currency(0).verifiedAt, hearing.notices]).toEqual([Number.NEGATIVE_INFINITY, []])
    notices.lead(server())
    await proven()
    await change(server(), '_:k')
    await vi.waitFor(() => expect(hearing.subjects).toEqual(['D _:k by third']))
    expect(made.of('warning')).toEqual([])
  },
  30_000,
)

/**
 * The order of events:
 *   1. another server takes the master's place; the commands of a process go there
 *   2. its connection for notices stays on the former master, which goes on as one
 *   3. others, who do not know of 1, continue the chain there
 * Numbers of that chain must not count as heard: they are another link's here.
 */
test('after a failover of the commands nothing is heard from the former master; then from the new one', async () => {
  const { made, bus, clock, hearing, commands, notices, passing, proven } = await hearingFrom(server())
  await change(server(), '_:before')
  await proven()
  await made.server.subscriber.ping()
  const before = hearing.subjects.length
  await change(other, '_:before')
  commands.lead(other)
  // Connections for notices are no normal ones.
  await ioredis(server().url).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await vi.waitFor(() => expect(made.of('connected')).toHaveLength(2), { timeout: 10_000 })
  expect(made.server.hasSubscriber).toBe(false)
  const { verifiedAt } = bus.currency(0)
  await change(server(), '_:zombie')
  await made.server.subscriber.ping()
  expect(hearing.subjects).toHaveLength(before)
  // A lease tells of a link that was not heard: a beat looks at once.
  clock.advance(1)
  bus.reached(0, '9'.repeat(16))
  await made.server.measureTime()
  await made.server.subscriber.ping()
  await new Promise(setImmediate)
  expect(bus.currency(0).verifiedAt).toBe(verifiedAt)
  notices.lead(other)
  await passing(async () => expect(await subscribers(other)).toBe(1))
  await proven()
  await change(other, '_:k')
  await vi.waitFor(() => expect(hearing.subjects.slice(before)).toEqual(['D _:k by third']))
}, 30_000)

test('that this goes on is told once, when it has lasted for longer than a failover', async () => {
  const { made, passing } = await hearingFrom(other)
  const connected = vi.fn()
  made.server.subscriber.on('ready', connected)
  await passing(() => expect(connected.mock.calls.length).toBeGreaterThan(5))
  expect(made.of('warning')).toEqual([])
  await passing(() => expect(made.of('warning')).toHaveLength(1))
  const times = connected.mock.calls.length
  await passing(() => expect(connected.mock.calls.length).toBeGreaterThan(times + 1))
  expect(made.of('warning')).toEqual([expect.objectContaining({ code: 'ERR_TWO_SERVERS' })])
  // Commands are none the worse for it.
  expect(made.client.usable).toBe(true)
}, 30_000)

test('one that does not answer is made anew once, whoever finds that out and however often, until it is closed', async () => {
  const { made, passing } = await hearingFrom(server())
  await passing(async () => expect(await subscribers(server())).toBe(1))
  const { subscriber } = made.server
  const disconnect = vi.spyOn(subscriber, 'disconnect')
  for (const times of [1, 2]) {
    const closed = new Promise<void>((resolve) => subscriber.on('close', () => resolve()))
    // As many as there are buckets whose subscriptions are refused at one time.
    for (let bucket = 0; bucket < 64; bucket++) made.server.renewSubscriber()
    expect(disconnect.mock.calls).toEqual(Array(times).fill([true]))
    await closed
    made.server.renewSubscriber()
    await passing(() => expect(made.server.hasSubscriber).toBe(true))
    expect(disconnect).toHaveBeenCalledTimes(times)
  }
})

test('a server that does not say which it is counts as the same', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  for (const { url } of [server(), other]) {
    await ioredis(url).call('ACL', 'SETUSER', 'shop', 'on', '>secret', '~tc:*', '&tc:*', '+@all', '-info')
  }
  const { made, passing } = await hearingFrom(other, { username: 'shop', password: 'secret' })
  await passing(async () => expect(await subscribers(other)).toBe(1))
  expect(made.server.hasSubscriber).toBe(true)
})
