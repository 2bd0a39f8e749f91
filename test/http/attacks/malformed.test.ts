import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeFaces } from './victim.ts'
import type { InCache } from '../../../src/middleware/node.ts'

describeFaces((open) => {
  test('more tags than an entry can carry have the response not stored, and throw into no handler', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`)
    const { get } = await open(
      (req, res) => {
        const { cache } = res as unknown as InCache
        if (req.url === '/once') cache.tags(...many(65))
        if (req.url === '/each') for (const tag of many(65)) cache.tags(tag)
        res.end('page')
      },
      { ttl: '1m', tags: ({ target }) => (target === '/option' ? many(65) : []) },
    )
    for (const target of ['/once', '/each', '/option']) {
      expect(await get(target)).toMatchObject({
        status: 200,
        cacheStatus: 'tiercache; fwd=uri-miss; detail=too-many-tags',
      })
    }
  })

  const malformed: readonly [string, readonly string[]][] = [
    [
      'Cache-Control',
      ['max-age', 'max-age=', 'max-age=a', 'max-age="', '"', ',,,', '=', 'no-store=', '\xff', 'max-age=1e999'],
    ],
    ['If-None-Match', ['"', 'W/', 'W/"', '*, "a"', '"a" "b"', '\xff', ','.repeat(5000)]],
    ['If-Modified-Since', ['0', 'never', 'Sun, 31 Feb 2026 25:61:61 GMT', '9'.repeat(400), '\xff']],
    [
      'Range',
      [
        'bytes',
        'bytes=',
        'bytes=-',
        'bytes=a-b',
        'bytes=9-1',
        'bytes=0-,'.repeat(2000),
        'bytes=99999999999999999999-',
        'lines=1-2',
      ],
    ],
    ['If-Range', ['"', 'W/"a"', 'never', '\xff']],
    ['Accept-Encoding', ['gzip;q=', 'gzip;q=2', ';', '*;q=0', ','.repeat(9000), 'identity;q=0, *;q=0']],
    ['Accept-Language', [';q', '*', '-', 'a'.repeat(9000)]],
    ['Pragma', ['no-cache', '"']],
    ['Cookie', [';', '=', '\xff']],
  ]

  describe('requests', () => {
    test.each(malformed)('%s', async (name, values) => {
      const { get, cache } = await open(
        (_, res) => {
          res.setHeader('Cache-Control', 'public, max-age=60')
          res.setHeader('ETag', '"e"')
          res.setHeader('Vary', 'Accept-Encoding, Accept-Language')
          res.end('page')
        },
        { clientDirectives: 'obey' },
      )
      for (const value of values) {
        for (let round = 0; round < 2; round++) {
          const got = await get('/', { [name]: value })
          expect([200, 206, 304, 406, 416]).toContain(got.status)
          if (got.status === 200) expect(got.body).toBe('page')
        }
      }
      expect((await get('/')).body).toBe('page')
      expect(cache.counters.loadsFailed).toBe(0)
    })
  })

  describe('responses', () => {
    const fields: readonly [string, readonly string[]][] = [
      [
        'Cache-Control',
        [
          'max-age',
          'max-age=-1',
          'max-age=a',
          's-maxage="',
          'private="',
          '"',
          'no-cache="a,,"',
          'max-age=1, max-age=0',
        ],
      ],
      ['Tiercache-Control', ['max-age', '"', 'max-age=;', '?', 'max-age=99999999999999999999']],
      ['Expires', ['0', 'never', '-1', 'Sun, 99 Foo 2026 00:00:00 GMT', '9'.repeat(400)]],
      ['Date', ['0', 'never', 'Thu, 01 Jan 9999 00:00:00 GMT']],
      ['Age', ['-1', 'a', '1, 2', '9'.repeat(400), '']],
      ['ETag', ['', 'e', '"', 'W/', '"a" "b"', '"\xff"']],
      ['Last-Modified', ['never', '0']],
      ['Vary', ['', ',', '*,*', 'a b', ','.repeat(2000), '"', Array.from({ length: 500 }, (_, n) => `x-${n}`).join()]],
      ['Cache-Groups', ['a', '"', '"a" "b"', '("a")', '"a",'.repeat(500)]],
      ['Cache-Group-Invalidation', ['"a"', '"']],
      ['No-Vary-Search', ['"', 'params', 'params=(', 'key-order=1, params=("a" 1)', 'except=("a")']],
      [
        'Surrogate-Key',
        ['', ' ', 'a'.repeat(2000), 'a '.repeat(2000), Array.from({ length: 500 }, (_, n) => `t${n}`).join(' ')],
      ],
      ['Cache-Tag', [',', 'a'.repeat(2000), Array.from({ length: 500 }, (_, n) => `t${n}`).join()]],
      ['Content-Type', ['', ';', '/', 'text/html;charset="']],
      ['Connection', ['', ',', 'x, close, Date', '"']],
      ['Location', ['', '//', 'http://[', '\\', '?']],
      ['Content-Location', ['', '//', 'http://[']],
    ]

    test.each(fields)('%s', async (name, values) => {
      let value = ''
      const { get } = await open(
        (_, res) => {
          res.setHeader('Cache-Control', 'public, max-age=60')
          res.setHeader(name, value)
          res.end('page')
        },
        { ttl: '1m' },
      )
      for (value of values) {
        for (const method of ['GET', 'GET', 'HEAD', 'POST', 'GET']) {
          expect((await get(`/${values.indexOf(value)}`, {}, method)).status).toBe(200)
        }
      }
    })

    test('any of them, together', async () => {
      let sent: readonly (readonly [string, string])[] = []
      const { get } = await open(
        (_, res) => {
          for (const [name, value] of sent) res.setHeader(name, value)
          res.end('page')
        },
        { ttl: '1m' },
      )
      const one = fc.oneof(...fields.map(([name, values]) => fc.tuple(fc.constant(name), fc.constantFrom(...values))))
      let number = 0
      await fc.assert(
        fc.asyncProperty(fc.array(one, { maxLength: 6 }), async (chosen) => {
          sent = chosen
          number++
          for (let round = 0; round < 2; round++)
            expect(await get(`/${number}`)).toMatchObject({ status: 200, body: 'page' })
        }),
        { numRuns: 60 },
      )
    })
  })
})
