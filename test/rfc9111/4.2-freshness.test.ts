import { expect } from 'vitest'
import { clause } from './clause.ts'

clause(
  '§1.2.2 delta-seconds that cannot be represented count as 2^31, never as a failure or as negative',
  async (world) => {
    for (const seconds of ['2147483648', '4294967296', '99999999999', '9'.repeat(40)]) {
      expect(await world.freshAfter(86_400, { 'Cache-Control': `max-age=${seconds}` }), seconds).toBe(true)
    }
  },
)

clause('§1.2.2 delta-seconds are digits', async (world) => {
  for (const seconds of ['-1', '+60', '6e1', '0x3c', '60s', '6 0', '', '60.5', '"', 'abc', '1_0']) {
    expect(await world.stores({ 'Cache-Control': `max-age=${seconds}` }), seconds).toBe(false)
  }
  expect(await world.freshAfter(59, { 'Cache-Control': 'max-age=060' })).toBe(true)
})

clause('§4.2 a response is fresh while its lifetime exceeds its age, and not when it equals it', async (world) => {
  for (const fields of [{ 'Cache-Control': 'max-age=10' }, { 'Cache-Control': 's-maxage=10' }]) {
    expect(await world.freshAfter(9, fields)).toBe(true)
    expect(await world.freshAfter(10, fields)).toBe(false)
  }
  expect(await world.freshAfter(9, { Expires: world.date(10) })).toBe(true)
  expect(await world.freshAfter(10, { Expires: world.date(10) })).toBe(false)
})

clause('§4.2 a recipient SHOULD match dates without regard to case', async (world) => {
  expect(await world.freshAfter(9, { Expires: world.date(10).toLowerCase() })).toBe(true)
  expect(await world.freshAfter(9, { Expires: world.date(10).toUpperCase() })).toBe(true)
})

clause('§4.2 local time zones MUST NOT matter', async (world) => {
  const zone = process.env.TZ
  try {
    for (const TZ of ['America/Los_Angeles', 'Asia/Kolkata']) {
      process.env.TZ = TZ
      expect(await world.freshAfter(9, { Expires: world.date(10) })).toBe(true)
      expect(await world.freshAfter(11, { Expires: world.date(10) })).toBe(false)
    }
  } finally {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  }
})

clause('§4.2 a zone other than GMT SHOULD be invalid', async (world) => {
  for (const zone of ['EST', 'UTC', '+0000', 'Z', 'CET', '']) {
    expect(await world.stores({ Expires: world.date(100_000).replace('GMT', zone) }), zone).toBe(false)
  }
})

clause('RFC 9110 §5.6.7 all three forms of a date MUST be accepted', async (world) => {
  const forms = [
    ({ day, month, year, time }: DateParts) => `Sunday, ${day}-${month}-${year.slice(2)} ${time} GMT`,
    ({ day, month, year, time }: DateParts) => `Sun ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`,
    ({ day, month, year, time }: DateParts) => `Sun, ${day} ${month} ${year} ${time} GMT`,
  ]
  for (const form of forms) {
    expect(await world.freshAfter(9, { Expires: form(partsOf(world.date(10))) }), String(form)).toBe(true)
    expect(await world.freshAfter(10, { Expires: form(partsOf(world.date(10))) }), String(form)).toBe(false)
  }
})

interface DateParts {
  readonly day: string
  readonly month: string
  readonly year: string
  readonly time: string
}

function partsOf(date: string): DateParts {
  const [, day = '', month = '', year = '', time = ''] = /, (\d\d) (\w+) (\d{4}) (\S+)/.exec(date) ?? []
  return { day, month, year, time }
}

clause('RFC 9110 §5.6.7 a two-digit year over 50 years ahead MUST be one of the past', async (world) => {
  const year = new Date().getUTCFullYear()
  const at = (ahead: number) => `Sunday, 06-Nov-${String((year + ahead) % 100).padStart(2, '0')} 08:49:37 GMT`
  expect(await world.stores({ Expires: at(60) })).toBe(false)
  expect(await world.stores({ Expires: at(40) })).toBe(true)
})

// ── §4.2.1 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.2.1 s-maxage counts before max-age and Expires', async (world) => {
  const long = { 'Cache-Control': 's-maxage=30, max-age=10', Expires: world.date(5) }
  expect(await world.freshAfter(29, long)).toBe(true)
  expect(await world.freshAfter(30, long)).toBe(false)
  const short = { 'Cache-Control': 'max-age=30, s-maxage=10', Expires: world.date(60) }
  expect(await world.freshAfter(11, short)).toBe(false)
  expect(await world.stores({ 'Cache-Control': 'max-age=30, s-maxage=0' })).toBe(false)
})

clause('§4.2.1 max-age counts before Expires', async (world) => {
  expect(await world.freshAfter(9, { 'Cache-Control': 'max-age=10', Expires: world.date(-60) })).toBe(true)
  expect(await world.freshAfter(11, { 'Cache-Control': 'max-age=10', Expires: world.date(600) })).toBe(false)
  expect(await world.stores({ 'Cache-Control': 'max-age=0', Expires: world.date(600) })).toBe(false)
})

clause('§4.2.1 Expires counts less Date', async (world) => {
  const fields = { Date: world.date(-5), Expires: world.date(10) }
  expect(await world.freshAfter(9, fields)).toBe(true)
  expect(await world.freshAfter(10, fields)).toBe(false)
})

clause('§4.2.1 … so an origin whose clock is wrong keeps its lifetime', async (world) => {
  const ahead = { Date: world.date(1000), Expires: world.date(1010) }
  expect(await world.freshAfter(9, ahead)).toBe(true)
  expect(await world.freshAfter(10, { Date: world.date(1000), Expires: world.date(1010) })).toBe(false)
})

clause('§4.2.1 of repeated directives the first counts, or the response is stale: never the longest', async (world) => {
  for (const value of ['max-age=10, max-age=60', 'max-age=60, max-age=10', 's-maxage=10, s-maxage=60']) {
    const isFresh = await world.freshAfter(11, { 'Cache-Control': value })
    expect(isFresh && !value.startsWith('max-age=60'), value).toBe(false)
  }
  expect(await world.stores({ 'Cache-Control': ['max-age=60', 'max-age=0'] })).toBe(false)
})

clause('§4.2.1 the same with Expires', async (world) => {
  expect(await world.freshAfter(11, { Expires: [world.date(10), world.date(60)] })).toBe(false)
})

clause('§4.2.1 of directives that contradict each other the most restrictive SHOULD be honoured', async (world) => {
  for (const value of ['max-age=60, no-cache', 'public, no-store, max-age=60', 'public, private, max-age=60']) {
    expect(await world.stores({ 'Cache-Control': value }), value).toBe(false)
    expect(await world.stores({ 'Cache-Control': value.split(', ') }), value).toBe(false)
  }
})

clause('§4.2.1 invalid freshness SHOULD be stale', async (world) => {
  for (const value of ['max-age=soon', 'max-age=', 'max-age', 'max-age=-5', 's-maxage=x, max-age=60', 'max-age=1.5']) {
    expect(await world.stores({ 'Cache-Control': value, 'Last-Modified': world.date(-1e6) }), value).toBe(false)
  }
})

// ── §4.2.2 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause(
  '§4.2.2 heuristics MUST NOT be used where there is an explicit time',
  { heuristic: 0.5, ttl: '1h' },
  async (world) => {
    const old = { 'Last-Modified': world.date(-1_000_000) }
    expect(await world.freshAfter(11, { ...old, 'Cache-Control': 'max-age=10' })).toBe(false)
    expect(await world.freshAfter(11, { ...old, Expires: world.date(10) })).toBe(false)
    expect(await world.stores({ ...old, Expires: '0' })).toBe(false)
    expect(await world.stores({ ...old, 'Cache-Control': 's-maxage=0' })).toBe(false)
  },
)

clause(
  '§4.2.2 … and only for statuses defined as cacheable, or responses marked so',
  { heuristic: 0.1 },
  async (world) => {
    const old = { 'Last-Modified': world.date(-100_000) }
    for (const status of [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]) {
      expect(await world.freshAfter(9000, { 'Last-Modified': world.date(-100_000) }, { status }), String(status)).toBe(
        true,
      )
    }
    for (const status of [201, 202, 302, 303, 307, 400, 403, 418, 500, 502, 503, 504]) {
      expect(await world.stores(old, { status }), String(status)).toBe(false)
    }
    for (const status of [200, 302, 403]) {
      expect(await world.stores({ ...old, 'Cache-Control': 'public' }, { status }), String(status)).toBe(true)
    }
  },
)

clause('§4.2.2 … a fraction of the time since Last-Modified, no more', { heuristic: 0.1 }, async (world) => {
  expect(await world.freshAfter(90, { 'Last-Modified': world.date(-1000) })).toBe(true)
  expect(await world.freshAfter(110, { 'Last-Modified': world.date(-1000) })).toBe(false)
  expect(await world.stores({})).toBe(false)
  expect(await world.stores({ 'Last-Modified': 'yesterday' })).toBe(false)
  expect(await world.stores({ 'Last-Modified': world.date(1000) })).toBe(false)
})

clause('§4.2.2 … not without leave: the safe profile does not guess', { profile: 'safe' }, async (world) => {
  expect(await world.stores({ 'Last-Modified': world.date(-1_000_000) })).toBe(false)
})

clause('§4.2.2 … the conformance profile does', { profile: 'conformance' }, async (world) => {
  expect(await world.stores({ 'Last-Modified': world.date(-1_000_000) })).toBe(true)
})

clause(
  '§4.2.2 failures have a lifetime by status, where the options say so',
  { negativeTtl: '10s', heuristic: 0 },
  async (world) => {
    for (const status of [404, 405, 410, 414, 501]) {
      expect(await world.freshAfter(9, {}, { status }), String(status)).toBe(true)
      expect(await world.freshAfter(10, {}, { status }), String(status)).toBe(false)
    }
    for (const status of [200, 400, 403, 500, 503])
      expect(await world.stores({}, { status }), String(status)).toBe(false)
    expect(await world.stores({ 'Cache-Control': 'no-store' }, { status: 404 })).toBe(false)
    expect(await world.freshAfter(20, { 'Cache-Control': 'max-age=30' }, { status: 404 })).toBe(true)
  },
)

// ── §4.2.3 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.2.3 the age starts from the Age that was received', async (world) => {
  expect(await world.freshAfter(9, { 'Cache-Control': 'max-age=60', Age: '50' })).toBe(true)
  expect(await world.freshAfter(10, { 'Cache-Control': 'max-age=60', Age: '50' })).toBe(false)
  expect(await world.stores({ 'Cache-Control': 'max-age=60', Age: '60' })).toBe(false)
})

clause('§4.2.3 … or from the apparent age, by Date', async (world) => {
  expect(await world.freshAfter(9, { 'Cache-Control': 'max-age=60', Date: world.date(-50) })).toBe(true)
  expect(await world.freshAfter(10, { 'Cache-Control': 'max-age=60', Date: world.date(-50) })).toBe(false)
  world.app({ fields: { 'Cache-Control': 'max-age=60', Date: world.date(-20) } })
  await world.get({}, '/age')
  expect((await world.get({}, '/age')).age).toBe(20)
})

clause('§4.2.3 … whichever is greater', async (world) => {
  for (const [age, date] of [
    ['30', -10],
    ['10', -30],
  ] as const) {
    world.app({ fields: { 'Cache-Control': 'max-age=60', Age: age, Date: world.date(date) } })
    await world.get({}, `/${age}`)
    expect((await world.get({}, `/${age}`)).age).toBe(30)
  }
})

clause('§4.2.3 a Date in the future is no negative age', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=60', Date: world.date(500) } })
  await world.get()
  world.pass(30)
  expect((await world.get()).age).toBe(30)
  world.pass(30)
  expect((await world.get()).body).toBe('run 2')
})

clause('§4.2.3 a Date that is none counts as absent', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=60', Date: 'last week' } })
  await world.get()
  world.pass(10)
  expect((await world.get()).age).toBe(10)
})

clause('§4.2.3 the age grows with the time of residence, across tiers', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=1000', Age: '100' } })
  await world.get()
  for (const seconds of [1, 10, 100]) {
    const before = (await world.get()).age
    world.pass(seconds)
    expect((await world.get()).age - before).toBe(seconds)
  }
})

// ── §4.2.4 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const FORBIDDEN = ['must-revalidate, max-age=10', 'proxy-revalidate, max-age=10', 's-maxage=10', 'no-cache, max-age=10']

clause(
  '§4.2.4 a cache MUST NOT generate a stale response where a directive prohibits it',
  { stale: '1h', staleIfError: '1h' },
  async (world) => {
    for (const value of FORBIDDEN) {
      const fields = { 'Cache-Control': `${value}, stale-while-revalidate=600, stale-if-error=600`, ETag: '"a"' }
      const below = `/${value.slice(0, 6)}`
      world.app(({ run }) => (run % 2 === 1 ? { fields, body: 'first' } : { status: 503, body: 'down' }))
      expect((await world.get({}, below)).body).toBe('first')
      world.pass(20)
      const got = await world.get({ 'Cache-Control': 'max-stale=600, stale-if-error=600' }, below)
      expect([got.status, got.body], value).toEqual([503, 'down'])
    }
  },
)

clause(
  '§4.2.4 … nor one without leave of the client, the origin or the configuration',
  { staleIfError: 0, stale: 0 },
  async (world) => {
    world.app(({ run }) =>
      run === 1 ? { fields: { 'Cache-Control': 'max-age=10', ETag: '"a"' } } : { status: 503, body: 'down' },
    )
    await world.get()
    world.pass(11)
    const got = await world.get()
    expect([got.status, got.body]).toEqual([503, 'down'])
  },
)

clause('§4.2.4 … the configuration may give leave', { stale: '1m' }, async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=10' } })
  await world.get()
  world.pass(20)
  const got = await world.get()
  expect(got.body).toBe('run 1')
  expect(got.age).toBe(20)
  world.pass(41)
  expect((await world.get()).body).not.toBe('run 1')
})
