import { describe, expect, test } from 'vitest'
import { createTestCache, createTestClock } from '../../src/testing.ts'

describe('a test clock', () => {
  test('stands still, and moves on by what it is told, wall time with it', async () => {
    const clock = createTestClock({ wall: new Date('2026-01-01T00:00:00Z') })
    const start = clock.now()
    await clock.advance('1.5s')
    expect(clock.now() - start).toBe(1500)
    expect(clock.wall()).toBe(Date.parse('2026-01-01T00:00:01.500Z'))
  })

  test('runs what is due in its order, each with all that follows from it', async () => {
    const clock = createTestClock()
    const start = clock.now()
    const ran: [string, number][] = []
    const step = async (name: string, ...pauses: number[]) => {
      for (const pause of pauses) {
        await clock.sleep(pause)
        ran.push([name, clock.now() - start])
      }
    }
    void step('a', 10, 15)
    void step('b', 20, 10)
    void step('late', 100)
    await clock.advance(30)
    expect(ran).toEqual([
      ['a', 10],
      ['b', 20],
      ['a', 25],
      ['b', 30],
    ])
  })

  test('what was begun before it moves comes to its timer first', async () => {
    const clock = createTestClock()
    const load = async () => {
      for (let turn = 0; turn < 10; turn++) await undefined
      await clock.sleep(10)
      return 'loaded'
    }
    const loading = load()
    await clock.advance(10)
    expect(await Promise.race([loading, 'not yet'])).toBe('loaded')
  })

  test('a month of an idle cache passes in a moment', async () => {
    const clock = createTestClock()
    const cache = createTestCache({ defaults: { ttl: 'never' } }, { clock })
    await cache.set('k', 1)
    await clock.advance('30d')
    expect(await cache.get('k')).toBe(1)
    await cache.close()
  })

  test.each<[unknown, string]>([
    ['never', 'ERR_INVALID_OPTION'],
    [-1, 'ERR_INVALID_OPTION'],
    [undefined, 'ERR_INVALID_OPTION'],
  ])('does not advance by %s', async (duration, code) => {
    const clock = createTestClock()
    await expect(clock.advance(duration as number)).rejects.toMatchObject({ code })
    await expect(clock.sleep(duration as number)).rejects.toMatchObject({ code })
  })

  test('refuses options that make no sense', () => {
    const make = (options: object) => () => createTestClock(options)
    expect(make({ wall: new Date(Number.NaN) })).toThrow('wall: expected a Date, or milliseconds since 1970')
    expect(make({ seed: 0.5 })).toThrow('seed: expected a whole number')
    expect(make({ at: 1 })).toThrow("unknown option 'at'")
  })

  test('chance is the same with the same seed', async () => {
    const ttlOf = async (seed: number) => {
      const clock = createTestClock({ seed })
      const cache = createTestCache({ defaults: { jitter: 0.5 } }, { clock })
      await cache.set('k', 1)
      return (await cache.getEntry('k'))?.ttl
    }
    expect(await ttlOf(1)).toBe(await ttlOf(1))
    expect(await ttlOf(1)).not.toBe(await ttlOf(2))
  })
})

test('a test cache goes by the clock that it is given', async () => {
  const clock = createTestClock()
  const cache = createTestCache({ defaults: { ttl: '1m', stale: '1m', jitter: 0 } }, { clock })
  await cache.set('k', 'old')
  await clock.advance('59s')
  expect(await cache.get('k')).toBe('old')
  await clock.advance('1s')
  expect(await cache.get('k')).toBeUndefined()
  expect(await cache.getOrSet('k', () => 'new')).toBe('old')
  await clock.advance(0)
  expect(await cache.get('k')).toBe('new')
  await cache.close()
})

test('a loader that takes its time is given up by the clock', async () => {
  const clock = createTestClock()
  const cache = createTestCache({}, { clock })
  const loading = cache.getOrSet('k', () => clock.sleep('never' as unknown as number), { hardTimeout: '1s' })
  const slow = cache.getOrSet('slow', () => clock.sleep('2s').then(() => 1), { hardTimeout: '1s' })
  await expect(loading).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  const outcome = expect(slow).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
  await clock.advance('1s')
  await outcome
})

test.each<[string, unknown, unknown, string]>([
  ['a clock', {}, undefined, 'clock: expected what createTestClock() makes, as in (…, { clock }), got undefined'],
  [
    'a clock of ours',
    {},
    { clock: { now: () => 0 } },
    'clock: expected what createTestClock() makes, as in (…, { clock }), got an object',
  ],
  ['no Redis', { redis: 'redis://localhost' }, { clock: createTestClock() }, 'redis: expected none'],
  ['an object of options', 3, { clock: createTestClock() }, 'createCache: expected an object of options, got 3'],
  ['options that there are', { tll: 1 }, { clock: createTestClock() }, "unknown option 'tll'"],
])('a test cache needs %s', (_, options, time, message) => {
  expect(() => createTestCache(options as object, time as never)).toThrow(message)
})
