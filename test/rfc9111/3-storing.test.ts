import { expect } from 'vitest'
import { clause } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=60' }

clause('§3 a cache MUST NOT store a response unless it understands the method', { storePost: false }, async (world) => {
  for (const method of ['OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'BREW']) {
    if (method === 'BREW' && world.setUp.protocol === 'HTTP/1.1') continue // Node's parser knows a list.
    expect(await world.stores(FRESH, { first: { method }, second: {} }), method).toBe(false)
    expect(await world.stores(FRESH, { first: { method } }), method).toBe(false)
  }
})

clause('§3 … the status code is final', async (world) => {
  world.app({
    write: (res) => {
      res.writeEarlyHints?.({ link: '</a.css>; rel=preload' })
      res.writeHead(200, FRESH)
      res.end('final')
    },
  })
  const first = await world.get()
  const second = await world.get()
  expect([first.status, first.body]).toEqual([200, 'final'])
  expect([second.status, second.body]).toEqual([200, 'final'])
  expect(second.says('hit')).toBe(true)
  expect(second.field('link')).toBeUndefined()
})

clause('§3 … where the status is 206, the cache understands it', async (world) => {
  const fields = { ...FRESH, 'Content-Range': 'bytes 0-3/10' }
  expect(await world.stores(fields, { status: 206, body: 'part' })).toBe(false)
  const range = { Range: 'bytes=0-3' }
  expect(await world.stores(fields, { status: 206, body: 'part', first: { fields: range }, second: {} })).toBe(false)
})

clause('§3 … where the status is 304, the cache understands it: nothing is stored under it', async (world) => {
  expect(await world.stores({ ...FRESH, ETag: '"a"' }, { status: 304 })).toBe(false)
  const fields = { 'If-None-Match': '"a"' }
  expect(await world.stores({ ...FRESH, ETag: '"a"' }, { status: 304, first: { fields }, second: {} })).toBe(false)
})

clause('§3 … no-store is not in the response', async (world) => {
  for (const value of ['no-store', 'no-store, max-age=60', 'max-age=60, no-store', 'public, s-maxage=60, no-store']) {
    expect(await world.stores({ 'Cache-Control': value }), value).toBe(false)
  }
})

clause('§3 … private is not in the response, as the cache is shared', async (world) => {
  for (const value of ['private', 'private, max-age=60', 'max-age=60, private', 'public, s-maxage=60, private']) {
    expect(await world.stores({ 'Cache-Control': value }), value).toBe(false)
  }
})

clause('§3 … the request has no Authorization, or the response allows shared caching', async (world) => {
  const first = { fields: { Authorization: 'Basic YTpi' } }
  for (const value of ['max-age=60', 'max-age=60, proxy-revalidate', 'max-age=60, immutable']) {
    expect(await world.stores({ 'Cache-Control': value }, { first }), value).toBe(false)
    expect(await world.stores({ 'Cache-Control': value }, { first, second: {} }), value).toBe(false)
  }
  expect(await world.stores({ Expires: world.date(60) }, { first })).toBe(false)
})

clause(
  '§3 … it has explicit freshness, or is marked or defined as cacheable',
  { heuristic: 0, ttl: undefined },
  async (world) => {
    const old = { 'Last-Modified': world.date(-1_000_000) }
    for (const status of [200, 201, 202, 302, 303, 307, 400, 403, 404, 418, 500, 503, 599]) {
      expect(await world.stores(old, { status }), String(status)).toBe(false)
    }
  },
)

clause('§3 … one of max-age, s-maxage and Expires is enough, for any final status', async (world) => {
  const lifetimes = [FRESH, { 'Cache-Control': 's-maxage=60' }, { Expires: world.date(60) }]
  for (const fields of lifetimes) expect(await world.stores(fields)).toBe(true)
  for (const status of [
    201, 202, 203, 204, 299, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 451, 499, 501,
  ]) {
    expect(await world.stores(FRESH, { status }), String(status)).toBe(true)
  }
  for (const status of [500, 502, 503, 504, 599])
    expect(await world.stores(FRESH, { status }), String(status)).toBe(true)
})

clause('§3 the status that is replayed is the one that was stored, with its content', async (world) => {
  for (const status of [203, 301, 404, 410]) {
    world.app({ status, fields: { ...FRESH, 'X-Of': String(status) }, body: `body of ${status}` })
    const below = `/${status}`
    await world.get({}, below)
    const got = await world.get({}, below)
    expect([got.status, got.field('x-of'), got.body]).toEqual([status, String(status), `body of ${status}`])
    expect(got.says('hit')).toBe(true)
  }
})

clause('§3 a response that was not stored is not joined with one that is', async (world) => {
  world.app(({ run }) => ({ fields: { 'Cache-Control': run === 2 ? 'no-store' : 'max-age=60' } }))
  expect((await world.get()).body).toBe('run 1')
  world.pass(61)
  expect((await world.get()).body).toBe('run 2')
  expect((await world.get()).body).toBe('run 3')
  expect((await world.get()).body).toBe('run 3')
})

// ── §3.1 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§3.1 caches MUST include all received fields, unknown ones too', async (world) => {
  const fields = {
    ...FRESH,
    'X-Never-Heard-Of': 'a,b;c="d"',
    'Content-Language': 'de',
    'Content-Type': 'text/x-test; charset=x',
    'Strict-Transport-Security': 'max-age=1',
    Server: 'origin/1',
    Allow: 'GET',
    Link: ['</a>; rel=x', '</b>; rel=y'],
  }
  world.app({ fields })
  const first = await world.get()
  const second = await world.get()
  for (const [name, value] of Object.entries(fields)) {
    expect(first.field(name), name).toBe([value].flat().join(', '))
    expect(second.field(name), name).toBe(first.field(name))
  }
  expect(second.says('hit')).toBe(true)
})

clause(
  '§3.1 repeated fields keep their order and stay separate',
  { http1Because: 'HTTP/2 clients of Node join lines' },
  async (world) => {
    world.app({ fields: { ...FRESH, Link: ['</a>', '</b>', '</c>'], 'X-List': ['1', '2'] } })
    const first = await world.get()
    const second = await world.get()
    for (const got of [first, second]) {
      expect(got.lines('link')).toEqual(['</a>', '</b>', '</c>'])
      expect(got.lines('x-list')).toEqual(['1', '2'])
    }
  },
)

clause(
  '§3.1 fields that Connection names, and those of the connection, are not replayed',
  { http1Because: 'HTTP/2 has no such fields' },
  async (world) => {
    world.app({
      fields: {
        ...FRESH,
        Connection: 'X-Hop, keep-alive',
        'X-Hop': 'secret',
        'Keep-Alive': 'timeout=3',
        'X-End': 'to end',
      },
    })
    await world.get()
    const got = await world.get()
    expect(got.says('hit')).toBe(true)
    expect(got.field('x-hop')).toBeUndefined()
    expect(got.field('connection') ?? '').not.toMatch(/x-hop/i)
    expect(got.field('keep-alive') ?? '').not.toContain('timeout=3')
    expect(got.field('x-end')).toBe('to end')
  },
)

clause(
  '§3.1 the hop-by-hop fields of §7.6.1 of HTTP are not replayed, named or not',
  { http1Because: 'HTTP/2 has no such fields' },
  async (world) => {
    world.app({ fields: { ...FRESH, 'Proxy-Connection': 'keep-alive', TE: 'trailers', Upgrade: 'h3' } })
    await world.get()
    const got = await world.get()
    expect(got.says('hit')).toBe(true)
    for (const name of ['proxy-connection', 'te', 'upgrade']) expect(got.field(name), name).toBeUndefined()
  },
)

clause(
  '§3.1 Proxy-Authenticate, Proxy-Authentication-Info and Proxy-Authorization MUST NOT be stored',
  async (world) => {
    const names = ['Proxy-Authenticate', 'Proxy-Authentication-Info', 'Proxy-Authorization']
    world.app({ fields: { ...FRESH, ...Object.fromEntries(names.map((name) => [name, 'Basic x'])) } })
    await world.get()
    const got = await world.get()
    expect(got.says('hit')).toBe(true)
    for (const name of names) expect(got.field(name), name).toBeUndefined()
  },
)

clause(
  '§3.1 trailer fields MUST NOT be combined with header fields',
  { http1Because: 'trailers of a chunked message' },
  async (world) => {
    world.app({
      write: (res) => {
        res.writeHead(200, { ...FRESH, Trailer: 'X-Sum' })
        res.write('body')
        res.addTrailers({ 'X-Sum': '1' })
        res.end()
      },
    })
    await world.get()
    const got = await world.get()
    expect(got.body).toBe('body')
    expect(got.field('x-sum')).toBeUndefined()
  },
)

// ── §3.3 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§3.3 an incomplete response MUST NOT answer other requests', { style: 'stream' }, async (world) => {
  world.app(({ run }) => ({ fields: FRESH, body: `a long body of run ${run}`, breaksOff: run === 1 }))
  // Over HTTP/2 its client need not notice.
  await world.send({}).catch(() => {})
  await world.front.landed()
  expect((await world.get()).body).toBe('a long body of run 2')
  expect((await world.get()).body).toBe('a long body of run 2')
})

clause(
  '§3.3 so with one whose bytes are fewer than its Content-Length',
  { style: 'stream', http1Because: 'HTTP/2 refuses the message' },
  async (world) => {
    world.app(({ run }) => ({
      write: (res) => {
        res.writeHead(200, { ...FRESH, 'Content-Length': '10' })
        if (run > 1) res.end('0123456789')
        else {
          res.write('01234')
          setImmediate(() => res.destroy())
        }
      },
    }))
    await expect(world.send({})).rejects.toThrow()
    await world.front.landed()
    expect((await world.get()).body).toBe('0123456789')
  },
)

clause('§3.3 a partial response MUST NOT be sent without being marked as 206', async (world) => {
  world.app(({ headers }) =>
    headers.range
      ? { status: 206, fields: { ...FRESH, 'Content-Range': 'bytes 0-3/10' }, body: '0123' }
      : { fields: FRESH, body: '0123456789' },
  )
  const part = await world.get({ Range: 'bytes=0-3' })
  const whole = await world.get()
  expect([part.status, part.body]).toEqual([206, '0123'])
  expect([whole.status, whole.body]).toEqual([200, '0123456789'])
  expect((await world.get()).body).toBe('0123456789')
})

// ── §3.5 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§3.5 a response to Authorization MUST NOT answer others without leave', async (world) => {
  const ada = { fields: { Authorization: 'Basic ada' } }
  const bob = { fields: { Authorization: 'Basic bob' } }
  for (const second of [ada, bob, {}]) expect(await world.stores(FRESH, { first: ada, second })).toBe(false)
})

clause('§3.5 must-revalidate, public and s-maxage give leave', async (world) => {
  const ada = { fields: { Authorization: 'Basic ada' } }
  const bob = { fields: { Authorization: 'Basic bob' } }
  for (const value of ['must-revalidate, max-age=60', 'public, max-age=60', 's-maxage=60']) {
    for (const second of [ada, bob, {}]) {
      expect(await world.stores({ 'Cache-Control': value }, { first: ada, second }), value).toBe(true)
    }
  }
})

clause('§3.5 leave is the directive of the response, not one of the request', async (world) => {
  const first = { fields: { Authorization: 'Basic ada', 'Cache-Control': 'public' } }
  expect(await world.stores(FRESH, { first, second: {} })).toBe(false)
})

clause('§3.5 the requirements of the directive that gave leave hold: stale, it MUST be validated', async (world) => {
  const first = { fields: { Authorization: 'Basic ada' } }
  for (const value of ['must-revalidate, max-age=10', 's-maxage=10']) {
    const fields = { 'Cache-Control': `${value}, stale-while-revalidate=60, stale-if-error=60` }
    expect(await world.freshAfter(9, fields, { first }), value).toBe(true)
    expect(await world.freshAfter(11, fields, { first }), value).toBe(false)
  }
})
