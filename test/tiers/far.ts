import { systemClock } from '../../src/clock.ts'
import { encode } from '../../src/entry/codec.ts'
import type { Address } from '../../src/entry/entry.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { RedisTagIndex } from '../../src/tags/redis-tag-index.ts'
import { BatchedReads } from '../../src/redis/batched-reads.ts'
import { Marks } from '../../src/tags/marks.ts'
import { RedisLeases } from '../../src/stampede/redis-lease.ts'
import { RedisTier } from '../../src/tiers/redis-tier.ts'
import { envelopeOf } from '../entry/envelope-of.ts'
import { rigOf } from '../redis/rig.ts'
import type { Clock } from '../../src/clock.ts'
import type { Envelope } from '../../src/entry/envelope.ts'
import type { Candidate } from '../../src/tiers/tier.ts'

export const names = new RedisNames('tc', 0)

/** The parts of one process that reach Redis, connected. */
export async function openFar(
  source: Parameters<typeof rigOf>[0],
  {
    origin = 'here',
    clock = systemClock,
    envelope = envelopeOf(),
    verifiedAt = () => Number.NEGATIVE_INFINITY,
    clusterBuckets = 1,
  }: { origin?: string; clock?: Clock; envelope?: Envelope; verifiedAt?: () => number; clusterBuckets?: number } = {},
) {
  const rig = rigOf(source, { clock, clusterBuckets })
  const undecodable: { address: Address; error: unknown }[] = []
  const reads = new BatchedReads(5000, clock)
  const tier = new RedisTier(
    rig.client,
    reads,
    envelope,
    { origin, commandTimeoutMs: 5000 },
    clock,
    (address, error) => void undecodable.push({ address, error }),
  )
  const marks = new Marks()
  const hearing = {
    marks,
    of: () => ({ verifiedAt: verifiedAt(), behindAt: Number.NEGATIVE_INFINITY, emptyAt: Number.NEGATIVE_INFINITY }),
  }
  const tags = new RedisTagIndex(rig.client, reads, { origin, maxStalenessMs: 2000 }, clock, hearing)
  const leases = new RedisLeases(rig.client, { origin, leaseMs: 30_000 }, clock)
  await rig.connected()
  const candidate = (address: Address, value: unknown, change: Partial<Candidate> = {}): Candidate => ({
    address,
    ...encode(value),
    createdAt: clock.now(),
    freshUntil: clock.now() + 60_000,
    staleUntil: clock.now() + 120_000,
    tags: [],
    loadMs: 0,
    ...change,
  })
  return {
    ...rig,
    origin,
    clock,
    reads,
    marks,
    tier,
    tags,
    leases,
    undecodable,
    candidate,
    close: () => rig.client.close(),
  }
}

export type Far = Awaited<ReturnType<typeof openFar>>
