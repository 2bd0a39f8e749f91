import { brotliDecompressSync } from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Fields, HttpRequest } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { Got, Script } from './plain-exchange.ts'

const caches: Cache[] = []
afterEach(() => Promise.all(caches.splice(0).map((cache) => cache.close())))

/** Loads land a few turns after their response is over. */
async function landed(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A cache in front of an application that tells how often it was asked. */
function siteOf(options: HttpCacheOptions, ...sent: Fields) {
  const cache = createCache()
  caches.push(cache)
  const engine = new HttpCache(cache, options)
  let count = 0
  const get = async (changes: Partial<HttpRequest>, fields: Fields = sent, status = 200): Promise<Got> => {
    const got = await ask(engine, requestOf(changes), () => {
      count++
      return { status, fields: [['Cache-Control', 'max-age=60'], ...fields], body: `${count}` }
    })
    await landed()
    return got
  }
  return { get, engine }
}

const tenant = (name: string) => ({ headers: { 'x-tenant': name } })

describe('keyHeaders', () => {
  test('each value has pages of its own, and a change of the URL is one for all', async () => {
    const { get } = siteOf({ keyHeaders: ['X-Tenant'] })
    expect([await get(tenant('a')), await get(tenant('b')), await get(tenant('a'))].map(({ body }) => body)).toEqual([
      '1',
      '2',
      '1',
    ])
    await get({ method: 'POST', ...tenant('c') })
    expect((await get(tenant('a'))).from).toBe('application')
    expect((await get(tenant('b'))).from).toBe('application')
  })

  test('another URL keeps its pages', async () => {
    const { get } = siteOf({ keyHeaders: ['X-Tenant'] })
    await get({ ...tenant('a'), target: '/other' })
    await get({ method: 'POST', ...tenant('c') })
    expect((await get({ ...tenant('a'), target: '/other' })).from).toBe('cache')
  })
})

test('query: what does not count is as if absent', async () => {
  const { get } = siteOf({ query: { ignore: ['utm_*'] } })
  await get({ target: '/?a=1&utm_source=x' })
  expect((await get({ target: '/?a=1' })).from).toBe('cache')
  await get({ method: 'POST', target: '/?a=1&utm_x' })
  expect((await get({ target: '/?a=1' })).from).toBe('application')
})

describe('normalize', () => {
  const accept = (value: string) => ({ headers: { 'accept-encoding': value } })
  const coded = (coding: string): Fields => [
    ['Vary', 'Accept-Encoding'],
    ['Content-Encoding', coding],
  ]

  test('values that want the same share a variant', async () => {
    const { get } = siteOf({ normalize: { 'accept-encoding': 'coding' } }, ...coded('br'))
    await get(accept('gzip, br'))
    expect((await get(accept('br'))).from).toBe('cache')
    expect((await get(accept('gzip'))).from).toBe('application')
  })

  test('a response in another coding is not stored for them', async () => {
    const { get } = siteOf({ normalize: { 'accept-encoding': 'coding' } }, ...coded('zstd'))
    const got = await get(accept('gzip, br, zstd'))
    expect(got.cacheStatus).toContain('detail=coding')
    expect((await get(accept('br'))).from).toBe('application')
  })

  test('nothing that varies by it may be in the way of what does not', async () => {
    const { get } = siteOf({ normalize: { 'accept-encoding': 'coding' } }, ['Content-Encoding', 'zstd'])
    await get(accept('zstd'))
    expect((await get(accept('zstd'))).from).toBe('cache')
  })
})

describe('QUERY (RFC 10008)', () => {
  const query = (content: string) => ({ method: 'QUERY', content: Buffer.from(content), target: '/q' })

  test('is answered by its content, and a change of its URL makes all of them invalid', async () => {
    const { get } = siteOf({})
    expect((await get(query('a'))).body).toBe('1')
    expect((await get(query('a'))).from).toBe('cache')
    expect((await get(query('b'))).body).toBe('2')
    expect((await get({ target: '/q' })).body).toBe('3')
    await get({ method: 'PATCH', target: '/q' })
    for (const content of ['a', 'b']) expect((await get(query(content))).from).toBe('application')
  })

  test('itself changes nothing', async () => {
    const { get } = siteOf({})
    await get({ target: '/q' })
    await get(query('a'))
    expect((await get({ target: '/q' })).from).toBe('cache')
  })

  test('whose content was not read passes', async () => {
    const { get } = siteOf({})
    for (let time = 0; time < 2; time++) {
      const got = await get({ method: 'QUERY', target: '/q' })
      expect(got).toMatchObject({ from: 'application', cacheStatus: 'tiercache; fwd=bypass; detail=content' })
    }
  })
})

describe('No-Vary-Search', () => {
  const search: Fields = [['No-Vary-Search', 'params, except=("id")']]

  test('equivalent URLs share a response, once the path is known to have any', async () => {
    const { get } = siteOf({}, ...search)
    await get({ target: '/p?id=1&utm=a' })
    expect((await get({ target: '/p?id=1&utm=a' })).body).toBe('1')
    expect((await get({ target: '/p?id=1&utm=b' })).body).toBe('2')
    expect((await get({ target: '/p?utm=c&id=1' })).body).toBe('2')
    expect((await get({ target: '/p?id=2&utm=b' })).body).toBe('3')
    expect((await get({ target: '/p?id=2' })).body).toBe('3')
    expect((await get({ target: '/other?id=2' })).from).toBe('application')
    expect((await get({ host: 'b.example', target: '/p?id=2' })).from).toBe('application')
  })

  test('a change of one of them is one of all', async () => {
    const { get } = siteOf({}, ...search)
    for (const target of ['/p?id=1&utm=a', '/p?id=1&utm=b']) await get({ target })
    await get({ method: 'POST', target: '/p?id=1&utm=c' })
    expect((await get({ target: '/p?id=1&utm=a' })).cacheStatus).toContain('fwd=uri-miss')
    expect((await get({ target: '/p?id=1&utm=b' })).body).toBe('4')
  })

  test('a response that does not say so answers its own URL alone', async () => {
    const { get } = siteOf({}, ...search)
    await get({ target: '/p?id=1&utm=a' })
    const plain = await get({ target: '/p?id=3&utm=a' }, [])
    expect(plain.cacheStatus).toContain('detail=no-vary-search')
    expect((await get({ target: '/p?id=3&utm=b' }, [])).body).toBe('3')
    // From here on the path is as any other.
    await get({ target: '/p?id=3&utm=b' }, [])
    expect((await get({ target: '/p?id=3&utm=b' }, [])).from).toBe('cache')
  })

  test('a failure says nothing of its path', async () => {
    const { get } = siteOf({ negativeTtl: '1m' }, ...search)
    await get({ target: '/p?id=1&utm=a' })
    await get({ target: '/p?id=9' }, [], 404)
    await get({ target: '/p?id=1&utm=b' })
    expect((await get({ target: '/p?id=1&utm=c' })).from).toBe('cache')
  })

  test('together with Vary, and with what the options leave out', async () => {
    const { get } = siteOf({ query: { ignore: ['x'] } }, ['Vary', 'Accept'], ...search)
    const page = (query: string, accept: string) => get({ target: `/p?${query}`, headers: { accept } })
    await page('id=1&utm=a', 'text/html')
    await page('id=1&utm=b', 'text/html')
    expect((await page('x=5&id=1', 'text/html')).from).toBe('cache')
    expect((await page('id=1', 'text/css')).cacheStatus).toContain('fwd=vary-miss')
  })
})

describe('Cache-Groups (RFC 9875)', () => {
  const group: Fields = [['Cache-Groups', '"a", "b"']]

  test('the response to an unsafe request makes groups of its origin invalid', async () => {
    const { get } = siteOf({})
    await get({ target: '/x' }, group)
    await get({ target: '/y' }, [['Cache-Groups', '"c"']])
    await get({ host: 'b.example', target: '/x' }, group)
    await get({ target: '/z' }, [['Cache-Group-Invalidation', '"a"']])
    expect((await get({ target: '/x' }, group)).from).toBe('cache')
    await get({ method: 'POST', target: '/z' }, [['Cache-Group-Invalidation', '"b"']])
    expect((await get({ target: '/x' })).from).toBe('application')
    expect((await get({ target: '/y' })).from).toBe('cache')
    expect((await get({ host: 'b.example', target: '/x' })).from).toBe('cache')
  })

  test('of 32 groups and more each counts', async () => {
    const { get } = siteOf({})
    const names = Array.from({ length: 40 }, (_, n) => `"${`${n}`.padEnd(32, 'x')}"`)
    await get({ target: '/x' }, [['Cache-Groups', names.join(', ')]])
    expect((await get({ target: '/x' })).from).toBe('cache')
    await get({ method: 'POST', target: '/z' }, [['Cache-Group-Invalidation', names.slice(39).join(', ')]])
    expect((await get({ target: '/x' })).from).toBe('application')
  })

  test('a response of more groups than an entry has tags is not stored, but its client has it', async () => {
    const { get } = siteOf({})
    const names = Array.from({ length: 100 }, (_, n) => `"${n}"`)
    for (let time = 0; time < 2; time++) {
      const got = await get({ target: '/x' }, [['Cache-Groups', names.join(', ')]])
      expect(got).toMatchObject({ from: 'application', status: 200 })
      expect(got.cacheStatus).toContain('detail=too-many-tags')
    }
    await get({ target: '/y' }, [['Cache-Groups', '"99"']])
    await get({ method: 'POST', target: '/z' }, [['Cache-Group-Invalidation', names.join(', ')]])
    expect((await get({ target: '/y' })).from).toBe('application')
  })
})

describe('a response that is made while what it shows changes goes to its client, and is not stored', () => {
  /**
   *   A: misses; the handler reads v1
   *   B: changes what A shows; the response to that makes it invalid
   *   A: ends
   *   C: must not get v1
   */
  async function raced(asked: Partial<HttpRequest>, sent: Fields, change: Partial<HttpRequest>, told: Fields = []) {
    const { get, engine } = siteOf({ keyHeaders: ['x-tenant'] }, ...sent)
    // What this process knows of the path is known before.
    await get({ ...asked, target: `${asked.target}&first` })
    let end: (script: Script) => void = () => {}
    const leading = ask(engine, requestOf(asked), () => new Promise<Script>((resolve) => (end = resolve)))
    await landed()
    await get({ method: 'POST', ...change }, told)
    end({ fields: [['Cache-Control', 'max-age=60'], ...sent], body: 'v1' })
    expect((await leading).body).toBe('v1')
    await landed()
    expect(await get(asked)).toMatchObject({ from: 'application', body: '3' })
    expect(await get(asked)).toMatchObject({ from: 'cache', body: '3' })
  }

  const target = '/p?id=1'

  test('one of many that keyHeaders tell apart', () =>
    raced({ target, headers: { 'x-tenant': 'a' } }, [], { target, headers: { 'x-tenant': 'b' } }))

  test('an answer to QUERY', () => raced({ target, method: 'QUERY', content: Buffer.from('q') }, [], { target }))

  test('one of a group', () =>
    raced({ target }, [['Cache-Groups', '"a"']], { target: '/form' }, [['Cache-Group-Invalidation', '"a"']]))

  test('one for equivalent URLs', () =>
    raced({ target }, [['No-Vary-Search', 'params=("utm")']], { target: '/p?id=1&utm=5' }))
})

describe('compress', () => {
  const html: Fields = [
    ['Cache-Control', 'max-age=60'],
    ['Content-Type', 'text/html'],
    ['ETag', '"a"'],
  ]
  const page = 'hello '.repeat(1000)

  test('a page that is asked for again is sent in the coding that is wanted', async () => {
    const cache = createCache()
    caches.push(cache)
    const engine = new HttpCache(cache, { compress: true })
    const answers: Uint8Array[] = []
    const get = async (headers: HttpRequest['headers']) => {
      let body: Uint8Array | undefined
      const got = await new Promise<Fields>((resolve) => {
        engine.handle({
          request: requestOf({ headers }),
          isGone: () => false,
          answer: (answer) => {
            body = answer.body
            resolve(answer.fields)
          },
          forward: (watcher) => {
            watcher.head({ status: 200, fields: html })
            watcher.chunk(Buffer.from(page))
            watcher.over(true)
            resolve(html)
          },
        })
      })
      await landed()
      if (body) answers.push(body)
      return { fields: new Map(got.map(([name, value]) => [name, value])), body }
    }
    await get({ 'accept-encoding': 'br' })
    await vi.waitUntil(
      async () => (await get({ 'accept-encoding': 'br' })).fields.get('Content-Encoding') === 'br',
      10_000,
    )

    const { fields, body } = await get({ 'accept-encoding': 'gzip, br' })
    expect(fields.get('ETag')).toBe('"a-br"')
    expect(fields.get('Vary')).toBe('Accept-Encoding')
    expect(fields.get('Content-Length')).toBe(String(body?.byteLength))
    expect(brotliDecompressSync(body ?? '').toString()).toBe(page)

    const plain = await get({})
    expect(Buffer.from(plain.body ?? []).toString()).toBe(page)
    expect(plain.fields.get('ETag')).toBe('"a"')
    expect(plain.fields.get('Vary')).toBe('Accept-Encoding')

    const part = await get({ 'accept-encoding': 'br', range: 'bytes=0-4' })
    expect(Buffer.from(part.body ?? []).toString()).toBe('hello')
    expect((await get({ 'accept-encoding': 'br', 'if-none-match': '"a-br"' })).body).toBeUndefined()
  })
})
