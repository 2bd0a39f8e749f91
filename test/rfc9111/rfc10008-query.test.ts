import { expect } from 'vitest'
import { clause } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=60' }
const JSON_TYPE = { 'Content-Type': 'application/json' }
const query = (body: string | Uint8Array, fields: Record<string, string> = JSON_TYPE) => ({
  method: 'QUERY',
  body,
  fields,
})

clause('RFC 10008 §2.7 a response to QUERY may answer later ones', async (world) => {
  world.app(({ body, run }) => ({ fields: FRESH, body: `${body} ${run}` }))
  expect((await world.ask(query('{"q":1}'))).body).toBe('{"q":1} 1')
  const got = await world.ask(query('{"q":1}'))
  expect([got.body, got.says('hit'), got.age]).toEqual(['{"q":1} 1', true, 0])
})

clause('RFC 10008 §2.7 the key MUST incorporate the content', async (world) => {
  world.app(({ body }) => ({ fields: FRESH, body: `for ${body}` }))
  for (const round of [1, 2]) {
    for (const body of ['{"q":1}', '{"q":2}', '{"q":1} ', '', 'x'.repeat(5000), `${'x'.repeat(4999)}y`]) {
      expect([(await world.ask(query(body))).body, round]).toEqual([`for ${body}`, round])
    }
  }
  expect(world.seen.length).toBeLessThanOrEqual(12)
})

clause('RFC 10008 §2.7 … and the metadata that say what it means', async (world) => {
  world.app(({ headers }) => ({ fields: FRESH, body: `${headers['content-type']} ${headers['content-encoding']}` }))
  const kinds = [
    { 'Content-Type': 'application/json' },
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'text/plain; charset=x' },
    { 'Content-Type': 'text/plain', 'Content-Encoding': 'x-own' },
    { 'Content-Type': 'text/plain', 'Content-Language': 'de' },
  ]
  for (const kind of kinds) {
    const before = world.seen.length
    await world.ask(query('same', kind as unknown as Record<string, string>))
    expect(world.seen.length, JSON.stringify(kind)).toBe(before + 1)
  }
})

clause('RFC 10008 §2.7 … and the target, and Vary', async (world) => {
  world.app({ fields: { ...FRESH, Vary: 'X-V' } })
  await world.ask(query('q'))
  await world.ask({ ...query('q'), below: '/other' })
  await world.ask(query('q', { ...JSON_TYPE, 'X-V': '1' }))
  expect(world.seen.length).toBe(3)
})

clause('RFC 10008 §2.7 QUERY and GET never answer each other', async (world) => {
  world.app(({ method }) => ({ fields: FRESH, body: method }))
  expect((await world.get()).body).toBe('GET')
  expect((await world.ask(query(''))).body).toBe('QUERY')
  expect((await world.get()).body).toBe('GET')
  expect((await world.ask({ method: 'HEAD' })).status).toBe(200)
})

clause('RFC 10008 §2 QUERY is safe: it invalidates nothing', async (world) => {
  world.app(({ method }) => ({
    fields: { ...FRESH, Location: world.path, 'Cache-Group-Invalidation': '"a"' },
    body: method,
  }))
  await world.get()
  await world.ask(query('q'))
  expect((await world.get()).says('hit')).toBe(true)
})

clause('RFC 10008 §2 the application reads the content, on a miss', async (world) => {
  const long = 'long '.repeat(30_000)
  world.app(({ body }) => ({ fields: { 'Cache-Control': 'no-store' }, body: `read ${body.length}` }))
  for (const body of ['short', long]) expect((await world.ask(query(body))).body).toBe(`read ${body.length}`)
})

clause('RFC 10008 §2.7 what GET may not be stored for, QUERY may not', async (world) => {
  const first = query('q')
  for (const value of ['no-store', 'private', 'max-age=0']) {
    expect(await world.stores({ 'Cache-Control': value }, { first }), value).toBe(false)
  }
  expect(await world.freshAfter(59, FRESH, { first })).toBe(true)
  expect(await world.freshAfter(61, FRESH, { first })).toBe(false)
  const fields = { ...JSON_TYPE, Authorization: 'Basic x' }
  expect(await world.stores(FRESH, { first: { ...first, fields }, second: first })).toBe(false)
})

clause('RFC 10008 §2.6 conditional requests: the stored response is compared', async (world) => {
  world.app({ fields: { ...FRESH, ETag: '"a"' } })
  await world.ask(query('q'))
  const got = await world.ask(query('q', { ...JSON_TYPE, 'If-None-Match': '"a"' }))
  expect([got.status, got.body]).toEqual([304, ''])
})

clause('RFC 10008 §2.7 an unsafe request to the target makes its queries invalid', async (world) => {
  world.app(({ method, run }) => ({ fields: FRESH, body: `${method} ${run}` }))
  await world.ask(query('q'))
  await world.ask({ method: 'POST', body: 'x' })
  expect((await world.ask(query('q'))).body).toBe('QUERY 3')
})
