import { describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { KeysOptions } from '../../src/cache/call-options.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import type { Kit } from '../doubles/caches.ts'

/** All that a listing answers, sorted: it is in no order. */
export async function listed(cache: Cache, options?: KeysOptions): Promise<string[]> {
  const keys: string[] = []
  for await (const key of cache.keys(options)) keys.push(key)
  return keys.sort()
}

/** Stores a value under each key, not all at the same time. */
export async function fill(cache: Cache, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += 250) {
    const outcomes = await Promise.all(keys.slice(start, start + 250).map((key) => cache.set(key, 1)))
    if (!outcomes.every(({ acknowledged }) => acknowledged)) throw new Error('a value was not stored')
  }
}

/** Texts that mean something to a glob, to a Cluster, to the names of entries, or to UTF-8. */
const PECULIAR = [
  ...[
    '*',
    '**',
    '?',
    'a*',
    'a?',
    'a?c',
    'abc',
    'a[b]',
    'a[b',
    'ab]',
    'a[^b]',
    'a\\',
    'a\\*',
    '\\',
    '[',
    ']',
    '^a',
    '-',
  ],
  ...['{', '}', '{}', '{5}', '0}:v:_:k', '{0}:v:_:k', ':', ':k', 'v:_:k', '_', 'name.below:k'],
  ...['\n', 'a\r\nb', '\0', '\0_\0k', '\0name\0k', ' ', 'é', 'e\u0301', '\ufeffk', '\ufffd', '😀', '😃', '__proto__'],
  'x'.repeat(8192),
]

/** What `keys` keeps to in every form of a cache. */
export function keysSuite(kit: Kit): void {
  // A machine under load answers late.
  const make = (options?: CreateCacheOptions) => kit.make({ commandTimeout: '10s', ...options })

  describe('the keys', () => {
    test('of a namespace, and of no other', async () => {
      const root = await make()
      const names = ['a', 'a.b', 'a.bc', 'axb', 'a.b.c', '-', '__']
      expect(await listed(root)).toEqual([])
      await root.set('of the root', 1)
      for (const name of names) await root.namespace(name).set(`of ${name}`, 1)
      expect(await listed(root)).toEqual(['of the root'])
      for (const name of names) expect(await listed(root.namespace(name))).toEqual([`of ${name}`])
      expect(await listed(root.namespace('a').namespace('b'))).toEqual(['of a.b'])
    })

    test('of any text, as they were given; those that begin with any text', async () => {
      const root = await make()
      for (const cache of [root, root.namespace('name')]) {
        await fill(cache, PECULIAR)
        expect(await listed(cache)).toEqual([...PECULIAR].sort())
        for (const prefix of [...PECULIAR, '', 'a', 'none']) {
          const begin = PECULIAR.filter((key) => key.startsWith(prefix)).sort()
          expect(await listed(cache, { prefix }), JSON.stringify(prefix.slice(0, 20))).toEqual(begin)
        }
      }
    })

    test('of many entries, each once', { timeout: 60_000 }, async () => {
      const cache = await make({ l1: { maxEntries: 20_000 } })
      const keys = Array.from({ length: 10_000 }, (_, index) => `key ${index}`)
      await fill(cache, keys)
      expect(await listed(cache)).toEqual([...keys].sort())
      expect(await listed(cache, { prefix: 'key 99' })).toEqual(keys.filter((key) => key.startsWith('key 99')).sort())
    })

    test('of what is fresh or stale, and not of what is deleted or expired', async () => {
      const cache = await make()
      await cache.set('fresh', 1)
      await cache.set('stale', 1, { stale: '1h' })
      await cache.expire('stale')
      await cache.set('deleted', 1)
      await cache.delete('deleted')
      await cache.set('expired', 1, { ttl: 1, jitter: 0 })
      await expect.poll(() => listed(cache)).toEqual(['fresh', 'stale'])
    })

    test('of what was made void, where it is stored in L2; not where L1 would have to serve it', async () => {
      const cache = await make()
      await cache.set('tagged', 1, { tags: ['t'] })
      await cache.namespace('n').set('cleared', 1)
      await cache.invalidateTags('t')
      await cache.namespace('n').clear()
      expect(await listed(cache)).toEqual(kit.isShared ? ['tagged'] : [])
      expect(await listed(cache.namespace('n'))).toEqual(kit.isShared ? ['cleared'] : [])
    })

    test('of two listings at one time', async () => {
      const cache = await make()
      await fill(cache, ['a', 'b', 'c'])
      const both = [listed(cache), listed(cache, { prefix: 'b' })]
      expect(await Promise.all(both)).toEqual([['a', 'b', 'c'], ['b']])
    })

    test('until the signal is aborted: before, between two keys, or after the last one', async () => {
      const cache = await make()
      await fill(cache, ['a', 'b', 'c'])
      const reason = new Error('enough')
      await expect(listed(cache, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      for (const count of [1, 3]) {
        const ending = new AbortController()
        const keys: string[] = []
        const listing = async () => {
          for await (const key of cache.keys({ signal: ending.signal })) {
            keys.push(key)
            if (keys.length === count) ending.abort(reason)
          }
        }
        await expect(listing()).rejects.toBe(reason)
        expect(keys).toHaveLength(count)
      }
      expect(await listed(cache, { signal: new AbortController().signal })).toEqual(['a', 'b', 'c'])
    })

    test('until the loop that takes them ends', async () => {
      const cache = await make()
      await fill(cache, ['a', 'b', 'c'])
      const listing = cache.keys()
      for await (const _ of listing) break
      expect(await listing.next()).toEqual({ done: true, value: undefined })
    })

    test.each<[string, unknown, code: string, message: RegExp]>([
      ['no object', 'user:', 'ERR_INVALID_OPTION', /keys: expected an object of options, got "user:"/],
      ['null', null, 'ERR_INVALID_OPTION', /keys: .*got null/],
      [
        'an unknown name',
        { match: '*' },
        'ERR_UNKNOWN_OPTION',
        /keys: unknown option 'match', expected .*prefix, signal/,
      ],
      ['a prefix that is no text', { prefix: 7 }, 'ERR_INVALID_OPTION', /prefix: expected a text .*got 7/],
      ['a prefix that is null', { prefix: null }, 'ERR_INVALID_OPTION', /prefix: .*got null/],
      ['half a character', { prefix: '😀'[0] }, 'ERR_INVALID_OPTION', /prefix: .*lone surrogates/],
      ['no signal', { signal: {} }, 'ERR_INVALID_OPTION', /signal: expected an AbortSignal, got an object/],
      ['a controller', { signal: new AbortController() }, 'ERR_INVALID_OPTION', /signal: .*AbortController/],
      ['a signal that is null', { signal: null }, 'ERR_INVALID_OPTION', /signal: .*got null/],
    ])('are refused at once: %s', async (_, options, code, message) => {
      const cache = await make()
      const call = () => cache.keys(options as KeysOptions)
      expect(call).toThrowError(expect.objectContaining({ code, message: expect.stringMatching(message) }))
    })

    test('are listed all when options are not given, whether left out or undefined', async () => {
      const cache = await make()
      await fill(cache, ['a', 'b'])
      expect(await listed(cache, {})).toEqual(['a', 'b'])
      expect(await listed(cache, { prefix: undefined, signal: undefined })).toEqual(['a', 'b'])
    })

    test('of a closed cache: an error', async () => {
      const cache = await make()
      await cache.close()
      expect(() => cache.keys()).toThrowError(expect.objectContaining({ code: 'ERR_CLOSED' }))
    })
  })
}
