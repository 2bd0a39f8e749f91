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

  describe.each([{}, ...(kit.isShared ? [{ l1: false } as const] : [])])(
    'a caller who says stale: 0, with %o',
    (options) => {
      const NONE = { stale: 0 } as const
      type Load = () => string | Promise<string>
      const verbs: readonly [string, (cache: Cache, load: Load) => Promise<unknown>][] = [
        ['getOrSet', (cache, load) => cache.getOrSet('k', load, NONE)],
        ['getOrSet of a namespace', (cache, load) => cache.namespace('n', NONE).getOrSet('k', load)],
        ['getOrSet with softTimeout', (cache, load) => cache.getOrSet('k', load, { ...NONE, softTimeout: '1h' })],
        ['getOrSet in a transaction', (cache, load) => inTransaction(cache, () => cache.getOrSet('k', load, NONE))],
        ['getOrSetEntry', async (cache, load) => (await cache.getOrSetEntry('k', load, NONE)).value],
        ['getOrSetMany', async (cache, load) => (await cache.getOrSetMany(['k'], manyOf(load), NONE)).get('k')],
        [
          'get of a handle',
          (cache, load) => cache.define({ name: 'n', key: (id: string) => id, load, ...NONE }).get('k'),
        ],
        [
          'getMany of a handle',
          async (cache, load) => {
            const handle = cache.define({ name: 'n', key: (id: string) => id, load, ...NONE })
            return (await handle.getMany(['k'])).get('k')
          },
        ],
        [
          'a wrapped function',
          (cache, load) => cache.wrap(async () => load(), { name: 'n', key: () => 'k', ...NONE })(),
        ],
      ]

      async function withStale() {
        const cache = await kit.make(options)
        for (const each of [cache, cache.namespace('n')]) await each.set('k', 'old', { ttl: 0, stale: '1h' })
        return cache
      }

      test.each(verbs)('%s: gets no stale value, whoever stored it', async (_, read) => {
        expect(await read(await withStale(), () => 'new')).toBe('new')
      })

      test.each(verbs)('%s: not even when the load fails', async (_, read) => {
        const cache = await withStale()
        await expect(read(cache, () => Promise.reject(failure))).rejects.toBe(failure)
      })

      test('not even where it stands in for the failed load of another caller, who gets it', async () => {
        const cache = await kit.make(options)
        const loader = new ScriptedLoader<string>()
        const first = cache.getOrSet('k', loader.load)
        await loader.running()
        const second = cache.getOrSet('k', () => 'a second load', NONE)
        await cache.set('k', 'old', { ttl: 0, stale: '1h' })
        loader.fail(failure)
        await expect(second).rejects.toBe(failure)
        expect(await first).toBe('old')
      })

      test('the loader is given it all the same', async () => {
        const cache = await withStale()
        expect(await cache.getOrSet('k', ({ stale }) => `after ${stale?.value}`, NONE)).toBe('after old')
      })
    },
  )

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

/** From the first change on a transaction goes its own way. */
function inTransaction<T>(cache: Cache, read: () => Promise<T>): Promise<T> {
  return cache.transaction(async () => {
    await cache.delete('other')
    return read()
  })
}

function manyOf(load: () => string | Promise<string>) {
  return async (keys: readonly string[]) =>
    new Map(await Promise.all(keys.map(async (key) => [key, await load()] as const)))
}
