import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { Reply, ResponseFields, Seen } from './front.ts'
import type { World } from './clause.ts'

const BRIEF = { 'Cache-Control': 'max-age=10' }

/** An application that confirms what it is asked for with If-None-Match or If-Modified-Since. */
function confirming(fields: ResponseFields, with304: ResponseFields = fields): (seen: Seen) => Reply {
  return ({ headers, run }) =>
    headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined
      ? { status: 304, fields: { ...with304, 'X-Run': String(run) } }
      : { fields: { ...fields, 'X-Run': String(run) } }
}

/** Stores a response, lets it go stale, and asks again. */
async function again(world: World, seconds = 11, fields = {}) {
  await world.get()
  await world.pass(seconds)
  return world.get(fields)
}

// ── §4.3.1 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.3.1 a response without a validator is not validated: the request goes on as it is', async (world) => {
  world.app({ fields: BRIEF })
  const got = await again(world)
  expect(world.seen[1]?.headers['if-none-match']).toBeUndefined()
  expect(world.seen[1]?.headers['if-modified-since']).toBeUndefined()
  expect(got.body).toBe('run 2')
})

// ── §4.3.2 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.3.2 preconditions that only the origin can judge MUST NOT be evaluated', async (world) => {
  world.app(({ headers }) => ({
    fields: { 'Cache-Control': 'max-age=60', ETag: '"a"', 'Last-Modified': world.date(-100) },
    body: `match ${headers['if-match']} since ${headers['if-unmodified-since']}`,
  }))
  await world.get()
  const date = world.date(-500)
  expect((await world.get({ 'If-Match': '"other"' })).body).toContain('match "other"')
  expect((await world.get({ 'If-Unmodified-Since': date })).body).toContain(`since ${date}`)
})

clause(
  '§4.3.2 … nor any for which nothing is stored: on a miss the answer is what the application says',
  async (world) => {
    world.app({ fields: { 'Cache-Control': 'no-store', ETag: '"a"' } })
    const got = await world.ask({ method: 'POST', fields: { 'If-None-Match': '"a"' } })
    expect(got.status).toBe(200)
    expect(world.seen[0]?.headers['if-none-match']).toBe('"a"')
  },
)

clause('§4.3.2 If-None-Match is compared with the stored tag: 304 or the response', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=60', ETag: '"a"' } })
  await world.get()
  for (const tags of ['"a"', 'W/"a"', '"x", "a"', '"x","a" , "y"', '*', ' "a" ']) {
    const got = await world.get({ 'If-None-Match': tags })
    expect([got.status, got.body], tags).toEqual([304, ''])
  }
  for (const tags of ['"b"', '"A"', 'a', '"a', '"aa"', 'W/"b"', '']) {
    const got = await world.get({ 'If-None-Match': tags })
    expect([got.status, got.body], tags).toEqual([200, 'run 1'])
  }
  expect(world.seen.length).toBe(1)
})

clause('§4.3.2 … on several lines, too', { http1Because: 'Node joins lines of HTTP/2' }, async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=60', ETag: '"a"' } })
  await world.get()
  expect((await world.get({ 'If-None-Match': ['"x"', '"a"'] })).status).toBe(304)
})

clause('§4.3.2 If-None-Match takes precedence over If-Modified-Since', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=60', ETag: '"a"', 'Last-Modified': world.date(-1000) } })
  await world.get()
  const since = world.date()
  expect((await world.get({ 'If-None-Match': '"b"', 'If-Modified-Since': since })).status).toBe(200)
  expect((await world.get({ 'If-None-Match': '"a"', 'If-Modified-Since': world.date(-9999) })).status).toBe(304)
})

clause('§4.3.2 If-Modified-Since is compared with Last-Modified', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=60', 'Last-Modified': world.date(-1000) } })
  await world.get()
  expect((await world.get({ 'If-Modified-Since': world.date(-1000) })).status).toBe(304)
  expect((await world.get({ 'If-Modified-Since': world.date(-999) })).status).toBe(304)
  expect((await world.get({ 'If-Modified-Since': world.date(-1001) })).status).toBe(200)
  expect(world.seen.length).toBe(1)
})

clause('§4.3.2 … or, without it, SHOULD be compared with Date', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=600', Date: world.date(-100) } })
  await world.get()
  expect((await world.get({ 'If-Modified-Since': world.date(-100) })).status).toBe(304)
  expect((await world.get({ 'If-Modified-Since': world.date(-101) })).status).toBe(200)
})

clause('§4.3.2 … or, without that, with the time of receipt', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=600' } })
  await world.get()
  const received = world.date()
  await world.pass(100)
  expect((await world.get({ 'If-Modified-Since': received })).status).toBe(304)
  expect((await world.get({ 'If-Modified-Since': world.date(-101) })).status).toBe(200)
})

clause(
  "§4.3.2 on a miss the client's conditionals are judged on the new response, which is stored whole",
  async (world) => {
    world.app({ fields: { 'Cache-Control': 'max-age=60', ETag: '"a"' }, body: 'whole' })
    const first = await world.get({ 'If-None-Match': '"a"' })
    expect([first.status, first.body]).toEqual([304, ''])
    expect((await world.get()).body).toBe('whole')
    expect(world.seen.length).toBe(1)
  },
)

// ── §4.3.3 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.3.3 a full response MUST be used in place of the stored one', async (world) => {
  world.app(({ run }) => ({ fields: { ...BRIEF, ETag: `"${run}"` } }))
  const got = await again(world)
  expect([got.status, got.body, got.field('etag')]).toEqual([200, 'run 2', '"2"'])
  expect((await world.get()).body).toBe('run 2')
  expect(world.seen.length).toBe(2)
})

clause('§4.3.3 … also one that may not be stored, or is an error of the client', async (world) => {
  for (const [status, control] of [
    [200, 'no-store'],
    [404, 'no-store'],
    [410, 'max-age=60'],
  ] as const) {
    const below = `/${status}-${control}`
    world.app({ fields: { ...BRIEF, ETag: '"a"' }, body: 'old' })
    await world.get({}, below)
    await world.pass(11)
    world.app({ status, fields: { 'Cache-Control': control, ETag: '"b"' }, body: 'new' })
    const got = await world.get({}, below)
    expect([got.status, got.body]).toEqual([status, 'new'])
    expect((await world.get({}, below)).body).toBe('new')
  }
})

// ── §4.3.4 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§3.2 … except Content-Length, and what describes the stored content', async (world) => {
  world.app(({ headers }) =>
    headers['if-none-match']
      ? {
          write: (res) =>
            res.writeHead(304, { ...BRIEF, ETag: '"a"', 'Content-Length': '3', 'Content-Encoding': 'br' }).end(),
        }
      : { fields: { ...BRIEF, ETag: '"a"', 'Content-Type': 'text/x' }, body: 'a whole body' },
  )
  await again(world)
  const got = await world.get()
  expect([got.body, got.field('content-type')]).toEqual(['a whole body', 'text/x'])
  expect(got.field('content-length')).toBe('12')
  expect(got.field('content-encoding')).toBeUndefined()
})

clause('§4.3.4 Date and Age start anew with the 304', async (world) => {
  world.app(confirming({ ...BRIEF, ETag: '"a"' }))
  await world.get()
  await world.pass(30)
  const date = world.date()
  const got = await world.get()
  expect(got.field('date')).toBe(date)
  await world.pass(4)
  const later = await world.get()
  expect([later.field('date'), later.age]).toEqual([date, 4])
})

clause('§4.3.4 a strong validator that no stored response has MUST NOT update any', async (world) => {
  world.app(({ headers, run }) =>
    run === 2 && headers['if-none-match']
      ? { status: 304, fields: { 'Cache-Control': 'max-age=60', ETag: '"another"', 'X-Wrong': '1' } }
      : { fields: { ...BRIEF, ETag: '"a"' } },
  )
  const got = await again(world)
  expect(got.field('x-wrong') === undefined || got.status === 304).toBe(true)
  const later = await world.get()
  expect(later.field('x-wrong')).toBeUndefined()
  expect(later.status).toBe(200)
})

clause('§4.3.4 only the variant that was validated is fresh again', async (world) => {
  world.app(({ headers, run }) => {
    const fields = { ...BRIEF, Vary: 'X-V', ETag: `"${headers['x-v']}"` }
    return headers['if-none-match'] ? { status: 304, fields } : { fields, body: `${headers['x-v']} run ${run}` }
  })
  await world.get({ 'X-V': 'a' })
  await world.get({ 'X-V': 'b' })
  await world.pass(11)
  await world.get({ 'X-V': 'a' })
  const before = world.seen.length
  await world.get({ 'X-V': 'a' })
  expect(world.seen.length).toBe(before)
  await world.get({ 'X-V': 'b' })
  expect(world.seen.length).toBe(before + 1)
})

// ── §4.3.5 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.3.5 a HEAD that finds another ETag SHOULD make the stored GET stale', async (world) => {
  world.app({ fields: { ...BRIEF, ETag: '"a"' } })
  await world.get()
  await world.pass(11)
  world.app({ fields: { 'Cache-Control': 'max-age=60', ETag: '"b"' } })
  const head = await world.ask({ method: 'HEAD' })
  expect([head.status, head.body]).toEqual([200, ''])
  expect((await world.get()).field('etag')).toBe('"b"')
})
