import { describe, expect, test } from 'vitest'
import { HttpCache } from '../../src/http/http-cache.ts'
import { heardAll, inBothForms, withOneRedis, withRedis } from '../doubles/caches.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Fields } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { Got } from './plain-exchange.ts'

/** Loads land a few turns after their response is over. */
async function landed({ counters }: Cache): Promise<void> {
  for (let turn = 0; turn < 20 || counters.loadsRunning + counters.loadsWaiting > 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** An application behind a cache; every run makes another page. */
class Site {
  readonly engine: HttpCache
  readonly cache: Cache
  runs = 0
  fields: Fields = []

  constructor(cache: Cache, options: HttpCacheOptions = {}) {
    this.cache = cache
    this.engine = new HttpCache(cache, { hosts: ['a.example'], ...options })
  }

  async get(target = '/p', headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
    const got = await ask(this.engine, requestOf({ target, headers, method }), () => {
      this.runs++
      return {
        fields: [['Cache-Control', 'max-age=600, stale-while-revalidate=0'], ...this.fields],
        body: `run ${this.runs}`,
      }
    })
    await landed(this.cache)
    return got
  }
}

const hit = expect.stringMatching(/; hit; /)

inBothForms((kit) => {
  const open = async (fields: Fields = [], options?: HttpCacheOptions) => {
    const site = new Site(await kit.make(), options)
    site.fields = fields
    return site
  }

  test('tags and groups are taken one by one, or as a list', async () => {
    const site = await open([
      ['Surrogate-Key', 'a b'],
      ['Cache-Groups', '"g"'],
    ])
    const { purges } = site.engine
    const calls = [
      () => purges.purgeTags('a'),
      () => purges.purgeTags('none', 'b', { requireAck: true }),
      () => purges.purgeTags(['none', 'a']),
      () => purges.softPurgeTags('none', 'a'),
      () => purges.purgeGroup('http://a.example', ['none', 'g']),
      () => purges.softPurgeGroup('http://a.example', 'g'),
    ]
    for (const call of calls) {
      await site.get()
      const before = site.runs
      await call()
      await site.get()
      expect(site.runs).toBe(before + 1)
    }
    await expect(purges.purgeTags()).rejects.toThrow(/^tags: expected/)
    await expect(purges.purgeTags([])).rejects.toThrow(/^tags: expected/)
    await expect(purges.purgeTags('a', { unknown: 1 } as never)).rejects.toThrow(/^purge: /)
  })

  describe('a URL', () => {
    test.each([
      ['/caf%C3%A9/~x', '/caf%c3%a9/%7Ex'],
      ['/caf%c3%a9/%7ex', '/caf%C3%A9/~x'],
      ['/%63af%C3%A9?q=%7e', '/caf%c3%A9?q=~'],
    ])('%s is reached by a purge of %s, however it is spelled', async (asked, purged) => {
      const site = await open()
      await site.get(asked)
      expect(await site.get(asked)).toMatchObject({ cacheStatus: hit })
      await site.engine.purges.purge(purged)
      expect(await site.get(asked)).toMatchObject({ body: 'run 2' })
      await site.engine.purges.softPurge(purged)
      expect(await site.get(asked)).toMatchObject({ body: 'run 3' })
    })

    test('one spelling is not answered with the page of another: an application may tell them apart', async () => {
      const site = await open()
      await site.get('/p')
      expect(await site.get('/%70')).toMatchObject({ body: 'run 2' })
      expect(await site.get('/p%2fq')).toMatchObject({ body: 'run 3' })
      await site.engine.purges.purge('/p/q')
      expect(await site.get('/p%2fq')).toMatchObject({ cacheStatus: hit })
    })

    test.each(['http://a.example/p?q=1', 'https://A.example/p?q=1#x', '/p?q=1'])('%s: gone', async (url) => {
      const site = await open()
      await site.get('/p?q=1')
      await site.get('/p')
      expect(await site.engine.purges.purge(url)).toEqual({ acknowledged: true })
      expect(await site.get('/p?q=1')).toMatchObject({ body: 'run 3', cacheStatus: expect.stringMatching(/uri-miss/) })
      expect(await site.get('/p')).toMatchObject({ body: 'run 2', cacheStatus: hit })
    })

    test('with all its variants', async () => {
      const site = await open([['Vary', 'Accept-Language']])
      for (const language of ['tr', 'de']) await site.get('/p', { 'accept-language': language })
      await site.engine.purges.purge('/p')
      for (const language of ['tr', 'de']) {
        expect((await site.get('/p', { 'accept-language': language })).from).toBe('application')
      }
    })

    test('with all that the options tell apart by declared fields', async () => {
      const site = await open([], { keyHeaders: ['X-Tenant'] })
      for (const tenant of ['a', 'b']) await site.get('/p', { 'x-tenant': tenant })
      await site.engine.purges.purge('/p')
      for (const tenant of ['a', 'b']) expect((await site.get('/p', { 'x-tenant': tenant })).from).toBe('application')
    })

    test.each([
      ['without variants', []],
      ['with variants', [['Vary', 'Accept-Language']] as const],
    ])('softly, %s: stale, and revalidated', async (_, vary) => {
      const site = await open([...vary, ['ETag', '"e"']])
      const headers = { 'accept-language': 'tr' }
      await site.get('/p', headers)
      expect(await site.engine.purges.softPurge('/p')).toEqual({ acknowledged: true })
      expect(await site.get('/p', headers)).toMatchObject({
        body: 'run 2',
        cacheStatus: expect.stringMatching(/fwd=stale/),
      })
      expect(await site.get('/p', headers)).toMatchObject({ body: 'run 2', cacheStatus: hit })
    })
  })

  describe('tags', () => {
    test.each<[string, Fields, HttpCacheOptions]>([
      ['Surrogate-Key', [['Surrogate-Key', 'a product:7']], {}],
      ['Cache-Tag', [['Cache-Tag', 'a, product:7']], {}],
      ['the option', [], { tags: ({ target }) => [`product:${target === '/p' ? 7 : 8}`] }],
    ])('of %s: the cache reaches the page by them, with what else has them', async (_, fields, options) => {
      const site = await open(fields, options)
      await site.cache.set('row', 7, { tags: ['product:7'] })
      await site.get()
      expect(await site.get()).toMatchObject({ cacheStatus: hit })
      await site.cache.invalidateTags('product:7')
      expect(await site.get()).toMatchObject({ body: 'run 2' })
      await site.engine.purges.purgeTags(['product:7'])
      expect(await site.get()).toMatchObject({ body: 'run 3' })
      expect(await site.cache.get('row')).toBeUndefined()
      await site.engine.purges.softPurgeTags(['product:7'])
      expect(await site.get()).toMatchObject({ body: 'run 4', cacheStatus: expect.stringMatching(/fwd=stale/) })
    })

    test('of a variant, of each its own', async () => {
      const site = await open()
      for (const language of ['tr', 'de']) {
        site.fields = [
          ['Vary', 'Accept-Language'],
          ['Cache-Tag', `page, ${language}`],
        ]
        await site.get('/p', { 'accept-language': language })
      }
      await site.cache.invalidateTags('de')
      expect((await site.get('/p', { 'accept-language': 'tr' })).from).toBe('cache')
      expect((await site.get('/p', { 'accept-language': 'de' })).from).toBe('application')
    })

    test('are left on the response, or taken off', async () => {
      for (const tagFields of ['keep', 'strip'] as const) {
        const site = await open([['Surrogate-Key', 'a']], { tagFields })
        for (const got of [await site.get(), await site.get(), await site.get('/p', {}, 'POST')]) {
          expect(got.fields.some(([name]) => name === 'Surrogate-Key')).toBe(tagFields === 'keep')
        }
      }
    })

    test('more than an entry can carry: it is not stored', async () => {
      const site = await open([['Surrogate-Key', Array.from({ length: 61 }, (_, index) => `t${index}`).join(' ')]])
      expect((await site.get()).cacheStatus).toBe('tiercache; fwd=uri-miss; detail=too-many-tags')
      expect(site.cache.counters.http.refusals['too-many-tags']).toBe(1)
    })

    test('an option that fails: it is not stored, and the client is served', async () => {
      const failing = [() => [''], () => 'a', () => Promise.resolve([]), () => expect.unreachable()] as never[]
      for (const tags of failing) {
        const site = await open([], { tags })
        expect(await site.get()).toMatchObject({ body: 'run 1', cacheStatus: 'tiercache; fwd=uri-miss; detail=tags' })
      }
    })
  })

  describe('a group', () => {
    test.each(['purgeGroup', 'softPurgeGroup'] as const)('%s: of its origin', async (purge) => {
      const site = await open([['Cache-Groups', '"shop", "x"']])
      await site.get()
      await site.engine.purges[purge]('https://b.example', 'shop')
      await site.engine.purges[purge]('https://a.example', 'other')
      expect((await site.get()).from).toBe('cache')
      expect(await site.engine.purges[purge]('https://a.example', 'shop')).toEqual({ acknowledged: true })
      expect((await site.get()).from).toBe('application')
    })
  })

  test('what is no URL, no tag, no group or no option is told', async () => {
    const { purges } = (await open()).engine
    await expect(purges.purge('p')).rejects.toThrow(/^url: expected an http or https URL/)
    await expect(purges.softPurge(7 as never)).rejects.toThrow(/^url: expected an http or https URL/)
    await expect(purges.purge('/p', { ack: true } as never)).rejects.toThrow("purge: unknown option 'ack'")
    await expect(purges.purge('/p', { requireAck: 1 as never })).rejects.toThrow(/^requireAck: expected/)
    await expect(purges.purgeTags([''])).rejects.toThrow(/^tag: expected/)
    await expect(purges.purgeGroup('https://a.example', 7 as never)).rejects.toThrow(
      /^group: expected the name of a group/,
    )
  })

  test('purges, and what unsafe methods drop, are counted', async () => {
    const site = await open()
    await site.get('/p', {}, 'POST')
    await site.engine.purges.purge('/p')
    await site.engine.purges.softPurge('/p')
    await site.engine.purges.purgeTags(['a', 'b'])
    await site.engine.purges.purgeGroup('http://a.example', 'g')
    expect(site.cache.counters.http.invalidations).toMatchObject({ url: 2, tag: 2, group: 1 })
    expect(site.cache.counters.http.invalidations.method).toBeGreaterThan(0)
  })

  test('requests are counted by how they are answered', async () => {
    const site = await open()
    await site.get()
    await site.get()
    await site.get('/p', {}, 'POST')
    site.fields = [['Set-Cookie', 'a=b']]
    await site.get('/q')
    const { outcomes, refusals } = site.cache.counters.http
    expect(outcomes).toEqual({ hit: 1, stale: 0, revalidated: 0, collapsed: 0, miss: 2, bypass: 1 })
    expect(refusals).toMatchObject({ 'set-cookie': 1, other: 0 })
  })
})

withRedis('several processes', (kit) => {
  test.each<[string, (site: Site) => Promise<unknown>]>([
    ['purge', ({ engine }) => engine.purges.purge('/p')],
    ['softPurge', ({ engine }) => engine.purges.softPurge('/p')],
    ['purgeTags', ({ engine }) => engine.purges.purgeTags(['product:7'])],
    ['softPurgeTags', ({ engine }) => engine.purges.softPurgeTags(['product:7'])],
    ['purgeGroup', ({ engine }) => engine.purges.purgeGroup('http://a.example', 'shop')],
    ['expireTags of the cache', ({ cache }) => cache.expireTags('product:7')],
    ['an unsafe method', (site) => site.get('/p', {}, 'DELETE')],
  ])('%s in one reaches the pages of all, in memory and in Redis, with their variants', async (_, change) => {
    const sites = [new Site(await kit.make()), new Site(await kit.make()), new Site(await kit.make())]
    const [one, two, three] = sites as [Site, Site, Site]
    for (const site of sites) {
      site.fields = [
        ['Vary', 'Accept-Language'],
        ['Cache-Tag', 'product:7'],
        ['Cache-Groups', '"shop"'],
      ]
      for (const language of ['tr', 'de']) await site.get('/p', { 'accept-language': language })
    }
    expect([one.runs, two.runs, three.runs]).toEqual([2, 0, 0])
    await change(one)
    const before = one.runs
    for (const site of [two, three]) await heardAll(site.cache, one.cache)
    for (const language of ['tr', 'de']) {
      expect((await two.get('/p', { 'accept-language': language })).from).toBe('application')
    }
    for (const site of sites) {
      for (const language of ['tr', 'de']) {
        expect((await site.get('/p', { 'accept-language': language })).cacheStatus).toEqual(hit)
      }
    }
    expect([one.runs, two.runs, three.runs]).toEqual([before, 2, 0])
  })
})

withOneRedis('without Redis', 'it is stopped', (kit) => {
  test('a purge is not acknowledged, holds here, and is repeated; requireAck rejects', async () => {
    const site = new Site(await kit.make())
    const strict = new Site(await kit.make({ defaults: { requireAck: true } }))
    await site.get()
    await kit.server().stop()
    expect(await site.engine.purges.purge('/p')).toEqual({ acknowledged: false })
    const refused = { code: 'ERR_NOT_ACKNOWLEDGED' }
    await expect(site.engine.purges.purge('/p', { requireAck: true })).rejects.toMatchObject(refused)
    await expect(site.engine.purges.softPurgeTags(['a'], { requireAck: true })).rejects.toMatchObject(refused)
    await expect(strict.engine.purges.purge('/p')).rejects.toMatchObject(refused)
    expect(await strict.engine.purges.purge('/p', { requireAck: false })).toEqual({ acknowledged: false })
    expect((await site.get()).from).toBe('application')
    expect(site.cache.gauges().journalled).toBeGreaterThan(0)
  })
})
