import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../test/doubles/redis.ts'
import { startCluster } from '../../test/doubles/redis-cluster.ts'
import { ratioOf } from '../harness/paired-rounds.ts'
import { startProgram } from '../harness/program.ts'
import { quantile, summarize } from '../harness/statistics.ts'
import { redisVersion } from '../harness/versions.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { Place } from './invalidate-lag-process.ts'

const SUBJECT = 'delete() to the end of L1 elsewhere, p99'
const REFERENCE = 'bare message to its arrival, p99'
const PAIRS = 5
const ROUNDS = 2
/** Changes of a round, of each kind, told in turn in parts. */
const CHANGES = 2000
const PART = 100

export const invalidateLag: Scenario = {
  name: 'invalidate-lag',
  work: 'from calling `delete()` in one process until another, which has the key in L1, stops serving it: p99 of 2,000',
  reference:
    'from calling PUBLISH of a bare ioredis to its arrival at a bare subscriber in another process: p99 of 2,000',
  expects: 'A change is known elsewhere about as soon as a message can be.',
  bar: { most: 2 },
  nodes: [24],
  run: async (node, tell) => {
    const redis = await startRedis()
    try {
      return await measure({ place: redis.url, reference: 'bare', anyone: redis.url }, node, tell)
    } finally {
      await redis.stop()
    }
  },
}

export const invalidateLagCluster: Scenario = {
  name: 'invalidate-lag-cluster',
  work: 'the same on a Cluster of three masters, the keys spread over 32 buckets',
  reference:
    'from calling SPUBLISH of a bare ioredis `Cluster` to its arrival at a bare subscriber of SSUBSCRIBE on the same Cluster: p99 of 2,000',
  expects: 'So it is on a Cluster, whose masters each tell of their own buckets.',
  bar: undefined,
  nodes: [24],
  run: async (node, tell) => {
    const cluster = await startCluster({ replicas: 0 })
    const [{ url } = { url: '' }] = cluster.servers
    try {
      return await measure({ place: { cluster: cluster.nodes }, reference: 'bare sharded', anyone: url }, node, tell)
    } finally {
      await cluster.stop()
    }
  },
}

/** What is measured where. */
interface Ground {
  readonly place: Place
  /** The kind of the processes that are measured against. */
  readonly reference: string
  /** A server of it. */
  readonly anyone: string
}

async function measure(ground: Ground, node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const lags: Lags[] = []
  for (let pair = 1; pair <= PAIRS; pair++) {
    lags.push(...(await measurePair(ground, pair, node)))
    tell(`pair ${pair}: ${ratioOf(lags.slice(-ROUNDS).map(roundOf), SUBJECT, REFERENCE).median.toFixed(3)}`)
  }
  const rounds = lags.map(roundOf)
  const ofShare = (share: number) =>
    summarize(lags.map(({ subject, reference }) => quantile(subject, share) / quantile(reference, share)))
  return {
    unit: 'ms',
    rounds,
    ratio: ratioOf(rounds, SUBJECT, REFERENCE),
    also: { p50: ofShare(0.5), 'p99.9': ofShare(0.999) },
    versions: { redis: await redisVersion(ground.anyone) },
    details: { changesOfARound: CHANGES, apart: '2 to 6 ms' },
  }
}

/** The lags of one round, in ms. */
interface Lags {
  readonly pair: number
  readonly subject: readonly number[]
  readonly reference: readonly number[]
}

function roundOf({ pair, subject, reference }: Lags): Round {
  const p99 = (lags: readonly number[]) => Number(quantile(lags, 0.99).toFixed(4))
  return { pair, figures: { [SUBJECT]: p99(subject), [REFERENCE]: p99(reference) } }
}

/** Two processes: one tells, the other listens. */
interface Couple {
  readonly teller: Program
  readonly listener: Program
}

async function measurePair({ place, reference: bare }: Ground, pair: number, node: NodeBinary): Promise<Lags[]> {
  const file = new URL('./invalidate-lag-process.js', import.meta.url)
  const start = async (kind: string): Promise<Couple> => {
    const teller = await startProgram(file, [`${kind} teller`, JSON.stringify(place)], node)
    return { teller, listener: await startProgram(file, [`${kind} listener`, JSON.stringify(place)], node) }
  }
  const couples = [await start('tiercache'), await start(bare)] as const
  try {
    for (const couple of couples) await measurePart(couple, 'warm-up')
    const rounds: Lags[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const [subject, reference]: [number[], number[]] = [[], []]
      for (let part = 0; part < CHANGES / PART; part++) {
        subject.push(...(await measurePart(couples[0], `${pair}:${round}:${part}`)))
        reference.push(...(await measurePart(couples[1], `${pair}:${round}:${part}`)))
      }
      rounds.push({ pair, subject, reference })
    }
    return rounds
  } finally {
    await Promise.all(couples.flatMap(({ teller, listener }) => [teller.stop(), listener.stop()]))
  }
}

async function measurePart({ teller, listener }: Couple, name: string): Promise<number[]> {
  const keys = Array.from({ length: PART }, (_, index) => `${name}:${index}`)
  await teller.ask('prepare', keys)
  await listener.ask('prepare', keys)
  await sleep(20)
  const toldAt = await teller.ask<number[]>('tell', keys)
  await sleep(20)
  const heardAt = await listener.ask<number[]>('heard')
  if (heardAt.length !== PART) throw new Error(`${heardAt.length} of ${PART} changes were heard`)
  const lags = heardAt.map((at, index) => at - (toldAt[index] ?? Number.NaN))
  if (!lags.every((lag) => lag > 0)) throw new Error('a key was not served any more before its change was told')
  return lags
}
