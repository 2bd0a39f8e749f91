import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { LoadOptions } from '../../src/cache/call-options.ts'
import { assemble } from '../../src/create-cache.ts'
import { inBothForms, withRedis } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const TIMEOUT = { code: 'ERR_LOAD_TIMEOUT' }
/** A lease so long that who waits for its end does not come back within the test. */
const LONG = { lease: '1h' } as const

/** A load whose callers have got `ERR_LOAD_TIMEOUT`, and whose loader can still answer. */
async function late(cache: Cache, options: LoadOptions = {}): Promise<ScriptedLoader<string>> {
  const loader = new ScriptedLoader<string>()
  const load = cache.getOrSet('k', loader.load, { hardTimeout: 20, ...options })
  await expect(load).rejects.toMatchObject(TIMEOUT)
  return loader
}

const never = () => {
  throw new Error('this loader must not run')
}

describe('a load past its hardTimeout', () => {
  inBothForms((kit) => {
    test('its value is stored all the same', async () => {
      const cache = await kit.make(LONG)
      const other = kit.isShared ? await kit.make(LONG) : cache
      const loader = await late(cache)
      expect(cache.counters).toMatchObject({ loadsRunning: 0, loadsWaiting: 0, loadsFailed: 1 })
      loader.answer('late')
      await expect.poll(() => cache.peek('k')).toBe('late')
      expect(await other.get('k')).toBe('late')
    })

    test.each(['delete', 'set', 'clear'] as const)('%s meanwhile: it is not stored', async (verb) => {
      const cache = await kit.make(LONG)
      const loader = await late(cache)
      await { delete: () => cache.delete('k'), set: () => cache.set('k', 'set'), clear: () => cache.clear() }[verb]()
      loader.answer('late')
      await expect.poll(() => cache.counters.fillsRefused).toBe(1)
      expect(await cache.get('k')).toBe(verb === 'set' ? 'set' : undefined)
    })

    test('invalidated before the timeout: it is not stored', async () => {
      const cache = await kit.make(LONG)
      const loader = new ScriptedLoader<string>()
      const load = cache.getOrSet('k', loader.load, { hardTimeout: 200 })
      await loader.running()
      await cache.delete('k')
      await expect(load).rejects.toMatchObject(TIMEOUT)
      loader.answer('late')
      await expect.poll(() => cache.counters.fillsRefused).toBe(1)
      expect(await cache.get('k')).toBeUndefined()
    })

    test('newcomers wait for it, and all get its value', async () => {
      const cache = await kit.make(LONG)
      const other = kit.isShared ? await kit.make(LONG) : cache
      const loader = await late(cache)
      const newcomers = [cache, other, cache].map((each) => each.getOrSet('k', never))
      await expect.poll(() => cache.counters.loadsWaiting + other.counters.loadsWaiting).toBe(kit.isShared ? 3 : 6)
      if (kit.isShared) await expect.poll(() => other.counters.waits).toBe(1)
      loader.answer('late')
      expect(await Promise.all(newcomers)).toEqual(['late', 'late', 'late'])
    })

    test('a loader that obeys its signal keeps nobody waiting: the next caller loads', async () => {
      const cache = await kit.make(LONG)
      const obedient = ({ signal }: { signal: AbortSignal }) =>
        new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      await expect(cache.getOrSet('k', obedient, { hardTimeout: 20 })).rejects.toMatchObject(TIMEOUT)
      expect(await cache.getOrSet('k', () => 'next')).toBe('next')
      expect(await cache.get('k')).toBe('next')
    })

    test('when newcomers have waited for one lease one of them loads; what was late is dropped', async () => {
      const cache = await kit.make({ lease: 500 })
      const slow = await late(cache, { hardTimeout: 1000 })
      const loader = new ScriptedLoader<string>()
      const newcomers = [cache.getOrSet('k', loader.load), cache.getOrSet('k', loader.load)]
      await loader.running()
      loader.answer('new')
      expect(await Promise.all(newcomers)).toEqual(['new', 'new'])
      slow.answer('late')
      await expect.poll(() => cache.counters.fillsRefused).toBe(1)
      expect(await cache.get('k')).toBe('new')
      expect(loader.started).toBe(1)
    })

    test('its late failure is nobody’s: one of the newcomers loads', async () => {
      const cache = await kit.make(LONG)
      const other = kit.isShared ? await kit.make(LONG) : cache
      const slow = await late(cache)
      const loader = new ScriptedLoader<string>()
      const newcomers = [cache, other].map((each) => each.getOrSet('k', loader.load))
      if (kit.isShared) await expect.poll(() => other.counters.waits).toBe(1)
      slow.fail(new Error('late'))
      await loader.running()
      loader.answer('next')
      expect(await Promise.all(newcomers)).toEqual(['next', 'next'])
      expect(loader.started).toBe(1)
    })

    test('skip holds for a late value too', async () => {
      const cache = await kit.make(LONG)
      const loader = await late(cache)
      const newcomer = cache.getOrSet('k', never)
      loader.answerWith(({ skip }) => {
        skip()
        return 'private'
      })
      expect(await newcomer).toBe('private')
      expect(await cache.get('k')).toBeUndefined()
    })
  })

  withRedis('across processes', (kit) => {
    test('who began to wait elsewhere after the timeout does not share its late failure', async () => {
      const [a, b] = [await kit.make(LONG), await kit.make(LONG)]
      const loader = await late(a)
      const newcomer = b.getOrSet('k', () => 'next')
      await expect.poll(() => b.counters.waits).toBe(1)
      loader.fail(new Error('late'))
      expect(await newcomer).toBe('next')
      expect(b.counters.takeovers).toBe(0)
    })

    test('those who wait in another process share the timeout, and find the late value afterwards', async () => {
      const [a, b] = [await kit.make(LONG), await kit.make(LONG)]
      const loader = new ScriptedLoader<string>()
      const first = a.getOrSet('k', loader.load, { hardTimeout: 1000 })
      await loader.running()
      const second = b.getOrSet('k', never)
      await expect.poll(() => b.counters.waits).toBe(1)
      await expect(first).rejects.toMatchObject(TIMEOUT)
      await expect(second).rejects.toMatchObject({
        code: 'ERR_LOAD_ELSEWHERE',
        message: expect.stringContaining('ERR_LOAD_TIMEOUT'),
      })
      loader.answer('late')
      await expect.poll(() => b.get('k')).toBe('late')
    })
  })

  test('its value is stored until one lease and one hardTimeout later, and dropped after that', async () => {
    const outcomes: unknown[] = []
    for (const ms of [3999, 4000]) {
      const clock = new FakeClock()
      const cache = assemble({ lease: 3000 }, clock)
      const loader = new ScriptedLoader<string>()
      const load = cache.getOrSet('k', loader.load, { hardTimeout: 1000 })
      await loader.running()
      clock.advance(1000)
      await expect(load).rejects.toMatchObject(TIMEOUT)
      clock.advance(ms)
      await turn()
      loader.answer('late')
      await turn()
      outcomes.push(cache.peek('k'))
      expect(clock.pending).toBe(0)
    }
    expect(outcomes).toEqual(['late', undefined])
  })

  test('newcomers wait for it for one lease', async () => {
    const clock = new FakeClock()
    const cache = assemble({ lease: 3000 }, clock)
    const loader = new ScriptedLoader<string>()
    const load = cache.getOrSet('k', loader.load, { hardTimeout: 1000 })
    await loader.running()
    clock.advance(1000)
    await expect(load).rejects.toMatchObject(TIMEOUT)
    const newcomer = cache.getOrSet('k', loader.load)
    clock.advance(2999)
    await turn()
    expect(loader.started).toBe(1)
    clock.advance(1)
    await loader.running(2)
    loader.answer('late')
    loader.answer('new')
    expect(await newcomer).toBe('new')
    expect(cache.peek('k')).toBe('new')
  })

  test('close waits for it no longer than newcomers do', async () => {
    const clock = new FakeClock()
    const cache = assemble({ lease: 3000 }, clock)
    const loader = new ScriptedLoader<string>()
    const load = cache.getOrSet('k', loader.load, { hardTimeout: 1000 })
    await loader.running()
    clock.advance(1000)
    await expect(load).rejects.toMatchObject(TIMEOUT)
    const closing = cache.close()
    clock.advance(3000)
    await closing
    loader.answer('late')
    await turn()
    expect(cache.gauges().l1Entries).toBe(0)
  })
})

inBothForms((kit) => {
  test('a value that is set while a load fails is the answer to its callers', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    const callers = [cache.getOrSetEntry('k', loader.load), cache.getOrSetEntry('k', loader.load)]
    await loader.running()
    await cache.set('k', 'set')
    loader.fail(new Error('the database is away'))
    for (const entry of await Promise.all(callers)) expect(entry).toMatchObject({ value: 'set', freshness: 'fresh' })
  })

  test.each(['fails', 'takes too long'])(
    'a load that %s: a stale value is the answer, and not renewed again',
    async (how) => {
      const cache = await kit.make(LONG)
      const told: unknown[] = []
      cache.on('renewal-failed', ({ error }) => told.push(error))
      const loader = new ScriptedLoader<string>()
      const caller = cache.getOrSetEntry('k', loader.load, { hardTimeout: how === 'fails' ? '1h' : 1000 })
      await loader.running()
      await cache.set('k', 'stale', { ttl: 0, stale: '1m' })
      const failure = new Error('the database is away')
      if (how === 'fails') loader.fail(failure)
      expect(await caller).toMatchObject({ value: 'stale', freshness: 'stale', ttl: 0 })
      expect(told).toEqual([how === 'fails' ? failure : expect.objectContaining(TIMEOUT)])
      expect(cache.counters.renewalsFailed).toBe(1)
      expect(loader.started).toBe(1)
      if (how === 'takes too long') loader.answer('late')
    },
  )
})

withRedis('under a lease', (kit) => {
  const k = { namespace: '_', key: 'k' }
  const lease = () => kit.names(k).lease(k)

  test('the lease is lost: the load goes on for its callers, and its value is stored nowhere', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    const load = cache.getOrSet('k', loader.load)
    await loader.running()
    expect(await kit.redis().del(lease())).toBe(1)
    loader.answer('mine')
    expect(await load).toBe('mine')
    expect(cache.counters.fillsRefused).toBe(1)
    expect(cache.peek('k')).toBeUndefined()
    expect(await cache.get('k')).toBeUndefined()
  })

  /**
   * The order of events in one process:
   *   1. a reader finds nothing and waits for another process's load
   *   2. its key, or all keys, are invalidated from here
   *   3. the reader is granted the lease: its load begins after 2, so its value may fill L1
   */
  test.each(['delete', 'clear'] as const)('%s before the lease is granted: the value fills L1', async (verb) => {
    const cache = await kit.make()
    await kit.redis().set(lease(), `${'a'.repeat(32)}|5`, 'PX', 500)
    const loader = new ScriptedLoader<string>()
    const load = cache.getOrSet('k', loader.load)
    await expect.poll(() => cache.counters.waits).toBe(1)
    await (verb === 'delete' ? cache.delete('k') : cache.clear())
    await loader.running()
    loader.answer('new')
    expect(await load).toBe('new')
    expect(cache.peek('k')).toBe('new')
    expect(cache.counters.fillsRefused).toBe(0)
  })

  test('no room for a lease or a value: the loader answers, L1 keeps it for a while, and it is told', async () => {
    const cache = await kit.make()
    const told: unknown[] = []
    cache.on('l2-error', ({ command, code }) => told.push([command, code]))
    const loader = new ScriptedLoader<string>()
    const held = cache.getOrSet('held', loader.load)
    await loader.running()
    await kit.limitMemory(1)
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    expect(cache.peek('k')).toBe('loaded')
    loader.answer('held')
    expect(await held).toBe('held')
    expect(cache.peek('held')).toBe('held')
    await kit.limitMemory(0)
    expect(await kit.redis().exists(kit.names(k).entry(k), lease())).toBe(0)
    expect(told).toEqual([
      ['acquire', 'ERR_REDIS_REPLY'],
      ['commit', 'ERR_REDIS_REPLY'],
    ])
    expect(cache.counters.l2Errors.get('ERR_REDIS_REPLY')).toBe(2)
  })
})

/** Resolves when everything that can go on without a timer has gone on. */
const turn = () => new Promise((resolve) => setImmediate(resolve))
