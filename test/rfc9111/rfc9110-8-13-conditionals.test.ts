import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { World } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=60' }

/** What a stored response with these fields answers to a conditional request. */
async function answered(world: World, stored: Record<string, string>, request: Record<string, string>, method = 'GET') {
  const below = `/${world.seen.length}`
  world.app({ fields: { 'Cache-Control': 'max-age=600', ...stored } })
  await world.get({}, below)
  return world.ask({ method, fields: request, below })
}

clause('RFC 9110 §8.8.3 an entity tag is compared as an opaque text, quotes and case included', async (world) => {
  const tags = ['"a"', '"A"', '"a,b"', '"\\"', '"!#~"', '"é"', '""']
  for (const stored of tags.filter((tag) => !tag.includes('é') || world.setUp.protocol === 'HTTP/1.1')) {
    for (const sent of tags.filter((tag) => !tag.includes('é'))) {
      const got = await answered(world, { ETag: stored }, { 'If-None-Match': sent })
      expect(got.status, `${stored} ${sent}`).toBe(stored === sent ? 304 : 200)
    }
  }
})

clause('RFC 9110 §8.8.2.2 a Last-Modified without ETag is a validator, to the second', async (world) => {
  const stored = { 'Last-Modified': world.date(-100) }
  for (const [seconds, status] of [
    [-100, 304],
    [-99, 304],
    [-101, 200],
  ] as const) {
    expect((await answered(world, stored, { 'If-Modified-Since': world.date(seconds) })).status).toBe(status)
  }
})

clause('RFC 9110 §13.1.2 If-None-Match MUST be compared weakly', async (world) => {
  for (const stored of ['"a"', 'W/"a"']) {
    for (const sent of ['"a"', 'W/"a"', 'W/"b", W/"a"']) {
      expect((await answered(world, { ETag: stored }, { 'If-None-Match': sent })).status, `${stored} ${sent}`).toBe(304)
    }
  }
})

clause('RFC 9110 §13.1.2 "*" matches any current representation, tagged or not', async (world) => {
  expect((await answered(world, {}, { 'If-None-Match': '*' })).status).toBe(304)
  expect((await answered(world, { ETag: '"a"' }, { 'If-None-Match': '*' })).status).toBe(304)
})

clause('RFC 9110 §13.1.2 a "*" among others is no "*"', async (world) => {
  expect((await answered(world, { ETag: '"a"' }, { 'If-None-Match': '"b", *' })).status).toBe(200)
  expect((await answered(world, { ETag: '"a"' }, { 'If-None-Match': '"*"' })).status).toBe(200)
})

clause('RFC 9110 §13.1.2 HEAD with a matching tag is answered by 304, too', async (world) => {
  const got = await answered(world, { ETag: '"a"' }, { 'If-None-Match': '"a"' }, 'HEAD')
  expect([got.status, got.body]).toEqual([304, ''])
  expect((await answered(world, { ETag: '"a"' }, { 'If-None-Match': '"b"' }, 'HEAD')).status).toBe(200)
})

clause(
  'RFC 9110 §13.1.3 If-Modified-Since MUST be ignored beside If-None-Match, be that empty or malformed',
  async (world) => {
    for (const tags of ['"b"', '', 'nonsense']) {
      const since = { 'If-None-Match': tags, 'If-Modified-Since': world.date() }
      const stored = { ETag: '"a"', 'Last-Modified': world.date(-100) }
      expect((await answered(world, stored, since)).status, tags).toBe(200)
    }
  },
)

clause('RFC 9110 §13.1.3 … and where it is no date', async (world) => {
  for (const since of ['yesterday', '0', '', '9999999999', '2030-01-01', 'Sun, 99 Nov 2026 00:00:00 GMT']) {
    const stored = { 'Last-Modified': world.date(-100) }
    expect((await answered(world, stored, { 'If-Modified-Since': since })).status, since).toBe(200)
  }
})

clause('RFC 9110 §13.1.3 all forms of a date are understood', async (world) => {
  const stored = { 'Last-Modified': 'Sun, 06 Nov 1994 08:49:37 GMT' }
  for (const since of ['Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994', 'Sun, 06 Nov 1994 08:49:37 GMT']) {
    expect((await answered(world, stored, { 'If-Modified-Since': since })).status, since).toBe(304)
  }
})

clause('RFC 9110 §13.1.3 … and where the method is neither GET nor HEAD', async (world) => {
  world.app(({ method }) => ({ fields: FRESH, body: `${method} done` }))
  await world.get()
  const got = await world.ask({ method: 'POST', fields: { 'If-Modified-Since': world.date() }, body: 'x' })
  expect([got.status, got.body]).toEqual([200, 'POST done'])
})

clause('RFC 9110 §13.2.1 preconditions MUST be ignored where the response is no 2xx', async (world) => {
  for (const status of [301, 404, 410, 500]) {
    const below = `/${status}`
    world.app({ status, fields: { ...FRESH, ETag: '"a"', 'Last-Modified': world.date(-100) } })
    for (const round of [1, 2]) {
      const got = await world.get({ 'If-None-Match': '"a"' }, below)
      expect([got.status, round]).toEqual([status, round])
      expect((await world.get({ 'If-Modified-Since': world.date() }, below)).status).toBe(status)
    }
  }
})

clause('RFC 9110 §13.2.2 If-None-Match, then If-Modified-Since, then Range', async (world) => {
  const stored = { ETag: '"a"', 'Last-Modified': world.date(-100) }
  const range = { Range: 'bytes=0-1' }
  expect((await answered(world, stored, { ...range, 'If-None-Match': '"a"' })).status).toBe(304)
  expect((await answered(world, stored, { ...range, 'If-Modified-Since': world.date() })).status).toBe(304)
  expect((await answered(world, stored, { ...range, 'If-None-Match': '"b"' })).status).toBe(206)
})

clause(
  'RFC 9110 §15.4.5 a 304 MUST have Content-Location, Date, ETag, Vary, Cache-Control and Expires',
  async (world) => {
    const fields = {
      'Cache-Control': 'max-age=60',
      Expires: world.date(60),
      ETag: '"a"',
      Vary: 'Accept-Language',
      'Content-Location': '/here',
    }
    world.app({ fields })
    const whole = await world.get()
    const got = await world.get({ 'If-None-Match': '"a"' })
    expect(got.status).toBe(304)
    for (const [name, value] of Object.entries(fields)) expect(got.field(name), name).toBe(value)
    expect(got.field('date')).toBe(whole.field('date'))
  },
)

clause('RFC 9110 §15.4.5 … SHOULD NOT have other metadata of the representation', async (world) => {
  world.app({
    fields: {
      ...FRESH,
      ETag: '"a"',
      'Last-Modified': world.date(-100),
      'Content-Type': 'text/x',
      'Content-Encoding': 'x-own',
      'Content-Language': 'de',
    },
  })
  for (const round of [1, 2]) {
    const got = await world.get({ 'If-None-Match': '"a"' })
    expect([got.status, round]).toEqual([304, round])
    for (const name of ['content-type', 'content-encoding', 'content-language', 'content-length', 'last-modified']) {
      expect(got.field(name), name).toBeUndefined()
    }
  }
})

clause('RFC 9110 §15.4.5 … SHOULD have a validator, for caches to be told by', async (world) => {
  const modified = world.date(-100)
  const got = await answered(world, { 'Last-Modified': modified }, { 'If-Modified-Since': modified })
  expect([got.status, got.field('etag') ?? got.field('last-modified')]).toEqual([304, expect.any(String)])
})

clause(
  'RFC 9110 §15.4.5 … has no content',
  { http1Because: 'bytes behind the head would be another response' },
  async (world) => {
    world.app({ fields: { ...FRESH, ETag: '"a"' }, body: 'x'.repeat(3000) })
    for (let time = 0; time < 3; time++) {
      expect((await world.get({ 'If-None-Match': '"a"' })).body).toBe('')
      expect((await world.get()).body.length).toBe(3000)
    }
  },
)

clause('RFC 9110 §8.6 no Content-Length with 204', async (world) => {
  world.app({ status: 204, fields: FRESH })
  for (const got of [await world.get(), await world.get()]) {
    expect([got.status, got.field('content-length'), got.body]).toEqual([204, undefined, ''])
  }
})

clause('RFC 9110 §8.6 Content-Length is that of the content', async (world) => {
  world.app({ fields: FRESH, body: 'fifteen letters' })
  await world.get()
  const got = await world.get()
  expect([got.field('content-length'), got.body]).toEqual(['15', 'fifteen letters'])
})

clause(
  'RFC 9110 §9.3.3 a response to POST answers GET with explicit freshness and an own Content-Location',
  { storePost: true },
  async (world) => {
    world.app(({ method, run }) => ({ fields: { ...FRESH, 'Content-Location': world.path }, body: `${method} ${run}` }))
    await world.ask({ method: 'POST', body: 'x' })
    expect((await world.get()).body).toBe('POST 1')
    expect((await world.ask({ method: 'POST', body: 'x' })).body).toBe('POST 2')
  },
)

clause('RFC 9110 §9.3.3 … only then', { storePost: true, heuristic: 0.5 }, async (world) => {
  const first = { method: 'POST', body: 'x' }
  const old = { 'Last-Modified': world.date(-1e6) }
  expect(await world.stores(FRESH, { first, second: {} })).toBe(false)
  expect(await world.stores({ ...FRESH, 'Content-Location': '/another' }, { first, second: {} })).toBe(false)
  expect(await world.stores({ ...old, 'Content-Location': world.path }, { first, second: {} })).toBe(false)
})

clause('RFC 9110 §9.3.3 … and in the safe profile never', { profile: 'safe' }, async (world) => {
  world.app(({ method }) => ({ fields: { ...FRESH, 'Content-Location': world.path }, body: method }))
  await world.ask({ method: 'POST', body: 'x' })
  expect((await world.get()).body).toBe('GET')
})
