import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { World } from './clause.ts'

const cc = (value: string) => ({ 'Cache-Control': value })

/** Versions of one page. */
function versions(world: World, control: string): void {
  world.app(({ run }) => ({ fields: cc(control), body: `version ${run}` }))
}

clause('RFC 5861 §3 stale-while-revalidate: stale, it is served for so many seconds', async (world) => {
  versions(world, 'max-age=10, stale-while-revalidate=30')
  await world.get()
  world.pass(20)
  const got = await world.get()
  expect([got.status, got.body, got.age]).toEqual([200, 'version 1', 20])
})

clause('RFC 5861 §3 … and SHOULD be revalidated meanwhile, without anybody waiting', async (world) => {
  const gate = world.gate()
  world.app(async ({ run }) => {
    if (run === 2) await gate.opened
    return { fields: cc('max-age=10, stale-while-revalidate=30'), body: `version ${run}` }
  })
  await world.get()
  world.pass(20)
  expect((await world.send({})).body).toBe('version 1')
  await world.reached(2)
  expect((await world.send({})).body).toBe('version 1')
  expect(world.seen.length).toBe(2)
  gate.open()
  await world.front.landed()
  const got = await world.get()
  expect([got.body, got.age]).toEqual(['version 2', 0])
  expect(world.seen.length).toBe(2)
})

clause('RFC 5861 §3 … after that time it SHOULD NOT be served', async (world) => {
  versions(world, 'max-age=10, stale-while-revalidate=30')
  await world.get()
  world.pass(41)
  expect((await world.get()).body).toBe('version 2')
})

clause('RFC 5861 §3 … zero, and what is no number, allow nothing', async (world) => {
  for (const [at, value] of ['0', 'x', '', '-5', '"'].entries()) {
    const below = `/${at}`
    world.app(({ run }) => ({ fields: cc(`max-age=10, stale-while-revalidate=${value}`), body: `version ${run}` }))
    const first = await world.get({}, below)
    world.pass(11)
    expect((await world.get({}, below)).body, value).not.toBe(first.body)
  }
})

clause('RFC 5861 §3 what the revalidation finds is heeded: an error leaves the stale one', async (world) => {
  versions(world, 'max-age=10, stale-while-revalidate=60')
  await world.get()
  world.pass(20)
  world.app({ status: 500, body: 'broken' })
  expect((await world.get()).body).toBe('version 1')
  await world.reached(2)
  expect((await world.get()).body).toBe('version 1')
})

clause('RFC 5861 §3 … a 304 makes it fresh again', async (world) => {
  const fields = { ...cc('max-age=10, stale-while-revalidate=60'), ETag: '"a"' }
  world.app(({ headers }) => (headers['if-none-match'] === '"a"' ? { status: 304, fields } : { fields, body: 'page' }))
  await world.get()
  world.pass(20)
  expect((await world.get()).body).toBe('page')
  await world.reached(2)
  await world.front.landed()
  const got = await world.get()
  expect([got.status, got.body, got.age]).toEqual([200, 'page', 0])
  expect(world.seen.length).toBe(2)
})

clause('RFC 5861 §3 a revalidation behind a HEAD or a conditional request is a whole GET', async (world) => {
  for (const [at, ask] of [
    { method: 'HEAD' },
    { fields: { 'If-None-Match': '"1"' } },
    { fields: { Range: 'bytes=0-1' } },
  ].entries()) {
    const below = `/${at}`
    const from = world.seen.length
    world.app(({ run }) => ({
      fields: { ...cc('max-age=10, stale-while-revalidate=60'), ETag: `"${run}"` },
      body: `version ${run}`,
    }))
    await world.get({}, below)
    world.pass(20)
    await world.ask({ ...ask, below })
    await world.reached(from + 2)
    await world.front.landed()
    const seen = world.seen.at(-1)
    expect([seen?.method, seen?.headers.range], String(at)).toEqual(['GET', undefined])
    const got = await world.get({}, below)
    expect([got.status, got.body]).toEqual([200, `version ${from + 2}`])
  }
})

clause('RFC 5861 §3 each variant is revalidated as itself', async (world) => {
  world.app(({ headers, run }) => ({
    fields: { ...cc('max-age=10, stale-while-revalidate=60'), Vary: 'X-V' },
    body: `${headers['x-v']} ${run}`,
  }))
  await world.get({ 'X-V': 'a' })
  await world.get({ 'X-V': 'b' })
  world.pass(20)
  expect((await world.get({ 'X-V': 'a' })).body).toBe('a 1')
  await world.reached(3)
  await world.front.landed()
  expect((await world.get({ 'X-V': 'a' })).body).toBe('a 3')
  expect(world.seen[2]?.headers['x-v']).toBe('a')
})

clause('RFC 5861 §4 stale-if-error: 500, 502, 503 and 504 are answered by the stale one', async (world) => {
  for (const status of [500, 502, 503, 504]) {
    const below = `/${status}`
    world.app({ fields: cc('max-age=10, stale-if-error=60'), body: 'good' })
    await world.get({}, below)
    world.pass(20)
    world.app({ status, body: 'bad' })
    const got = await world.get({}, below)
    expect([got.status, got.body, got.age], String(status)).toEqual([200, 'good', 20])
  }
})

clause('RFC 5861 §4 … other statuses are not errors', async (world) => {
  for (const status of [400, 404, 410, 501, 505]) {
    const below = `/${status}`
    world.app({ fields: cc('max-age=10, stale-if-error=60'), body: 'good' })
    await world.get({}, below)
    world.pass(20)
    world.app({ status, body: 'bad' })
    const got = await world.get({}, below)
    expect([got.status, got.body], String(status)).toEqual([status, 'bad'])
  }
})

clause('RFC 5861 §4 … after that time the error SHOULD be the answer', async (world) => {
  world.app({ fields: cc('max-age=10, stale-if-error=60'), body: 'good' })
  await world.get()
  world.pass(71)
  world.app({ status: 503, body: 'bad' })
  const got = await world.get()
  expect([got.status, got.body]).toEqual([503, 'bad'])
})

clause('RFC 5861 §4 … a good answer is preferred to the stale one', async (world) => {
  versions(world, 'max-age=10, stale-if-error=60')
  await world.get()
  world.pass(20)
  expect((await world.get()).body).toBe('version 2')
})

clause('RFC 5861 §4 … an error is not stored in its place', async (world) => {
  world.app({ fields: cc('max-age=10, stale-if-error=60'), body: 'good' })
  await world.get()
  world.pass(20)
  world.app({ status: 503, fields: cc('max-age=60'), body: 'bad' })
  for (let time = 0; time < 2; time++) expect((await world.get()).status).toBe(200)
  world.app({ fields: cc('max-age=10'), body: 'better' })
  expect((await world.get()).body).toBe('better')
})

clause('RFC 5861 §4 … an application that throws is an error', { style: 'send' }, async (world) => {
  world.app({ fields: cc('max-age=10, stale-if-error=60'), body: 'good' })
  await world.get()
  world.pass(20)
  world.app(() => {
    throw Object.assign(new Error('no database'), { expose: false })
  })
  const got = await world.get()
  expect([got.status, got.body]).toEqual([200, 'good'])
})

clause(
  'RFC 5861 §4 stale-if-error of a request',
  { clientDirectives: 'obey', stale: 0, staleIfError: 0 },
  async (world) => {
    world.app({ fields: { ...cc('max-age=10'), ETag: '"a"' }, body: 'good' })
    await world.get()
    world.pass(20)
    world.app({ status: 503, body: 'bad' })
    expect((await world.get(cc('stale-if-error=5'))).status).toBe(503)
    expect((await world.get(cc('stale-if-error=60'))).body).toBe('good')
  },
)

clause(
  'RFC 5861 §4 the option `staleIfError` is for responses that say nothing',
  { staleIfError: '1m' },
  async (world) => {
    world.app({ fields: cc('max-age=10'), body: 'good' })
    await world.get()
    world.pass(20)
    world.app({ status: 503, body: 'bad' })
    expect((await world.get()).body).toBe('good')
  },
)

clause(
  'RFC 8246 §2 an immutable response, fresh, SHOULD NOT be revalidated',
  { clientDirectives: 'ignore' },
  async (world) => {
    world.app({ fields: { ...cc('max-age=600, immutable'), ETag: '"a"' } })
    await world.get()
    for (const fields of [{}, cc('max-age=0'), { 'If-None-Match': '"b"' }]) await world.get(fields)
    expect(world.seen.length).toBe(1)
  },
)

clause(
  'RFC 8246 §2 … not for a reload (max-age=0) even where clients are obeyed',
  { clientDirectives: 'obey' },
  async (world) => {
    world.app({ fields: { ...cc('max-age=600, immutable'), ETag: '"a"' } })
    await world.get()
    world.pass(5)
    await world.get(cc('max-age=0'))
    expect(world.seen.length).toBe(1)
  },
)

clause('RFC 8246 §2 … for no-cache of the client it is', { clientDirectives: 'obey' }, async (world) => {
  world.app({ fields: { ...cc('max-age=600, immutable'), ETag: '"a"' } })
  await world.get()
  await world.get(cc('no-cache'))
  expect(world.seen.length).toBe(2)
})

clause('RFC 8246 §2 … only while it is fresh', async (world) => {
  world.app({ fields: cc('max-age=10, immutable') })
  await world.get()
  world.pass(11)
  await world.get()
  expect(world.seen.length).toBe(2)
})

clause('RFC 8246 §2 … its arguments MUST be ignored, and it gives no lifetime', { heuristic: 0 }, async (world) => {
  expect(await world.freshAfter(9, cc('max-age=10, immutable=0'))).toBe(true)
  expect(await world.freshAfter(11, cc('max-age=10, immutable="x", immutable'))).toBe(false)
  expect(await world.stores(cc('immutable'))).toBe(false)
})

clause('RFC 8246 §2 … in a request it has no effect', { clientDirectives: 'obey' }, async (world) => {
  world.app({ fields: cc('max-age=10') })
  await world.get(cc('immutable'))
  world.pass(11)
  await world.get(cc('immutable'))
  expect(world.seen.length).toBe(2)
})
