import { describe, expect, test } from 'vitest'
import { heardAll, inBothForms, withOneRedis, withRedis } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/** Sets the tags of a load on the way to its value. */
function setting<T>(value: T, setTags: (...tags: string[]) => void, ...tags: string[]): T {
  setTags(...tags)
  return value
}

inBothForms((kit) => {
  describe('invalidateTags', () => {
    test('all entries of a tag are gone at once, in all namespaces and processes, and no others', async () => {
      const a = await kit.make()
      const b = kit.isShared ? await kit.make() : a
      const shop = a.namespace('shop')
      await a.set('one', 1, { tags: ['t', 'u'] })
      await shop.set('two', 2, { tags: ['t'] })
      await a.set('three', 3, { tags: ['u'] })
      await a.set('four', 4)
      expect(await b.namespace('shop').get('two')).toBe(2)
      expect(await b.get('one')).toBe(1)
      expect(await a.invalidateTags('t')).toEqual({ acknowledged: true })
      expect(await Promise.all([a.get('one'), shop.get('two'), a.get('three'), a.get('four')])).toEqual([
        undefined,
        undefined,
        3,
        4,
      ])
      if (kit.isShared) await heardAll(b, a)
      expect(await Promise.all([b.get('one'), b.namespace('shop').get('two'), b.get('three')])).toEqual([
        undefined,
        undefined,
        3,
      ])
    })

    test('what is stored after it is good, until the next one', async () => {
      const cache = await kit.make()
      for (let round = 0; round < 3; round++) {
        await cache.set('k', round, { tags: ['t'] })
        expect(await cache.get('k')).toBe(round)
        await cache.invalidateTags('t')
        expect(await cache.get('k')).toBeUndefined()
        expect(await cache.getOrSet('k', () => `loaded ${round}`, { tags: ['t'] })).toBe(`loaded ${round}`)
        expect(await cache.get('k')).toBe(`loaded ${round}`)
      }
    })

    test('several at once, and tags that nothing carries', async () => {
      const cache = await kit.make()
      await cache.set('a', 1, { tags: ['x'] })
      await cache.set('b', 2, { tags: ['y'] })
      expect(await cache.invalidateTags('x', 'y', 'nothing', 'x')).toEqual({ acknowledged: true })
      expect(await Promise.all([cache.get('a'), cache.get('b')])).toEqual([undefined, undefined])
    })

    test('tags that the loader sets count as those of the call', async () => {
      const cache = await kit.make()
      await cache.getOrSet('k', ({ setTags }) => setting(1, setTags, 'brand:3'), { tags: ['products'] })
      expect((await cache.getEntry('k'))?.tags).toEqual(['products', 'brand:3'])
      await cache.invalidateTags('brand:3')
      expect(await cache.get('k')).toBeUndefined()
    })

    /**
     *   1. A's loader reads v1; that the value has tag t is known only at its end
     *   2. t is invalidated
     *   3. the loader answers: v1 may be stored nowhere
     */
    test('during a load whose tags are known only at its end: nothing is stored', async () => {
      const a = await kit.make()
      const b = kit.isShared ? await kit.make() : a
      const loader = new ScriptedLoader<string>()
      const load = a.getOrSet('k', loader.load)
      await loader.running()
      await b.invalidateTags('t')
      loader.answerWith(({ setTags }) => setting('v1', setTags, 't'))
      expect(await load).toBe('v1')
      expect(await a.get('k')).toBeUndefined()
      expect(await b.get('k')).toBeUndefined()
    })

    test.each(['invalidateTags', 'expireTags'] as const)(
      'who joins a load after %s of its tag starts over',
      async (change) => {
        const cache = await kit.make()
        const loader = new ScriptedLoader<string>()
        const before = cache.getOrSet('k', loader.load)
        await loader.running()
        await cache[change]('t')
        const after = cache.getOrSet('k', loader.load)
        loader.answerWith(({ setTags }) => setting('v1', setTags, 't'))
        expect(await before).toBe('v1')
        await loader.running(2)
        loader.answerWith(({ setTags }) => setting('v2', setTags, 't'))
        expect(await after).toBe('v2')
        expect(await cache.get('k')).toBe('v2')
      },
    )

    test.each([
      ['no text', [5]],
      ['an empty one', ['']],
      ['a lone surrogate', ['\uD800']],
      ['513 bytes', ['x'.repeat(513)]],
      ['65 of them', Array.from({ length: 65 }, (_, index) => `t${index}`)],
    ])('bad tags are refused, nothing is stored: %s', async (_, tags) => {
      const cache = await kit.make()
      const bad = tags as string[]
      const refused = { name: 'TierCacheError', code: 'ERR_INVALID_TAG' }
      await expect(cache.set('k', 1, { tags: bad })).rejects.toMatchObject(refused)
      await expect(cache.invalidateTags(...bad)).rejects.toMatchObject(refused)
      await expect(cache.getOrSet('k', ({ setTags }) => setting(1, setTags, ...bad))).rejects.toMatchObject(refused)
      expect(await cache.has('k')).toBe(false)
    })

    test('64 tags with odd names', async () => {
      const cache = await kit.make()
      const tags = Array.from({ length: 64 }, (_, index) => `{x}:*[${index}]\r\n\0é`)
      await cache.set('k', 1, { tags })
      expect((await cache.getEntry('k'))?.tags).toEqual(tags)
      await cache.invalidateTags(tags[63] as string)
      expect(await cache.get('k')).toBeUndefined()
    })
  })

  describe('expire and expireTags', () => {
    const kept = { ttl: 60_000, stale: 60_000, jitter: 0 } as const

    test('an expired key is stale everywhere: served once more, renewed behind', async () => {
      const a = await kit.make()
      const b = kit.isShared ? await kit.make() : a
      await a.set('k', 'old', kept)
      expect(await b.get('k')).toBe('old')
      expect(await a.expire('k')).toEqual({ acknowledged: true })
      expect(await a.get('k')).toBeUndefined()
      expect(await a.getEntry('k')).toMatchObject({ value: 'old', freshness: 'stale' })
      if (kit.isShared) await heardAll(b, a)
      expect(await b.get('k')).toBeUndefined()
      expect(await b.getOrSet('k', () => 'new', kept)).toBe('old')
      await expect.poll(() => b.get('k')).toBe('new')
    })

    test('an expired key is a fallback for as long as it would have lived', async () => {
      const cache = await kit.make()
      await cache.set('k', 'old', { ttl: 60_000 })
      await cache.expire('k')
      expect(await cache.getEntry('k')).toMatchObject({ value: 'old', freshness: 'stale' })
      expect(await cache.has('k')).toBe(false)
      expect(await cache.expire('nothing')).toEqual({ acknowledged: true })
      expect(await cache.getEntry('nothing')).toBeUndefined()
    })

    test('expired tags: their entries are stale, later ones are fresh', async () => {
      const a = await kit.make()
      const b = kit.isShared ? await kit.make() : a
      await a.set('k', 'old', { ...kept, tags: ['t'] })
      await a.set('other', 1, { ...kept, tags: ['u'] })
      expect(await b.get('k')).toBe('old')
      expect(await a.expireTags('t')).toEqual({ acknowledged: true })
      expect(await a.get('k')).toBeUndefined()
      expect(await a.getEntry('k')).toMatchObject({ value: 'old', freshness: 'stale' })
      expect(await a.get('other')).toBe(1)
      if (kit.isShared) await heardAll(b, a)
      expect(await b.getEntry('k')).toMatchObject({ value: 'old', freshness: 'stale' })
      await b.set('k', 'new', { ...kept, tags: ['t'] })
      expect(await b.get('k')).toBe('new')
      if (kit.isShared) await heardAll(a, b)
      expect(await a.get('k')).toBe('new')
    })

    test('during a load: what it stores is not fresh', async () => {
      const cache = await kit.make()
      const loader = new ScriptedLoader<string>()
      const load = cache.getOrSet('k', loader.load, { ...kept, tags: ['t'] })
      await loader.running()
      await cache.expireTags('t')
      loader.answer('v1')
      expect(await load).toBe('v1')
      expect(await cache.get('k')).toBeUndefined()
    })
  })

  describe('touch', () => {
    test('gives what is there a new ttl, and tells whether there was something', async () => {
      const cache = await kit.make({ defaults: { jitter: 0 } })
      await cache.set('k', 'v', { ttl: 5000 })
      expect(await cache.touch('k', '1h')).toEqual({ acknowledged: true, found: true })
      const entry = await cache.getEntry('k')
      expect(entry).toMatchObject({ value: 'v', freshness: 'fresh' })
      expect(entry?.ttl).toBeGreaterThan(3_590_000)
      expect(await cache.touch('nothing', '1h')).toEqual({ acknowledged: true, found: false })
      expect(await cache.touch('k', 'never')).toMatchObject({ found: true })
      expect((await cache.getEntry('k'))?.ttl).toBe(Number.POSITIVE_INFINITY)
      await expect(cache.touch('k', -1)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
    })

    test('does not bring back what was deleted or cleared', async () => {
      const cache = await kit.make()
      await cache.set('k', 'v')
      await cache.clear()
      await cache.touch('k', '1h')
      expect(await cache.get('k')).toBeUndefined()
    })
  })
})

withRedis('with Redis', (kit) => {
  test('a stamp that was evicted: its entries are void, and what is stored then is good', async () => {
    const [a, b] = [await kit.make({ l1: false }), await kit.make({ l1: false })]
    await a.set('k', 'v1', { tags: ['t'] })
    expect(await kit.redis().del(kit.names({ namespace: '_', key: 'k' }).tagStamp('t'))).toBe(1)
    expect(await b.get('k')).toBeUndefined()
    expect(await b.getOrSet('k', () => 'v2', { tags: ['t'] })).toBe('v2')
    await expect.poll(() => a.get('k')).toBe('v2')
  })
})

withOneRedis('with Redis', 'it stands still: where there are others, they would replace it', (kit) => {
  test('a tag invalidation that was not acknowledged holds here at once, and everywhere when it is repeated', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.set('k', 'v1', { tags: ['t'] })
    expect(await b.get('k')).toBe('v1')
    const repeated = new Promise((resolve) => a.on('acknowledged', resolve))
    kit.server().freeze()
    expect(await a.invalidateTags('t')).toEqual({ acknowledged: false })
    kit.server().thaw()
    expect(await a.getOrSet('k', () => 'v2', { tags: ['t'] })).toBe('v2')
    expect(await repeated).toEqual({ tag: 't' })
    await expect.poll(() => b.get('k')).not.toBe('v1')
  })
})
