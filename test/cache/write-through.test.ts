import { expect, test } from 'vitest'
import { assemble } from '../../src/create-cache.ts'
import { heardAll, inBothForms } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const STORED = { acknowledged: true }
const OLDER = { acknowledged: true, refused: 'older' }

inBothForms((kit) => {
  test('version: an older one is refused, everywhere, and the newer value stays', async () => {
    const cache = await kit.make()
    const other = kit.isShared ? await kit.make() : cache
    expect(await cache.set('k', 'two', { version: 2 })).toEqual(STORED)
    expect(await other.set('k', 'one', { version: 1 })).toEqual(OLDER)
    expect(await other.set('k', 'less', { version: 1.999 })).toEqual(OLDER)
    for (const each of [cache, other]) expect(await each.get('k')).toBe('two')
  })

  test('version: the same one, a newer one, and none replace it; after none any will do', async () => {
    const cache = await kit.make()
    await cache.set('k', 0, { version: 2 })
    for (const version of [2, 2.5, 1_700_000_000_000, undefined, -3]) {
      expect(await cache.set('k', `${version}`, { version })).toEqual(STORED)
      expect(await cache.get('k')).toBe(`${version}`)
    }
  })

  test('version: a value that was deleted, or loaded, is older than none', async () => {
    const cache = await kit.make()
    await cache.set('k', 'two', { version: 2 })
    await cache.delete('k')
    expect(await cache.set('k', 'one', { version: 1 })).toEqual(STORED)
    await cache.delete('k')
    await cache.getOrSet('k', () => 'loaded')
    expect(await cache.set('k', 'zero', { version: 0 })).toEqual(STORED)
    expect(await cache.get('k')).toBe('zero')
  })

  test('version: a stale value is compared, and touch keeps its version', async () => {
    const cache = await kit.make()
    await cache.set('k', 'two', { version: 2, stale: '1m' })
    await cache.touch('k', '1m')
    expect(await cache.set('k', 'one', { version: 1 })).toEqual(OLDER)
    await cache.expire('k')
    expect(await cache.set('k', 'one', { version: 1 })).toEqual(OLDER)
    expect(await cache.getEntry('k')).toMatchObject({ value: 'two', freshness: 'stale' })
  })

  test('version: of two at one time the newer one stays, whichever comes first', async () => {
    const cache = await kit.make()
    const other = kit.isShared ? await kit.make() : cache
    for (const [first, second] of [
      [1, 2],
      [4, 3],
    ] as const) {
      await Promise.all([cache.set('k', first, { version: first }), other.set('k', second, { version: second })])
      if (kit.isShared) await Promise.all([heardAll(cache, other), heardAll(other, cache)])
      const newest = Math.max(first, second)
      expect(await Promise.all([cache.get('k'), other.get('k')])).toEqual([newest, newest])
    }
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '2', null, 2n])('version: %s is refused', async (version) => {
    const cache = await kit.make()
    await expect(cache.set('k', 1, { version: version as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringMatching(/^version: expected a finite number, got /),
    })
    expect(await cache.has('k')).toBe(false)
  })

  test('version: is an option of set only', async () => {
    const cache = await kit.make()
    const unknown = { code: 'ERR_UNKNOWN_OPTION' }
    await expect(cache.getOrSet('k', () => 1, { version: 1 } as never)).rejects.toMatchObject(unknown)
    await expect(cache.increment('k', 1, { version: 1 } as never)).rejects.toMatchObject(unknown)
    expect(() => cache.namespace('n', { version: 1 } as never)).toThrow(/unknown option 'version'/)
  })
})

test('version: with L1 alone an expired value, or one that was cleared, is compared with nothing', async () => {
  const clock = new FakeClock()
  const cache = assemble({ defaults: { jitter: 0 } }, clock)
  await cache.set('k', 'two', { version: 2, ttl: 1000 })
  clock.advance(1000)
  expect(await cache.set('k', 'one', { version: 1 })).toEqual(STORED)
  const users = cache.namespace('users')
  await users.set('k', 'two', { version: 2 })
  await users.clear()
  expect(await users.set('k', 'one', { version: 1 })).toEqual(STORED)
})
