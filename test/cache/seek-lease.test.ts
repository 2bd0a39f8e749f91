import { afterEach, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { keySubject, wakeUp } from '../../src/entry/notice.ts'
import { withOneRedis, withRedis } from '../doubles/caches.ts'
import type { FaultProxy } from '../doubles/fault-proxy.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const k = { namespace: '_', key: 'k' }
const proxies: FaultProxy[] = []

afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()))
})

const never = () => {
  throw new Error('this loader must not run')
}

const sum = (caches: readonly Cache[], name: 'waits' | 'takeovers') =>
  caches.reduce((total, { counters }) => total + counters[name], 0)

withRedis('seeking the lease', (kit) => {
  test('a holder that finishes is waited for and not replaced', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    const loader = new ScriptedLoader<string>()
    const first = a.getOrSet('k', loader.load)
    await loader.running()
    const second = b.getOrSet('k', never)
    await expect.poll(() => b.counters.waits).toBe(1)
    loader.answer('v')
    expect(await Promise.all([first, second])).toEqual(['v', 'v'])
    expect([a, b].map(({ counters: { waits, takeovers } }) => [waits, takeovers])).toEqual([
      [0, 0],
      [1, 0],
    ])
  })

  test('who was called, and then is granted the lease, takes nothing over', async () => {
    const [a, b] = [await kit.make({ lease: '1h' }), await kit.make({ lease: '1h' })]
    const loader = new ScriptedLoader<string>()
    const first = a.getOrSet('k', loader.load)
    await loader.running()
    const second = b.getOrSet('k', () => 'next')
    await expect.poll(() => b.counters.waits).toBe(1)
    loader.answerWith(({ skip }) => {
      skip('next')
      return 'private'
    })
    expect(await Promise.all([first, second])).toEqual(['private', 'next'])
    expect(b.counters.takeovers).toBe(0)
  })

  test('a moment after a skip nobody waits for the load that is stored', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.getOrSet('k', ({ skip }) => skip())
    const loader = new ScriptedLoader<string>()
    const first = a.getOrSet('k', loader.load)
    await loader.running()
    expect(await b.getOrSet('k', () => 'own')).toBe('own')
    expect([b.counters.waits, await b.has('k')]).toEqual([0, false])
    loader.answer('stored')
    expect([await first, await b.get('k')]).toEqual(['stored', 'stored'])
  })

  test('waitTimeout: past it a caller loads for itself and stores nothing', async () => {
    const [a, b] = [await kit.make({ lease: '1h' }), await kit.make({ lease: '1h' })]
    const loader = new ScriptedLoader<string>()
    const first = a.getOrSet('k', loader.load)
    await loader.running()
    expect(await b.getOrSet('k', () => 'own', { waitTimeout: 50 })).toBe('own')
    expect(b.counters.waits).toBe(1)
    expect(await b.has('k')).toBe(false)
    loader.answer('led')
    expect(await first).toBe('led')
    expect(await b.get('k')).toBe('led')
  })

  test('memory is full: who waits does so for the lease’s end, and does not load beside its holder', async () => {
    const options = { lease: 1000 }
    const [a, b] = [await kit.make(options), await kit.make(options)]
    const loader = new ScriptedLoader<string>()
    const first = a.getOrSet('k', loader.load)
    await loader.running()
    await kit.limitMemory(1)
    const second = b.getOrSet('k', never)
    await expect.poll(() => b.counters.waits).toBe(1)
    expect(await kit.redis().get(kit.names(k).lease(k))).toMatch(/^\w+\|\d+$/)
    await kit.limitMemory(0)
    loader.answer('v')
    expect(await Promise.all([first, second])).toEqual(['v', 'v'])
  })

  /** Those who hold the lease end again and again without a value: the fourth time a caller loads for itself. */
  test('a caller that is called without a value goes round three times', async () => {
    const cache = await kit.make()
    const [redis, names] = [kit.redis(), kit.names(k)]
    const hold = () => redis.set(names.lease(k), `${'a'.repeat(32)}|5`, 'PX', 3_600_000)
    const isMarked = async () => (await redis.get(names.lease(k)))?.endsWith('!')
    const call = () => kit.publish(k, wakeUp('R', 'elsewhere', keySubject(k)))
    await hold()
    const loader = new ScriptedLoader<string>()
    const load = cache.getOrSet('k', loader.load)
    for (let round = 0; round < 4; round++) {
      await expect.poll(isMarked).toBe(true)
      expect(loader.started).toBe(0)
      await hold()
      await call()
    }
    await loader.running()
    loader.answer('own')
    expect(await load).toBe('own')
    expect(await cache.has('k')).toBe(false)
    expect(cache.counters.waits).toBe(1)
  })
})

withOneRedis('seeking the lease', 'the way to it is cut for one process', (kit) => {
  test('a holder that is cut off is replaced by exactly one of those who wait', async () => {
    const proxy = await startFaultProxy(kit.server())
    proxies.push(proxy)
    const options = { prefix: 'takeover', lease: 1000 }
    const holder = await kit.make({ ...options, redis: proxy.url })
    const waiters = await Promise.all(Array.from({ length: 5 }, () => kit.make(options)))
    const told: unknown[] = []
    for (const cache of waiters) {
      cache.on('wait', ({ namespace, key }) => told.push(['wait', namespace, key]))
      cache.on('takeover', (event) => told.push(['takeover', event]))
    }
    const [held, taken] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const first = holder.getOrSet('k', held.load)
    await held.running()
    const others = waiters.map((cache) => cache.getOrSet('k', taken.load))
    await expect.poll(() => sum(waiters, 'waits')).toBe(5)
    await proxy.cut()
    await taken.running()
    held.answer('of the holder')
    expect(await first).toBe('of the holder')
    taken.answer('taken over')
    expect(new Set(await Promise.all(others))).toEqual(new Set(['taken over']))
    expect(taken.started).toBe(1)
    expect(sum(waiters, 'takeovers')).toBe(1)
    expect(told.filter((each) => Array.isArray(each) && each[0] === 'wait')).toEqual(Array(5).fill(['wait', '_', 'k']))
    expect(told.filter((each) => Array.isArray(each) && each[0] === 'takeover')).toEqual([['takeover', k]])
    expect(await (await kit.make(options)).get('k')).toBe('taken over')
  })
})
