import { expect } from 'vitest'
import { clause } from './clause.ts'

const cc = (value: string) => ({ 'Cache-Control': value })
const cdn = (value: string | string[]) => ({ 'CDN-Cache-Control': value })
const own = (value: string) => ({ 'Tiercache-Control': value })

clause(
  'RFC 9213 §2.2 a cache MUST use the first valid field of its list, and MUST ignore Cache-Control and Expires',
  async (world) => {
    expect(await world.freshAfter(29, { ...cdn('max-age=30'), ...cc('max-age=5'), Expires: world.date(5) })).toBe(true)
    expect(await world.freshAfter(31, { ...cdn('max-age=30'), ...cc('max-age=600'), Expires: world.date(600) })).toBe(
      false,
    )
    expect(await world.freshAfter(29, { ...own('max-age=30'), ...cdn('max-age=5'), ...cc('no-store') })).toBe(true)
    expect(await world.freshAfter(31, { ...own('max-age=30'), ...cdn('max-age=600') })).toBe(false)
  },
)

clause('RFC 9213 §2.2 … so no-store of Cache-Control is for others', async (world) => {
  for (const value of ['no-store', 'private', 'no-cache', 'max-age=0', 'no-store, private, no-cache']) {
    expect(await world.stores({ ...cdn('max-age=60'), ...cc(value) }), value).toBe(true)
  }
})

clause('RFC 9213 §2.2 … and public of Cache-Control says nothing either', async (world) => {
  const first = { fields: { Authorization: 'Basic x' } }
  expect(await world.stores({ ...cdn('no-store'), ...cc('public, max-age=60') })).toBe(false)
  expect(await world.stores({ ...cdn('max-age=60'), ...cc('public, s-maxage=60') }, { first, second: {} })).toBe(false)
})

clause(
  'RFC 9213 §2.2 max-age, must-revalidate, no-store, no-cache and private MUST be implemented',
  { stale: '1h', staleIfError: '1h' },
  async (world) => {
    for (const value of [
      'no-store',
      'no-cache',
      'private',
      'max-age=60, no-store',
      'max-age=60, private',
      'no-cache, max-age=60',
    ]) {
      expect(await world.stores({ ...cdn(value), ...cc('max-age=60') }), value).toBe(false)
    }
    world.app({ fields: { ...cdn('max-age=10, must-revalidate'), ...cc('stale-while-revalidate=600') } })
    await world.get()
    world.pass(11)
    world.app({ status: 503, body: 'down' })
    expect((await world.get()).status).toBe(503)
  },
)

clause(
  'RFC 9213 §2.2 the others SHOULD be: s-maxage, must-understand, stale-while-revalidate, stale-if-error',
  async (world) => {
    expect(await world.freshAfter(20, { ...cdn('s-maxage=30, max-age=10') })).toBe(true)
    world.app(({ run }) => ({ fields: cdn('max-age=10, stale-while-revalidate=60'), body: `version ${run}` }))
    await world.get({}, '/swr')
    world.pass(20)
    expect((await world.get({}, '/swr')).body).toMatch(/^version/)
    world.app({ fields: cdn('max-age=10, stale-if-error=60'), body: 'good' })
    await world.get({}, '/sie')
    world.pass(20)
    world.app({ status: 503, body: 'down' })
    expect((await world.get({}, '/sie')).body).toBe('good')
  },
)

clause('RFC 9213 §2.1 an empty field, or one that is no dictionary, MUST be ignored', async (world) => {
  for (const value of [
    '',
    ' ',
    'max-age=60,',
    'max-age=60, , no-store',
    'MAX-AGE=60',
    'max-age=',
    '"max-age=60"',
    'max-age==60',
    'max-age=6 0',
    '=',
    'é',
  ]) {
    if (value === 'é' && world.setUp.protocol === 'HTTP/2') continue
    expect(await world.stores({ ...cdn(value), ...cc('no-store') }), `no-store beside ${value}`).toBe(false)
    expect(await world.freshAfter(9, { ...cdn(value), ...cc('max-age=10') }), value).toBe(true)
    expect(await world.freshAfter(11, { ...cdn(value), ...cc('max-age=10') }), value).toBe(false)
  }
})

clause('RFC 9213 §2.1 … then the next of the list counts', async (world) => {
  expect(await world.freshAfter(9, { ...own('a b'), ...cdn('max-age=10'), ...cc('no-store') })).toBe(true)
  expect(await world.freshAfter(11, { ...own('a b'), ...cdn('max-age=10'), ...cc('max-age=600') })).toBe(false)
})

clause('RFC 9213 §2.1 parameters are ignored; lines are joined; the last of equal keys counts', async (world) => {
  expect(await world.freshAfter(9, { ...cdn('max-age=10;x=1;no-store') })).toBe(true)
  expect(await world.freshAfter(9, { ...cdn(['public', 'max-age=10']), ...cc('no-store') })).toBe(true)
  expect(await world.freshAfter(11, { ...cdn('max-age=600, max-age=10') })).toBe(false)
})

clause('RFC 9213 §2.1 values of another type SHOULD NOT be consumed', { heuristic: 0 }, async (world) => {
  for (const value of [
    'max-age="60"',
    'max-age=60.5',
    'max-age=?1',
    'max-age',
    'max-age=-5',
    'max-age=sixty',
    'max-age=(60)',
  ]) {
    expect(await world.stores({ ...cdn(value) }), value).toBe(false)
  }
})

clause('RFC 9213 §2.1 no-cache and private may list fields in a string', async (world) => {
  for (const [at, value] of ['private="x-user"', 'no-cache="X-User, x-b"'].entries()) {
    world.app({ fields: { ...cdn(`max-age=60, ${value}`), 'X-User': 'ada' } })
    await world.get({}, `/${at}`)
    const got = await world.get({}, `/${at}`)
    expect(got.says('hit') ? got.field('x-user') : undefined).toBeUndefined()
  }
})

clause('RFC 9213 §2.1 no-store=?0 is no no-store', async (world) => {
  expect(await world.stores(cdn('max-age=60, no-store=?0'))).toBe(true)
})

clause('RFC 9213 §2.2 unrecognised directives are ignored', async (world) => {
  expect(await world.freshAfter(9, { ...cdn('max-age=10, x-new=(1 2), community="x"'), ...cc('no-store') })).toBe(true)
})

clause('RFC 9213 §2.2 fields that are not on the list MUST NOT matter, and MUST be passed through', async (world) => {
  const other = { 'Example-Cache-Control': 'max-age=600', 'Surrogate-Control': 'max-age=600' }
  expect(await world.freshAfter(11, { ...other, ...cc('max-age=10') })).toBe(false)
  world.app({ fields: { ...other, ...cc('max-age=10') } })
  for (const got of [await world.get(), await world.get()]) {
    for (const [name, value] of Object.entries(other)) expect(got.field(name)).toBe(value)
  }
})

clause('RFC 9213 §2.2 … so with CDN-Cache-Control that is taken off the list', { targeted: [] }, async (world) => {
  expect(await world.stores({ ...cdn('max-age=600'), ...cc('no-store') })).toBe(false)
  world.app({ fields: { ...cdn('max-age=600'), ...cc('max-age=10') } })
  expect((await world.get()).field('cdn-cache-control')).toBe('max-age=600')
})

clause('RFC 9213 §3 fields of the list are taken out on the way to the client', async (world) => {
  world.app({ fields: { ...own('max-age=60'), ...cdn('max-age=60'), ...cc('max-age=5') } })
  for (const got of [await world.get(), await world.get()]) {
    expect([got.field('tiercache-control'), got.field('cdn-cache-control')]).toEqual([undefined, undefined])
    expect(got.field('cache-control')).toBe('max-age=5')
  }
  world.app({ fields: { ...own('no-store'), ...cc('max-age=5') } })
  expect((await world.get({}, '/not-stored')).field('tiercache-control')).toBeUndefined()
})

clause('RFC 9213 §2.3 there is one age: Age counts against the targeted lifetime', async (world) => {
  expect(await world.freshAfter(9, { ...cdn('max-age=60'), Age: '50' })).toBe(true)
  expect(await world.freshAfter(11, { ...cdn('max-age=60'), Age: '50' })).toBe(false)
})
