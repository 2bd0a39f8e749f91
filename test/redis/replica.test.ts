import { Redis as Redis5 } from 'ioredis5'
import type { Redis } from 'ioredis'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { FakeClock } from '../doubles/fake-clock.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'
import type { Rig } from './rig.ts'
import { codeOf, ping, testClients } from './clients.ts'

const { server, rig, ioredis, cleanUp } = testClients()

const USER = ['ACL', 'SETUSER', 'shop', 'on', '>secret', '~tc:*', '&tc:*', '+@all', '-info'] as const
const write = ({ bucket }: Rig) => codeOf(bucket.run('SET', (redis) => redis.call('SET', 'tc:k', 'v')))
const usable = (made: Rig) => vi.waitFor(() => expect(made.client.usable).toBe(true), { timeout: 10_000 })

function isReplica({ host, port }: RedisServer) {
  return {
    code: 'ERR_READONLY_REPLICA',
    message: expect.stringMatching(new RegExp(`^${host}:${port} is a replica.*not used.*address of the master`)),
    detail: { setting: 'role', found: 'slave', expected: 'master' },
  }
}

/** A server of the test's own, with a connection that may do anything. */
async function own(args: readonly string[] = []): Promise<{ alone: RedisServer; admin: Redis }> {
  const alone = await startRedis({ args })
  cleanUp(() => alone.stop())
  return { alone, admin: ioredis(alone.url) }
}

const follow = (admin: Redis) => admin.replicaof('127.0.0.1', server().port)
const promote = (admin: Redis) => admin.replicaof('NO', 'ONE')

async function instance5(url: string) {
  const made = new Redis5(url, { autoResendUnfulfilledCommands: false })
  cleanUp(() => made.disconnect())
  return made
}

beforeAll(() => ioredis(server().url).config('SET', 'repl-diskless-sync-delay', '0'))

describe('a replica that is given as the master', () => {
  test.each([
    ['by its URL', (url: string) => url],
    ['as an instance of the application', (url: string) => ioredis(url)],
    ['as an instance of ioredis 5', instance5],
    ['by a user who may not ask for INFO', (url: string) => ({ url, username: 'shop', password: 'secret' })],
  ])(
    'is told once and not used, and used when it is promoted: %s',
    async (_name, source) => {
      vi.spyOn(console, 'warn').mockImplementation(() => {})
      const { alone, admin } = await own()
      await admin.call(...USER)
      await follow(admin)
      const made = rig((await source(alone.url)) as string, { commandTimeoutMs: 1000 })
      const told = () => made.of('warning').filter((event) => (event as { code: string }).code !== 'ERR_MISSING_RIGHT')
      await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 5000 })
      expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
      // It was looked at more than once by then.
      const before = await greetings(admin)
      await vi.waitFor(async () => expect(await greetings(admin)).toBeGreaterThan(before), { timeout: 10_000 })
      await promote(admin)
      await usable(made)
      expect(await write(made)).toBe('answered')
      expect(told()).toEqual([isReplica(alone)])
      expect(made.of('disconnected')).toEqual([])
    },
    30_000,
  )
})

/** How often somebody was greeted: it is asked for its time then. */
async function greetings(admin: Redis): Promise<number> {
  const [, calls] = /cmdstat_time:calls=(\d+)/.exec(await admin.info('commandstats')) ?? []
  return Number(calls ?? 0)
}

describe('a master that becomes a replica under us', () => {
  async function demotable(source: (url: string) => unknown, options = {}) {
    const { alone, admin } = await own()
    const made = rig((await source(alone.url)) as string, options)
    await made.connected()
    const losses = vi.fn()
    made.client.whenAnotherRun(losses)
    const idOf = () => made.bucket.run('CLIENT', (redis) => redis.call('CLIENT', 'ID'))
    return { alone, admin, made, losses, idOf }
  }

  test.each([
    ['a connection of ours is made anew', (url: string) => url, false],
    ['an instance of the application stays connected', (url: string) => ioredis(url), true],
  ])(
    'is passed over from its first refusal on, until it is promoted: %s',
    async (_name, source, stays) => {
      const { alone, admin, made, losses, idOf } = await demotable(source)
      const id = await idOf()
      await follow(admin)
      expect(await write(made)).toBe('ERR_REDIS_REPLY')
      expect(made.client.usable).toBe(false)
      expect(made.of('disconnected')).toEqual([{ server: made.server.name, reason: 'it is a replica' }])
      expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
      await promote(admin)
      await usable(made)
      expect(await write(made)).toBe('answered')
      expect((await idOf()) === id).toBe(stays)
      expect(made.of('warning')).toEqual([isReplica(alone)])
      // What it had acknowledged before may have been lost: its run is the same, and its data were another server's.
      expect(losses).toHaveBeenCalledTimes(1)
    },
    30_000,
  )

  test('is found out by those who only read', async () => {
    const { alone, admin, made } = await demotable((url) => url)
    await follow(admin)
    await vi.waitFor(() => expect(made.client.usable).toBe(false), { timeout: 5000 })
    expect(made.of('l2-error')).toEqual([])
    expect(made.of('warning')).toEqual([isReplica(alone)])
  })

  /**
   * 1. a deletion is acknowledged, and lost: the master follows a server without it
   * 2. it is promoted again, before it was looked at; the connection is there all the time
   * 3. it is looked at, twice
   */
  test('and is promoted again between two looks has lost what it had acknowledged', async () => {
    const clock = new FakeClock()
    const { admin, made, losses, idOf } = await demotable((url) => url, { clock })
    const id = await idOf()
    await follow(admin)
    await vi.waitFor(async () => expect(await admin.info('replication')).toContain('master_link_status:up'))
    await promote(admin)
    expect(await write(made)).toBe('answered')
    expect(losses).not.toHaveBeenCalled()
    for (let nth = 0; nth < 2; nth++) {
      clock.advance(1000)
      // Answered after the look.
      expect(await idOf()).toBe(id)
      await new Promise(setImmediate)
      expect(losses).toHaveBeenCalledTimes(1)
    }
    expect(made.of('disconnected')).toEqual([])
  })
})

test('a new connection to a master that was one all the time loses nothing', async () => {
  const { admin, alone } = await own()
  const made = rig(alone.url)
  await made.connected()
  const losses = vi.fn()
  made.client.whenAnotherRun(losses)
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await vi.waitFor(() => expect(made.of('connected')).toHaveLength(2), { timeout: 10_000 })
  expect(losses).not.toHaveBeenCalled()
})
