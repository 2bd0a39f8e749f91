import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { World } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }

/** Stores a page of these groups; a request then names groups that are invalid. Tells whether the page is gone. */
async function drops(
  world: World,
  groups: string,
  invalidated: string,
  { method = 'POST', status = 200, host = 'a.example' } = {},
): Promise<boolean> {
  const below = `/page-${world.seen.length}`
  world.app(({ target }) =>
    target.includes('/page')
      ? { fields: { ...FRESH, 'Cache-Groups': groups } }
      : { status, fields: { 'Cache-Group-Invalidation': invalidated } },
  )
  await world.get({}, below)
  await world.get({}, below)
  await world.ask({ method, host, below: '/change', ...(method === 'GET' ? {} : { body: 'x' }) })
  const before = world.seen.length
  await world.get({}, below)
  return world.seen.length > before
}

clause('RFC 9875 §3 a response to an unsafe request invalidates the groups that it names', async (world) => {
  expect(await drops(world, '"a"', '"a"')).toBe(true)
  expect(await drops(world, '"b", "a", "c"', '"x", "a"')).toBe(true)
  expect(await drops(world, '"a"', '"b"')).toBe(false)
})

clause('RFC 9875 §3 the field MUST be ignored on responses to safe requests', async (world) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    expect(await drops(world, '"a"', '"a"', { method }), method).toBe(false)
  }
})

clause('RFC 9875 §2.1 names are compared character by character', async (world) => {
  for (const name of ['"A"', '"a "', '" a"', '"aa"', '""', '"%61"']) {
    expect(await drops(world, '"a"', name), name).toBe(false)
  }
  expect(await drops(world, '"with \\"quote\\" and, comma"', '"with \\"quote\\" and, comma"')).toBe(true)
})

clause('RFC 9875 §2.1 groups are of one origin', async (world) => {
  expect(await drops(world, '"a"', '"a"', { host: 'b.example' })).toBe(false)
  expect(await drops(world, '"a"', '"a"', { host: 'a.example:8080' })).toBe(false)
})

clause('RFC 9875 §2 the fields are lists of strings: what is none is ignored, parameters are, too', async (world) => {
  for (const groups of ['a', '"a', '"a",', '("a")', '"a" "b"', '1', '']) {
    expect(await drops(world, groups, '"a"'), groups).toBe(false)
    expect(await drops(world, '"a"', groups), groups).toBe(false)
  }
  expect(await drops(world, '"a";x=1', '"a";y')).toBe(true)
})

clause('RFC 9875 §2 at least 32 groups of 32 characters MUST be supported', async (world) => {
  const names = Array.from({ length: 32 }, (_, at) => `"${String(at).padStart(32, 'g')}"`)
  for (const name of [names[0], names[15], names[31]] as string[]) {
    expect(await drops(world, names.join(', '), name), name).toBe(true)
  }
  expect(await drops(world, names[31] as string, names.join(', '))).toBe(true)
})

clause('RFC 9875 §2.2.1 a grouped invalidation triggers no further one', async (world) => {
  world.app(({ target }) => {
    if (target.endsWith('/one')) return { fields: { ...FRESH, 'Cache-Groups': '"a", "b"' } }
    if (target.endsWith('/two')) return { fields: { ...FRESH, 'Cache-Groups': '"b"' } }
    return { fields: { 'Cache-Group-Invalidation': '"a"' } }
  })
  await world.get({}, '/one')
  await world.get({}, '/two')
  await world.ask({ method: 'POST', below: '/change', body: 'x' })
  expect((await world.get({}, '/two')).says('hit')).toBe(true)
  expect((await world.get({}, '/one')).says('hit')).toBe(false)
})

clause('RFC 9875 §2 the groups of all variants are known', async (world) => {
  world.app(({ method, headers }) =>
    method === 'GET'
      ? { fields: { ...FRESH, Vary: 'X-V', 'Cache-Groups': `"of-${headers['x-v']}"` } }
      : { fields: { 'Cache-Group-Invalidation': '"of-b"' } },
  )
  for (const v of ['a', 'b']) await world.get({ 'X-V': v })
  await world.ask({ method: 'POST', below: '/change', body: 'x' })
  expect((await world.get({ 'X-V': 'a' })).says('hit')).toBe(true)
  expect((await world.get({ 'X-V': 'b' })).says('hit')).toBe(false)
})

clause('RFC 9875 §3 a response that is made while its group is invalidated is not stored', async (world) => {
  const gate = world.gate()
  world.app(async ({ method, run }) => {
    if (method === 'POST') return { fields: { 'Cache-Group-Invalidation': '"a"' } }
    if (run === 1) await gate.opened
    return { fields: { ...FRESH, 'Cache-Groups': '"a"' } }
  })
  const early = world.send({})
  await world.reached(1)
  await world.send({ method: 'POST', below: '/change', body: 'x' })
  gate.open()
  expect((await early).body).toBe('run 1')
  await world.front.landed()
  expect((await world.get()).body).toBe('run 3')
})
