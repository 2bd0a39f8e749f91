import { describe, expect, test } from 'vitest'
import { BackOff } from '../../src/cache/back-off.ts'
import type { Cache } from '../../src/cache/cache.ts'
import { assemble } from '../../src/create-cache.ts'
import { Marks } from '../../src/tags/marks.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { allHeard, inFleets, turn } from '../doubles/fleet.ts'

describe('a pause', () => {
  function setup() {
    const [clock, marks] = [new FakeClock(), new Marks()]
    return { clock, marks, backOff: new BackOff(clock, marks) }
  }

  /** How long the pause after a further failure is. */
  function next({ clock, backOff }: ReturnType<typeof setup>): number {
    backOff.failed('k')
    const began = clock.now()
    while (backOff.holds('k', [])) clock.advance(10)
    return clock.now() - began
  }

  test('grows with each failure from a second to half a minute, give or take a quarter', () => {
    const bench = setup()
    const pauses = Array.from({ length: 9 }, () => next(bench))
    for (const [index, ms] of pauses.entries()) {
      const middle = Math.min(30_000, 1000 * 2 ** index)
      expect(ms).toBeGreaterThanOrEqual(middle * 0.75)
      expect(ms).toBeLessThanOrEqual(middle * 1.25 + 10)
    }
    expect(new Set(pauses.slice(5)).size).toBeGreaterThan(2)
  })

  test('begins anew after its end', () => {
    const bench = setup()
    for (let failure = 0; failure < 5; failure++) bench.backOff.failed('k')
    bench.backOff.end('k')
    expect(bench.backOff.holds('k', [])).toBe(false)
    expect(next(bench)).toBeLessThanOrEqual(1260)
  })

  test('is over when a group of the value is made stale', () => {
    const { marks, backOff } = setup()
    backOff.failed('k')
    marks.moveSoftly('t:other')
    expect(backOff.holds('k', ['t:a'])).toBe(true)
    marks.moveSoftly('t:a')
    expect(backOff.holds('k', ['t:a'])).toBe(false)
    backOff.failed('k')
    expect(backOff.holds('k', ['t:a'])).toBe(true)
  })

  test('of 10,000 keys are remembered, those that failed last', () => {
    const { backOff } = setup()
    for (let key = 0; key < 10_000; key++) backOff.failed(`k${key}`)
    backOff.failed('k0')
    backOff.failed('one more')
    expect(backOff.size).toBe(10_000)
    expect(backOff.holds('k1', [])).toBe(false)
    for (const key of ['k0', 'k2', 'one more']) expect(backOff.holds(key, [])).toBe(true)
  })
})

const KEPT = { ttl: 1000, stale: '1h', jitter: 0 } as const
const failure = new Error('away')

/** Counts its runs, which all fail. */
function failing() {
  const loader = () => {
    loader.runs++
    return Promise.reject<string>(failure)
  }
  loader.runs = 0
  return loader
}

async function failedBehind(cache: Cache, options: object = KEPT) {
  const loader = failing()
  const failed = new Promise((resolve) => cache.on('renewal-failed', resolve))
  expect(await cache.getOrSet('k', loader, options)).toBe('old')
  await failed
  await turn()
  return loader
}

async function staleAlone() {
  const clock = new FakeClock()
  const cache = assemble(undefined, clock)
  await cache.set('k', 'old', { ...KEPT, tags: ['t'] })
  clock.advance(1000)
  return { cache, clock }
}

describe('behind a stale value whose renewal has failed', () => {
  test('no load is tried before the pause is over', async () => {
    const { cache, clock } = await staleAlone()
    const loader = await failedBehind(cache)
    clock.advance(740)
    for (let reader = 0; reader < 5; reader++) expect(await cache.getOrSet('k', loader, KEPT)).toBe('old')
    expect(loader.runs).toBe(1)
    clock.advance(510)
    expect(await cache.getOrSet('k', loader, KEPT)).toBe('old')
    expect(loader.runs).toBe(2)
  })

  test('a value that is loaded ends the pauses', async () => {
    const { cache, clock } = await staleAlone()
    await failedBehind(cache)
    clock.advance(1250)
    expect(await cache.getOrSet('k', () => 'new', KEPT)).toBe('old')
    await expect.poll(() => cache.peek('k')).toBe('new')
    await turn()
    clock.advance(1000)
    const loader = failing()
    expect(await cache.getOrSet('k', loader, KEPT)).toBe('new')
    await turn()
    clock.advance(1250)
    expect(await cache.getOrSet('k', loader, KEPT)).toBe('new')
    await turn()
    expect(loader.runs).toBe(2)
  })

  test.each([
    ['expire', (cache: Cache) => cache.expire('k')],
    ['expireTags', (cache: Cache) => cache.expireTags('t')],
    ['set', (cache: Cache) => cache.set('k', 'old', { ttl: 0, stale: '1h' })],
  ])('%s ends the pause', async (_, change) => {
    const { cache } = await staleAlone()
    const loader = await failedBehind(cache)
    await change(cache)
    expect(await cache.getOrSet('k', loader, KEPT)).toBe('old')
    await turn()
    expect(loader.runs).toBe(2)
  })

  test('a load that fails with a stale value in its place begins one, too', async () => {
    const { cache } = await staleAlone()
    await cache.expire('k')
    const loader = failing()
    expect(await cache.getOrSet('k', loader, { stale: 0 })).toBe('old')
    for (const stale of [0, '1h'] as const) expect(await cache.getOrSet('k', loader, { stale })).toBe('old')
    expect(loader.runs).toBe(1)
  })

  test('one whose renewal ahead of its end has failed', async () => {
    const clock = new FakeClock()
    const cache = assemble(undefined, clock)
    await cache.set('k', 'old', KEPT)
    clock.advance(500)
    const ahead = { ...KEPT, refreshAhead: 0.5 }
    const loader = await failedBehind(cache, ahead)
    clock.advance(400)
    expect(await cache.getOrSet('k', loader, ahead)).toBe('old')
    await turn()
    expect(loader.runs).toBe(1)
  })
})

inFleets((fleet) => {
  test('the failure of another process, waited for, begins a pause; the next attempt succeeds', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await a.cache.set('k', 'old', { ...KEPT, ttl: '1h' })
    await a.cache.expire('k')
    await allHeard(a, b)
    let fail: (error: Error) => void = () => {}
    const held = new Promise<string>((_, reject) => {
      fail = reject
    })
    const running = new Promise<void>((resolve) => {
      void a.cache.getOrSet(
        'k',
        () => {
          resolve()
          return held
        },
        KEPT,
      )
    })
    await running
    const asked = b.leases.holdAnswer('acquire')
    const loader = failing()
    expect(await b.cache.getOrSet('k', loader, KEPT)).toBe('old')
    await asked.arrived
    asked.release()
    await turn()
    const failed = [a, b].map(({ cache }) => new Promise((resolve) => cache.on('renewal-failed', resolve)))
    fail(failure)
    await Promise.all(failed)
    await turn()
    for (const { cache } of [a, b]) {
      expect(await cache.getOrSet('k', loader, KEPT)).toBe('old')
      await turn()
    }
    expect(loader.runs).toBe(0)
    await fleet.elapse(1400)
    expect(await b.cache.getOrSet('k', () => 'new', { ...KEPT, ttl: '1h' })).toBe('old')
    await expect.poll(() => b.cache.get('k')).toBe('new')
  })

  test('the value that another process has set ends the pause', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await a.cache.set('k', 'old', { ...KEPT, ttl: '1h' })
    await a.cache.expire('k')
    const loader = await failedBehind(a.cache)
    await b.cache.set('k', 'old', { ...KEPT, ttl: '1h' })
    await b.cache.expire('k')
    await allHeard(a, b)
    expect(await a.cache.getOrSet('k', loader, KEPT)).toBe('old')
    await expect.poll(() => loader.runs).toBe(2)
  })
})
