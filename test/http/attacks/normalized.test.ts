import { describe, expect, test } from 'vitest'
import { describeFaces } from './victim.ts'
import type { IncomingMessage, RequestListener } from 'node:http'

describeFaces((open, version) => {
  describe('clients whose fields are taken for the same', () => {
    const language = { 'accept-language': ['en', 'de'] }
    const saying =
      (read: (req: IncomingMessage) => unknown): RequestListener =>
      (req, res) => {
        res.setHeader('Cache-Control', 'public, max-age=60')
        res.setHeader('Vary', 'Accept-Language')
        res.end(`[${read(req)}]`)
      }

    const ways: readonly (readonly [string, (req: IncomingMessage) => unknown])[] = [
      ['headers', (req: IncomingMessage) => req.headers['accept-language']],
      [
        'rawHeaders',
        ({ rawHeaders: raw }: IncomingMessage) => raw[raw.findIndex((name) => /^accept-lang/i.test(name)) + 1],
      ],
      ...(version === 'HTTP/2'
        ? []
        : [['headersDistinct', (req: IncomingMessage) => req.headersDistinct['accept-language']] as const]),
      ['all as JSON', (req: IncomingMessage) => JSON.parse(JSON.stringify(req.headers))['accept-language']],
    ]

    test.each(ways)('get nothing of what one of them says beyond that, by %s', async (_, read) => {
      const { get, runs } = await open(saying(read), { normalize: language })
      expect((await get('/', { 'Accept-Language': 'fr, de-CH;q=0.9, "><script>evil' })).body).toBe('[de]')
      const other = await get('/', { 'Accept-Language': 'de-AT' })
      expect([other.body, other.cacheStatus]).toEqual(['[de]', expect.stringMatching(/hit/)])
      expect((await get('/')).body).toBe('[en]')
      expect((await get('/', { 'Accept-Language': 'en-GB' })).cacheStatus).toMatch(/hit/)
      expect(runs()).toBe(2)
    })

    test('nor by what is read while the body is written', async () => {
      const { get } = await open(
        (req, res) => {
          res.setHeader('Cache-Control', 'public, max-age=60')
          res.setHeader('Vary', 'Accept-Language')
          res.flushHeaders()
          setImmediate(() => res.end(String(req.headers['accept-language'])))
        },
        { normalize: language },
      )
      expect((await get('/', { 'Accept-Language': 'de, evil' })).body).toBe('de')
      expect((await get('/', { 'Accept-Language': 'de' })).body).toBe('de')
    })

    test('nor by a field that is in the key, or that a function makes nothing of', async () => {
      const { get } = await open(
        (req, res) => {
          res.setHeader('Cache-Control', 'public, max-age=60')
          res.setHeader('Vary', 'X-Mood')
          res.end(`${req.headers['x-tenant']} ${'x-mood' in req.headers}`)
        },
        {
          keyHeaders: ['x-tenant'],
          normalize: { 'x-tenant': (value) => value?.toLowerCase(), 'x-mood': () => undefined },
        },
      )
      expect((await get('/', { 'X-Tenant': 'A', 'X-Mood': 'evil' })).body).toBe('a false')
      expect((await get('/', { 'X-Tenant': 'a' })).cacheStatus).toMatch(/hit/)
    })

    test('keep their sessions: credentials are seen as they are', async () => {
      const { get } = await open(
        (req, res) => {
          res.setHeader('Vary', 'Cookie')
          res.end(`[${req.headers.cookie}]`)
        },
        { ttl: '1m', normalize: { cookie: (value) => (value ? 'in' : 'out') } },
      )
      expect((await get('/', { Cookie: 'sid=1' })).body).toBe('[sid=1]')
      expect((await get('/', { Cookie: 'sid=2' })).body).toBe('[sid=2]')
    })

    test('find what they said when the response has gone out, as who logs does', async () => {
      const logged: unknown[] = []
      const { get } = await open(
        saying((req) => req.headers['accept-language']),
        { normalize: language },
        (req, res, next) => {
          res.on('finish', () => logged.push(req.headers['accept-language'], req.rawHeaders.includes('de, fr')))
          next()
        },
      )
      await get('/', { 'Accept-Language': 'de, fr' })
      expect(logged).toEqual(['de, fr', true])
    })

    test('so is what is renewed behind one of them', async () => {
      const { get, cache } = await open(
        saying((req) => req.headers['accept-language']),
        {
          normalize: language,
          stale: '1m',
          tags: ['pages'],
        },
      )
      await get('/', { 'Accept-Language': 'de' })
      await cache.expireTags('pages')
      await get('/', { 'Accept-Language': 'de, evil' })
      await get('/', { 'Accept-Language': 'de, evil' })
      expect((await get('/', { 'Accept-Language': 'de' })).body).toBe('[de]')
    })
  })
})
