import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { World } from './clause.ts'

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
