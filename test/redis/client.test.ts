import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { systemClock } from '../../src/clock.ts'
import { describe, expect, test, vi } from 'vitest'
import { startRedis } from '../doubles/redis.ts'
import { codeOf, freePort, ping, testClients } from './clients.ts'
import { rigOf } from './rig.ts'

const PASSWORD = 'hunter2-very-secret'

const { server, rig, ioredis, cleanUp } = testClients()

describe('connections that are ours', () => {
  test('from a URL: commands, the time of the server, one event', async () => {
    const made = rig(server().url)
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    expect(made.server.database).toBe(0)
    expect(made.server.name).toBe(`127.0.0.1:${server().port}`)
    expect(Math.abs((made.bucket.offsetMs as number) + systemClock.now() - Date.now())).toBeLessThan(1000)
    expect(made.told).toEqual([['connected', { server: made.server.name }]])
    expect(made.counters.l2Timings.count).toBeGreaterThanOrEqual(2)
  })

  test('a call made before the first connection waits for it', async () => {
    const made = rig(server().url)
    expect(made.client.usable).toBe(false)
    expect(await ping(made)).toBe('PONG')
  })

  test.each<[string, () => Record<string, unknown>]>([
    ['host and port', () => ({ host: server().host, port: server().port })],
    ['url', () => ({ url: server().url })],
    ['url and more', () => ({ url: server().url, db: 3, connectionName: 'shop' })],
    ['a database', () => ({ port: server().port, db: 3 })],
    [
      'settings of which ours must win',
      () => ({
        url: server().url,
        enableOfflineQueue: true,
        autoResendUnfulfilledCommands: true,
        maxRetriesPerRequest: null,
        enableAutoPipelining: true,
      }),
    ],
  ])('from options of ioredis: %s', async (_name, options) => {
    const made = rig(options())
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    const { db = 0 } = options() as { db?: number }
    expect(made.server.database).toBe(db)
    expect(await made.bucket.run('CLIENT', (redis) => redis.call('CLIENT', 'INFO'))).toContain(` db=${db} `)
    const settings = {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: false,
    }
    expect(made.server.subscriber.options).toMatchObject(settings)
  })

  test('the database of a URL counts', async () => {
    const made = rig(`${server().url}/5`)
    await made.connected()
    expect(made.server.database).toBe(5)
  })

  test('close ends both, and every later call is refused at once', async () => {
    const watcher = ioredis(server().url)
    const before = (await watcher.client('LIST')) as string
    const made = rig({ url: server().url, connectionName: 'to-be-closed' })
    await made.connected()
    await vi.waitFor(async () =>
      expect(((await watcher.client('LIST')) as string).match(/to-be-closed/g)).toHaveLength(2),
    )
    made.client.close()
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    await vi.waitFor(async () => expect(await watcher.client('LIST')).not.toContain('to-be-closed'))
    expect(before).not.toContain('to-be-closed')
    expect(made.of('disconnected')).toEqual([])
    expect(made.of('warning')).toEqual([])
  })

  test('options with a keyPrefix are refused', () => {
    expect(() => rigOf({ keyPrefix: 'x:' })).toThrow(expect.objectContaining({ code: 'ERR_KEY_PREFIX' }))
  })
})

describe('an instance of the application', () => {
  test('is used, and neither closed nor listened to any more after close', async () => {
    const own = ioredis(server().url)
    const events = ['ready', 'close', 'error', 'end', 'reconnecting', 'message']
    await own.ping()
    const before = events.map((event) => own.listenerCount(event))
    const made = rig(own)
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    expect(made.server.subscriber).not.toBe(own)
    made.client.close()
    expect(events.map((event) => own.listenerCount(event))).toEqual(before)
    expect(await own.ping()).toBe('PONG')
    expect(own.status).toBe('ready')
    await vi.waitFor(() => expect(made.server.subscriber.status).toBe('end'))
  })

  test('a lazy one is connected', async () => {
    const own = ioredis(server().url, { lazyConnect: true })
    const made = rig(own)
    await made.connected()
    expect(own.status).toBe('ready')
    await vi.waitFor(() => expect(made.server.subscriber.status).toBe('ready'))
  })

  test('its database is that of the cache, and of the subscriber', async () => {
    const made = rig(ioredis(server().url, { db: 4 }))
    await made.connected()
    expect(made.server.database).toBe(4)
    expect(made.server.subscriber.options.db).toBe(4)
  })

  test('the subscriber does not inherit what would queue or send twice', async () => {
    const own = ioredis(server().url, { autoResubscribe: true, autoResendUnfulfilledCommands: true })
    const made = rig(own)
    expect(made.server.subscriber.options).toMatchObject({
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
    })
    await made.connected()
  })

  test('with a keyPrefix is refused, and left alone', async () => {
    const own = ioredis(server().url, { keyPrefix: 'shop:' })
    await own.ping()
    const before = own.listenerCount('ready')
    expect(() => rigOf(own)).toThrow(expect.objectContaining({ code: 'ERR_KEY_PREFIX' }))
    expect(() => rigOf(own)).toThrow('got keyPrefix "shop:"')
    expect(own.listenerCount('ready')).toBe(before)
    expect(await own.ping()).toBe('PONG')
  })
})

test.each([
  ['6', Redis],
  ['5', Redis5 as unknown as typeof Redis],
])('an instance of ioredis %s with automatic pipelines is refused, and left alone', async (_line, Each) => {
  const own = new Each(server().url, { enableAutoPipelining: true })
  cleanUp(() => own.disconnect())
  await own.ping()
  const before = own.listenerCount('ready')
  const refused = {
    code: 'ERR_INVALID_OPTION',
    message: expect.stringContaining('instance.duplicate({ enableAutoPipelining'),
  }
  expect(() => rigOf(own)).toThrow(expect.objectContaining(refused))
  expect(own.listenerCount('ready')).toBe(before)
  const without = own.duplicate({ enableAutoPipelining: false })
  cleanUp(() => without.disconnect())
  const made = rig(without)
  await made.connected()
  expect(await ping(made)).toBe('PONG')
})

test('what looks like a Redis Cluster and is none is refused', () => {
  const cluster = { nodes: () => [], duplicate() {}, options: {}, on() {} }
  expect(() => rigOf(cluster as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
})

describe('a password', () => {
  test('stands in no event and no message, whatever goes wrong', async () => {
    const locked = await startRedis({ args: ['--requirepass', 'another'] })
    cleanUp(() => locked.stop())
    const wrong = `redis://user:${PASSWORD}@127.0.0.1:${locked.port}`
    const nobody = `redis://user:${PASSWORD}@127.0.0.1:${await freePort()}`
    const sources = [
      wrong,
      { url: wrong },
      { port: locked.port, username: 'user', password: PASSWORD },
      nobody,
      ioredis(wrong),
    ]
    for (const source of sources) {
      const made = rig(source, { commandTimeoutMs: 100 })
      const error = await made.bucket.run('AUTH', (redis) => redis.call('AUTH', 'user', PASSWORD)).catch(String)
      await vi.waitFor(() => expect(made.of('warning')).toHaveLength(1))
      for (const text of [JSON.stringify(made.told), error, made.server.name]) expect(text).not.toContain(PASSWORD)
      made.client.close()
    }
  })

  test('a refused command tells nothing of its arguments', async () => {
    const made = rig(server().url)
    await made.connected()
    const error = await made.bucket
      .run('SET', (redis) => redis.call('SET', 'k', PASSWORD, 'NONSENSE'))
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_REDIS_REPLY' })
    const unknown = await made.bucket
      .run('NO', (redis) => redis.call('NOSUCHCOMMAND', PASSWORD, PASSWORD))
      .catch((reason: unknown) => reason)
    expect(unknown).toMatchObject({ code: 'ERR_REDIS_REPLY' })
    for (const each of [error, unknown]) {
      expect(`${String(each)} ${(each as Error).stack} ${String((each as Error).cause)}`).not.toContain(PASSWORD)
      expect(Object.values(each as object)).not.toContain(PASSWORD)
    }
    expect(JSON.stringify(made.told)).not.toContain(PASSWORD)
    expect(made.of('l2-error')).toHaveLength(2)
  })
})

test('nobody is left waiting, and nothing goes unhandled, when a client is closed at once', async () => {
  const made = rig(server().url, { commandTimeoutMs: 100 })
  const call = codeOf(ping(made))
  made.client.close()
  expect(await call).toBe('ERR_REDIS_UNAVAILABLE')
  expect(made.of('warning')).toEqual([])
})

test('a client that is closed as its server is greeted tells nothing', async () => {
  const strict = await startRedis()
  cleanUp(() => strict.stop())
  const admin = ioredis(strict.url)
  await admin.call('ACL', 'SETUSER', 'shop', 'on', `>${PASSWORD}`, '~tc:*', '&tc:*', '+@all', '-info')
  const own = ioredis(strict.url, { username: 'shop', password: PASSWORD, enableReadyCheck: false })
  await own.ping()
  const made = rig(own)
  made.client.close()
  // Redis answers in order: once this is here, so are the answers to the greeting.
  await own.ping()
  await new Promise(setImmediate)
  expect(made.told).toEqual([])
})
