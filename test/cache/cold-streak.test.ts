import { expect, test } from 'vitest'
import { ColdStreak } from '../../src/cache/cold-streak.ts'
import { ROOT_NAMESPACE } from '../../src/entry/key.ts'
import { withRedis } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

test('begins after eight misses in a row, and ends with what is found', () => {
  const streak = new ColdStreak()
  for (let miss = 0; miss < 7; miss++) streak.noted(false)
  expect(streak.isCold).toBe(false)
  streak.noted(false)
  expect(streak.isCold).toBe(true)
  streak.noted(true)
  expect(streak.isCold).toBe(false)
})

withRedis('with Redis, when eight keys in a row were nowhere', (kit) => {
  async function cold() {
    const [cache, other] = [await kit.make(), await kit.make()]
    for (let key = 0; key < 8; key++) await cache.getOrSet(`cold ${key}`, () => key)
    /** How often the servers were read and asked for a lease since they were last asked so. */
    const commands = async () => {
      const stats = (await Promise.all(kit.masters().map((master) => master.info('commandstats')))).join('\n')
      await Promise.all(kit.masters().map((master) => master.config('RESETSTAT')))
      const callsOf = (name: string) =>
        [...stats.matchAll(new RegExp(`cmdstat_${name}:calls=(\\d+)`, 'g'))].reduce(
          (all, [, calls]) => all + Number(calls),
          0,
        )
      return { reads: callsOf('mget'), scripts: callsOf('evalsha') }
    }
    await commands()
    return { cache, other, commands }
  }

  test('a cold key costs a lease and a store, and counts as a miss in L2', async () => {
    const { cache, commands } = await cold()
    const before = cache.counters.requestsOf(ROOT_NAMESPACE).l2Missing
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
    expect(await commands()).toEqual({ reads: 0, scripts: 2 })
    expect(cache.counters.requestsOf(ROOT_NAMESPACE).l2Missing).toBe(before + 1)
  })

  test('what is there all the same is found, not loaded, and ends the streak', async () => {
    const { cache, other, commands } = await cold()
    await other.set('there', 'by another process')
    await other.set('as well', 'by another process')
    await commands()
    const load = () => expect.unreachable('it is in L2')
    expect(await cache.getOrSet('there', load)).toBe('by another process')
    expect(await commands()).toEqual({ reads: 1, scripts: 1 })
    expect(await cache.getOrSet('as well', load)).toBe('by another process')
    expect(await commands()).toEqual({ reads: 1, scripts: 0 })
  })

  test('what another process loads is waited for', async () => {
    const { cache, other } = await cold()
    const loader = new ScriptedLoader<string>()
    const elsewhere = other.getOrSet('k', loader.load)
    await loader.running()
    const waited = new Promise<void>((resolve) => {
      cache.on('wait', () => resolve())
    })
    const here = cache.getOrSet('k', () => expect.unreachable('another process loads'))
    await waited
    loader.answer('once')
    expect(await Promise.all([here, elsewhere])).toEqual(['once', 'once'])
  })
})
