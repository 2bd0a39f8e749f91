import { expect } from 'vitest'
import { clause } from './clause.ts'

const cc = (value: string | string[]) => ({ 'Cache-Control': value })

clause('§5.2 names of directives are compared without regard to case', async (world) => {
  for (const value of ['No-Store, max-age=60', 'NO-CACHE, max-age=60', 'Private, max-age=60', 'max-age=60, nO-sTORE']) {
    expect(await world.stores(cc(value)), value).toBe(false)
  }
  expect(await world.freshAfter(9, cc('MAX-AGE=10'))).toBe(true)
  expect(await world.freshAfter(9, cc('S-MaxAge=10, Max-Age=0'))).toBe(true)
})

clause('§5.2 an argument may be a token or a quoted string', async (world) => {
  for (const value of ['max-age="10"', 's-maxage="10", max-age=60', 'max-age="\\1\\0"']) {
    expect(await world.freshAfter(9, cc(value)), value).toBe(true)
    expect(await world.freshAfter(11, cc(value)), value).toBe(false)
  }
  expect(await world.stores({ ...cc('max-age=60, private=x-user'), 'X-User': 'ada' })).toBe(true)
})

clause('§5.2 what stands in a quoted string is no directive', async (world) => {
  expect(await world.stores(cc('max-age=60, ext="no-store, private"'))).toBe(true)
  expect(await world.stores(cc('ext="a\\", no-store, b", max-age=60'))).toBe(true)
  expect(await world.stores(cc('ext="max-age=60"'))).toBe(false)
})

clause('§5.2 … and an unclosed one hides no directive', async (world) => {
  for (const value of ['max-age=60, ext="a, no-store', 'ext=", private, max-age=60']) {
    expect(await world.stores(cc(value)), value).toBe(false)
  }
})

clause('§5.2 directives on several lines are one list', async (world) => {
  for (const value of [
    ['max-age=60', 'no-store'],
    ['public', 'private', 'max-age=60'],
    ['', 'no-store', 'max-age=60'],
  ]) {
    expect(await world.stores(cc(value)), String(value)).toBe(false)
  }
  expect(await world.freshAfter(9, cc(['public', 'max-age=10']))).toBe(true)
})

clause('§5.2 white space and empty members do not matter', async (world) => {
  for (const value of [
    ',max-age=10',
    'max-age=10,,',
    ' ,\tmax-age=10 , ',
    'public,max-age=10',
    'public ,\t max-age=10',
  ]) {
    expect(await world.freshAfter(9, cc(value)), value).toBe(true)
  }
  expect(await world.stores(cc('max-age=60,no-store'))).toBe(false)
  expect(await world.stores(cc('max-age=60 ,\tno-store\t'))).toBe(false)
})

clause('§5.2 white space around "=" makes no lifetime', async (world) => {
  // Not in the grammar: the strict reading is stale, the lenient one 60 s. No reading is no-lifetime with a guess.
  const isFresh = await world.freshAfter(61, cc('max-age = 60'))
  expect(isFresh).toBe(false)
})

clause('§5.2 directives MUST be passed on to the client, whatever they mean to the cache', async (world) => {
  const value = 'max-age=60, x-own="a, b", community="UCI", must-revalidate'
  world.app({ fields: cc(value) })
  for (const got of [await world.get(), await world.get()]) expect(got.field('cache-control')).toBe(value)
})

clause('§5.2.2.1 max-age: stale when its age is greater', async (world) => {
  expect(await world.freshAfter(59, cc('max-age=60'))).toBe(true)
  expect(await world.freshAfter(61, cc('max-age=60'))).toBe(false)
  expect(await world.stores(cc('max-age=0'))).toBe(false)
})

clause(
  '§5.2.2.2 must-revalidate: stale, it MUST NOT be reused before it is validated',
  { stale: '1h', staleIfError: '1h' },
  async (world) => {
    world.app(({ run }) => ({
      fields: { ...cc('max-age=10, must-revalidate'), ETag: `"${run}"` },
      body: `version ${run}`,
    }))
    await world.get()
    world.pass(9)
    expect((await world.get()).body).toBe('version 1')
    world.pass(2)
    expect((await world.get({ 'Cache-Control': 'max-stale' })).body).toBe('version 2')
  },
)

clause(
  '§5.2.2.2 … in all circumstances: where the application fails, its error is the answer',
  { stale: '1h', staleIfError: '1h' },
  async (world) => {
    world.app({ fields: cc('max-age=10, must-revalidate, stale-if-error=600') })
    await world.get()
    world.pass(11)
    world.app({ status: 502, body: 'bad' })
    const got = await world.get()
    expect([got.status, got.body]).toEqual([502, 'bad'])
  },
)

clause(
  '§5.2.2.3 must-understand: a status that is understood is stored, and no-store SHOULD be ignored',
  async (world) => {
    expect(await world.stores(cc('must-understand, no-store, max-age=60'))).toBe(true)
    expect(await world.stores(cc('no-store, max-age=60, must-understand'), { status: 404 })).toBe(true)
    expect(await world.stores(cc('must-understand, max-age=60'))).toBe(true)
  },
)

clause('§5.2.2.3 … one that is not understood is not', async (world) => {
  for (const status of [299, 499, 599, 418]) {
    expect(await world.stores(cc('must-understand, no-store, max-age=60'), { status }), String(status)).toBe(false)
    expect(await world.stores(cc('must-understand, max-age=60'), { status }), String(status)).toBe(false)
  }
})

clause('§5.2.2.4 no-cache MUST NOT satisfy another request without validation', { stale: '1h' }, async (world) => {
  for (const value of [
    'no-cache',
    'no-cache, max-age=60',
    'max-age=60, stale-while-revalidate=60, no-cache',
    'no-cache=""',
  ]) {
    world.app(({ run }) => ({ fields: { ...cc(value), ETag: `"${run}"` } }))
    const below = `/${value.length}`
    const before = world.seen.length
    await world.get({}, below)
    await world.get({}, below)
    expect(world.seen.length, value).toBe(before + 2)
  }
})

clause('§5.2.2.4 the qualified form: without validation, the listed fields MUST NOT be sent', async (world) => {
  for (const [at, value] of ['no-cache="x-user"', 'no-cache="X-USER , x-other"', 'no-cache=x-user'].entries()) {
    world.app({ fields: { ...cc(`max-age=60, ${value}`), 'X-User': 'ada', 'X-All': 'all' } })
    const first = await world.get({}, `/${at}`)
    const second = await world.get({}, `/${at}`)
    expect(first.field('x-user')).toBe('ada')
    expect(second.says('hit') ? second.field('x-user') : undefined, value).toBeUndefined()
    expect(second.field('x-all')).toBe('all')
  }
})

clause('§5.2.2.5 no-store MUST NOT be stored, and MUST NOT answer any other request', async (world) => {
  for (const value of ['no-store', 'no-store, s-maxage=60', 'no-store=x, max-age=60', 'max-age=60, no-store="x"']) {
    expect(await world.stores({ ...cc(value), ETag: '"a"' }), value).toBe(false)
  }
})

clause('§5.2.2.5 … so it is no validator for later requests either', async (world) => {
  world.app({ fields: { ...cc('no-store'), ETag: '"a"' } })
  await world.get()
  await world.get()
  expect(world.seen[1]?.headers['if-none-match']).toBeUndefined()
})

clause('§5.2.2.6 no-transform: the content MUST NOT be transformed', { compress: true }, async (world) => {
  const body = 'x'.repeat(20_000)
  world.app({ fields: { ...cc('max-age=600, no-transform'), 'Content-Type': 'text/plain', ETag: '"a"' }, body })
  for (let time = 0; time < 5; time++) {
    const got = await world.get({ 'Accept-Encoding': 'gzip, br' })
    expect(got.field('content-encoding')).toBeUndefined()
    expect(got.body.length).toBe(20_000)
    expect(got.field('etag')).toBe('"a"')
  }
})

clause('§5.2.2.7 private MUST NOT be stored by a shared cache', async (world) => {
  for (const value of ['private', 'private, max-age=60', 'private=""', 'private, private="x-user", max-age=60']) {
    expect(await world.stores(cc(value)), value).toBe(false)
  }
})

clause('§5.2.2.7 the qualified form: the listed fields MUST NOT be stored', async (world) => {
  const values = [
    'private="x-user"',
    'private="X-USER,x-other"',
    'private=x-user',
    'private="x-other", private="x-user"',
  ]
  for (const [at, value] of values.entries()) {
    world.app({ fields: { ...cc(`max-age=60, ${value}`), 'X-User': 'ada', 'X-All': 'all' } })
    const first = await world.get({}, `/${at}`)
    const second = await world.get({}, `/${at}`)
    expect([first.field('x-user'), second.says('hit')]).toEqual(['ada', true])
    expect(second.field('x-user'), value).toBeUndefined()
    expect(second.field('x-all')).toBe('all')
  }
})

clause('§5.2.2.7 … not those who were collapsed with the first either', async (world) => {
  const gate = world.gate()
  world.app(async () => {
    await gate.opened
    return { fields: { ...cc('max-age=60, private="x-user"'), 'X-User': 'ada' } }
  })
  const asked = Array.from({ length: 3 }, () => world.send({}))
  await world.reached(1)
  gate.open()
  const users = (await Promise.all(asked)).map((got) => got.field('x-user'))
  await world.front.landed()
  expect(users.filter((user) => user === 'ada')).toHaveLength(world.seen.length)
})

clause(
  '§5.2.2.8 proxy-revalidate: as must-revalidate, for a shared cache',
  { stale: '1h', staleIfError: '1h' },
  async (world) => {
    world.app({ fields: cc('max-age=10, proxy-revalidate, stale-while-revalidate=600, stale-if-error=600') })
    await world.get()
    world.pass(11)
    world.app({ status: 503, body: 'down' })
    const got = await world.get()
    expect([got.status, got.body]).toEqual([503, 'down'])
  },
)

clause('§5.2.2.8 … but no leave to share what Authorization got', async (world) => {
  const first = { fields: { Authorization: 'Basic x' } }
  expect(await world.stores(cc('max-age=60, proxy-revalidate'), { first, second: {} })).toBe(false)
})

clause('§5.2.2.9 public: may be stored, and says nothing about how long', { heuristic: 0 }, async (world) => {
  expect(await world.stores(cc('public'))).toBe(false)
  expect(await world.freshAfter(9, cc('public, max-age=10'))).toBe(true)
  expect(await world.freshAfter(11, cc('public, max-age=10'))).toBe(false)
})

clause('§5.2.2.10 s-maxage overrides max-age and Expires', async (world) => {
  expect(await world.freshAfter(20, { ...cc('s-maxage=30, max-age=0'), Expires: '0' })).toBe(true)
  expect(await world.freshAfter(31, { ...cc('s-maxage=30, max-age=600'), Expires: world.date(600) })).toBe(false)
})

clause(
  '§5.2.2.10 … and MUST NOT be reused stale without validation',
  { stale: '1h', staleIfError: '1h' },
  async (world) => {
    world.app({ fields: cc('s-maxage=10, stale-while-revalidate=600, stale-if-error=600') })
    await world.get()
    world.pass(11)
    world.app({ status: 503, body: 'down' })
    expect((await world.get()).status).toBe(503)
  },
)

clause('§5.2.3 unrecognised directives MUST be ignored', async (world) => {
  for (const value of [
    'x-new, max-age=10',
    'max-age=10, community="UCI"',
    'nostore, max-age=10',
    'no-store-x, max-age=10',
    'x-max-age=999, max-age=10',
    '=, max-age=10',
    '"", max-age=10',
    'pre-check=0, post-check=0, max-age=10',
  ]) {
    expect(await world.freshAfter(9, cc(value)), value).toBe(true)
    expect(await world.freshAfter(11, cc(value)), value).toBe(false)
  }
})

clause('§5.3 an invalid Expires, "0" above all, MUST be in the past', { heuristic: 0.5, ttl: '1h' }, async (world) => {
  const values = [
    '0',
    '-1',
    '',
    'never',
    '2999-01-01T00:00:00Z',
    'Thu, 99 Dec 2099 16:00:00 GMT',
    'Thu, 01 Dec 2099 16:00:00',
    'Thu, 1 Dec 2099 16:00:00 GMT',
    '4102444800',
    'Thu, 01 Foo 2099 16:00:00 GMT',
    'Thu, 01 Dec 2099 25:00:00 GMT',
  ]
  for (const Expires of values) {
    expect(await world.stores({ Expires, 'Last-Modified': world.date(-1e6) }), Expires).toBe(false)
  }
})

clause('§5.3 Expires MUST be ignored beside max-age and s-maxage', async (world) => {
  for (const Expires of ['0', world.date(-100), world.date(6000)]) {
    expect(await world.freshAfter(9, { ...cc('max-age=10'), Expires })).toBe(true)
    expect(await world.freshAfter(10, { ...cc('max-age=10'), Expires })).toBe(false)
    expect(await world.freshAfter(9, { ...cc('s-maxage=10'), Expires })).toBe(true)
  }
})

clause('§5.3 an Expires far away is no trouble', async (world) => {
  expect(await world.freshAfter(86_400, { Expires: 'Fri, 31 Dec 9999 23:59:59 GMT' })).toBe(true)
})

clause('§5.3 a date of the past, and the instant of Date, are stale', async (world) => {
  expect(await world.stores({ Expires: world.date(-1) })).toBe(false)
  expect(await world.stores({ Expires: world.date(0) })).toBe(false)
  expect(await world.stores({ Expires: world.date(0), Date: world.date(0) })).toBe(false)
})

clause('§5.5 Warning is not made, and is replayed as any field', async (world) => {
  world.app({ fields: { ...cc('max-age=60'), Warning: '199 - "x"' } })
  await world.get()
  expect((await world.get()).lines('warning')).toEqual(['199 - "x"'])
  world.app({ fields: cc('max-age=60') })
  await world.get({}, '/none')
  expect((await world.get({}, '/none')).field('warning')).toBeUndefined()
})

clause(
  '§7.3 Set-Cookie does not inhibit caching: the conformance profile replays it',
  { profile: 'conformance' },
  async (world) => {
    world.app({ fields: { ...cc('public, max-age=60'), 'Set-Cookie': ['a=1', 'b=2'] } })
    await world.get()
    const got = await world.get()
    expect([got.says('hit'), got.lines('set-cookie')]).toEqual([true, ['a=1', 'b=2']])
  },
)

clause('§7.3 … the safe profile does not store it', { profile: 'safe' }, async (world) => {
  expect(await world.stores({ ...cc('public, max-age=60'), 'Set-Cookie': 'a=1' })).toBe(false)
})

clause("§7.3 … 'strip' stores the response without it", { setCookie: 'strip' }, async (world) => {
  world.app({ fields: { ...cc('max-age=60'), 'Set-Cookie': 'a=1' } })
  expect((await world.get()).field('set-cookie')).toBe('a=1')
  const got = await world.get()
  expect([got.says('hit'), got.field('set-cookie')]).toEqual([true, undefined])
})
