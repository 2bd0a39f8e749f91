import { expect } from 'vitest'
import { clause } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=60' }
const control = (value: string) => ({ 'Cache-Control': value })

clause('§5.2.1.1 max-age: a response that is older is not used', { clientDirectives: 'obey' }, async (world) => {
  world.app({ fields: FRESH })
  await world.get()
  world.pass(20)
  expect((await world.get(control('max-age=20'))).body).toBe('run 1')
  expect((await world.get(control('max-age=19'))).body).toBe('run 2')
  expect((await world.get(control('max-age=10'))).body).toBe('run 2')
})

clause('§5.2.1.1 … max-age=0 asks for a new one', { clientDirectives: 'obey' }, async (world) => {
  world.app({ fields: FRESH })
  await world.get()
  world.pass(1)
  expect((await world.get(control('max-age=0'))).body).toBe('run 2')
})

clause(
  '§5.2.1.2 max-stale: a stale response may be used, up to so many seconds',
  { clientDirectives: 'obey' },
  async (world) => {
    world.app({ fields: { 'Cache-Control': 'max-age=10', ETag: '"a"' } })
    await world.get()
    world.pass(20)
    expect((await world.get(control('max-stale=10'))).body).toBe('run 1')
    expect((await world.get(control('max-stale'))).body).toBe('run 1')
    expect(world.seen.length).toBe(1)
    await world.get(control('max-stale=9'))
    expect(world.seen.length).toBe(2)
  },
)

clause('§5.2.1.3 min-fresh: what is not fresh for so long is not used', { clientDirectives: 'obey' }, async (world) => {
  world.app({ fields: FRESH })
  await world.get()
  world.pass(20)
  expect((await world.get(control('min-fresh=40'))).body).toBe('run 1')
  expect((await world.get(control('min-fresh=41'))).body).toBe('run 2')
})

clause('§5.2.1.4 no-cache: not without validation', { clientDirectives: 'obey' }, async (world) => {
  world.app(({ headers, run }) =>
    headers['if-none-match']
      ? { status: 304, fields: { ...FRESH, ETag: '"a"' } }
      : { fields: { ...FRESH, ETag: '"a"' }, body: `run ${run}` },
  )
  await world.get()
  const got = await world.get(control('no-cache'))
  expect(world.seen.length).toBe(2)
  expect([got.status, got.body]).toEqual([200, world.seen[1]?.headers['if-none-match'] ? 'run 1' : 'run 2'])
  expect((await world.get()).body).toBe(got.body)
  expect(world.seen.length).toBe(2)
})

clause(
  "§5.2.1.4 'validate': a reload is answered by the application",
  { clientDirectives: 'validate' },
  async (world) => {
    world.app({ fields: FRESH })
    await world.get()
    await world.get(control('no-cache'))
    await world.get(control('max-age=0'))
    expect(world.seen.length).toBe(3)
    await world.get(control('max-age=1'))
    expect(world.seen.length).toBe(3)
  },
)

clause("§5.2.1 the directives are advisory: 'ignore' is allowed", { clientDirectives: 'ignore' }, async (world) => {
  world.app({ fields: FRESH })
  await world.get()
  world.pass(20)
  for (const value of ['no-cache', 'max-age=0', 'max-age=5', 'min-fresh=3600']) {
    expect((await world.get(control(value))).body, value).toBe('run 1')
  }
})

clause('§5.2.1.5 no-store: no part of the response MUST be stored', async (world) => {
  expect(await world.stores(FRESH, { first: { fields: control('no-store') }, second: {} })).toBe(false)
  expect(await world.stores(FRESH, { first: { fields: control('max-age=5, NO-STORE') }, second: {} })).toBe(false)
})

clause('§5.2.1.5 … what is stored already may answer it', async (world) => {
  expect(await world.stores(FRESH, { second: { fields: control('no-store') } })).toBe(true)
})

clause('§5.2.1.7 only-if-cached: a stored response, or 504', async (world) => {
  world.app({ fields: FRESH })
  expect((await world.get(control('only-if-cached'))).status).toBe(504)
  expect(world.seen.length).toBe(0)
  await world.get()
  const got = await world.get(control('only-if-cached'))
  expect([got.status, got.body]).toEqual([200, 'run 1'])
  world.pass(61)
  expect((await world.get(control('only-if-cached'))).status).toBe(504)
  expect(world.seen.length).toBe(1)
})

clause('§5.2.1.7 … consistent with the other directives', { clientDirectives: 'obey' }, async (world) => {
  world.app({ fields: { ...FRESH, ETag: '"a"' } })
  await world.get()
  world.pass(30)
  expect((await world.get(control('only-if-cached, max-age=10'))).status).toBe(504)
  expect((await world.get(control('only-if-cached, max-age=40'))).status).toBe(200)
  expect((await world.get(control('only-if-cached, no-cache'))).status).toBe(504)
  expect(world.seen.length).toBe(1)
})

clause('§5.2 directives of a request are passed on to the application', async (world) => {
  world.app({ fields: FRESH })
  await world.get(control('max-age=7, x-own="a, b"'))
  expect(world.seen[0]?.headers['cache-control']).toBe('max-age=7, x-own="a, b"')
})

clause(
  '§5.2 names of directives are compared without regard to case, in requests',
  { clientDirectives: 'obey' },
  async (world) => {
    world.app({ fields: FRESH })
    await world.get()
    await world.get(control('No-Cache'))
    expect(world.seen.length).toBe(2)
    expect((await world.get(control('ONLY-IF-CACHED'), '/none')).status).toBe(504)
  },
)

clause('§5.4 Pragma is nothing', async (world) => {
  expect(await world.stores({ ...FRESH, Pragma: 'no-cache' })).toBe(true)
  expect(await world.stores(FRESH, { second: { fields: { Pragma: 'no-cache' } } })).toBe(true)
})
