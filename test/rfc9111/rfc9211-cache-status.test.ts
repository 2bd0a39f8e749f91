import { expect } from 'vitest'
import { clause } from './clause.ts'

const cc = (value: string) => ({ 'Cache-Control': value })

clause('RFC 9211 §2.1 hit: the request was not forwarded; never together with fwd', async (world) => {
  world.app({ fields: cc('max-age=60') })
  await world.get()
  const got = await world.get()
  expect(got.says('hit')).toBe(true)
  expect(got.field('cache-status')).not.toContain('fwd')
  expect(got.lines('cache-status')).toHaveLength(1)
})

clause(
  'RFC 9211 §2.2 fwd: uri-miss, vary-miss, stale, request, method, bypass',
  { clientDirectives: 'obey' },
  async (world) => {
    world.app({ fields: { ...cc('max-age=10'), Vary: 'X-V', ETag: '"a"' } })
    expect((await world.get({ 'X-V': '1' })).says('fwd=uri-miss')).toBe(true)
    expect((await world.get({ 'X-V': '2' })).says('fwd=vary-miss')).toBe(true)
    expect((await world.get({ 'X-V': '2', ...cc('no-cache') })).says('fwd=request')).toBe(true)
    world.pass(11)
    expect((await world.get({ 'X-V': '2' })).says('fwd=stale')).toBe(true)
    expect((await world.ask({ method: 'POST', body: 'x' })).says('fwd=method')).toBe(true)
    expect((await world.get({ 'If-Match': '"x"' })).says('fwd=bypass')).toBe(true)
  },
)

clause('RFC 9211 §2.3 fwd-status where it is another than the one of the response', async (world) => {
  const fields = { ...cc('max-age=10'), ETag: '"a"' }
  world.app(({ headers }) => (headers['if-none-match'] ? { status: 304, fields } : { fields }))
  await world.get()
  world.pass(11)
  const got = await world.get()
  expect([got.status, got.says('fwd=stale'), got.says('fwd-status=304')]).toEqual([200, true, true])
})

clause('RFC 9211 §2.4 ttl: an integer, what is left of the lifetime; negative when stale', async (world) => {
  world.app({ fields: cc('max-age=60, stale-while-revalidate=60') })
  await world.get()
  world.pass(13)
  expect((await world.get()).says('ttl=47')).toBe(true)
  world.pass(50)
  expect((await world.get()).says('ttl=-3')).toBe(true)
})

clause('RFC 9211 §2.5 stored: with fwd, where the response is kept', async (world) => {
  world.app({ fields: cc('max-age=60') })
  expect((await world.get()).says('stored')).toBe(true)
  world.app({ fields: cc('no-store') })
  expect((await world.get({}, '/other')).says('stored')).toBe(false)
})

clause('RFC 9211 §2.6 collapsed: with fwd', async (world) => {
  const gate = world.gate()
  world.app(async () => {
    await gate.opened
    return { fields: cc('max-age=60') }
  })
  const asked = [world.send({}), world.send({})]
  await world.reached(1)
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  gate.open()
  const got = await Promise.all(asked)
  await world.front.landed()
  const collapsed = got.filter((each) => each.says('collapsed'))
  expect(collapsed).toHaveLength(1)
  expect(collapsed[0]?.says('fwd=uri-miss')).toBe(true)
})

clause(
  'RFC 9211 §2 a cache SHOULD keep what other caches have said, before its own',
  { http1Because: 'lines are joined' },
  async (world) => {
    for (const [at, earlier] of ['inner; hit; ttl=5', ['a; hit', 'b; fwd=miss'], '"quoted, name"; hit'].entries()) {
      world.app({ fields: { ...cc('no-store'), 'Cache-Status': earlier } })
      const got = await world.get({}, `/${at}`)
      const all = [earlier].flat().join(', ')
      expect(got.field('cache-status')?.startsWith(`${all}, tiercache; fwd=`)).toBe(true)
    }
  },
)

clause('RFC 9211 §2 … also with a stored response', async (world) => {
  world.app({ fields: { ...cc('max-age=60'), 'Cache-Status': 'inner; hit' } })
  await world.get()
  const got = await world.get()
  expect(got.field('cache-status')).toMatch(/^inner; hit, tiercache; hit/)
})

clause('RFC 9211 §2 a response that the cache makes up SHOULD NOT have a member of it', async (world) => {
  const got = await world.get(cc('only-if-cached'))
  expect([got.status, got.field('cache-status')]).toEqual([504, undefined])
})

clause('RFC 9211 §2 the field is a structured list', async (world) => {
  const TOKEN = /^[A-Za-z*][\w!#$%&'*+\-.^`|~:/]*$/
  world.app({ fields: cc('max-age=60, private') })
  const lines: string[] = []
  for (const fields of [{}, cc('only-if-cached'), { Range: 'bytes=0-1' }, { 'If-Match': '"a"' }]) {
    lines.push(...(await world.get(fields)).lines('cache-status'))
  }
  for (const line of lines) {
    const [name = '', ...parameters] = line.split('; ')
    expect(name).toMatch(TOKEN)
    for (const parameter of parameters) {
      const [key, value] = parameter.split('=')
      expect(key).toMatch(/^[a-z*][a-z0-9_\-.*]*$/)
      if (value !== undefined) expect(/^-?\d+$/.test(value) || TOKEN.test(value), parameter).toBe(true)
    }
  }
})

clause(
  'RFC 9211 §2.7 key: a String, where it is asked for, on each line that is about a page',
  { cacheStatus: 'debug', query: { ignore: ['utm_*'] } },
  async (world) => {
    const fields = { ...cc('max-age=10, stale-if-error=60'), ETag: '"a"' }
    world.app(({ headers }) => (headers['if-none-match'] ? { status: 304, fields } : { fields }))
    const keyOf = (got: { field(name: string): string | undefined }) =>
      /; key="http:\/\/a\.example(\/\d+)(.*)"$/.exec(got.field('cache-status') ?? '')?.[2]
    expect(keyOf(await world.get({}, '?a=%22&utm_source=x'))).toBe('?a=%22')
    const hit = await world.get({}, '?a=%22')
    expect([hit.says('hit'), keyOf(hit)]).toEqual([true, '?a=%22'])
    world.pass(11)
    const confirmed = await world.get({}, '?a=%22')
    expect([confirmed.says('fwd-status=304'), keyOf(confirmed)]).toEqual([true, '?a=%22'])
    world.pass(11)
    world.app({ status: 503 })
    const standIn = await world.get({}, '?a=%22')
    expect([standIn.says('detail=stale-if-error'), keyOf(standIn)]).toEqual([true, '?a=%22'])
    expect(keyOf(await world.ask({ method: 'HEAD', below: '/other' }))).toBe('/other')
    expect((await world.ask({ method: 'POST', body: 'x' })).field('cache-status')).not.toContain('key=')
  },
)
