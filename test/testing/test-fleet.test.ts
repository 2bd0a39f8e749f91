import { afterEach, describe, expect, test } from 'vitest'
import type { Cache } from '../../src/index.ts'
import type { TestFleet } from '../../src/testing.ts'
import { createTestClock, createTestFleet } from '../../src/testing.ts'

const options = { defaults: { ttl: '1h', jitter: 0 } } as const
let fleet: TestFleet<2> | undefined

function twoOf(more: object = {}): TestFleet<2> {
  fleet = createTestFleet(2, { ...options, ...more })
  return fleet
}

/** Both have it in L1. */
async function sharedBy(caches: readonly Cache[], key: string, value: unknown): Promise<void> {
  await caches[0]?.set(key, value)
  for (const cache of caches) expect(await cache.get(key)).toEqual(value)
}

afterEach(async () => {
  await fleet?.close()
  fleet = undefined
})

describe('what one process does, the others see', () => {
  test.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['delete', (cache) => cache.delete('k')],
    ['expire', (cache) => cache.expire('k')],
    ['clear', (cache) => cache.clear()],
    ['invalidateTags', (cache) => cache.invalidateTags('t')],
    ['expireTags', (cache) => cache.expireTags('t')],
  ])('%s', async (_, change) => {
    const [here, there] = twoOf({ defaults: { ...options.defaults, tags: ['t'] } }).caches
    await sharedBy([here, there], 'k', 1)
    await change(here)
    expect(there.peek('k')).toBeUndefined()
    expect(await there.get('k')).toBeUndefined()
  })

  test('set, and a loader runs once for all', async () => {
    const { caches, clock } = twoOf()
    const [here, there] = caches
    await sharedBy([here, there], 'k', 1)
    await here.set('k', 2)
    expect(await there.get('k')).toBe(2)
    let loads = 0
    const load = async () => {
      await clock.sleep(50)
      return ++loads
    }
    const both = Promise.all([here.getOrSet('new', load), there.getOrSet('new', load)])
    await clock.advance(50)
    expect(await both).toEqual([1, 1])
  })

  test('a counter is one for all, and a lease is handed over by the clock', async () => {
    const { caches, clock, redis } = twoOf()
    const [here, there] = caches
    expect([await here.increment('n'), await there.increment('n')]).toEqual([1, 2])
    const abandoned = here.getOrSet('k', () => clock.sleep('20s').then(() => 'here'))
    await clock.advance(0)
    redis.down(0)
    const taken = there.getOrSet('k', () => 'there')
    await clock.advance('4s')
    expect(await Promise.race([taken, 'not yet'])).toBe('there')
    await clock.advance('20s')
    expect(await abandoned).toBe('here')
  })

  test('as many as are wanted, with one clock, which may be given', async () => {
    const clock = createTestClock()
    const many = createTestFleet(5, options, { clock })
    expect(many.clock).toBe(clock)
    await sharedBy(many.caches, 'k', 1)
    await many.caches[4].delete('k')
    expect(await Promise.all(many.caches.map((cache) => cache.get('k')))).toEqual(Array(5).fill(undefined))
    await many.close()
    await expect(many.caches[0].get('k')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

describe('Redis', () => {
  test('down: nothing is acknowledged, loaders answer, L1 is believed for maxStaleness; afterwards all is made up for', async () => {
    const { caches, clock, redis } = twoOf()
    const [here, there] = caches
    await sharedBy([here, there], 'k', 'old')
    const heard: string[] = []
    here.on('disconnected', () => heard.push('disconnected'))
    here.on('connected', () => heard.push('connected'))
    redis.down()
    expect(await here.delete('k')).toEqual({ acknowledged: false })
    expect(here.stats()).toMatchObject({ l2Usable: false, journalled: 1 })
    expect(await here.getOrSet('k', () => 'loaded')).toBe('loaded')
    await clock.advance('2s')
    expect(there.peek('k')).toBe('old')
    await clock.advance(1)
    expect(there.peek('k')).toBeUndefined()
    expect(there.stats().coherent).toBe(false)
    redis.restore()
    await clock.advance(0)
    expect(here.stats()).toMatchObject({ l2Usable: true, journalled: 0, coherent: true })
    expect(await there.get('k')).toBeUndefined()
    expect(heard).toEqual(['disconnected', 'connected'])
  })

  test("down, with onRedisDown: 'serve-l1': L1 goes on", async () => {
    const { caches, clock, redis } = twoOf({ onRedisDown: 'serve-l1' })
    await sharedBy(caches, 'k', 'old')
    redis.down()
    await clock.advance('10m')
    expect(caches[1].peek('k')).toBe('old')
  })

  test('down for one process: the other goes on', async () => {
    const { caches, redis } = twoOf()
    const [here, there] = caches
    await sharedBy([here, there], 'k', 1)
    redis.down(1)
    expect(await here.delete('k')).toEqual({ acknowledged: true })
    expect(there.peek('k')).toBe(1)
    redis.restore(1)
    expect(there.peek('k')).toBeUndefined()
  })

  test('slow: answers come by the clock, or the command is given up at commandTimeout', async () => {
    const { caches, clock, redis } = twoOf()
    const [here, there] = caches
    await sharedBy([here], 'k', 1)
    redis.slow('100ms')
    const read = there.get('k')
    await clock.advance(99)
    expect(await Promise.race([read, 'not yet'])).toBe('not yet')
    await clock.advance(1)
    expect(await read).toBe(1)
    redis.slow(300)
    const change = here.delete('k')
    await clock.advance(249)
    expect(await Promise.race([change, 'not yet'])).toBe('not yet')
    await clock.advance(1)
    expect(await change).toEqual({ acknowledged: false })
    redis.slow(0)
    expect(await there.delete('k')).toEqual({ acknowledged: true })
    expect(here.counters.l2Errors.get('ERR_REDIS_TIMEOUT')).toBe(1)
  })

  test('a command on its way is lost when Redis goes down', async () => {
    const { caches, clock, redis } = twoOf()
    redis.slow(100)
    const change = caches[0].set('k', 1)
    await clock.advance(50)
    redis.down()
    await clock.advance(50)
    expect(await change).toMatchObject({ acknowledged: false })
    expect([...caches[0].counters.l2Errors.keys()]).toEqual(['ERR_REDIS_LOST'])
  })

  test('failNext and failEvery: so many commands fail, with their code', async () => {
    const { caches, redis } = twoOf()
    const [here, there] = caches
    const errors: unknown[] = []
    here.on('l2-error', ({ command, code }) => errors.push([command, code]))
    redis.failNext('ERR_REDIS_REPLY', 0)
    expect(await there.delete('k')).toEqual({ acknowledged: true })
    expect(await here.delete('k')).toEqual({ acknowledged: false })
    expect(await here.delete('k')).toEqual({ acknowledged: true })
    expect(errors).toEqual([['delete', 'ERR_REDIS_REPLY']])
    redis.failEvery(3, 'ERR_REDIS_LOST', 1)
    const outcomes = []
    for (let call = 0; call < 6; call++) outcomes.push((await there.delete('k')).acknowledged)
    expect(outcomes).toEqual([true, true, false, true, true, false])
    redis.restore()
    for (let call = 0; call < 6; call++) expect(await there.delete('k')).toEqual({ acknowledged: true })
  })

  test('keys are listed, or the listing fails', async () => {
    const { caches, redis } = twoOf()
    const list = async () => {
      const keys = []
      for await (const key of caches[1].keys()) keys.push(key)
      return keys
    }
    await caches[0].set('k', 1)
    expect(await list()).toEqual(['k'])
    redis.failNext('ERR_REDIS_TIMEOUT')
    await expect(list()).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT' })
  })

  test('evict: L2 has it no more, and nobody is told', async () => {
    const { caches, redis } = twoOf({ l1: false })
    const [here, there] = caches
    await here.set('a', 1)
    await here.set('b', 1)
    await here.namespace('users').set('a', 1)
    redis.evict('a')
    expect([await there.has('a'), await there.has('b'), await there.namespace('users').has('a')]).toEqual([
      false,
      true,
      true,
    ])
    redis.evict('a', 'users')
    expect(await there.namespace('users').has('a')).toBe(false)
    redis.evict()
    expect(await there.has('b')).toBe(false)
  })

  test('evict leaves L1 alone', async () => {
    const { caches, redis } = twoOf()
    await sharedBy(caches, 'k', 1)
    redis.evict()
    expect(caches[1].peek('k')).toBe(1)
  })
})

describe('the bus', () => {
  test('cut: nothing is heard, L1 is believed for maxStaleness; then L2 answers', async () => {
    const { caches, clock, bus } = twoOf()
    const [here, there] = caches
    await sharedBy([here, there], 'k', 1)
    await clock.advance('10m')
    bus.cut(1)
    await here.set('k', 2)
    await clock.advance('2s')
    expect(there.peek('k')).toBe(1)
    await clock.advance(1)
    expect(there.peek('k')).toBeUndefined()
    expect(await there.get('k')).toBe(2)
    expect(here.stats().coherent).toBe(true)
    expect(there.stats().coherent).toBe(false)
    bus.restore(1)
    expect(there.stats().coherent).toBe(true)
  })

  test('cut and restored within the bound: what was missed is found out', async () => {
    const { caches, clock, bus } = twoOf()
    const [here, there] = caches
    const gaps: unknown[] = []
    there.on('gap', (gap) => gaps.push(gap))
    await sharedBy([here, there], 'k', 1)
    bus.cut()
    await clock.advance('1s')
    bus.restore()
    expect(there.peek('k')).toBe(1)
    bus.cut(1)
    await here.delete('k')
    bus.restore(1)
    expect(there.peek('k')).toBeUndefined()
    await clock.advance(0)
    expect(gaps).toHaveLength(1)
  })

  test('a notice that is lost is found out with the next beat', async () => {
    const { caches, clock, bus } = twoOf()
    const [here, there] = caches
    await sharedBy([here, there], 'k', 1)
    bus.loseNext(1)
    await here.delete('k')
    expect(there.peek('k')).toBe(1)
    await clock.advance(399)
    expect(there.peek('k')).toBe(1)
    await clock.advance(1)
    expect(there.peek('k')).toBeUndefined()
    await sharedBy([here, there], 'k', 2)
    await here.delete('k')
    expect(there.peek('k')).toBeUndefined()
  })

  test('or by the next notice', async () => {
    const { caches, bus } = twoOf()
    const [here, there] = caches
    await sharedBy([here, there], 'k', 1)
    bus.loseNext(1)
    await here.delete('k')
    await here.delete('other')
    expect(there.peek('k')).toBeUndefined()
  })

  test('late notices come in their order, and what they prove is as old', async () => {
    const { caches, clock, bus } = twoOf()
    const [here, there] = caches
    await sharedBy([here, there], 'k', 1)
    bus.delay('500ms', 1)
    await here.delete('k')
    await clock.advance(499)
    expect(there.peek('k')).toBe(1)
    await clock.advance(1)
    expect(there.peek('k')).toBeUndefined()
    await here.set('k', 2)
    await clock.advance('1s')
    await sharedBy([there], 'other', 1)
    expect(await there.get('k')).toBe(2)
    await clock.advance('1m')
    expect(there.peek('k')).toBe(2)
    bus.delay('3s')
    await clock.advance('1m')
    expect(there.peek('k')).toBeUndefined()
    bus.delay(0)
    await clock.advance('3s')
    expect(there.stats()).toMatchObject({ coherent: true })
    expect(there.counters.gaps).toBe(0)
  })
})

test('what is on its way when the line is cut is lost, and what overtakes nothing comes behind it', async () => {
  const { caches, clock, bus } = twoOf()
  const [here, there] = caches
  const heard: string[] = []
  await sharedBy([here, there], 'k', 1)
  bus.delay('500ms', 1)
  await here.delete('k')
  bus.cut(1)
  await clock.advance('1s')
  expect(there.peek('k')).toBe(1)
  bus.restore(1)
  await clock.advance(0)
  expect(there.peek('k')).toBeUndefined()
  there.on('gap', ({ reason }) => heard.push(reason))
  bus.delay('500ms', 1)
  await here.delete('first')
  bus.delay(0, 1)
  await here.delete('second')
  await clock.advance('1s')
  expect(heard).toEqual([])
})

test('who waits for the load of another process goes on when Redis goes down', async () => {
  const { caches, clock, redis } = twoOf()
  const slow = caches[0].getOrSet('k', () => clock.sleep('1s').then(() => 'here'))
  await clock.advance(0)
  const waiting = caches[1].getOrSet('k', () => 'there')
  await clock.advance(0)
  redis.down()
  await clock.advance(0)
  expect(await Promise.race([waiting, 'not yet'])).toBe('there')
  await clock.advance('1s')
  expect(await slow).toBe('here')
})

test('a month of a fleet passes in a moment, also when the bus was disturbed before', async () => {
  const { caches, clock, bus } = twoOf({ defaults: { ttl: 'never' } })
  await sharedBy(caches, 'k', 1)
  bus.cut()
  await clock.advance('1s')
  bus.restore()
  await clock.advance('30d')
  expect(caches[1].peek('k')).toBe(1)
})

test('closing ends disturbances and gives up what never ends', async () => {
  const warned: unknown[] = []
  const { caches, redis, clock, close } = twoOf()
  caches[0].on('warning', (warning) => warned.push(warning))
  redis.down()
  await caches[0].delete('k')
  const stuck = caches[1].getOrSet('stuck', () => new Promise(() => {}), { hardTimeout: 'never' })
  stuck.catch(() => {})
  await clock.advance(0)
  await close()
  expect(warned).toEqual([])
  await expect(caches[1].get('k')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
})

test.each<[string, (fleet: TestFleet<2>) => unknown, string, string]>([
  ['a process', ({ redis }) => redis.down(2), 'ERR_INVALID_ARGUMENT', 'process: expected a number from 0 to 1, got 2'],
  ['a process', ({ bus }) => bus.cut('0' as never, -1), 'ERR_INVALID_ARGUMENT', 'process: expected a number from 0'],
  ['a duration', ({ redis }) => redis.slow('never'), 'ERR_INVALID_OPTION', 'slow: expected a duration'],
  ['a duration', ({ bus }) => bus.delay(-1), 'ERR_INVALID_OPTION', 'delay: expected a duration'],
  ['a code', ({ redis }) => redis.failNext('ERR_CLOSED' as never), 'ERR_INVALID_OPTION', 'failNext: expected'],
  [
    'a key',
    ({ redis }) => redis.evict(5 as never),
    'ERR_INVALID_KEY',
    'key: expected a string that is not empty, got 5',
  ],
  ['a namespace', ({ redis }) => redis.evict('k', 'a b'), 'ERR_INVALID_NAMESPACE', 'namespace: expected'],
  ['a number', ({ redis }) => redis.failEvery(0, 'ERR_REDIS_LOST'), 'ERR_INVALID_ARGUMENT', 'nth: expected'],
])('%s that is none is refused', (_, call, code, message) => {
  const refused = () => call(twoOf())
  expect(refused).toThrow(expect.objectContaining({ code }))
  expect(refused).toThrow(message)
})

test('health is told at once, and is no command', async () => {
  const { caches, redis } = twoOf()
  const [here] = caches
  expect(here.health()).toMatchObject({ ok: true, l2: { usable: true, servers: [] } })
  redis.failNext('ERR_REDIS_TIMEOUT')
  here.health()
  expect(await here.delete('k')).toEqual({ acknowledged: false })
  redis.down()
  expect(here.health()).toMatchObject({ ok: false, l2: { usable: false } })
})

test('health and ready tell what Redis is, however it is disturbed; coherent ends with the bound on staleness', async () => {
  const { caches, clock, redis } = twoOf({ maxStaleness: '2s' })
  const [here] = caches
  for (const disturb of [() => redis.failEvery(1, 'ERR_REDIS_LOST'), () => redis.slow('1h')]) {
    disturb()
    expect(here.health()).toMatchObject({ ok: true, coherent: true, l2: { usable: true, servers: [] } })
    expect(await here.ready()).toEqual(here.health())
    redis.restore()
  }
  redis.down()
  await clock.advance('2s')
  expect(here.health()).toMatchObject({ ok: false, coherent: true, l2: { usable: false, servers: [] } })
  const ready = here.ready()
  await clock.advance('1s')
  expect(here.health()).toMatchObject({ coherent: false })
  await clock.advance('1s')
  expect(await ready).toEqual(here.health())
})

test.each([0, -1, 1.5, '2', undefined])('a fleet of %s is refused', (count) => {
  expect(() => createTestFleet(count as number)).toThrow('count: expected a whole number >= 1')
})
