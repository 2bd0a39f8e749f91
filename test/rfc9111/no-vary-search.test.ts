import { expect } from 'vitest'
import { malformedVariances } from '../http/malformed-variances.ts'
import { clause } from './clause.ts'
import type { World } from './clause.ts'

/**
 * Whether the response to the first query, with this No-Vary-Search, answers the second. That the page has such a field is
 * learnt from another response of it before.
 */
async function joins(world: World, variance: string | string[], one: string, other: string): Promise<boolean> {
  const page = `/page-${world.seen.length}`
  world.app({ fields: { 'Cache-Control': 'max-age=600', 'No-Vary-Search': variance } })
  await world.get({}, `${page}?id=learn`)
  await world.get({}, page + one)
  const before = world.seen.length
  await world.get({}, page + other)
  return world.seen.length === before
}

clause('No-Vary-Search: without it every difference counts', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=600' } })
  for (const query of ['?a=1', '?a=2', '?a=1&b=2', '?b=2&a=1', '?', '']) await world.get({}, query)
  expect(world.seen.length).toBe(6)
})

clause('No-Vary-Search: params: no parameter counts', async (world) => {
  expect(await joins(world, 'params', '?a=1', '?b=2')).toBe(true)
  expect(await joins(world, 'params', '?a=1', '')).toBe(true)
  expect(await joins(world, 'params=?1', '', '?x')).toBe(true)
})

clause('No-Vary-Search: params=("…"): these do not count, others do', async (world) => {
  const variance = 'params=("utm" "ref")'
  expect(await joins(world, variance, '?a=1&utm=x', '?utm=y&a=1')).toBe(true)
  expect(await joins(world, variance, '?a=1', '?a=1&ref=z')).toBe(true)
  expect(await joins(world, variance, '?a=1&utm=x', '?a=2&utm=x')).toBe(false)
  expect(await joins(world, variance, '?a=1&utm=x', '?a=1&utmm=x')).toBe(false)
  expect(await joins(world, variance, '?UTM=1', '?UTM=2')).toBe(false)
})

clause('No-Vary-Search: params, except=("…"): these count alone', async (world) => {
  const variance = 'params, except=("id")'
  expect(await joins(world, variance, '?id=1&x=1', '?y=2&id=1')).toBe(true)
  expect(await joins(world, variance, '?id=1&x=1', '?id=2&x=1')).toBe(false)
  expect(await joins(world, variance, '?id=1', '?x=1')).toBe(false)
})

clause('No-Vary-Search: key-order: the order of names does not count, that of values does', async (world) => {
  expect(await joins(world, 'key-order', '?a=1&b=2', '?b=2&a=1')).toBe(true)
  expect(await joins(world, 'key-order', '?a=1&a=2', '?a=2&a=1')).toBe(false)
  expect(await joins(world, 'key-order', '?a=1&b=2', '?a=2&b=1')).toBe(false)
  expect(await joins(world, 'params=("x")', '?a=1&b=2', '?b=2&a=1')).toBe(false)
  expect(await joins(world, 'key-order, params=("x")', '?a=1&x=3&b=2', '?b=2&a=1')).toBe(true)
})

clause('No-Vary-Search: names and values are compared decoded', async (world) => {
  expect(await joins(world, 'params=("a b")', '?a+b=1&c=1', '?a%20b=2&c=1')).toBe(true)
  expect(await joins(world, 'params=("%C3%A9")', '?%C3%A9=1', '?%c3%a9=2')).toBe(true)
  expect(await joins(world, 'key-order', '?a=%41&b=1', '?b=1&a=A')).toBe(true)
})

clause('No-Vary-Search: the path always counts', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=600', 'No-Vary-Search': 'params' } })
  await world.get({}, '/a?x=1')
  await world.get({}, '/b?x=1')
  expect(world.seen.length).toBe(2)
})

clause('No-Vary-Search: what is malformed is ignored', async (world) => {
  for (const variance of malformedVariances) {
    expect(await joins(world, variance, '?a=1', '?a=2'), variance).toBe(false)
    expect(await joins(world, variance, '?a=1&b=2', '?b=2&a=1'), variance).toBe(false)
  }
})

clause('No-Vary-Search: entries that are not known are ignored', async (world) => {
  expect(await joins(world, 'params=("a"), later=5', '?a=1', '?a=2')).toBe(true)
})

clause('No-Vary-Search: it is the stored response that says so, for itself', async (world) => {
  const [plain, free] = [
    { 'Cache-Control': 'max-age=600' },
    { 'Cache-Control': 'max-age=600', 'No-Vary-Search': 'params=("x")' },
  ]
  world.app(({ target }) => ({ fields: target.includes('free') ? free : plain }))
  await world.get({}, '?free=1&x=0')
  await world.get({}, '?a=1&x=1')
  expect((await world.get({}, '?a=1&x=2')).body).toBe('run 3')
  expect((await world.get({}, '?a=1')).body).toBe('run 4')
})

clause('No-Vary-Search: Vary counts beside it', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=600', 'No-Vary-Search': 'params', Vary: 'X-V' } })
  await world.get({ 'X-V': 'learn' })
  await world.get({ 'X-V': 'a' }, '?1')
  expect((await world.get({ 'X-V': 'a' }, '?2')).body).toBe('run 2')
  expect((await world.get({ 'X-V': 'b' }, '?2')).body).toBe('run 3')
})

clause('No-Vary-Search: an unsafe request to one of the URLs makes the response invalid for it', async (world) => {
  const fields = { 'Cache-Control': 'max-age=600', 'No-Vary-Search': 'params' }
  world.app(({ method }) => (method === 'GET' ? { fields } : {}))
  for (const query of ['?1', '?2', '?3']) await world.get({}, query)
  await world.ask({ method: 'POST', below: '?2', body: 'x' })
  const before = world.seen.length
  await world.get({}, '?2')
  expect(world.seen.length).toBe(before + 1)
})

/** Asks for each in turn; tells which of them reached the application. */
async function reaching(world: World, ...queries: string[]): Promise<string[]> {
  const before = world.seen.length
  for (const query of queries) await world.get({}, query)
  return world.seen.slice(before).map(({ target }) => target.slice(world.path.length))
}

function says(world: World, value: string): void {
  world.app({ fields: { 'Cache-Control': 'max-age=600', 'No-Vary-Search': value } })
}

clause('No-Vary-Search §6 a stored response whose URL is equivalent may be used: params', async (world) => {
  says(world, 'params=("utm")')
  await reaching(world, '?id=1&utm=a')
  expect(await reaching(world, '?id=1&utm=b', '?utm=c&id=1', '?id=1', '?id=2&utm=b', '?id=2')).toEqual([
    '?id=1&utm=b',
    '?id=2&utm=b',
  ])
})

clause('No-Vary-Search §6 … except', async (world) => {
  says(world, 'params, except=("id")')
  await reaching(world, '?id=1&utm=a')
  expect(await reaching(world, '?id=1&utm=b', '?x&y&id=1', '?id=%31', '?id=2')).toEqual(['?id=1&utm=b', '?id=2'])
})

clause('No-Vary-Search §6 … key-order', async (world) => {
  says(world, 'key-order')
  await reaching(world, '?b=1&a=1')
  expect(await reaching(world, '?a=2&b=1', '?b=1&a=2', '?b=1&a=3')).toEqual(['?a=2&b=1', '?b=1&a=3'])
})

clause('No-Vary-Search §4.1 what is not understood says nothing', async (world) => {
  says(world, 'params=(not-a-string)')
  const queries = ['?a=1', '?a=2', '?a=1&b']
  expect(await reaching(world, ...queries)).toEqual(queries)
  expect(await reaching(world, ...queries)).toEqual([])
})

clause('RFC 9111 §4.4 what is stored for an equivalent URL is invalidated with it', async (world) => {
  says(world, 'params')
  await reaching(world, '?a', '?b', '?c')
  await world.ask({ method: 'POST', below: '?d', body: 'x' })
  expect(await reaching(world, '?b', '?a', '?c')).toEqual(['?b'])
})
