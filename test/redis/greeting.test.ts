import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { startRedis } from '../doubles/redis.ts'
import { codeOf, ping, testClients } from './clients.ts'

const PASSWORD = 'hunter2-very-secret'
const SCRIPT = 'return 1'

const { server, rig, ioredis, cleanUp } = testClients()

test('the server knows our scripts once it is connected', async () => {
  const admin = ioredis(server().url)
  await admin.script('FLUSH')
  const scripts = [SCRIPT, 'return 2']
  const made = rig(server().url, { scripts })
  await made.connected()
  const digests = scripts.map((lua) => createHash('sha1').update(lua).digest('hex'))
  expect(await admin.script('EXISTS', ...digests)).toEqual([1, 1])
})

test.each([
  ['+@all -info', 'INFO', '+info'],
  ['+@all -get', 'GET', '+get'],
])('grants %s: the right that is missing is told once, and all else goes on', async (rules, command, right) => {
  const strict = await startRedis()
  cleanUp(() => strict.stop())
  const admin = ioredis(strict.url)
  await admin.call('ACL', 'SETUSER', 'shop', 'on', `>${PASSWORD}`, '~tc:*', '&tc:*', ...rules.split(' '))
  const made = rig({ url: strict.url, username: 'shop', password: PASSWORD })
  await made.connected()
  for (let call = 0; call < 2; call++) await codeOf(made.bucket.run('GET', (redis) => redis.call('GET', 'tc:k')))
  expect(made.of('warning')).toEqual([
    { code: 'ERR_MISSING_RIGHT', message: expect.stringContaining(right), detail: { command, right } },
  ])
  expect(await ping(made)).toBe('PONG')
  expect(made.of('breaker')).toEqual([])
})

test('a user who may not load scripts is connected, and nothing is told of it', async () => {
  const strict = await startRedis()
  cleanUp(() => strict.stop())
  await ioredis(strict.url).call('ACL', 'SETUSER', 'shop', 'on', `>${PASSWORD}`, '~tc:*', '&tc:*', '+@all', '-script')
  const made = rig({ url: strict.url, username: 'shop', password: PASSWORD }, { scripts: [SCRIPT] })
  await made.connected()
  expect(await ping(made)).toBe('PONG')
  expect(made.told.map(([name]) => name)).toEqual(['connected'])
})
