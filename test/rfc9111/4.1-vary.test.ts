import { expect } from 'vitest'
import { clause } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=60' }

clause('§4.1 a stored response with Vary MUST NOT be used unless all nominated fields match', async (world) => {
  world.app({ fields: { ...FRESH, Vary: 'X-A, X-B' } })
  await world.get({ 'X-A': '1', 'X-B': '1' })
  expect((await world.get({ 'X-A': '1', 'X-B': '2' })).body).toBe('run 2')
  expect((await world.get({ 'X-A': '2', 'X-B': '1' })).body).toBe('run 3')
  expect((await world.get({ 'X-A': '1', 'X-B': '1' })).body).toBe('run 1')
  expect((await world.get({ 'X-A': '2', 'X-B': '1' })).body).toBe('run 3')
  expect(world.seen.length).toBe(3)
})

clause('§4.1 fields that are not nominated do not matter', async (world) => {
  world.app({ fields: { ...FRESH, Vary: 'X-A' } })
  await world.get({ 'X-A': '1', 'X-C': '1' })
  expect((await world.get({ 'X-A': '1', 'X-C': '2', Accept: 'x/y' })).body).toBe('run 1')
})

clause('§4.1 names in Vary are compared without regard to case', async (world) => {
  world.app({ fields: { ...FRESH, Vary: 'x-LANG' } })
  await world.get({ 'X-Lang': 'a' })
  expect((await world.get({ 'x-lang': 'b' })).body).toBe('run 2')
  expect((await world.get({ 'X-LANG': 'a' })).body).toBe('run 1')
})

clause('§4.1 several lines of Vary are one list', async (world) => {
  world.app({ fields: { ...FRESH, Vary: ['X-A', 'X-B'] } })
  await world.get({ 'X-A': '1', 'X-B': '1' })
  expect((await world.get({ 'X-A': '1', 'X-B': '2' })).body).toBe('run 2')
  expect((await world.get({ 'X-A': '1', 'X-B': '1' })).body).toBe('run 1')
})

clause('§4.1 empty members of Vary nominate nothing', async (world) => {
  world.app({ fields: { ...FRESH, Vary: ', ,X-A,' } })
  await world.get({ 'X-A': '1' })
  expect((await world.get({ 'X-A': '1' })).body).toBe('run 1')
  expect((await world.get({ 'X-A': '2' })).body).toBe('run 2')
})

clause('§4.1 values match with white space added or removed where the syntax allows it', async (world) => {
  world.app({ fields: { ...FRESH, Vary: 'Accept-Language' } })
  await world.get({ 'Accept-Language': 'en, de' })
  for (const value of ['en,de', 'en ,de', 'en,  de', 'en ,\tde']) {
    expect((await world.get({ 'Accept-Language': value })).body, value).toBe('run 1')
  }
  expect((await world.get({ 'Accept-Language': 'ende' })).body).not.toBe('run 1')
})

clause('§4.1 … and nowhere else: of most fields the syntax is not known', async (world) => {
  world.app({ fields: { ...FRESH, 'Cache-Control': 'public, max-age=60', Vary: 'Cookie, Authorization, X-A' } })
  for (const [name, one, other] of [
    ['Cookie', 'user="Ann Lee"', 'user="Ann  Lee"'],
    ['Authorization', 'Digest username="ann,x"', 'Digest username="ann, x"'],
    ['X-A', 'a b', 'a  b'],
    ['X-A', '"1, 2"', '"1,2"'],
  ] as const) {
    const { body } = await world.get({ [name]: one })
    expect((await world.get({ [name]: other })).body, name).not.toBe(body)
    expect((await world.get({ [name]: one })).body, name).toBe(body)
  }
})

clause('§4.1 what says that its Vary must not be kept is not stored', async (world) => {
  for (const fields of [
    { 'Cache-Control': 'max-age=60, private="vary"' },
    { 'Cache-Control': 'max-age=60, no-cache="Vary"' },
    ...(world.setUp.protocol === 'HTTP/2' ? [] : [{ ...FRESH, Connection: 'keep-alive, Vary' }]),
  ]) {
    const [first, second] = [{ fields: { 'X-A': '1' } }, { fields: { 'X-A': '2' } }]
    expect(await world.stores({ ...fields, Vary: 'X-A' }, { first, second })).toBe(false)
    expect(await world.stores({ ...fields, Vary: 'X-A' }, { first })).toBe(false)
  }
})

clause('§4.1 values match with their lines combined', { http1Because: 'Node joins lines of HTTP/2' }, async (world) => {
  world.app({ fields: { ...FRESH, Vary: 'X-A' } })
  await world.get({ 'X-A': ['1', '2'] })
  expect((await world.get({ 'X-A': '1, 2' })).body).toBe('run 1')
  expect((await world.get({ 'X-A': ['2', '1'] })).body).not.toBe('run 1')
})

clause(
  '§4.1 … also of a field of which Node keeps the first line only',
  { http1Because: 'Node joins lines of HTTP/2' },
  async (world) => {
    world.app(({ headers }) => ({ fields: { ...FRESH, Vary: 'User-Agent' }, body: String(headers['user-agent']) }))
    await world.get({ 'User-Agent': ['a', 'b'] })
    expect((await world.get({ 'User-Agent': 'a' })).body).toBe('a')
  },
)

clause('§4.1 an absent field matches only an absent one', async (world) => {
  world.app({ fields: { ...FRESH, Vary: 'X-A' } })
  await world.get()
  expect((await world.get({ 'X-A': '1' })).body).toBe('run 2')
  expect((await world.get({ 'X-A': '' })).body).toBe('run 3')
  expect((await world.get()).body).toBe('run 1')
})

clause('§4.1 a Vary with the member * never matches', async (world) => {
  for (const Vary of ['*', 'X-A, *', '*, X-A', [' * ', 'X-A']]) {
    expect(await world.stores({ ...FRESH, Vary }), String(Vary)).toBe(false)
  }
})

clause('§4.1 many variants live beside each other', async (world) => {
  world.app(({ headers }) => ({ fields: { ...FRESH, Vary: 'X-V' }, body: `v ${headers['x-v']}` }))
  for (const round of [1, 2]) {
    for (let value = 0; value < 8; value++) {
      const got = await world.get({ 'X-V': String(value) })
      expect([got.body, got.says('hit')]).toEqual([`v ${value}`, round === 2])
    }
  }
})

clause('§4.1 a response without Vary among ones with it does not answer all', async (world) => {
  // "Some resources mistakenly omit the Vary header field from their default response."
  world.app(({ headers }) => ({
    fields: { ...FRESH, ...(headers['x-a'] ? { Vary: 'X-A' } : {}) },
    body: `for ${headers['x-a'] ?? 'nobody'}`,
  }))
  await world.get({ 'X-A': '1' })
  expect((await world.get({ 'X-A': '2' })).body).toBe('for 2')
  expect((await world.get({ 'X-A': '1' })).body).toBe('for 1')
  expect((await world.get()).body).toBe('for nobody')
  expect((await world.get({ 'X-A': '1' })).body).toBe('for 1')
})

clause('§4.1 Vary on Cookie and Authorization tells users apart', async (world) => {
  const fields = { 'Cache-Control': 'public, max-age=60', Vary: 'Cookie, Authorization' }
  world.app(({ headers }) => ({ fields, body: `for ${headers.cookie} ${headers.authorization}` }))
  for (const round of [1, 2]) {
    for (const user of ['ada', 'bob']) {
      const got = await world.get({ Cookie: `sid=${user}`, Authorization: `Basic ${user}` })
      expect([got.body, round]).toEqual([`for sid=${user} Basic ${user}`, round])
    }
  }
  expect(world.seen.length).toBe(2)
})

clause('§4.1 a variant goes stale by itself', async (world) => {
  world.app(({ headers }) => ({ fields: { 'Cache-Control': `max-age=${headers['x-v']}`, Vary: 'X-V' } }))
  await world.get({ 'X-V': '10' })
  await world.get({ 'X-V': '60' })
  world.pass(20)
  expect((await world.get({ 'X-V': '60' })).body).toBe('run 2')
  expect((await world.get({ 'X-V': '10' })).body).toBe('run 3')
})

clause('§4.1 HEAD chooses the variant, too', async (world) => {
  world.app(({ headers }) => ({ fields: { ...FRESH, Vary: 'X-V', 'X-Of': String(headers['x-v']) } }))
  await world.get({ 'X-V': 'a' })
  await world.get({ 'X-V': 'b' })
  for (const v of ['a', 'b']) {
    const got = await world.ask({ method: 'HEAD', fields: { 'X-V': v } })
    expect([got.field('x-of'), got.says('hit')]).toEqual([v, true])
  }
})

clause('§4.1 no value forges another: separators inside values stay inside', async (world) => {
  world.app(({ headers }) => ({
    fields: { ...FRESH, Vary: 'X-A, X-B' },
    body: JSON.stringify([headers['x-a'], headers['x-b']]),
  }))
  const pairs = [
    ['1', '2'],
    ['1,X-B:2', ''],
    ['1;2', '3'],
    ['1', ';23'],
    ['x-b', 'x-a'],
    ['', '1,2'],
    ['1,2', ''],
  ] as const
  for (const [a, b] of pairs) {
    expect((await world.get({ 'X-A': a, 'X-B': b })).body).toBe(JSON.stringify([a, b]))
  }
})
