import { describe, expect, test } from 'vitest'
import type { LoadOptions } from '../../src/cache/call-options.ts'
import { encode } from '../../src/entry/codec.ts'
import { assemble } from '../../src/create-cache.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import type { Process } from '../doubles/fleet.ts'
import { inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const AHEAD = { ttl: 1000, jitter: 0, refreshAhead: 0.5 } as const

function alone(defaults = {}) {
  const clock = new FakeClock()
  return { clock, cache: assemble({ defaults }, clock), loader: new ScriptedLoader<string>() }
}

describe('with L1 alone', () => {
  test('a value is served and renewed behind its readers, once, when the fraction has passed', async () => {
    const { clock, cache, loader } = alone()
    await cache.getOrSet('k', () => 'old', AHEAD)
    clock.advance(499)
    expect(await cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    expect(loader.started).toBe(0)
    clock.advance(1)
    for (let reader = 0; reader < 5; reader++) expect(await cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    expect(loader.started).toBe(1)
    loader.answer('new')
    await turn()
    expect(await cache.getOrSet('k', loader.load, AHEAD)).toBe('new')
    expect(await cache.getEntry('k')).toMatchObject({ ttl: 1000, age: 0 })
    clock.advance(499)
    await cache.getOrSet('k', loader.load, AHEAD)
    expect(loader.started).toBe(1)
  })

  test('it is the options of the reader that say so', async () => {
    const { clock, cache, loader } = alone()
    await cache.set('k', 'old', { ttl: 1000, jitter: 0 })
    clock.advance(500)
    const readers: LoadOptions[] = [{}, { refreshAhead: 0.8 }, { refreshAhead: false }, { refreshAhead: 'auto' }]
    for (const options of readers) expect(await cache.getOrSet('k', loader.load, options)).toBe('old')
    expect(loader.started).toBe(0)
    expect(await cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    expect(loader.started).toBe(1)
  })

  test('or of the namespace, unless the reader says otherwise; get and peek renew nothing', async () => {
    const { clock, cache, loader } = alone({ refreshAhead: 0.5 })
    await cache.set('k', 'old', { ttl: 1000, jitter: 0 })
    clock.advance(900)
    expect(await cache.get('k')).toBe('old')
    expect(cache.peek('k')).toBe('old')
    expect(await cache.has('k')).toBe(true)
    expect(await cache.getOrSet('k', loader.load, { refreshAhead: false })).toBe('old')
    expect(loader.started).toBe(0)
    expect(await cache.getOrSet('k', loader.load)).toBe('old')
    expect(loader.started).toBe(1)
  })

  test('the loader has the value that is still fresh, and may keep it', async () => {
    const { clock, cache } = alone()
    await cache.getOrSet('k', () => 'old', AHEAD)
    clock.advance(600)
    let seen: unknown
    await cache.getOrSet(
      'k',
      ({ stale, notModified }) => {
        seen = stale
        return notModified()
      },
      AHEAD,
    )
    await turn()
    expect(seen).toEqual({ value: 'old', age: 600 })
    expect(await cache.getEntry('k')).toMatchObject({ value: 'old', ttl: 1000, age: 0 })
  })

  test('who finds nothing any more joins the renewal', async () => {
    const { clock, cache, loader } = alone()
    await cache.getOrSet('k', () => 'old', AHEAD)
    clock.advance(999)
    expect(await cache.getOrSet('k', loader.load, AHEAD)).toBe('old')
    clock.advance(1)
    const reader = cache.getOrSet('k', loader.load, AHEAD)
    loader.answer('new')
    expect(await reader).toBe('new')
    expect(loader.started).toBe(1)
  })

  test('at most 16 renewals run at one time, behind stale values and ahead', async () => {
    const { clock, cache, loader } = alone()
    for (let key = 0; key < 20; key++) await cache.set(`k${key}`, 'old', { ttl: 1000, jitter: 0 })
    clock.advance(600)
    for (let key = 0; key < 20; key++) await cache.getOrSet(`k${key}`, loader.load, AHEAD)
    await turn()
    expect(loader.started).toBe(16)
  })

  test('auto: renewed at once where the load took long, and never where it took no time', async () => {
    const { clock, cache, loader } = alone()
    const auto = { ...AHEAD, refreshAhead: 'auto' } as const
    const slow = new ScriptedLoader<string>()
    const loading = cache.getOrSet('slow', slow.load, auto)
    await slow.running()
    clock.advance(200)
    slow.answer('old')
    await loading
    await cache.set('given', 'old', { ttl: 1000, jitter: 0 })
    clock.advance(900)
    for (let reader = 0; reader < 50; reader++) {
      expect(await cache.getOrSet('slow', loader.load, auto)).toBe('old')
      expect(await cache.getOrSet('given', () => 'must not run', auto)).toBe('old')
    }
    expect(loader.started).toBe(1)
  })

  test('auto: each reader draws for itself', async () => {
    const { clock, cache, loader } = alone()
    const auto = { ...AHEAD, refreshAhead: 'auto' } as const
    const slow = new ScriptedLoader<string>()
    const loading = cache.getOrSet('slow', slow.load, auto)
    await slow.running()
    clock.advance(100)
    slow.answer('old')
    await loading
    clock.advance(800)
    let chance = 0
    clock.random = () => chance
    await cache.getOrSet('slow', loader.load, auto)
    chance = 0.86
    await cache.getOrSet('slow', loader.load, auto)
    expect(loader.started).toBe(0)
    // -ln(1 - 0.87) is 2.04: two load times before the end.
    chance = 0.87
    await cache.getOrSet('slow', loader.load, auto)
    expect(loader.started).toBe(1)
  })

  test('l1Ttl is the end of a value there, and what its fraction is of', async () => {
    const { clock, cache, loader } = alone()
    const short = { ...AHEAD, ttl: '1h', l1Ttl: 1000 } as const
    await cache.getOrSet('k', () => 'old', short)
    clock.advance(499)
    await cache.getOrSet('k', loader.load, short)
    expect(loader.started).toBe(0)
    clock.advance(1)
    await cache.getOrSet('k', loader.load, short)
    expect(loader.started).toBe(1)
  })
})

inFleets((fleet) => {
  const HOUR = { ttl: '1h', jitter: 0, refreshAhead: 0.4 } as const

  test.each([{}, { l1: false } as const])('L2 is judged by its own deadlines, with %o', async (options) => {
    const process = await fleet.process(options)
    const { cache } = process
    const loader = new ScriptedLoader<string>()
    await storedAgo(process, 0)
    expect(await cache.getOrSet('k', loader.load, HOUR)).toBe('old')
    await turn()
    expect(loader.started).toBe(0)
    await cache.delete('k')
    await storedAgo(process, 1_800_000)
    for (let reader = 0; reader < 3; reader++) expect(await cache.getOrSet('k', loader.load, HOUR)).toBe('old')
    await loader.running()
    expect(await cache.getOrSet('k', loader.load, { ...HOUR, refreshAhead: false })).toBe('old')
    loader.answer('new')
    await expect.poll(() => cache.get('k')).toBe('new')
    expect(loader.started).toBe(1)
  })

  test('auto: with the load time that L2 has', async () => {
    const process = await fleet.process()
    fleet.clock.random = () => 0.5
    const auto = { ...HOUR, refreshAhead: 'auto' } as const
    const loader = new ScriptedLoader<string>()
    // Half an hour before the end: -ln(0.5) is 0.69.
    await storedAgo(process, 1_800_000, 2_400_000)
    expect(await process.cache.getOrSet('k', loader.load, auto)).toBe('old')
    await turn()
    expect(loader.started).toBe(0)
    await process.cache.delete('k')
    await storedAgo(process, 1_800_000, 2_700_000)
    expect(await process.cache.getOrSet('k', loader.load, auto)).toBe('old')
    await loader.running()
    loader.answer('new')
  })

  test('l1Ttl does not make it earlier: L2 is not even asked', async () => {
    const { cache } = await fleet.process()
    const loader = new ScriptedLoader<string>()
    const short = { ...HOUR, l1Ttl: 1000 } as const
    await cache.getOrSet('k', () => 'old', short)
    await fleet.elapse(800)
    expect(await cache.getOrSet('k', loader.load, short)).toBe('old')
    await turn()
    expect(loader.started).toBe(0)
    expect(cache.counters.requestsOf('_')).toMatchObject({ l2Fresh: 0, l2Missing: 1 })
  })
})

/** What is in L2 under `k` was stored so long ago, with a ttl of an hour, and took so long to load. */
async function storedAgo({ parts, raw }: Process, ageMs: number, loadMs = 0): Promise<void> {
  const createdAt = parts.clock.now() - ageMs
  const until = createdAt + 3_600_000
  const deadlines = { createdAt, freshUntil: until, staleUntil: until }
  const address = { namespace: '_', key: 'k' }
  expect(await raw.far.set({ address, ...encode('old'), ...deadlines, tags: [], loadMs })).toBe('stored')
}
