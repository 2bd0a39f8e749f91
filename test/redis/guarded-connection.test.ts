import { describe, expect, test, vi } from 'vitest'
import type { BreakerState } from '../../src/events.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { startRedis } from '../doubles/redis.ts'
import type { Rig } from './rig.ts'
import { codeOf, ping, testClients } from './clients.ts'

const { server, rig, ioredis, cleanUp } = testClients()

const write = ({ bucket }: Rig) => bucket.run('SET', (redis) => redis.call('SET', 'k', 'v'))

const LOADING = Object.assign(new Error('LOADING Redis is loading the dataset in memory'), { name: 'ReplyError' })

/** A client that has met a server which says that it cannot serve, as often as opens the breaker. Its time stands. */
async function refused() {
  const clock = new FakeClock()
  const made = rig(server().url, { clock })
  await made.connected()
  for (let call = 0; call < 3; call++) {
    expect(await codeOf(made.bucket.run('GET', () => Promise.reject(LOADING)))).toBe('ERR_REDIS_REPLY')
  }
  expect(made.of('breaker')).toEqual([OPENED])
  return { made, clock }
}

/** The breaker around the one server of the test has changed. */
const changed = (from: BreakerState, to: BreakerState) => ({
  from,
  to,
  server: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
})
const OPENED = changed('closed', 'open')

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
    expect(made.of('breaker')).toEqual([changed('closed', 'open')])
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
      server: `127.0.0.1:${frozen.port}`,
    })
    await vi.waitFor(() => expect(made.of('breaker')).toContainEqual(changed('open', 'half-open')), {
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

test('what a lost connection left unanswered opens no breaker on the next one', async () => {
  const clock = new FakeClock()
  const made = rig(ioredis(server().url), { clock })
  await made.connected()
  const calls = Array.from({ length: 3 }, () => codeOf(made.bucket.run('SLOW', () => new Promise(() => {}))))
  await ioredis(server().url).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await vi.waitFor(() => expect(made.of('connected')).toHaveLength(2), { timeout: 10_000 })
  clock.advance(5000)
  expect(await Promise.all(calls)).toEqual(new Array(3).fill('ERR_REDIS_TIMEOUT'))
  expect(made.of('breaker')).toEqual([])
  expect(made.client.usable).toBe(true)
})

test('refusals of a command open no breaker', async () => {
  const made = rig(server().url)
  await made.connected()
  for (let call = 0; call < 5; call++) await codeOf(made.bucket.run('GET', (redis) => redis.call('GET')))
  expect(made.of('l2-error')).toHaveLength(5)
  expect(made.of('breaker')).toEqual([])
})

describe('a server that says it cannot serve', () => {
  test('opens the breaker', async () => {
    const { made } = await refused()
    expect(made.of('l2-error').at(-1)).toMatchObject({ message: expect.stringContaining('LOADING') })
    expect(await codeOf(write(made))).toBe('ERR_REDIS_UNAVAILABLE')
  })

  test('is used again at once on a new connection, without a probe', async () => {
    const { made } = await refused()
    await ioredis(server().url).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await vi.waitFor(() => expect(made.of('breaker')).toEqual([OPENED, changed('open', 'closed')]), {
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

describe('a probe that is under way', () => {
  const HALF_OPENED = changed('open', 'half-open')

  /** A client that probes its server, after failures that were none of the server's; its time stands. */
  async function probing(source: Parameters<typeof rig>[0] = server().url) {
    const clock = new FakeClock()
    const made = rig(source, { clock })
    await made.connected()
    let answer = () => {}
    const sentBefore = codeOf(
      made.bucket.run('SLOW', () => {
        return new Promise<void>((resolve) => {
          answer = resolve
        })
      }),
    )
    for (let call = 0; call < 3; call++) {
      expect(await codeOf(made.bucket.run('LOST', () => Promise.reject(new Error('gone'))))).toBe('ERR_REDIS_LOST')
    }
    clock.advance(1000)
    expect(made.of('breaker')).toEqual([OPENED, HALF_OPENED])
    return { made, clock, sentBefore, answer: () => answer() }
  }

  test('when a command is answered that was sent before: the breaker closes, and that is told', async () => {
    const { made, sentBefore, answer } = await probing()
    const passing = vi.fn()
    made.client.whenUsable(passing)
    passing.mockClear()
    answer()
    await sentBefore
    // The answer to the probe is still on its way.
    expect(made.of('breaker')).toEqual([OPENED, HALF_OPENED, changed('half-open', 'closed')])
    expect(passing).toHaveBeenCalledTimes(1)
    expect(made.client.usable).toBe(true)
  })

  test('and is refused by a server that cannot serve has failed', async () => {
    const own = ioredis(server().url)
    const answered = own.call.bind(own) as (...values: unknown[]) => Promise<unknown>
    own.call = (...values: unknown[]) => (values[0] === 'PING' ? Promise.reject(LOADING) : answered(...values))
    const { made } = await probing(own)
    await vi.waitFor(() => expect(made.of('breaker').at(-1)).toEqual(changed('half-open', 'open')))
  })

  test('when the client is closed is the last one', async () => {
    const { made, clock } = await probing()
    made.client.close()
    await vi.waitFor(() => expect(made.server.subscriber.status).toBe('end'))
    for (let turn = 0; turn < 10; turn++) {
      clock.advance(10_000)
      await new Promise(setImmediate)
    }
    expect(made.of('breaker')).toEqual([OPENED, HALF_OPENED])
    expect(clock.pending).toBe(0)
  })
})

describe('a user without the right to PING', () => {
  test('the refusal of a probe is an answer: the breaker closes. It is told once', async () => {
    const strict = await startRedis()
    cleanUp(() => strict.stop())
    await ioredis(strict.url).call('ACL', 'SETUSER', 'shop', 'on', '>secret', '~tc:*', '&tc:*', '+@all', '-ping')
    const clock = new FakeClock()
    const made = rig({ url: strict.url, username: 'shop', password: 'secret' }, { clock })
    await made.connected()
    for (let round = 1; round <= 2; round++) {
      for (let call = 0; call < 3; call++)
        await codeOf(made.bucket.run('LOST', () => Promise.reject(new Error('gone'))))
      expect(made.client.usable).toBe(false)
      clock.advance(1000)
      await vi.waitFor(() => expect(made.client.usable).toBe(true))
    }
    const rights = made.of('warning').filter((event) => (event as { code: string }).code === 'ERR_MISSING_RIGHT')
    expect(rights).toEqual([expect.objectContaining({ detail: { command: 'PING', right: '+ping' } })])
  })
})

describe('who waits through a server is told that it fails', () => {
  const lost = () => Promise.reject(new Error('gone'))

  test('by the first failure of a row, and not by refusals', async () => {
    const made = rig(server().url)
    const failing = vi.fn()
    made.client.whenFailing(failing)
    await made.connected()
    await codeOf(made.bucket.run('GET', (redis) => redis.call('GET')))
    expect(failing).not.toHaveBeenCalled()
    for (let call = 0; call < 2; call++) await codeOf(made.bucket.run('LOST', lost))
    expect(failing).toHaveBeenCalledTimes(1)
    await ping(made)
    await codeOf(made.bucket.run('LOST', lost))
    expect(failing).toHaveBeenCalledTimes(2)
  })

  test('when it stands still, before the breaker opens', async () => {
    const frozen = await startRedis()
    cleanUp(() => frozen.stop())
    const clock = new FakeClock()
    const made = rig(frozen.url, { clock })
    const failing = vi.fn()
    made.client.whenFailing(failing)
    await made.connected()
    frozen.freeze()
    const call = codeOf(ping(made))
    await new Promise(setImmediate)
    clock.advance(5000)
    expect(await call).toBe('ERR_REDIS_TIMEOUT')
    expect(failing).toHaveBeenCalledTimes(1)
    expect(made.of('breaker')).toEqual([])
  })

  test('when the connection is lost, though nobody asked', async () => {
    const made = rig(server().url)
    const failing = vi.fn(() => expect(made.client.usable).toBe(false))
    made.client.whenFailing(failing)
    await made.connected()
    await ioredis(server().url).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await vi.waitFor(() => expect(failing).toHaveReturnedTimes(1))
  })

  test('not by closing', async () => {
    const made = rig(server().url)
    const failing = vi.fn()
    made.client.whenFailing(failing)
    await made.connected()
    const call = codeOf(ping(made))
    made.client.close()
    await call
    await vi.waitFor(() => expect(made.server.subscriber.status).toBe('end'))
    expect(failing).not.toHaveBeenCalled()
  })
})

test('memory that is full is told once, by whatever command', async () => {
  const full = await startRedis({ args: ['--maxmemory', '1'] })
  cleanUp(() => full.stop())
  const made = rig(full.url)
  await made.connected()
  await codeOf(write(made))
  expect(made.of('warning')).toHaveLength(1)
  await codeOf(made.bucket.run('set-n', (redis) => redis.call('EVAL', "return redis.call('SET', 'k', 'v')", '0')))
  made.bucket.noRoom("OOM command not allowed when used memory > 'maxmemory'.")
  made.bucket.noRoom('another reason')
  expect(made.of('warning')).toEqual([expect.objectContaining({ code: 'ERR_MEMORY_FULL' })])
  expect(made.of('breaker')).toEqual([])
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
