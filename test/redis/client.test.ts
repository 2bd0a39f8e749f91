import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { systemClock } from '../../src/clock.ts'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { checkSource } from '../../src/redis/connection.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { startRedis } from '../doubles/redis.ts'
import { rigOf } from './rig.ts'
import type { AddressInfo } from 'node:net'
import type { RedisServer } from '../doubles/redis.ts'
import type { Rig } from './rig.ts'

const PASSWORD = 'hunter2-very-secret'

let server: RedisServer
const cleanUps: (() => unknown)[] = []
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

function rig(...[source, options]: Parameters<typeof rigOf>): Rig {
  const made = rigOf(source, options)
  cleanUps.push(() => made.client.close())
  return made
}

function ioredis(...values: [string, object?]): Redis {
  const made = new Redis(values[0], values[1] ?? {})
  made.on('error', () => {})
  cleanUps.push(() => made.disconnect())
  return made
}

const ping = ({ client }: Rig) => client.run<string>('PING', (redis) => redis.call('PING'))
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: { code?: unknown }) => error.code,
  )

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as AddressInfo
  await new Promise((resolve) => holder.close(resolve))
  return port
}

describe('connections that are ours', () => {
  test('from a URL: commands, the time of the server, one event', async () => {
    const made = rig(server.url)
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    expect(made.client.database).toBe(0)
    expect(made.client.server).toBe(`127.0.0.1:${server.port}`)
    expect(Math.abs((made.client.offsetMs as number) + systemClock.now() - Date.now())).toBeLessThan(1000)
    expect(made.told).toEqual([['connected', { server: made.client.server }]])
    expect(made.counters.l2Timings.count).toBeGreaterThanOrEqual(2)
  })

  test('a call made before the first connection waits for it', async () => {
    const made = rig(server.url)
    expect(made.client.usable).toBe(false)
    expect(await ping(made)).toBe('PONG')
  })

  test.each<[string, () => Record<string, unknown>]>([
    ['host and port', () => ({ host: server.host, port: server.port })],
    ['url', () => ({ url: server.url })],
    ['url and more', () => ({ url: server.url, db: 3, connectionName: 'shop' })],
    ['a database', () => ({ port: server.port, db: 3 })],
    [
      'settings of which ours must win',
      () => ({
        url: server.url,
        enableOfflineQueue: true,
        autoResendUnfulfilledCommands: true,
        maxRetriesPerRequest: null,
      }),
    ],
  ])('from options of ioredis: %s', async (_name, options) => {
    const made = rig(options())
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    const { db = 0 } = options() as { db?: number }
    expect(made.client.database).toBe(db)
    expect(await made.client.run('CLIENT', (redis) => redis.call('CLIENT', 'INFO'))).toContain(` db=${db} `)
    const settings = {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
    }
    expect(made.client.subscriber.options).toMatchObject(settings)
  })

  test('the database of a URL counts', async () => {
    const made = rig(`${server.url}/5`)
    await made.connected()
    expect(made.client.database).toBe(5)
  })

  test('close ends both, and every later call is refused at once', async () => {
    const watcher = ioredis(server.url)
    const before = (await watcher.client('LIST')) as string
    const made = rig({ url: server.url, connectionName: 'to-be-closed' })
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
    const own = ioredis(server.url)
    const events = ['ready', 'close', 'error', 'end', 'reconnecting', 'message']
    await own.ping()
    const before = events.map((event) => own.listenerCount(event))
    const made = rig(own)
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    expect(made.client.subscriber).not.toBe(own)
    made.client.close()
    expect(events.map((event) => own.listenerCount(event))).toEqual(before)
    expect(await own.ping()).toBe('PONG')
    expect(own.status).toBe('ready')
    await vi.waitFor(() => expect(made.client.subscriber.status).toBe('end'))
  })

  test('a lazy one is connected', async () => {
    const own = ioredis(server.url, { lazyConnect: true })
    const made = rig(own)
    await made.connected()
    expect(own.status).toBe('ready')
    await vi.waitFor(() => expect(made.client.subscriber.status).toBe('ready'))
  })

  test('its database is that of the cache, and of the subscriber', async () => {
    const made = rig(ioredis(server.url, { db: 4 }))
    await made.connected()
    expect(made.client.database).toBe(4)
    expect(made.client.subscriber.options.db).toBe(4)
  })

  test('the subscriber does not inherit what would queue or send twice', async () => {
    const own = ioredis(server.url, { autoResubscribe: true, autoResendUnfulfilledCommands: true })
    const made = rig(own)
    expect(made.client.subscriber.options).toMatchObject({
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
    })
    await made.connected()
  })

  test('with a keyPrefix is refused, and left alone', async () => {
    const own = ioredis(server.url, { keyPrefix: 'shop:' })
    await own.ping()
    const before = own.listenerCount('ready')
    expect(() => rigOf(own)).toThrow(expect.objectContaining({ code: 'ERR_KEY_PREFIX' }))
    expect(() => rigOf(own)).toThrow('got keyPrefix "shop:"')
    expect(own.listenerCount('ready')).toBe(before)
    expect(await own.ping()).toBe('PONG')
  })
})

test('a Redis Cluster is refused, as long as there is no support for it', () => {
  const cluster = { nodes: () => [], duplicate() {}, options: {}, on() {} }
  expect(() => rigOf(cluster as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
})

describe('what is no source', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['a number', 6379],
    ['an array', ['redis://localhost']],
    ['an empty text', ''],
    ['a host', 'localhost:6379'],
    ['another scheme', 'http://localhost'],
    ['another scheme with a password', `postgres://user:${PASSWORD}@localhost`],
    ['a URL with a blank', `redis://user:${PASSWORD} @localhost`],
    ['a URL with a port beyond all', `redis://user:${PASSWORD}@localhost:99999`],
    ['a URL without a host', 'redis://'],
    ['an url that is no URL', { url: `user:${PASSWORD}@localhost` }],
    ['an url that is no text', { url: 6379 }],
    ['a function', () => 'redis://localhost'],
  ])('%s', (_name, source) => {
    let message = ''
    try {
      checkSource(source)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION' })
      message = String(error)
    }
    expect(message).toContain(
      "redis: expected a URL ('redis://host:6379', 'rediss://…'), options of ioredis, or an ioredis instance, got ",
    )
    expect(message).not.toContain(PASSWORD)
  })

  test.each([
    'redis://localhost',
    'rediss://localhost:6380/3',
    'redis://:p@localhost',
    'redis://user:p%40ss@[::1]:6379/0',
  ])('%s is one', (url) => {
    expect(() => checkSource(url)).not.toThrow()
    expect(() => checkSource({ url })).not.toThrow()
    expect(() => checkSource({})).not.toThrow()
  })
})

describe('a password', () => {
  test('stands in no event and no message, whatever goes wrong', async () => {
    const locked = await startRedis({ args: ['--requirepass', 'another'] })
    cleanUps.push(() => locked.stop())
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
      const error = await made.client.run('AUTH', (redis) => redis.call('AUTH', 'user', PASSWORD)).catch(String)
      await vi.waitFor(() => expect(made.of('warning')).toHaveLength(1))
      for (const text of [JSON.stringify(made.told), error, made.client.server]) expect(text).not.toContain(PASSWORD)
      made.client.close()
    }
  })

  test('a refused command tells nothing of its arguments', async () => {
    const made = rig(server.url)
    await made.connected()
    const error = await made.client
      .run('SET', (redis) => redis.call('SET', 'k', PASSWORD, 'NONSENSE'))
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_REDIS_REPLY' })
    const unknown = await made.client
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

describe('a server that cannot be reached', () => {
  test('is one warning; calls are refused after one deadline, then at once; L2 joins when it comes up', async () => {
    const port = await freePort()
    const made = rig(`redis://127.0.0.1:${port}`, { commandTimeoutMs: 300 })
    const startedAt = performance.now()
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290)
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    expect(made.told).toEqual([
      [
        'warning',
        {
          code: 'ERR_REDIS_UNAVAILABLE',
          message: expect.stringContaining(`127.0.0.1:${port} cannot be reached (connect ECONNREFUSED`),
        },
      ],
    ])
    const late = await startRedis({ port })
    cleanUps.push(() => late.stop())
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    expect(made.told.map(([name]) => name)).toEqual(['warning', 'connected'])
  })

  test('that accepts and never answers is one warning too, and joins when it does', async () => {
    const proxy = await startFaultProxy(server)
    cleanUps.push(() => proxy.stop())
    proxy.hole()
    const made = rig(proxy.url, { commandTimeoutMs: 100 })
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    await vi.waitFor(() => expect(made.of('warning')).toHaveLength(1), { timeout: 5000 })
    await proxy.heal()
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    expect(made.of('warning')).toHaveLength(1)
  }, 20_000)

  test('that goes away is told once, and joins again when it is back', async () => {
    const proxy = await startFaultProxy(server)
    cleanUps.push(() => proxy.stop())
    const made = rig(proxy.url)
    await made.connected()
    await proxy.cut()
    await vi.waitFor(() => expect(made.client.usable).toBe(false))
    expect(made.client.offsetMs).toBeUndefined()
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    expect(made.of('disconnected')).toEqual([
      { server: `127.0.0.1:${proxy.port}`, reason: 'the connection was closed' },
    ])
    await proxy.heal()
    await vi.waitFor(() => expect(made.client.usable).toBe(true), { timeout: 10_000 })
    expect(await ping(made)).toBe('PONG')
    expect(made.client.offsetMs).toBeDefined()
    expect(made.of('connected')).toHaveLength(2)
    expect(made.of('warning')).toHaveLength(1)
    await proxy.cut()
    await vi.waitFor(() => expect(made.of('warning')).toHaveLength(2))
  }, 20_000)

  test('calls that are under way when it goes away are refused, none is sent again', async () => {
    const proxy = await startFaultProxy(server)
    cleanUps.push(() => proxy.stop())
    const watcher = ioredis(server.url)
    await watcher.set('n', '0')
    const made = rig(proxy.url)
    await made.connected()
    proxy.hole('to-client')
    const calls = Array.from({ length: 5 }, () => codeOf(made.client.run('INCR', (redis) => redis.call('INCR', 'n'))))
    await vi.waitFor(async () => expect(await watcher.get('n')).toBe('5'))
    // The answers were sent before that one; the proxy has to have taken them in.
    for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate)
    proxy.release({ deliver: false })
    expect(await Promise.all(calls)).toEqual(new Array(5).fill('ERR_REDIS_LOST'))
    await vi.waitFor(() => expect(made.client.usable).toBe(true), { timeout: 10_000 })
    expect(await ping(made)).toBe('PONG')
    expect(await watcher.get('n')).toBe('5')
  }, 20_000)
})

describe('a server that is another one than before', () => {
  test('is told before any other command is sent to it; a new connection to the same run is not', async () => {
    const restarted = await startRedis()
    const proxy = await startFaultProxy(restarted)
    cleanUps.push(
      () => restarted.stop(),
      () => proxy.stop(),
    )
    const made = rig(proxy.url)
    const usableThen: boolean[] = []
    made.client.whenAnotherRun(() => usableThen.push(made.client.usable))
    await made.connected()
    const back = () => vi.waitFor(() => expect(made.client.usable).toBe(true), { timeout: 10_000 })
    await proxy.cut()
    await vi.waitFor(() => expect(made.client.usable).toBe(false))
    await proxy.heal()
    await back()
    expect(usableThen).toEqual([])
    await restarted.restart()
    await vi.waitFor(() => expect(usableThen).toEqual([false]), { timeout: 10_000 })
    await back()
  }, 30_000)
})

describe('a server that is not as it should be', () => {
  test.each([
    ['volatile-ttl', 1],
    ['allkeys-lru', 0],
  ])(
    'evicts by %s: told %d times, however often it is connected',
    async (policy, times) => {
      const full = await startRedis({ args: ['--maxmemory', '100mb', '--maxmemory-policy', policy] })
      cleanUps.push(() => full.stop())
      const made = rig(full.url)
      await made.connected()
      await ioredis(full.url).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await vi.waitFor(() => expect(made.of('connected')).toHaveLength(2), { timeout: 10_000 })
      const told = made.of('warning').filter((event) => (event as { code: string }).code === 'ERR_EVICTION_POLICY')
      expect(told).toHaveLength(times)
      for (const event of told) {
        expect(event).toMatchObject({ detail: { setting: 'maxmemory-policy', found: policy } })
      }
      expect(await ping(made)).toBe('PONG')
    },
    30_000,
  )

  test.each([
    ['+@all -info', 'INFO', '+info'],
    ['+@all -get', 'GET', '+get'],
  ])('grants %s: the right that is missing is told once, and all else goes on', async (rules, command, right) => {
    const strict = await startRedis()
    cleanUps.push(() => strict.stop())
    const admin = ioredis(strict.url)
    await admin.call('ACL', 'SETUSER', 'shop', 'on', `>${PASSWORD}`, '~tc:*', '&tc:*', ...rules.split(' '))
    const made = rig({ url: strict.url, username: 'shop', password: PASSWORD })
    await made.connected()
    for (let call = 0; call < 2; call++) await codeOf(made.client.run('GET', (redis) => redis.call('GET', 'tc:k')))
    expect(made.of('warning')).toEqual([
      { code: 'ERR_MISSING_RIGHT', message: expect.stringContaining(right), detail: { command, right } },
    ])
    expect(await ping(made)).toBe('PONG')
    expect(made.of('breaker')).toEqual([])
  })
})

describe('a server that stands still', () => {
  test('costs each call one deadline, opens the breaker at the third, and is asked again until it answers', async () => {
    const frozen = await startRedis()
    cleanUps.push(() => frozen.stop())
    const made = rig(frozen.url, { commandTimeoutMs: 150 })
    await made.connected()
    frozen.freeze()
    const startedAt = performance.now()
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_TIMEOUT')
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145)
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_TIMEOUT')
    expect(made.of('breaker')).toEqual([])
    expect(made.client.usable).toBe(true)
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_TIMEOUT')
    expect(made.of('breaker')).toEqual([{ from: 'closed', to: 'open' }])
    expect(made.client.usable).toBe(false)
    const passedOverAt = performance.now()
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    expect(performance.now() - passedOverAt).toBeLessThan(100)
    expect(made.counters.l2Errors.get('ERR_REDIS_TIMEOUT')).toBe(3)
    expect(made.of('l2-error')[0]).toEqual({
      command: 'PING',
      code: 'ERR_REDIS_TIMEOUT',
      message: 'Redis did not answer PING within 150 ms',
    })
    await vi.waitFor(() => expect(made.of('breaker')).toContainEqual({ from: 'open', to: 'half-open' }), {
      timeout: 5000,
    })
    frozen.thaw()
    await vi.waitFor(() => expect(made.of('breaker').at(-1)).toMatchObject({ to: 'closed' }), { timeout: 10_000 })
    await vi.waitFor(async () => expect(await ping(made)).toBe('PONG'), { timeout: 10_000 })
  }, 30_000)

  test('a connection that is half open is replaced by a new one', async () => {
    const proxy = await startFaultProxy(server)
    cleanUps.push(() => proxy.stop())
    const made = rig(proxy.url, { commandTimeoutMs: 100 })
    await made.connected()
    proxy.hole()
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_TIMEOUT')
    await vi.waitFor(() => expect(made.of('disconnected')).toHaveLength(1), { timeout: 10_000 })
    await proxy.heal()
    await vi.waitFor(() => expect(made.client.usable).toBe(true), { timeout: 10_000 })
  }, 30_000)

  test('refusals of a command open no breaker; a server that says it cannot serve does', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] })
    cleanUps.push(() => replica.stop())
    const made = rig(replica.url)
    await made.connected()
    for (let call = 0; call < 5; call++) await codeOf(made.client.run('INCR', (redis) => redis.call('GET')))
    expect(made.of('breaker')).toEqual([])
    for (let call = 0; call < 3; call++) {
      expect(await codeOf(made.client.run('SET', (redis) => redis.call('SET', 'k', 'v')))).toBe('ERR_REDIS_REPLY')
    }
    expect(made.of('breaker')[0]).toEqual({ from: 'closed', to: 'open' })
    expect(made.of('l2-error').at(-1)).toMatchObject({ message: expect.stringContaining('READONLY') })
  })
})

test('when our clocks jump, the time of the server is not known, and asked for again', async () => {
  const clock = new FakeClock()
  const made = rig(server.url, { clock })
  await made.connected()
  const before = made.client.offsetMs as number
  clock.jumpWall(3_600_000)
  expect(made.client.offsetMs).toBeUndefined()
  await vi.waitFor(() => expect(made.client.offsetMs).toBeDefined())
  expect(Math.abs((made.client.offsetMs as number) - (before - 3_600_000))).toBeLessThan(5000)
})

test('nobody is left waiting, and nothing goes unhandled, when a client is closed at once', async () => {
  const made = rig(server.url, { commandTimeoutMs: 100 })
  const call = codeOf(ping(made))
  made.client.close()
  expect(await call).toBe('ERR_REDIS_UNAVAILABLE')
  expect(made.of('warning')).toEqual([])
})
