import { expect } from 'vitest'
import type { LoadOptions } from '../../src/index.ts'
import type { Process } from './fleet.ts'
import { turn } from './fleet.ts'
import { ScriptedLoader } from './scripted-loader.ts'

/**
 * The order of events, with A, B and C three processes:
 *   1. k is to be renewed in all three: A and B serve it, and both would renew it
 *   2. A is granted the lease, and loads; B is told that A holds it
 *   3. C serves k too, and is about to ask for the lease, naming the old entry as the one that it saw
 *   4. A stores the new value; then C's question arrives
 * One loader runs, and all three have the new value.
 */
export async function expectOneRenewal([a, b, c]: readonly [Process, Process, Process], options: LoadOptions) {
  const loader = new ScriptedLoader<string>()
  expect(await a.cache.getOrSet('k', loader.load, options)).toBe('old')
  await loader.running()

  const second = b.leases.holdAnswer('acquire')
  expect(await b.cache.getOrSet('k', loader.load, options)).toBe('old')
  await second.arrived
  second.release()
  await turn()
  const third = c.leases.holdCall('acquire')
  expect(await c.cache.getOrSet('k', loader.load, options)).toBe('old')
  await third.arrived

  const [atB, atC] = [b, c].map(({ far }) => far.holdAnswer('get'))
  loader.answer('new')
  await atB?.arrived
  atB?.release()
  third.release()
  await atC?.arrived
  atC?.release()
  await turn()
  for (const { cache } of [a, b, c]) expect(await cache.get('k')).toBe('new')
  expect(loader.started).toBe(1)
}
