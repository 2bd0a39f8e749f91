import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { assemble, createCache } from '../../src/create-cache.ts'
import { createTestFleet } from '../../src/testing.ts'
import { inEveryForm } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const CLOSED = { code: 'ERR_CLOSED' }

/** How a promise stands now. */
function standing(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, 'pending'])
}

inEveryForm((kit) => {
  const one = (id: number) => Promise.resolve(`user ${id}`)
  const verbs: Readonly<Record<string, (cache: Cache) => Promise<unknown>>> = {
    get: (cache) => cache.get('k'),
    getOrSet: (cache) => cache.getOrSet('k', () => 'loaded'),
    getOrSetEntry: (cache) => cache.getOrSetEntry('k', () => 'loaded'),
    getEntry: (cache) => cache.getEntry('k'),
    has: (cache) => cache.has('k'),
    ttl: (cache) => cache.ttl('k'),
    getMany: (cache) => cache.getMany(['k', 'l']),
    getOrSetMany: (cache) => cache.getOrSetMany(['k', 'l'], () => ({ k: 1, l: 2 })),
    set: (cache) => cache.set('k', 1),
    setMany: (cache) => cache.setMany({ k: 1, l: 2 }),
    delete: (cache) => cache.delete('k'),
    deleteMany: (cache) => cache.deleteMany(['k', 'l']),
    expire: (cache) => cache.expire('k'),
    touch: (cache) => cache.touch('k', '1h'),
    increment: (cache) => cache.increment('n'),
    invalidateTags: (cache) => cache.invalidateTags('s', 't'),
    expireTags: (cache) => cache.expireTags('s', 't'),
    clear: (cache) => cache.clear(),
    transaction: (cache) => cache.transaction(() => cache.delete('k')),
    inspect: (cache) => cache.inspect('k'),
    'a handle': (cache) => cache.define({ name: 'users', load: one }).get(1),
    'many of a handle': (cache) => cache.define({ name: 'users', load: one }).getMany([1, 2]),
    'a wrapped function': (cache) => cache.wrap(one, { name: 'one' })(1),
  }
  test.each(Object.entries(verbs))(
    'what was called before close has been answered when it resolves: %s',
    async (_, call) => {
      const cache = await kit.make()
      const answer = call(cache)
      await cache.close()
      expect(await standing(answer)).not.toBe('pending')
    },
  )

  test.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['set', (cache) => cache.set('k', 1)],
    ['setMany', (cache) => cache.setMany({ k: 1 })],
  ])('also a value whose schema takes its time: %s', async (_, call) => {
    let check = () => {}
    const validate = (value: unknown) =>
      new Promise<{ readonly value: unknown }>((resolve) => (check = () => resolve({ value })))
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const
    const cache = await kit.make({ defaults: { schema } })
    const answer = call(cache)
    const closed = cache.close()
    await new Promise(setImmediate)
    expect(await standing(closed)).toBe('pending')
    check()
    await closed
    expect(await standing(answer)).toMatchObject({ acknowledged: true })
  })
})

describe('what goes on when a cache is closed', () => {
  test('a reader of L2 may come to a load yet, and close waits for that, too', async () => {
    await using fleet = createTestFleet(1)
    const [cache] = fleet.caches
    fleet.redis.slow(100)
    const loader = new ScriptedLoader<string>()
    const load = cache.getOrSet('k', loader.load)
    const closed = cache.close()
    await fleet.clock.advance(300)
    expect(loader.started).toBe(1)
    expect(await standing(closed)).toBe('pending')
    fleet.redis.restore()
    loader.answer('loaded')
    await closed
    expect(await standing(load)).toBe('loaded')
  })

  test('for 5 seconds at most: then it is rejected, and loads no more', async () => {
    await using fleet = createTestFleet(1, { commandTimeout: '1h' })
    const [cache] = fleet.caches
    fleet.redis.slow('10s')
    const loader = new ScriptedLoader<string>()
    const many = new ScriptedLoader<Map<string, string>>()
    const calls = [
      cache.getOrSet('k', loader.load),
      cache.getOrSetMany(['l', 'm'], (_, context) => many.load(context as never)),
      cache.set('n', 1),
      cache.get('o'),
    ]
    const outcomes = Promise.allSettled(calls)
    const closed = cache.close()
    await fleet.clock.advance(4999)
    expect(await standing(closed)).toBe('pending')
    await fleet.clock.advance(1)
    expect(await standing(closed)).toBeUndefined()
    expect(await standing(outcomes)).toEqual(
      calls.map(() => ({ status: 'rejected', reason: expect.objectContaining(CLOSED) })),
    )
    await fleet.clock.advance('1m')
    expect([loader.started, many.started]).toEqual([0, 0])
  })

  test('a loader that hangs is told, its callers are rejected, and no timer keeps the process alive', async () => {
    const clock = new WatchedClock()
    const cache = assemble({}, clock)
    const signals: AbortSignal[] = []
    const hang = ({ signal }: { readonly signal: AbortSignal }) => {
      signals.push(signal)
      return new Promise<never>(() => {})
    }
    const calls = [
      cache.getOrSet('k', hang),
      cache.getOrSet('k', hang, { waitTimeout: '1h' }),
      cache.getOrSet('k', hang, { waitTimeout: 0 }),
      cache.getOrSetMany(['l', 'm'], (_, context) => hang(context)),
      cache.transaction(() => cache.getOrSet('n', hang)),
    ]
    const outcomes = Promise.allSettled(calls)
    await new Promise(setImmediate)
    expect(signals).toHaveLength(4)
    const closed = cache.close()
    clock.advance(5000)
    await closed
    expect(await outcomes).toEqual(calls.map(() => ({ status: 'rejected', reason: expect.objectContaining(CLOSED) })))
    expect(signals.map(({ aborted, reason }) => [aborted, reason.code])).toEqual(Array(4).fill([true, 'ERR_CLOSED']))
    await new Promise(setImmediate)
    expect(clock.keeping).toBe(0)
  })

  test('who waits for the load of another process waits no more; and who waits for one of this takes over', async () => {
    const patient = { hardTimeout: '1h' } as const
    await using fleet = createTestFleet(2, { lease: '10m', defaults: patient })
    const [here, there] = fleet.caches
    const hung = here.getOrSet('k', () => new Promise<never>(() => {}))
    await fleet.clock.advance(0)
    const waiting = there.getOrSet('k', () => 'there')
    const elsewhere = there.getOrSet('l', () => new Promise<never>(() => {}))
    await fleet.clock.advance(0)
    const stuck = here.getOrSet('l', () => 'here')
    const outcomes = Promise.allSettled([hung, stuck])
    const closed = here.close()
    await fleet.clock.advance('5s')
    await closed
    expect(await standing(outcomes)).toMatchObject([{ reason: CLOSED }, { reason: CLOSED }])
    expect(await standing(waiting)).toBe('there')
    elsewhere.catch(() => {})
  })
})

/** Counts the timers that would keep a process alive. */
class WatchedClock extends FakeClock {
  keeping = 0

  override after(ms: number, action: () => void): () => void {
    let isOver = false
    const over = () => {
      if (!isOver) this.keeping--
      isOver = true
    }
    this.keeping++
    const cancel = super.after(ms, () => {
      over()
      action()
    })
    return () => {
      over()
      cancel()
    }
  }

  override inBackground(ms: number, action: () => void): () => void {
    return super.after(ms, action)
  }
}

describe('before the first connection', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  test('a call is answered, though the cache is closed at once', async () => {
    const cache = createCache({ redis: server.url })
    const load = cache.getOrSet('k', () => 'loaded')
    await cache.close()
    expect(await standing(load)).toBe('loaded')
  })
})
