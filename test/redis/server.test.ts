import { describe, expect, test, vi } from 'vitest'
import { FakeClock } from '../doubles/fake-clock.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { startRedis } from '../doubles/redis.ts'
import { codeOf, freePort, ping, testClients } from './clients.ts'

const { server, rig, ioredis, cleanUp } = testClients()

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
    cleanUp(() => late.stop())
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    expect(made.told.map(([name]) => name)).toEqual(['warning', 'connected'])
  })

  test('that accepts and never answers is one warning too, and joins when it does', async () => {
    const proxy = await startFaultProxy(server())
    cleanUp(() => proxy.stop())
    proxy.hole()
    const made = rig(proxy.url, { commandTimeoutMs: 100 })
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    await vi.waitFor(() => expect(made.of('warning')).toHaveLength(1), { timeout: 5000 })
    await proxy.heal()
    await made.connected()
    expect(await ping(made)).toBe('PONG')
    expect(made.of('warning')).toHaveLength(1)
  }, 20_000)

  test('that stands still as it is greeted is greeted again', async () => {
    const frozen = await startRedis()
    cleanUp(() => frozen.stop())
    const own = ioredis(frozen.url)
    await own.ping()
    frozen.freeze()
    const clock = new FakeClock()
    const made = rig(own, { clock, commandTimeoutMs: 100 })
    clock.advance(100)
    await vi.waitFor(() => expect(made.of('warning')).toHaveLength(1))
    frozen.thaw()
    clock.advance(500)
    await made.connected()
    expect(made.told.map(([name]) => name)).toEqual(['l2-error', 'warning', 'connected'])
  })

  test('that goes away is told once, and joins again when it is back', async () => {
    const proxy = await startFaultProxy(server())
    cleanUp(() => proxy.stop())
    const made = rig(proxy.url)
    await made.connected()
    await proxy.cut()
    await vi.waitFor(() => expect(made.client.usable).toBe(false))
    expect(made.bucket.offsetMs).toBeUndefined()
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
    expect(made.of('disconnected')).toEqual([
      { server: `127.0.0.1:${proxy.port}`, reason: 'the connection was closed' },
    ])
    await proxy.heal()
    await vi.waitFor(() => expect(made.client.usable).toBe(true), { timeout: 10_000 })
    expect(await ping(made)).toBe('PONG')
    expect(made.bucket.offsetMs).toBeDefined()
    expect(made.of('connected')).toHaveLength(2)
    expect(made.of('warning')).toHaveLength(1)
    await proxy.cut()
    await vi.waitFor(() => expect(made.of('warning')).toHaveLength(2))
  }, 20_000)

  test('calls that are under way when it goes away are refused, none is sent again', async () => {
    const proxy = await startFaultProxy(server())
    cleanUp(() => proxy.stop())
    const watcher = ioredis(server().url)
    await watcher.set('n', '0')
    const made = rig(proxy.url)
    await made.connected()
    proxy.hole('to-client')
    const calls = Array.from({ length: 5 }, () => codeOf(made.bucket.run('INCR', (redis) => redis.call('INCR', 'n'))))
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

describe('a server that is passed over', () => {
  const lost = () => Promise.reject(new Error('gone'))
  const PASSED_OVER = {
    code: 'ERR_REDIS_UNAVAILABLE',
    message: expect.stringMatching(/^127\.0\.0\.1:\d+ is passed over \(LOST failed: gone\): L1 and loaders go on/),
  }

  /** A client whose time stands, and whose breaker opens and closes as a test wants. */
  async function failing(source: Parameters<typeof rig>[0]) {
    const clock = new FakeClock()
    const made = rig(source, { clock })
    await made.connected()
    const fail = async () => {
      for (let call = 0; call < 3; call++) await codeOf(made.bucket.run('LOST', lost))
      expect(made.client.usable).toBe(false)
    }
    const recover = async () => {
      clock.advance(1000)
      await vi.waitFor(() => expect(made.client.usable).toBe(true))
    }
    return { made, clock, fail, recover }
  }

  test.each([
    ['a connection of ours', () => server().url],
    ['an instance of the application', () => ioredis(server().url)],
  ])('is told once, while it answers its probe and fails again: %s', async (_name, source) => {
    const { made, clock, fail, recover } = await failing(source())
    for (let time = 0; time < 3; time++) {
      await fail()
      await recover()
      expect(made.of('warning')).toEqual([PASSED_OVER])
    }
    // It has been well for so long that this is another outage.
    clock.advance(10_000)
    await fail()
    expect(made.of('warning')).toEqual([PASSED_OVER, PASSED_OVER])
  })

  test('and whose connection is lost then, is told once', async () => {
    const { made, fail } = await failing(server().url)
    await fail()
    await ioredis(server().url).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await vi.waitFor(() => expect(made.of('connected')).toHaveLength(2), { timeout: 10_000 })
    expect(made.of('warning')).toEqual([PASSED_OVER])
  })

  test('that cannot be reached, and fails as it is greeted, is told once', async () => {
    const frozen = await startRedis()
    cleanUp(() => frozen.stop())
    const own = ioredis(frozen.url)
    await own.ping()
    frozen.freeze()
    const clock = new FakeClock()
    const made = rig(own, { clock, commandTimeoutMs: 100 })
    for (let greeting = 0; greeting < 4; greeting++) {
      clock.advance(100)
      await vi.waitFor(() => expect(made.of('l2-error')).toHaveLength(greeting + 1))
      await new Promise(setImmediate)
      clock.advance(500)
    }
    expect(made.of('breaker')).toContainEqual({ from: 'closed', to: 'open', server: made.server.name })
    expect(made.of('warning')).toHaveLength(1)
    frozen.thaw()
  })
})

describe('a server that is another one than before', () => {
  test('is told before any other command is sent to it; a new connection to the same run is not', async () => {
    const restarted = await startRedis()
    const proxy = await startFaultProxy(restarted)
    cleanUp(() => restarted.stop())
    cleanUp(() => proxy.stop())
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
      cleanUp(() => full.stop())
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
    ['a connection of ours', () => `${server().url}/99`],
    ['an instance of the application', () => ioredis(server().url, { db: 99 })],
  ])('has no such database: told and not used, whatever ioredis makes of it: %s', async (_name, source) => {
    const made = rig(source() as string)
    await vi.waitFor(() => expect(made.of('warning')).toHaveLength(1))
    // Redis answers in order: once this is here, so are the answers to the greeting.
    await made.server.measureTime()
    await new Promise(setImmediate)
    expect(made.told).toEqual([
      [
        'warning',
        {
          code: 'ERR_NO_DATABASE',
          message:
            `database 99 does not exist on 127.0.0.1:${server().port} (ERR DB index is out of range). ` +
            'It is not used: L1 and loaders go on',
          detail: { setting: 'db', found: '99', expected: 'a database that exists' },
        },
      ],
    ])
    expect(made.client.usable).toBe(false)
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_UNAVAILABLE')
  })

  test('refuses the database to this user: told and not used', async () => {
    await ioredis(server().url).call('ACL', 'SETUSER', 'shop', 'on', '>secret', '~tc:*', '&tc:*', '+@all', '-select')
    const made = rig({ url: server().url, db: 3, username: 'shop', password: 'secret' })
    await vi.waitFor(() => expect(made.of('warning')).toHaveLength(2))
    expect(made.of('warning')).toEqual([
      expect.objectContaining({ detail: { command: 'SELECT', right: '+select' } }),
      expect.objectContaining({
        code: 'ERR_NO_DATABASE',
        message: expect.stringContaining('database 3 may not be selected'),
      }),
    ])
    expect(made.client.usable).toBe(false)
  })

  test('is too old: told and not used, and asked again at the next connection', async () => {
    const own = ioredis(server().url)
    const answered = own.call.bind(own) as (...values: unknown[]) => Promise<unknown>
    let version = '6.0.16'
    own.call = (...values: unknown[]) =>
      values[0] === 'INFO' ? Promise.resolve(`redis_version:${version}`) : answered(...values)
    const made = rig(own)
    await vi.waitFor(() => expect(made.of('warning')).toHaveLength(1))
    expect(made.told).toEqual([['warning', expect.objectContaining({ code: 'ERR_SERVER_VERSION' })]])
    expect(made.client.usable).toBe(false)
    version = '6.2.0'
    own.disconnect(true)
    await made.connected()
    expect(await ping(made)).toBe('PONG')
  })
})
