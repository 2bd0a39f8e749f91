import { expect, test } from 'vitest'
import { assemble } from '../../src/create-cache.ts'
import { withRedis } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const KEPT = { ttl: 1000, stale: 5000, jitter: 0 } as const

async function stale() {
  const clock = new FakeClock()
  const cache = assemble(undefined, clock)
  await cache.set('k', 'old', KEPT)
  clock.advance(1500)
  return { cache, clock, loader: new ScriptedLoader<string>() }
}

test('a stale value is served at once, and renewed behind, once', async () => {
  const { cache, loader } = await stale()
  const readers = Array.from({ length: 10 }, () => cache.getOrSet('k', loader.load, KEPT))
  expect(new Set(await Promise.all(readers))).toEqual(new Set(['old']))
  await loader.running()
  loader.answer('new')
  await expect.poll(() => cache.peek('k')).toBe('new')
  expect(loader.started).toBe(1)
})

test('while a renewal fails the stale value is served, until it expires', async () => {
  const { cache, clock, loader } = await stale()
  const told: unknown[] = []
  cache.on('renewal-failed', (event) => told.push(event))
  expect(await cache.getOrSet('k', loader.load, KEPT)).toBe('old')
  const failure = new Error('away')
  await loader.running()
  loader.fail(failure)
  await expect.poll(() => told).toEqual([{ namespace: '_', key: 'k', error: failure }])
  expect(cache.counters.renewalsFailed).toBe(1)
  clock.advance(1250)
  expect(await cache.getOrSet('k', () => Promise.reject(failure), KEPT)).toBe('old')
  await expect.poll(() => told.length).toBe(2)
  clock.advance(3250)
  await expect(cache.getOrSet('k', () => Promise.reject(failure), KEPT)).rejects.toBe(failure)
})

test('at most 16 renewals run at one time', async () => {
  const clock = new FakeClock()
  const cache = assemble(undefined, clock)
  for (let index = 0; index < 20; index++) await cache.set(`k${index}`, 'old', KEPT)
  clock.advance(1500)
  const loader = new ScriptedLoader<string>()
  for (let index = 0; index < 20; index++) await cache.getOrSet(`k${index}`, loader.load, KEPT)
  await loader.running(16)
  expect(cache.counters.loadsRunning).toBe(16)
  for (let index = 0; index < 16; index++) loader.answer('new')
  await expect.poll(() => cache.counters.loadsRunning).toBe(0)
  await cache.getOrSet('k19', loader.load, KEPT)
  await loader.running(17)
  loader.answer('new')
  await expect.poll(() => cache.peek('k19')).toBe('new')
})

withRedis('across processes', (kit) => {
  test('l1: false: while one reader’s value is renewed the others are served from L2, and do not wait', async () => {
    const cache = await kit.make({ l1: false })
    await cache.set('k', 'old', { ttl: 0, stale: '1m' })
    const loader = new ScriptedLoader<string>()
    expect(await cache.getOrSet('k', loader.load, KEPT)).toBe('old')
    await loader.running()
    expect(await cache.getOrSet('k', loader.load, KEPT)).toBe('old')
    expect(loader.started).toBe(1)
    const failure = new Error('away')
    loader.fail(failure)
    await expect.poll(() => cache.counters.renewalsFailed).toBe(1)
    expect(await cache.getOrSet('k', () => 'too early', KEPT)).toBe('old')
    expect(cache.counters.loadsRunning).toBe(0)
  })

  test('one process renews; the others serve stale and find the new value', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    const short = { ttl: 50, stale: 60_000, jitter: 0 } as const
    const long = { ttl: 60_000, stale: 60_000, jitter: 0 } as const
    await a.set('k', 'old', short)
    await expect.poll(async () => (await b.getEntry('k'))?.freshness).toBe('stale')
    const loader = new ScriptedLoader<string>()
    expect(await a.getOrSet('k', loader.load, long)).toBe('old')
    await loader.running()
    expect(await b.getOrSet('k', () => 'must not run', long)).toBe('old')
    loader.answer('new')
    await expect.poll(() => b.getOrSet('k', () => 'must not run', long)).toBe('new')
    expect(loader.started).toBe(1)
  })
})

withRedis('behind a stale value in L2 nobody waits', (kit) => {
  const STALE = { ttl: 1, stale: '1h', jitter: 0 } as const

  async function staleInL2() {
    const cache = await kit.make({ l1: false })
    await cache.set('k', 'old', STALE)
    await expect.poll(async () => (await cache.getEntry('k'))?.freshness).toBe('stale')
    return { cache, loader: new ScriptedLoader<string>() }
  }

  test('when keys were missing in a row while it was renewed', async () => {
    const { cache, loader } = await staleInL2()
    expect(await cache.getOrSet('k', loader.load, STALE)).toBe('old')
    await loader.running()
    for (let key = 0; key < 9; key++) await cache.getOrSet(`cold ${key}`, () => key)
    expect(await cache.getOrSet('k', loader.load, STALE)).toBe('old')
    loader.answer('new')
  })

  test('when its renewal is past its deadline', async () => {
    const { cache, loader } = await staleInL2()
    const late = { ...STALE, hardTimeout: 50 }
    const failed = new Promise((resolve) => cache.on('renewal-failed', resolve))
    expect(await cache.getOrSet('k', loader.load, late)).toBe('old')
    await failed
    expect(await cache.getOrSet('k', loader.load, { ...STALE, hardTimeout: '1h' })).toBe('old')
    loader.answer('new')
  })
})
