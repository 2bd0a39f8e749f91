import { expect, test } from 'vitest'
import { ask } from '../doubles/redis-deployment.ts'
import { current } from '../doubles/caches.ts'
import { BUCKETS, keyOf, onCluster } from './fleet.ts'

const fleet = onCluster({ replicas: 0 })
const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket)
/** Further gaps of a reason are told when a second is over. */
const LATER = { timeout: 10_000 }

const sum = (gaps: readonly Readonly<Record<string, unknown>>[]) =>
  gaps.reduce((total, { buckets }) => total + Number(buckets), 0)

test('gaps of many buckets are acted upon in each, and told and counted for all of them together', async () => {
  const a = fleet.start()
  await expect.poll(() => a.cache.gauges()).toMatchObject({ l2Usable: true, coherent: true })
  // Nothing was told before: the first notice of each bucket is a gap.
  for (const bucket of buckets) await a.cache.set(keyOf(bucket), 1)
  await expect.poll(() => sum(a.of('gap')), LATER).toBe(BUCKETS)
  expect(a.of('gap').length).toBeLessThan(BUCKETS / 2)
  // These were told before: the head of each chain is one.
  const b = fleet.start()
  await expect.poll(() => sum(b.of('gap')), LATER).toBe(BUCKETS)
  expect(b.of('gap').length).toBeLessThan(BUCKETS / 2)
  for (const { cache, of } of [a, b]) expect(cache.counters.gaps).toBe(of('gap').length)

  await current(b.cache, { buckets: BUCKETS })
  for (const bucket of buckets)
    await expect.poll(() => b.cache.get(keyOf(bucket)).then(() => b.cache.peek(keyOf(bucket)))).toBe(1)
  for (const server of fleet.cluster.servers) await ask(server, 'FLUSHALL')
  await expect.poll(() => sum(b.of('resync')), LATER).toBe(BUCKETS)
  expect(buckets.filter((bucket) => b.cache.peek(keyOf(bucket)) !== undefined)).toEqual([])
  expect(b.of('resync').length).toBeLessThan(BUCKETS / 2)
  expect(b.cache.counters.resyncs).toBe(b.of('resync').length)
})
