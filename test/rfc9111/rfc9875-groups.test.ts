import { expect } from 'vitest'
import { clause } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }

/** Each world has groups of its own: they are those of the origin, which the worlds share. */
function named(path: string, ...names: string[]): string {
  return names.map((name) => `"${path} ${name}"`).join(', ')
}

clause('RFC 9875 §3 responses in a group that an unsafe request invalidates are not served again', async (world) => {
  const { path } = world
  world.app(({ method, target }) => {
    if (method !== 'GET') return { fields: { 'Cache-Group-Invalidation': named(path, 'b', 'x') } }
    return { fields: { ...FRESH, 'Cache-Groups': named(path, target.endsWith('/in') ? 'b' : 'c', 'a') } }
  })
  for (const below of ['/in', '/out', '/in', '/out']) await world.get({}, below)
  expect(world.seen.length).toBe(2)
  await world.ask({ method: 'POST', below: '/form', body: 'x' })
  await world.get({}, '/out')
  expect(world.seen.length).toBe(3)
  await world.get({}, '/in')
  expect(world.seen.length).toBe(4)
})

clause('RFC 9875 §3 Cache-Group-Invalidation MUST be ignored on responses to safe methods', async (world) => {
  const { path } = world
  world.app(({ target }) => {
    const names = target.endsWith('/in') ? 'Cache-Groups' : 'Cache-Group-Invalidation'
    return { fields: { ...FRESH, [names]: named(path, 'a') } }
  })
  await world.get({}, '/in')
  await world.get({}, '/other')
  await world.ask({ method: 'OPTIONS', below: '/other' })
  const before = world.seen.length
  await world.get({}, '/in')
  expect(world.seen.length).toBe(before)
})

clause('RFC 9875 §2.1 a group is of one origin', async (world) => {
  const { path } = world
  world.app(({ method }) =>
    method === 'GET'
      ? { fields: { ...FRESH, 'Cache-Groups': named(path, 'a') } }
      : { fields: { 'Cache-Group-Invalidation': named(path, 'a') } },
  )
  await world.ask({ host: 'b.example', below: '/page' })
  await world.ask({ method: 'POST', host: 'a.example', below: '/form', body: 'x' })
  await world.ask({ host: 'b.example', below: '/page' })
  expect(world.seen.length).toBe(2)
})

clause('RFC 9875 §2 implementations MUST support 32 groups of 32 characters', async (world) => {
  const { path } = world
  const groups = Array.from({ length: 32 }, (_, n) => `"${`${path}${n}`.padEnd(32, '.')}"`)
  world.app(({ method }) =>
    method === 'GET'
      ? { fields: { ...FRESH, 'Cache-Groups': groups.join(', ') } }
      : { fields: { 'Cache-Group-Invalidation': groups.join(', ') } },
  )
  await world.get({}, '/page')
  await world.get({}, '/page')
  expect(world.seen.length).toBe(1)
  await world.ask({ method: 'POST', below: '/form', body: 'x' })
  await world.get({}, '/page')
  expect(world.seen.length).toBe(3)
})
