import { expect, test } from 'vitest'
import { ended, unreachable, unreachableCluster } from '../../src/redis/unreachable.ts'
import type { RedisConnection } from '../../src/redis/source.ts'
import { startRedis } from '../doubles/redis.ts'
import { testClients } from './clients.ts'

const { rig, cleanUp } = testClients()

const code = 'ERR_REDIS_UNAVAILABLE'
const connection = (options: object) => ({ options }) as unknown as RedisConnection
const behind = connection({ sentinels: [{ host: 'a', port: 1 }, { host: 'b' }], name: 'main' })

test.each([
  ['connect ECONNREFUSED a:1', 'a:1 cannot be reached (connect ECONNREFUSED a:1): L1 and loaders go on'],
  ['NOAUTH Authentication required.', 'look at the options username and password. L1 and loaders go on'],
  [
    "TIME failed: ERR unknown command 'TIME'",
    'is that a sentinel? Sentinels belong into the option sentinels, with name. L1',
  ],
])('one server: %s', (reason, words) => {
  expect(unreachable('a:1', reason, connection({}))).toEqual({ code, message: expect.stringContaining(words) })
})

const last = (said: string) => `All sentinels are unreachable. Retrying from scratch after 10ms. Last error: ${said}`

test('sentinels that cannot be reached', () => {
  expect(unreachable('main', last('Connection is closed.'), behind)).toEqual({
    code,
    message:
      "none of the sentinels a:1, b:26379 names the master 'main' (Connection is closed.): look at the option sentinels, and " +
      'whether they are up. L1 and loaders go on, L2 joins when one does',
  })
})

test.each([
  [
    "NOPERM User watch has no permissions to run the 'sentinel|get-master-addr-by-name' command",
    '+sentinel|get-master-addr-by-name',
  ],
  ["NOPERM this user has no permissions to run the 'sentinel' command or its subcommand", '+sentinel'],
])('sentinels that lack a right: %s', (said, right) => {
  expect(unreachable('main', last(said), behind)).toEqual({
    code: 'ERR_MISSING_RIGHT',
    message: expect.stringContaining(
      `grant ${right} to the user of sentinelUsername on each of them (docs/reference/redis-rights.md)`,
    ),
    detail: { command: 'SENTINEL', right },
  })
})

test.each([
  ['connect ECONNREFUSED a:1', 'look at the option cluster, and whether they are up'],
  ['ERR This instance has cluster support disabled', "it is one server: give its URL, redis: 'redis://host:6379'"],
  ['WRONGPASS invalid', 'look at the options username and password'],
  ["ERR unknown command 'cluster', with args beginning with: 'SLOTS'", 'is that a sentinel? Sentinels belong into'],
])('a Cluster: %s', (reason, advice) => {
  const { message, ...others } = unreachableCluster('a:1, b:2', reason)
  expect(others).toEqual({ code })
  expect(message).toMatch(/^none of the nodes a:1, b:2 can be asked for the slots of the Redis Cluster \(/)
  expect(message).toContain(`): ${advice}`)
  expect(message).toMatch(/L1 and loaders go on, L2 joins when one answers$/)
})

test('an instance that has ended', () => {
  expect(ended('a:1', 'L1 and loaders go on')).toEqual({
    code,
    message:
      'the instance has ended: a:1 is connected again by nobody but its owner; L1 and loaders go on. Close the cache first',
  })
})

test.each([
  ['one server', (port: number) => `redis://127.0.0.1:${port}`],
  ['a Cluster', (port: number) => ({ cluster: [`redis://127.0.0.1:${port}`] })],
])('a sentinel that is given as %s', async (_form, source) => {
  const sentinel = await startRedis({ config: '', args: ['--sentinel'] })
  cleanUp(() => sentinel.stop())
  const made = rig(source(sentinel.port))
  await expect.poll(() => made.of('warning')).toHaveLength(1)
  expect(made.of('warning')).toEqual([
    {
      code,
      message: expect.stringMatching(new RegExp(`127.0.0.1:${sentinel.port}.*is that a sentinel\\?.*option sentinels`)),
    },
  ])
})
