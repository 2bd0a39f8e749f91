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
    const proxy = await startFaultProxy(server())
    cleanUp(() => proxy.stop())
    const watcher = ioredis(server().url)
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
