import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { inBothForms } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const failure = new Error('away')

inBothForms((kit) => {
  describe.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['expire', (cache) => cache.expire('k')],
    ['expireTags', (cache) => cache.expireTags('t')],
  ])('after %s', (_, expire) => {
    async function expired(options = {}) {
      const cache = await kit.make(options)
      await cache.set('k', 'old', { ttl: '1h', tags: ['t'] })
      await expire(cache)
      return { cache, loader: new ScriptedLoader<string>() }
    }

    describe.each([{}, ...(kit.isShared ? [{ l1: false } as const] : [])])('with %o', (options) => {
      test('where stale is 0 a reader waits for the new value, and its loader has the old one', async () => {
        const { cache, loader } = await expired(options)
        const readers = [cache.getOrSet('k', loader.load), cache.getOrSet('k', loader.load)]
        await loader.running()
        let stale: unknown
        loader.answerWith((context) => {
          stale = context.stale?.value
          return 'new'
        })
        expect(await Promise.all(readers)).toEqual(['new', 'new'])
        expect(stale).toBe('old')
        expect(loader.started).toBe(1)
      })

      test('… and gets the old one when the load fails', async () => {
        const { cache, loader } = await expired(options)
        const reader = cache.getOrSetEntry('k', loader.load)
        await loader.running()
        loader.fail(failure)
        expect(await reader).toMatchObject({ value: 'old', freshness: 'stale', ttl: 0 })
        expect(cache.counters.renewalsFailed).toBe(1)
      })

      test('where it is not a reader gets the old one, and it is renewed behind', async () => {
        const { cache, loader } = await expired(options)
        expect(await cache.getOrSet('k', loader.load, { stale: 1 })).toBe('old')
        await loader.running()
        loader.answer('new')
        await expect.poll(() => cache.get('k')).toBe('new')
      })
    })
  })

  test('a value that became stale with time is served by what it was stored with', async () => {
    const cache = await kit.make()
    await cache.set('k', 'old', { ttl: 0, stale: '1h' })
    expect(await cache.getOrSet('k', () => 'new')).toBe('old')
  })

  describe.each(['fails', 'takes too long'])('a renewal that %s', (how) => {
    test.each([{}, ...(kit.isShared ? [{ l1: false } as const] : [])])(
      'the stale value goes on being served, with %o',
      async (options) => {
        const cache = await kit.make(options)
        await cache.set('k', 'old', { ttl: 0, stale: '1h' })
        const failed = new Promise((resolve) => cache.on('renewal-failed', ({ error }) => resolve(error)))
        const loader = new ScriptedLoader<string>()
        const hardTimeout = how === 'fails' ? '1h' : 20
        expect(await cache.getOrSet('k', loader.load, { stale: '1h', hardTimeout })).toBe('old')
        await loader.running()
        if (how === 'fails') loader.fail(failure)
        expect(await failed).toMatchObject(how === 'fails' ? failure : { code: 'ERR_LOAD_TIMEOUT' })
        expect(await cache.getOrSet('k', loader.load, { stale: '1h', hardTimeout })).toBe('old')
        expect(loader.started).toBe(1)
        if (how !== 'fails') loader.answer('late')
      },
    )
  })
})
