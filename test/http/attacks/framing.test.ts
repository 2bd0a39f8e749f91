import { describe, expect, test } from 'vitest'
import { describeFaces } from './victim.ts'

describeFaces((open, version) => {
  const echo: Parameters<typeof open>[0] = (req, res) => {
    res.setHeader('Cache-Control', 'public, max-age=60')
    res.end(`[${req.method} ${req.url} ${req.headers.host}]`)
  }
  const bodies = (text: string) => [...text.matchAll(/\[[^\]]*\]/g)].map(([body]) => body)

  test('the case of the host and its usual port make no other page', async () => {
    const { get, runs } = await open(echo)
    await get('/', { Host: 'Shop.Example' })
    expect((await get('/', { Host: 'shop.example' })).cacheStatus).toMatch(/hit/)
    expect(runs()).toBe(1)
  })

  if (version === 'HTTP/2') {
    test.each([
      ['a Host that is another one', '/', { Host: 'h', host: 'evil' }],
      ['the other way round', '/', { Host: 'evil', host: 'h' }],
      ['user information', '/', { Host: 'evil@h' }],
      ['a list', '/', { Host: 'h, evil' }],
      ['a path', '/', { Host: 'h/evil' }],
      ['a port that is none', '/', { Host: 'h:evil' }],
      ['an absolute target', 'http://h/', {}],
      ['an asterisk', '*', {}],
    ])('%s: not stored, not answered from the cache', async (_, target, headers) => {
      const { get } = await open(echo)
      // Node refuses some of them by itself.
      const ask = () => get(target, headers).then(({ cacheStatus }) => cacheStatus, String)
      const passed = /^(tiercache; fwd=bypass; detail=target|Error \[ERR_HTTP2_STREAM_ERROR\]: .*)$/
      for (let round = 0; round < 2; round++) expect(await ask()).toMatch(passed)
      expect((await get('/')).cacheStatus).toBe('tiercache; fwd=uri-miss; stored')
      expect(await ask()).toMatch(passed)
    })
    return
  }

  describe('bytes that servers read in two ways', () => {
    test.each([
      [
        'Content-Length and Transfer-Encoding',
        'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n',
      ],
      [
        'two lengths',
        'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 32\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n',
      ],
      [
        'a length of +0',
        'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n',
      ],
      [
        'a coding that is none',
        'GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n',
      ],
      ['white space before the colon', 'GET / HTTP/1.1\r\nHost : h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
      ['a folded line', 'GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n Host: evil\r\n\r\n'],
      ['a bare CR', 'GET / HTTP/1.1\r\nHost: h\rX-A: 1\r\n\r\n'],
      ['NUL in a field', 'GET / HTTP/1.1\r\nHost: h\r\nX-A: a\0b\r\n\r\n'],
      ['NUL in the target', 'GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
      ['another protocol', 'GET / HTTP/9.9\r\nHost: h\r\n\r\n'],
      ['no method', ' / HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['nothing that is HTTP', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
    ])('%s: what follows on other connections is as before', async (_, bytes) => {
      const { get, raw, cache } = await open(echo)
      const answer = await raw(bytes.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
      expect(answer).toMatch(/^(HTTP\/1\.1 [245]|$)/)
      const clean = await get('/')
      expect(clean.body).toBe('[GET / h]')
      expect((await get('/')).body).toBe('[GET / h]')
      expect((await get('/evil')).body).toBe('[GET /evil h]')
      expect(cache.counters.loadsFailed).toBe(0)
    })
  })

  describe('the host that a page is kept under', () => {
    test.each([
      ['two Hosts', 'GET / HTTP/1.1\r\nHost: h\r\nHost: evil\r\n\r\n'],
      ['two Hosts the other way round', 'GET / HTTP/1.1\r\nHost: evil\r\nHost: h\r\n\r\n'],
      ['an absolute target', 'GET http://h/ HTTP/1.1\r\nHost: evil\r\n\r\n'],
      ['an absolute target elsewhere', 'GET http://evil/ HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['user information', 'GET / HTTP/1.1\r\nHost: evil@h\r\n\r\n'],
      ['a list', 'GET / HTTP/1.1\r\nHost: h, evil\r\n\r\n'],
      ['a path', 'GET / HTTP/1.1\r\nHost: h/evil\r\n\r\n'],
      ['a port that is none', 'GET / HTTP/1.1\r\nHost: h:evil\r\n\r\n'],
      ['an empty one', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
      ['an asterisk', 'GET * HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['an authority', 'GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n'],
    ])('%s: not stored, not answered from the cache', async (_, head) => {
      const { get, raw } = await open(echo)
      const bytes = head.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
      const first = await raw(bytes)
      if (first.startsWith('HTTP/1.1 200'))
        expect(first).toContain('Cache-Status: tiercache; fwd=bypass; detail=target')
      expect((await get('/')).body).toBe('[GET / h]')
      const second = await raw(bytes)
      expect(second).not.toMatch(/tiercache; hit/)
      expect((await get('/', { Host: 'evil' })).body).toBe('[GET / evil]')
    })
  })

  test('answers on one connection come in the order of their requests, hits and misses', async () => {
    const { get, raw } = await open((req, res) => {
      if (req.url === '/slow') setImmediate(() => setImmediate(() => echo(req, res)))
      else echo(req, res)
    })
    await get('/hit')
    const ask = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: h\r\n${more}\r\n`
    const text = await raw(
      ask('/hit') + ask('/slow') + ask('/hit') + ask('/miss') + ask('/slow', 'Connection: close\r\n'),
    )
    expect(bodies(text)).toEqual(['/hit', '/slow', '/hit', '/miss', '/slow'].map((target) => `[GET ${target} h]`))
  })

  test('a response is not split by what a request says', async () => {
    const { get, raw } = await open((req, res) => {
      res.setHeader('Cache-Control', 'public, max-age=60')
      res.setHeader('X-Echo', encodeURI(String(req.url)))
      res.end('[one]')
    })
    const target = '/%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a[two]'
    for (let round = 0; round < 2; round++) {
      const text = await raw(`GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
      expect(text.match(/\r\nset-cookie/gi)).toBeNull()
      expect(text.split('\r\n\r\n')).toHaveLength(2)
      await get(target)
    }
  })
})
