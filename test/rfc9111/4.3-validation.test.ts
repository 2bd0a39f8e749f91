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
  world.pass(seconds)
  return world.get(fields)
}

// ── §4.3.1 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.3.1 a validation MUST send the entity tag of the stored response', async (world) => {
  for (const etag of ['"a"', 'W/"weak"', '""', '"with,comma"']) {
    world.app(confirming({ ...BRIEF, ETag: etag }))
    const below = `/${encodeURIComponent(etag)}`
    await world.get({}, below)
    world.pass(11)
    await world.get({}, below)
    expect(world.seen.at(-1)?.headers['if-none-match'], etag).toBe(etag)
  }
})

clause('§4.3.1 … and SHOULD send Last-Modified', async (world) => {
  const modified = world.date(-1000)
  world.app(confirming({ ...BRIEF, 'Last-Modified': modified }))
  await again(world)
  expect(world.seen[1]?.headers['if-modified-since']).toBe(modified)
  expect(world.seen[1]?.headers['if-none-match']).toBeUndefined()
})

clause('§4.3.1 … both, where there are both', async (world) => {
  const modified = world.date(-1000)
  world.app(confirming({ ...BRIEF, ETag: '"a"', 'Last-Modified': modified }))
  await again(world)
  expect(world.seen[1]?.headers).toMatchObject({ 'if-none-match': '"a"', 'if-modified-since': modified })
})

clause('§4.3.1 a response without a validator is not validated: the request goes on as it is', async (world) => {
  world.app({ fields: BRIEF })
  const got = await again(world)
  expect(world.seen[1]?.headers['if-none-match']).toBeUndefined()
  expect(world.seen[1]?.headers['if-modified-since']).toBeUndefined()
  expect(got.body).toBe('run 2')
})

clause('§4.3.1 no-cache is stored where it has a validator, and validated each time', async (world) => {
  world.app(confirming({ 'Cache-Control': 'no-cache', ETag: '"a"' }))
  await world.get()
  for (const time of [2, 3]) {
    const got = await world.get()
    expect([got.status, got.body]).toEqual([200, 'run 1'])
    expect(world.seen.length).toBe(time)
    expect(world.seen.at(-1)?.headers['if-none-match']).toBe('"a"')
  }
})

clause('§4.3.1 so is a response that is stale from the first', async (world) => {
  world.app(confirming({ 'Cache-Control': 'max-age=0', ETag: '"a"' }))
  await world.get()
  const got = await world.get()
  expect([got.status, got.body]).toEqual([200, 'run 1'])
  expect(world.seen[1]?.headers['if-none-match']).toBe('"a"')
})

clause('§4.3.1 the variant that is validated is the one of the request', async (world) => {
  world.app(({ headers, run }) => {
    const etag = `"${headers['x-v']}"`
    const fields = { ...BRIEF, Vary: 'X-V', ETag: etag }
    return headers['if-none-match'] === etag
      ? { status: 304, fields }
      : { fields, body: `${headers['x-v']} run ${run}` }
  })
  await world.get({ 'X-V': 'a' })
  await world.get({ 'X-V': 'b' })
  world.pass(11)
  expect((await world.get({ 'X-V': 'b' })).body).toBe('b run 2')
  expect((await world.get({ 'X-V': 'a' })).body).toBe('a run 1')
  expect(world.seen.slice(2).map(({ headers }) => headers['if-none-match'])).toEqual(['"b"', '"a"'])
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
  for (const tags of ['"a"', 'W/"a"', '"x", "a"', '"x","a" , "y"', '*']) {
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
  world.pass(100)
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

clause('§4.3.2 … also where it streams', { style: 'stream' }, async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=60', ETag: '"a"' }, body: 'whole' })
  expect((await world.get({ 'If-None-Match': '"a"' })).status).toBe(304)
  expect((await world.get()).body).toBe('whole')
  expect(world.seen.length).toBe(1)
})

clause("§4.3.2 a 304 to our validation, of a tag that the client hasn't, MUST become a 200", async (world) => {
  world.app(confirming({ ...BRIEF, ETag: '"ours"' }))
  const got = await again(world, 11, { 'If-None-Match': '"theirs"' })
  expect([got.status, got.body]).toEqual([200, 'run 1'])
})

clause('§4.3.2 … and of one that it has, a 304', async (world) => {
  world.app(confirming({ ...BRIEF, ETag: '"a"' }))
  const got = await again(world, 11, { 'If-None-Match': '"a"' })
  expect([got.status, got.body]).toEqual([304, ''])
  expect((await world.get()).body).toBe('run 1')
})

// ── §4.3.3 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.3.3 a 304 lets the stored response be used, and be fresh again', async (world) => {
  world.app(confirming({ ...BRIEF, ETag: '"a"' }))
  const got = await again(world)
  expect([got.status, got.body]).toEqual([200, 'run 1'])
  world.pass(9)
  expect((await world.get()).body).toBe('run 1')
  expect(world.seen.length).toBe(2)
  world.pass(2)
  await world.get()
  expect(world.seen.length).toBe(3)
})

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
    world.pass(11)
    world.app({ status, fields: { 'Cache-Control': control, ETag: '"b"' }, body: 'new' })
    const got = await world.get({}, below)
    expect([got.status, got.body]).toEqual([status, 'new'])
    expect((await world.get({}, below)).body).toBe('new')
  }
})

clause(
  '§4.3.3 a 5xx is forwarded, or the stale one sent where that is allowed',
  { staleIfError: 0, stale: 0 },
  async (world) => {
    for (const [control, status] of [
      ['max-age=10', 500],
      ['max-age=10, stale-if-error=60', 200],
    ] as const) {
      const below = `/${status}`
      world.app({ fields: { 'Cache-Control': control, ETag: '"a"' }, body: 'old' })
      await world.get({}, below)
      world.pass(11)
      world.app({ status: 500, body: 'broken' })
      const got = await world.get({}, below)
      expect([got.status, got.body]).toEqual([status, status === 200 ? 'old' : 'broken'])
    }
  },
)

clause(
  '§4.3.3 after an error the stored response is there to be validated still',
  { staleIfError: 0, stale: 0 },
  async (world) => {
    world.app({ fields: { ...BRIEF, ETag: '"a"' }, body: 'old' })
    await world.get()
    world.pass(11)
    world.app({ status: 503, body: 'down' })
    expect((await world.get()).status).toBe(503)
    world.app(confirming({ ...BRIEF, ETag: '"a"' }))
    const got = await world.get()
    expect([got.status, got.body]).toEqual([200, 'old'])
  },
)

// ── §4.3.4 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

clause('§4.3.4 a cache MUST update the stored fields with those of the 304 (§3.2)', async (world) => {
  const fields = { ...BRIEF, ETag: '"a"', 'X-Old': 'kept', 'X-Both': 'old' }
  world.app(({ headers }) =>
    headers['if-none-match']
      ? { status: 304, fields: { 'Cache-Control': 'max-age=30', ETag: '"a"', 'X-Both': 'new', 'X-New': 'added' } }
      : { fields },
  )
  const validated = await again(world)
  const later = await world.get()
  for (const got of [validated, later]) {
    expect(got.status).toBe(200)
    expect(got.lines('x-old')).toEqual(['kept'])
    expect(got.lines('x-both')).toEqual(['new'])
    expect(got.lines('x-new')).toEqual(['added'])
    expect(got.field('cache-control')).toBe('max-age=30')
  }
  world.pass(29)
  expect((await world.get()).body).toBe('run 1')
  expect(world.seen.length).toBe(2)
})

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

clause(
  '§3.2 … except what must not be stored',
  { http1Because: 'fields of the connection', setCookie: 'refuse' },
  async (world) => {
    world.app(({ headers }) =>
      headers['if-none-match']
        ? {
            status: 304,
            fields: {
              ...BRIEF,
              ETag: '"a"',
              Connection: 'X-Hop',
              'X-Hop': '1',
              'Proxy-Authenticate': 'Basic',
              'Set-Cookie': 'sid=1',
            },
          }
        : { fields: { ...BRIEF, ETag: '"a"' } },
    )
    await again(world)
    const got = await world.get()
    expect(got.body).toBe('run 1')
    for (const name of ['x-hop', 'proxy-authenticate', 'set-cookie']) expect(got.field(name), name).toBeUndefined()
  },
)

clause('§4.3.4 Date and Age start anew with the 304', async (world) => {
  world.app(confirming({ ...BRIEF, ETag: '"a"' }))
  await world.get()
  world.pass(30)
  const date = world.date()
  const got = await world.get()
  expect(got.field('date')).toBe(date)
  world.pass(4)
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

clause('§4.3.4 a weak validator identifies the stored response', async (world) => {
  world.app(confirming({ ...BRIEF, ETag: 'W/"a"' }))
  const got = await again(world)
  expect([got.status, got.body, got.field('x-run')]).toEqual([200, 'run 1', '2'])
})

clause('§4.3.4 a 304 without ETag updates the response that it confirms', async (world) => {
  const modified = world.date(-1000)
  world.app(confirming({ ...BRIEF, 'Last-Modified': modified }, BRIEF))
  const got = await again(world)
  expect([got.status, got.body, got.field('last-modified')]).toEqual([200, 'run 1', modified])
})

clause('§4.3.4 a 304 may take the leave to store back', async (world) => {
  world.app(confirming({ ...BRIEF, ETag: '"a"' }, { 'Cache-Control': 'no-store', ETag: '"a"' }))
  const got = await again(world)
  expect([got.status, got.body]).toEqual([200, 'run 1'])
  world.app({ fields: { 'Cache-Control': 'no-store' }, body: 'new' })
  expect((await world.get()).body).toBe('new')
})

clause('§4.3.4 only the variant that was validated is fresh again', async (world) => {
  world.app(({ headers, run }) => {
    const fields = { ...BRIEF, Vary: 'X-V', ETag: `"${headers['x-v']}"` }
    return headers['if-none-match'] ? { status: 304, fields } : { fields, body: `${headers['x-v']} run ${run}` }
  })
  await world.get({ 'X-V': 'a' })
  await world.get({ 'X-V': 'b' })
  world.pass(11)
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
  world.pass(11)
  world.app({ fields: { 'Cache-Control': 'max-age=60', ETag: '"b"' } })
  const head = await world.ask({ method: 'HEAD' })
  expect([head.status, head.body]).toEqual([200, ''])
  expect((await world.get()).field('etag')).toBe('"b"')
})

clause(
  '§4.3.5 … also one that is fresh, where the request went on to the application',
  { clientDirectives: 'obey' },
  async (world) => {
    const lasting = { 'Cache-Control': 'max-age=60' }
    const pairs: [ResponseFields, ResponseFields][] = [
      [{ ETag: '"a"' }, { ETag: '"b"' }],
      [{ 'Last-Modified': world.date(-100) }, { 'Last-Modified': world.date(-10) }],
      [{ 'Content-Length': '5' }, { 'Content-Length': '7' }],
    ]
    for (const [index, [first, second]] of pairs.entries()) {
      const below = `/${index}`
      const ahead = { method: 'HEAD', below, fields: { 'Cache-Control': 'no-cache' } }
      world.app({ fields: { ...lasting, ...first }, body: 'first' })
      await world.get({}, below)
      await world.ask(ahead)
      expect((await world.get({}, below)).says('hit')).toBe(true)
      world.app({ fields: { ...lasting, ...second }, body: 'second!' })
      await world.ask(ahead)
      expect((await world.get({}, below)).body, below).toBe('second!')
    }
  },
)
