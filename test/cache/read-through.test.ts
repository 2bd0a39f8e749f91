import { describe, expect, test } from 'vitest'
import type { LoadContext } from '../../src/cache/load-context.ts'
import { assemble } from '../../src/create-cache.ts'
import { inBothForms, withRedis } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

inBothForms((kit) => {
  test('a hundred callers of a cold key share one run', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    const callers = Array.from({ length: 100 }, () => cache.getOrSet('k', loader.load))
    await loader.running()
    expect(cache.counters.loadsWaiting).toBe(100)
    expect(cache.counters.loadsRunning).toBe(1)
    loader.answer('v')
    expect(new Set(await Promise.all(callers))).toEqual(new Set(['v']))
    expect(loader.started).toBe(1)
    expect(cache.counters).toMatchObject({ loadsWaiting: 0, loadsRunning: 0, loadsShared: 99 })
  })

  test('a failure is shared by all its callers, stored nowhere, and the next caller loads again', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    const callers = Array.from({ length: 20 }, () => cache.getOrSet('k', loader.load))
    await loader.running()
    const failure = new Error('the database is away')
    loader.fail(failure)
    const outcomes = await Promise.allSettled(callers)
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === failure)).toBe(true)
    expect(loader.started).toBe(1)
    expect(cache.counters.loadsFailed).toBe(1)
    expect(await cache.has('k')).toBe(false)
  })

  test('a loader that throws at once rejects, and does not throw', async () => {
    const cache = await kit.make()
    const failure = new TypeError('at once')
    const load = cache.getOrSet('k', () => {
      throw failure
    })
    await expect(load).rejects.toBe(failure)
    expect(await cache.getOrSet('k', () => 'now')).toBe('now')
  })

  test('the first caller gets what later ones get: a value that went through the codec', async () => {
    const cache = await kit.make()
    class Price {
      cents = 5
      toJSON() {
        return { cents: this.cents }
      }
    }
    const given = { price: new Price(), at: new Date(0) }
    const first = await cache.getOrSet('k', () => given)
    expect(first).not.toBe(given)
    expect(first).toEqual({ price: { cents: 5 }, at: new Date(0) })
    expect(first.price).not.toBeInstanceOf(Price)
    expect(await cache.get('k')).toEqual(first)
  })

  test('skip hands the value out and stores nothing', async () => {
    const cache = await kit.make()
    const value = await cache.getOrSet('k', ({ skip }) => {
      skip()
      return 'private'
    })
    expect(value).toBe('private')
    expect(await cache.has('k')).toBe(false)
  })

  test('after a load of which nothing was stored the next one is stored, at once', async () => {
    const cache = await kit.make()
    const loads = { undefined: () => undefined, skip: ({ skip }: LoadContext) => skip() }
    for (const [key, load] of Object.entries(loads)) {
      expect(await cache.getOrSet<unknown>(key, load)).toBeUndefined()
      expect(await cache.getOrSet<unknown>(key, () => 'there')).toBe('there')
      expect(await cache.get(key)).toBe('there')
    }
    expect((await cache.getOrSetMany(['many'], () => ({}))).size).toBe(0)
    await cache.getOrSetMany(['many'], () => ({ many: 'there' }))
    expect(await cache.get('many')).toBe('there')
  })

  test('waitTimeout: 0 does not wait for another caller: it loads for itself and stores nothing', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    const leader = cache.getOrSet('k', loader.load)
    await loader.running()
    expect(await cache.getOrSet('k', () => 'own', { waitTimeout: 0 })).toBe('own')
    expect(await cache.has('k')).toBe(false)
    loader.answer('led')
    expect(await leader).toBe('led')
    expect(await cache.get('k')).toBe('led')
  })

  test('waitTimeout ends the waiting of one caller, not the load', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    const leader = cache.getOrSet('k', loader.load)
    await loader.running()
    const impatient = await cache.getOrSet('k', () => 'own', { waitTimeout: 20 })
    expect(impatient).toBe('own')
    loader.answer('led')
    expect(await leader).toBe('led')
  })

  test.each(['stale', 'fresh'])('past waitTimeout a caller gets a %s value that is there by now', async (freshness) => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    const leader = cache.getOrSet('k', loader.load)
    await loader.running()
    const impatient = cache.getOrSetEntry('k', () => 'own', { waitTimeout: 1000 })
    await expect.poll(() => cache.counters.loadsWaiting).toBe(2)
    await cache.set('k', 'set', freshness === 'stale' ? { ttl: 0, stale: '1m' } : {})
    expect(await impatient).toMatchObject({ value: 'set', freshness })
    loader.answer('led')
    expect(await leader).toBe('led')
  })

  test('a loader that takes longer than hardTimeout is aborted; its late failure is nobody’s', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    let signal: AbortSignal | undefined
    const load = cache.getOrSet(
      'k',
      (context) => {
        signal = context.signal
        return loader.load(context)
      },
      { hardTimeout: 30 },
    )
    await expect(load).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
    expect(signal?.aborted).toBe(true)
    loader.fail(new Error('late'))
    expect(await cache.has('k')).toBe(false)
  })

  test('a loader that asks for its signal when it has been aborted already gets one that says so', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    let signalOf = (): AbortSignal | undefined => undefined
    const load = cache.getOrSet(
      'k',
      (context) => {
        signalOf = () => context.signal
        return loader.load(context)
      },
      { hardTimeout: 30 },
    )
    const failure: unknown = await load.catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
    expect(signalOf()?.reason).toBe(failure)
    expect(signalOf()).toBe(signalOf())
    loader.fail(new Error('late'))
    expect(await cache.has('k')).toBe(false)
  })

  test('getOrSetEntry tells where the value came from', async () => {
    const cache = await kit.make({ defaults: { jitter: 0, ttl: '1m' } })
    const loader = new ScriptedLoader<number>()
    const both = [cache.getOrSetEntry('k', loader.load), cache.getOrSetEntry('k', loader.load)]
    await loader.running()
    loader.answer(1)
    const [first, second] = await Promise.all(both)
    expect(first).toMatchObject({ value: 1, tier: 'loader', shared: false, freshness: 'fresh' })
    expect(second).toMatchObject({ value: 1, tier: 'loader', shared: true })
    const third = await cache.getOrSetEntry('k', loader.load)
    expect(third).toMatchObject({ value: 1, tier: 'l1', shared: false })
    expect(third.ttl).toBeGreaterThan(50_000)
    expect(third.ttl).toBeLessThanOrEqual(60_000)
  })

  test('a load is told with its run time, and with its error', async () => {
    const cache = await kit.make()
    const told: unknown[] = []
    cache.namespace('n').on('load', (event) => told.push(event))
    await cache.namespace('n').getOrSet('k', () => 1)
    const error = new Error('x')
    await cache.getOrSet('bad', () => Promise.reject(error)).catch(() => {})
    expect(told).toEqual([
      { namespace: 'n', key: 'k', ms: expect.any(Number) },
      { namespace: '_', key: 'bad', ms: expect.any(Number), error },
    ])
  })
})

const k = { namespace: '_', key: 'k' }

withRedis('across processes', (kit) => {
  test('eight processes with a hundred callers each run one loader', async () => {
    const caches = await Promise.all(Array.from({ length: 8 }, () => kit.make()))
    const loader = new ScriptedLoader<string>()
    const callers = caches.flatMap((cache) => Array.from({ length: 100 }, () => cache.getOrSet('k', loader.load)))
    await loader.running()
    await expect.poll(() => caches.map((cache) => cache.counters.loadsWaiting)).toEqual(Array(8).fill(100))
    loader.answer('v')
    expect(new Set(await Promise.all(callers))).toEqual(new Set(['v']))
    expect(loader.started).toBe(1)
  })

  test('what one process loaded the other finds in L2, with the ttl that is left', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.getOrSet('k', () => ({ n: 1 }), { ttl: 10_000, jitter: 0 })
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await b.getOrSetEntry('k', () => ({ n: 2 }))).toMatchObject({ value: { n: 1 }, tier: 'l2' })
    const entry = await b.getEntry('k')
    expect(entry).toMatchObject({ tier: 'l1', value: { n: 1 } })
    expect(entry?.ttl).toBeLessThan(9_800)
    expect(entry?.ttl).toBeGreaterThan(5_000)
    expect(entry?.age).toBeGreaterThan(200)
  })

  test('a failure is shared with the processes that wait: one run', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    const loader = new ScriptedLoader<string>()
    const first = a.getOrSet('k', loader.load)
    await loader.running()
    const second = b.getOrSet('k', () => 'must not run')
    await expect.poll(() => b.counters.loadsWaiting).toBe(1)
    // The waiter has marked the lease, so that its holder will call it.
    await expect.poll(() => kit.redis().get(kit.names(k).lease(k))).toMatch(/!$/)
    loader.fail(Object.assign(new Error('the database is away'), { code: 'ECONNREFUSED' }))
    await expect(first).rejects.toThrow('the database is away')
    await expect(second).rejects.toMatchObject({
      code: 'ERR_LOAD_ELSEWHERE',
      message: 'another process failed to load this key: ECONNREFUSED: the database is away',
    })
  })

  test('skip lets the processes that wait load for themselves', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    const loader = new ScriptedLoader<string>()
    const first = a.getOrSet('k', loader.load)
    await loader.running()
    const second = b.getOrSet('k', () => 'mine')
    await expect.poll(() => kit.redis().get(kit.names(k).lease(k))).toMatch(/!$/)
    loader.answerWith(({ skip }) => {
      skip()
      return 'private'
    })
    expect(await first).toBe('private')
    expect(await second).toBe('mine')
    // It was for nobody but its caller; the next one may be for all.
    expect(await a.get('k')).toBe('mine')
  })

  test('the lease of a slow loader is kept alive: nobody else loads meanwhile', async () => {
    const [a, b] = [await kit.make({ lease: 600 }), await kit.make({ lease: 600 })]
    const loader = new ScriptedLoader<string>()
    const first = a.getOrSet('k', loader.load)
    await loader.running()
    const second = b.getOrSet('k', () => 'must not run')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    loader.answer('slow')
    expect(await Promise.all([first, second])).toEqual(['slow', 'slow'])
  })

  test('a process that died with the lease is replaced when the lease runs out, by one of those who wait', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    const names = kit.names(k)
    const n = await kit.redis().hget(names.chain, 'n')
    await kit.redis().set(names.lease(k), `${'a'.repeat(32)}|${n}`, 'PX', 200)
    const loader = new ScriptedLoader<string>()
    const both = [a.getOrSet('k', loader.load), b.getOrSet('k', loader.load)]
    await loader.running()
    loader.answer('taken over')
    expect(await Promise.all(both)).toEqual(['taken over', 'taken over'])
    expect(loader.started).toBe(1)
  })
})

describe('with a clock of the test’s', () => {
  test('those whose wait is over share one load; who never waits loads alone', async () => {
    const clock = new FakeClock()
    const cache = assemble(undefined, clock)
    const [led, spare] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const leader = cache.getOrSet('k', led.load)
    const ask = () => cache.getOrSetEntry('k', spare.load, { waitTimeout: 50 })
    const impatient = Array.from({ length: 20 }, ask)
    clock.advance(49)
    const later = ask()
    clock.advance(1)
    await spare.running()
    expect(await cache.getOrSet('k', () => 'alone', { waitTimeout: 0 })).toBe('alone')
    clock.advance(49)
    await new Promise((resolve) => setImmediate(resolve))
    spare.answer('spare')
    const entries = await Promise.all([...impatient, later])
    expect(new Set(entries.map(({ value }) => value))).toEqual(new Set(['spare']))
    expect(entries.filter(({ shared }) => !shared)).toHaveLength(1)
    expect(spare.started).toBe(1)
    expect(cache.peek('k')).toBeUndefined()
    led.answer('led')
    expect(await leader).toBe('led')
    expect(cache.peek('k')).toBe('led')
  })

  test('hardTimeout is measured on the cache’s clock', async () => {
    const clock = new FakeClock()
    const cache = assemble(undefined, clock)
    const loader = new ScriptedLoader<string>()
    const load = cache.getOrSet('k', loader.load, { hardTimeout: '30s' })
    await loader.running()
    clock.advance(29_999)
    loader.answer('in time')
    expect(await load).toBe('in time')
    const late = cache.getOrSet('late', loader.load, { hardTimeout: '30s' })
    await loader.running(2)
    clock.advance(30_000)
    await expect(late).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT', message: /"late" took more than 30000 ms/ })
  })
})
