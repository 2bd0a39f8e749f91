import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import type { RedisSource } from '../../src/create-cache.ts'
import { ask } from '../doubles/redis-deployment.ts'
import type { SentinelDeployment } from '../doubles/redis-sentinel.ts'
import { startSentinel } from '../doubles/redis-sentinel.ts'
import { freePort } from '../redis/clients.ts'

const SECRET = 'hunter2-very-secret'

/** Sentinels and a master that let nobody in without the password; one sentinel that lets everybody in. */
let guarded: SentinelDeployment
let open: SentinelDeployment['sentinels'][number]
beforeAll(async () => {
  guarded = await startSentinel()
  const [first, ...others] = guarded.sentinels
  open = first as typeof open
  for (const server of [...others, ...guarded.servers])
    await ask(server, 'ACL', 'SETUSER', 'default', `>${SECRET}`, 'nopass')
  for (const server of [...others, ...guarded.servers])
    await ask(server, 'ACL', 'SETUSER', 'default', 'resetpass', `>${SECRET}`)
})
afterAll(() => guarded.stop())

const forms: [string, (options: object) => RedisSource][] = [
  ['options', (options) => options],
  ['an instance', (options) => new Redis({ ...options, autoResendUnfulfilledCommands: false })],
  ['an instance of ioredis 5', (options) => new Redis5({ ...options, autoResendUnfulfilledCommands: false })],
]

const { name } = { name: 'main' }
const lockedSentinels = () => guarded.sentinels.slice(1).map(({ host, port }) => ({ host, port }))
const openSentinel = () => [{ host: open.host, port: open.port }]
const http = async () => {
  const listening = createServer((_request, response) => response.end('no Redis')).listen(0, '127.0.0.1')
  await new Promise((resolve) => listening.once('listening', resolve))
  return { port: (listening.address() as AddressInfo).port, close: () => listening.close() }
}

const cases: [string, () => Promise<object> | object, RegExp][] = [
  [
    'nobody is at the addresses of the sentinels',
    async () => ({ sentinels: [{ host: '127.0.0.1', port: await freePort() }], name }),
    /^none of the sentinels 127\.0\.0\.1:\d+ names the master 'main' \(.+\): look at the option sentinels, and whether they are up/,
  ],
  [
    'a master has another name',
    () => ({ sentinels: openSentinel(), name: 'mistake' }),
    /^none of the sentinels .+ names the master 'mistake' \(ERR No such master with that name\): look at the option name/,
  ],
  [
    'the sentinels want a password',
    () => ({ sentinels: lockedSentinels(), name, password: SECRET }),
    /^none of the sentinels .+ \(NOAUTH .+\): look at the options sentinelUsername and sentinelPassword/,
  ],
  [
    'the sentinels want another password',
    () => ({ sentinels: lockedSentinels(), name, password: SECRET, sentinelPassword: `not ${SECRET}` }),
    /^none of the sentinels .+ \(WRONGPASS .+\): look at the options sentinelUsername and sentinelPassword/,
  ],
  [
    'a Redis is no sentinel',
    () => ({ sentinels: [{ host: '127.0.0.1', port: plainPort() }], name, sentinelPassword: SECRET }),
    /^none of the sentinels .+ \(ERR unknown command .sentinel.\): is that a sentinel\? Look at the option sentinels/,
  ],
  [
    'the master wants a password',
    () => ({ sentinels: openSentinel(), name }),
    /^127\.0\.0\.1:\d+ \(main\) cannot be reached \(.*NOAUTH .+\): look at the options username and password/,
  ],
  [
    'the master wants another password',
    () => ({ sentinels: openSentinel(), name, password: `not ${SECRET}` }),
    /^127\.0\.0\.1:\d+ \(main\) cannot be reached \(WRONGPASS .+\): look at the options username and password/,
  ],
]

function plainPort(): number {
  return guarded.servers[0]?.port as number
}

for (const [form, source] of forms) {
  test.each(cases)(
    `${form}: %s: one warning says what is wrong, and the application goes on`,
    async (_what, options, message) => {
      const quiet = vi.spyOn(console, 'error').mockImplementation(() => {})
      const redis = source(await options())
      if ('on' in (redis as object)) (redis as Redis).on('error', () => {})
      const cache = createCache({ redis, maxStaleness: 500 })
      const warnings: { readonly code: string; readonly message: string }[] = []
      cache.on('warning', (event) => void warnings.push(event))
      expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
      expect(await cache.set('k', 1)).toEqual({ acknowledged: false })
      await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 5000 })
      expect(warnings).toEqual([{ code: 'ERR_REDIS_UNAVAILABLE', message: expect.stringMatching(message) }])
      expect(JSON.stringify(warnings)).not.toContain(SECRET)
      await cache.close()
      const told = warnings.filter(({ code }) => code !== 'ERR_NOT_ACKNOWLEDGED')
      expect(told).toHaveLength(1)
      if ('disconnect' in (redis as object)) (redis as Redis).disconnect()
      // Nor does ioredis write of it to the console.
      expect(quiet).not.toHaveBeenCalled()
    },
  )
}

test('what is no Redis at all is no sentinel', async () => {
  const { port, close } = await http()
  const cache = createCache({ redis: { sentinels: [{ host: '127.0.0.1', port }], name } })
  const warnings: unknown[] = []
  cache.on('warning', (event) => void warnings.push(event))
  expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
  await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 5000 })
  expect(warnings).toEqual([
    {
      code: 'ERR_REDIS_UNAVAILABLE',
      message: expect.stringMatching(/is that a sentinel\? Look at the option sentinels/),
    },
  ])
  await cache.close()
  close()
})

test('a user of the sentinels without the right to ask them', async () => {
  await ask(open, 'ACL', 'SETUSER', 'watch', 'on', `>${SECRET}`, '+@all', '-sentinel')
  const cache = createCache({
    redis: { sentinels: openSentinel(), name, sentinelUsername: 'watch', sentinelPassword: SECRET },
  })
  const warnings: { readonly code: string; readonly message: string }[] = []
  cache.on('warning', (event) => void warnings.push(event))
  await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 5000 })
  expect(warnings).toEqual([
    {
      code: 'ERR_MISSING_RIGHT',
      message: expect.stringMatching(/NOPERM.*grant \+sentinel.* to the user of sentinelUsername.*redis-rights\.md/),
      detail: { command: 'SENTINEL', right: expect.stringMatching(/^\+sentinel/) },
    },
  ])
  await cache.close()
})

test('with the right passwords it is used', async () => {
  const redis = { sentinels: lockedSentinels(), name, password: SECRET, sentinelPassword: SECRET }
  const cache = createCache({ redis })
  const warnings: unknown[] = []
  cache.on('warning', (event) => void warnings.push(event))
  await vi.waitFor(() => expect(cache.stats().l2Usable).toBe(true), { timeout: 5000 })
  expect(await cache.set('k', 1)).toEqual({ acknowledged: true })
  expect(warnings).toEqual([])
  await cache.close()
})
