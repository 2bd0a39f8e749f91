import { expect } from 'vitest'
import { clause } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=60' }

clause('§4 a cache MUST NOT reuse a stored response unless the target URIs match', async (world) => {
  world.app({ fields: FRESH })
  await world.get({}, '/a')
  for (const below of ['/b', '/A', '/a/', '/a?', '/a?x', '/a?x=1', '/a?x=2', '/%61', '//a', '/a;x', '/a/.', '/a%2F']) {
    const before = world.seen.length
    await world.get({}, below)
    expect(world.seen.length, below).toBe(before + 1)
  }
  expect((await world.get({}, '/a')).body).toBe('run 1')
})

clause('§4 … and the authority is part of it, without regard to case', async (world) => {
  world.app({ fields: FRESH })
  await world.ask({ host: 'a.example' })
  for (const host of ['b.example', 'a.example.', 'a.example:8080', 'a.exampl', '127.0.0.1']) {
    const before = world.seen.length
    await world.ask({ host })
    expect(world.seen.length, host).toBe(before + 1)
  }
  expect((await world.ask({ host: 'A.EXAMPLE' })).body).toBe('run 1')
})

clause('§4 … unless the stored method allows it: GET answers GET and HEAD, nothing else', async (world) => {
  world.app({ fields: FRESH })
  await world.get()
  expect((await world.get()).says('hit')).toBe(true)
  const head = await world.ask({ method: 'HEAD' })
  expect([head.says('hit'), head.body]).toEqual([true, ''])
  expect(world.seen.length).toBe(1)
  for (const method of ['OPTIONS', 'PROPFIND']) {
    const before = world.seen.length
    await world.ask({ method })
    expect(world.seen.length, method).toBe(before + 1)
  }
})

clause('§4 … a HEAD response never answers a GET', async (world) => {
  world.app({ fields: { ...FRESH, ETag: '"a"' } })
  await world.ask({ method: 'HEAD' })
  const got = await world.get()
  expect(got.body).toMatch(/^run \d$/)
})

clause('§4 HEAD from a stored GET has its fields, Content-Length too, and no content', async (world) => {
  world.app({ fields: { ...FRESH, ETag: '"a"', 'Content-Type': 'text/x' }, body: 'twelve bytes' })
  const get = await world.get()
  const head = await world.ask({ method: 'HEAD' })
  expect(head.status).toBe(200)
  expect(head.body).toBe('')
  expect(head.field('content-length')).toBe('12')
  for (const name of ['etag', 'content-type', 'cache-control', 'date']) expect(head.field(name)).toBe(get.field(name))
})

clause('§4 … unless nominated request fields match', async (world) => {
  world.app({ fields: { ...FRESH, Vary: 'X-A' } })
  await world.get({ 'X-A': '1' })
  expect((await world.get({ 'X-A': '2' })).body).toBe('run 2')
  expect((await world.get({ 'X-A': '1' })).body).toBe('run 1')
})

clause('§4 … unless it has no no-cache, or was validated', async (world) => {
  world.app({ fields: { 'Cache-Control': 'no-cache, max-age=60' } })
  await world.get()
  await world.get()
  expect(world.seen.length).toBe(2)
})

clause('§4 … unless it is fresh, allowed to be served stale, or validated', async (world) => {
  expect(await world.freshAfter(59, FRESH)).toBe(true)
  expect(await world.freshAfter(60, FRESH)).toBe(false)
  expect(await world.freshAfter(3600, FRESH)).toBe(false)
})

clause('§4 used without validation, a cache MUST generate Age, replacing any present', async (world) => {
  world.app({ fields: { ...FRESH, Age: '7' } })
  await world.get()
  const got = await world.get()
  expect(got.lines('age')).toEqual(['7'])
  world.pass(13)
  expect((await world.get()).lines('age')).toEqual(['20'])
  world.app({ fields: FRESH })
  await world.get({}, '/plain')
  expect((await world.get({}, '/plain')).lines('age')).toEqual(['0'])
  world.pass(30)
  expect((await world.get({}, '/plain')).lines('age')).toEqual(['30'])
  expect(world.seen.length).toBe(2)
})

clause('§4 a 304 and a HEAD from the store have Age, too', async (world) => {
  world.app({ fields: { ...FRESH, ETag: '"a"' } })
  await world.get()
  world.pass(5)
  expect((await world.get({ 'If-None-Match': '"a"' })).age).toBe(5)
  expect((await world.ask({ method: 'HEAD' })).age).toBe(5)
})

clause('§4 a cache MUST write unsafe requests through', async (world) => {
  world.app(({ method }) => ({ fields: { ...FRESH, 'Content-Location': world.path }, body: `to ${method}` }))
  await world.get()
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const time of [1, 2]) {
      const before = world.seen.length
      const got = await world.ask({ method, body: 'x' })
      expect([world.seen.length, got.body, time]).toEqual([before + 1, `to ${method}`, time])
    }
  }
})

clause('§4 … and their content reaches the application', async (world) => {
  world.app(({ body }) => ({ fields: FRESH, body: `read ${body}` }))
  expect((await world.ask({ method: 'POST', body: 'all of it' })).body).toBe('read all of it')
})

clause('§4 of several suitable responses a cache MUST use the most recent one', async (world) => {
  world.app(({ run }) => ({ fields: { 'Cache-Control': 'max-age=10' }, body: `version ${run}` }))
  await world.get()
  world.pass(11)
  expect((await world.get()).body).toBe('version 2')
  expect((await world.get()).body).toBe('version 2')
  expect(world.seen.length).toBe(2)
})

clause('§4 … so with one whose Vary has changed since', async (world) => {
  world.app(({ run }) => ({ fields: { ...FRESH, Vary: run === 1 ? 'X-A' : 'X-B' } }))
  await world.get({ 'X-A': '1', 'X-B': '1' })
  await world.get({ 'X-A': '2', 'X-B': '1' })
  const again = await world.get({ 'X-A': '2', 'X-B': '1' })
  expect(['run 2', 'run 3']).toContain(again.body)
})

clause('§4 one response may satisfy collapsed requests; those that it may not satisfy go on', async (world) => {
  const gate = world.gate()
  world.app(async ({ run }) => {
    if (run === 1) await gate.opened
    return { fields: FRESH }
  })
  const asked = Array.from({ length: 5 }, () => world.send({}))
  await world.reached(1)
  gate.open()
  const got = await Promise.all(asked)
  await world.front.landed()
  expect(new Set(got.map(({ body }) => body))).toEqual(new Set(['run 1']))
  expect(world.seen.length).toBe(1)
})

clause('§4 … a response that is not shareable satisfies only the request that it was made for', async (world) => {
  const gate = world.gate()
  world.app(async ({ run }) => {
    if (run === 1) await gate.opened
    return { fields: { 'Cache-Control': 'private, max-age=60' } }
  })
  const asked = Array.from({ length: 4 }, () => world.send({}))
  await world.reached(1)
  gate.open()
  const bodies = (await Promise.all(asked)).map(({ body }) => body)
  await world.front.landed()
  expect(new Set(bodies).size).toBe(4)
  expect(world.seen.length).toBe(4)
})

clause('RFC 9110 §6.6.1 a response without Date is given one, and keeps it', async (world) => {
  world.app({ fields: FRESH })
  const date = world.date()
  const first = await world.get()
  world.pass(20)
  const second = await world.get()
  expect(first.lines('date')).toEqual([date])
  expect(second.lines('date')).toEqual([date])
})

clause('RFC 9110 §6.6.1 a Date that the response has is kept', async (world) => {
  const date = world.date(-5)
  world.app({ fields: { ...FRESH, Date: date } })
  for (const got of [await world.get(), await world.get()]) expect(got.lines('date')).toEqual([date])
})
