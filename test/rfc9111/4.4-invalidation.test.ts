import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { World } from './clause.ts'
import type { Ask } from './client.ts'
import type { Reply } from './front.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }

/** Stores a page, sends the request, and tells whether the page is gone. */
async function drops(world: World, request: Ask, reply: Reply = {}, below = '/page'): Promise<boolean> {
  world.app(({ method }) => (method === 'GET' ? { fields: FRESH } : reply))
  await world.get({}, below)
  await world.get({}, below)
  await world.ask({ below, ...request })
  const before = world.seen.length
  await world.get({}, below)
  return world.seen.length > before
}

clause('§4.4 a non-error response to an unsafe method MUST invalidate the target', async (world) => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    for (const status of [200, 201, 204, 303, 302]) {
      const gone = await drops(world, { method, body: 'x' }, { status, fields: { Location: '/elsewhere' } })
      expect(gone, `${method} ${status}`).toBe(true)
    }
  }
})

clause('§4.4 … so with methods whose safety is unknown', async (world) => {
  for (const method of ['LOCK', 'MKCOL', 'PURGE']) expect(await drops(world, { method }), method).toBe(true)
})

clause('§4.4 an error invalidates nothing', async (world) => {
  for (const status of [400, 401, 404, 409, 422, 500, 503]) {
    expect(await drops(world, { method: 'POST', body: 'x' }, { status }), String(status)).toBe(false)
  }
})

clause('§4.4 a safe method invalidates nothing', async (world) => {
  for (const method of ['OPTIONS', 'PROPFIND', 'REPORT']) expect(await drops(world, { method }), method).toBe(false)
})

clause('§4.4 all stored responses of the target are invalidated: every variant', async (world) => {
  world.app(({ method }) => (method === 'GET' ? { fields: { ...FRESH, Vary: 'X-V' } } : {}))
  for (const v of ['a', 'b']) await world.get({ 'X-V': v })
  await world.ask({ method: 'PUT', body: 'x' })
  for (const [at, v] of ['a', 'b'].entries()) {
    await world.get({ 'X-V': v })
    expect(world.seen.length, v).toBe(4 + at)
  }
})

clause('§4.4 Location and Content-Location are invalidated, too', async (world) => {
  for (const name of ['Location', 'Content-Location']) {
    const below = `/named-by-${name}`
    const target = `${world.path}${below}`
    for (const reference of [target, `http://a.example${target}`, `../${world.path.slice(1)}${below}`]) {
      const request = { method: 'POST', below: '/form', body: 'x' }
      const gone = await drops(world, request, { status: 201, fields: { [name]: reference } }, below)
      expect(gone, reference).toBe(true)
    }
  }
})

clause('§4.4 … MUST NOT be, if their origin is another', async (world) => {
  const below = '/page'
  for (const name of ['Location', 'Content-Location']) {
    for (const origin of ['http://b.example', 'https://a.example', 'http://a.example:8080', '//b.example']) {
      const fields = { [name]: `${origin}${world.path}${below}` }
      const gone = await drops(world, { method: 'POST', below: '/form', body: 'x' }, { status: 201, fields }, below)
      expect(gone, origin).toBe(false)
    }
  }
})

clause('§4.4 … so an unsafe request to one host leaves the pages of another', async (world) => {
  world.app(({ method }) => (method === 'GET' ? { fields: FRESH } : {}))
  await world.ask({ host: 'b.example' })
  await world.ask({ method: 'POST', host: 'a.example', body: 'x' })
  await world.ask({ host: 'b.example' })
  expect(world.seen.length).toBe(2)
})

clause('§4.4 other targets stay', async (world) => {
  for (const other of ['/other', '/page?x', '/page/', '/pag', '']) {
    world.app(({ method }) => (method === 'GET' ? { fields: FRESH } : {}))
    const below = '/page'
    await world.get({}, below)
    await world.ask({ method: 'POST', below: other, body: 'x' })
    const before = world.seen.length
    await world.get({}, below)
    expect(world.seen.length, other).toBe(before)
  }
})

clause('§4.4 a failed reference does no harm', async (world) => {
  for (const Location of ['http://[', '::::', '%', 'http://', '\x7f', 'javascript:1', '']) {
    const gone = await drops(
      world,
      { method: 'POST', below: '/form', body: 'x' },
      { status: 201, fields: { Location } },
    )
    expect(gone, Location).toBe(false)
  }
})

clause('§4.4 what was stale and kept is gone, too', async (world) => {
  world.app(({ method }) => (method === 'GET' ? { fields: { 'Cache-Control': 'max-age=10', ETag: '"a"' } } : {}))
  await world.get()
  world.pass(20)
  await world.ask({ method: 'DELETE' })
  await world.get()
  const headers = world.seen.at(-1)?.headers
  expect(headers?.['if-none-match']).toBeUndefined()
})

clause('§4.4 the client of the unsafe request finds the page gone when it has its answer', async (world) => {
  world.app(({ method, run }) => (method === 'GET' ? { fields: FRESH, body: `version ${run}` } : { body: 'done' }))
  for (let round = 0; round < 5; round++) {
    await world.get()
    await world.send({ method: 'POST', body: 'x' })
    const got = await world.send({})
    expect(got.body).toBe(`version ${world.seen.length}`)
    await world.front.landed()
  }
})
