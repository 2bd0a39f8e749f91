import { describe, expect, test, vi } from 'vitest'
import { FakeClock } from '../doubles/fake-clock.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { startRedis } from '../doubles/redis.ts'
import type { Rig } from './rig.ts'
import { codeOf, ping, testClients } from './clients.ts'

const { server, rig, ioredis, cleanUp } = testClients()

const write = ({ client }: Rig) => client.run('SET', (redis) => redis.call('SET', 'k', 'v'))

/** A client that has met a server which says that it cannot serve, as often as opens the breaker. Its time stands. */
async function refused() {
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server().port)] })
  cleanUp(() => replica.stop())
  const clock = new FakeClock()
  const made = rig(replica.url, { clock })
  await made.connected()
  for (let call = 0; call < 3; call++) expect(await codeOf(write(made))).toBe('ERR_REDIS_REPLY')
  expect(made.of('breaker')).toEqual([OPENED])
  return { made, replica, clock }
}

const OPENED = { from: 'closed', to: 'open' }

describe('a server that stands still', () => {
  test('costs each call one deadline, opens the breaker at the third, and is asked again until it answers', async () => {
    const frozen = await startRedis()
    cleanUp(() => frozen.stop())
    const made = rig(frozen.url, { commandTimeoutMs: 150 })
    await made.connected()
    const passing = vi.fn()
    made.client.whenUsable(passing)
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
    expect(made.counters.l2Skipped).toBe(1)
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
    expect(passing).toHaveBeenCalledTimes(2)
  }, 30_000)

  test('a connection that is half open is replaced by a new one', async () => {
    const proxy = await startFaultProxy(server())
    cleanUp(() => proxy.stop())
    const made = rig(proxy.url, { commandTimeoutMs: 100 })
    await made.connected()
    proxy.hole()
    expect(await codeOf(ping(made))).toBe('ERR_REDIS_TIMEOUT')
    await vi.waitFor(() => expect(made.of('disconnected')).toHaveLength(1), { timeout: 10_000 })
    await proxy.heal()
    await vi.waitFor(() => expect(made.client.usable).toBe(true), { timeout: 10_000 })
  }, 30_000)
})

test('refusals of a command open no breaker', async () => {
  const made = rig(server().url)
  await made.connected()
  for (let call = 0; call < 5; call++) await codeOf(made.client.run('GET', (redis) => redis.call('GET')))
  expect(made.of('l2-error')).toHaveLength(5)
  expect(made.of('breaker')).toEqual([])
})

describe('a server that says it cannot serve', () => {
  test('opens the breaker', async () => {
    const { made } = await refused()
    expect(made.of('l2-error').at(-1)).toMatchObject({ message: expect.stringContaining('READONLY') })
    expect(await codeOf(write(made))).toBe('ERR_REDIS_UNAVAILABLE')
  })

  test('is used again at once on a new connection, without a probe', async () => {
    const { made, replica } = await refused()
    await ioredis(replica.url).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await vi.waitFor(() => expect(made.of('breaker')).toEqual([OPENED, { from: 'open', to: 'closed' }]), {
      timeout: 10_000,
    })
    expect(await ping(made)).toBe('PONG')
  })

  test('is not probed once the client is closed', async () => {
    const { made, clock } = await refused()
    made.client.close()
    clock.advance(10_000)
    expect(made.of('breaker')).toEqual([OPENED])
  })
})

test('calls that closing cuts off do not open the breaker', async () => {
  const frozen = await startRedis()
  cleanUp(() => frozen.stop())
  const made = rig(frozen.url)
  await made.connected()
  frozen.freeze()
  const calls = Array.from({ length: 3 }, () => codeOf(ping(made)))
  made.client.close()
  expect(await Promise.all(calls)).toEqual(new Array(3).fill('ERR_REDIS_LOST'))
  expect(made.of('breaker')).toEqual([])
})
