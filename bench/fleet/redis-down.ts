import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../test/doubles/redis.ts'
import { ratioOf } from '../harness/paired-rounds.ts'
import { startProgram } from '../harness/program.ts'
import { summarize } from '../harness/statistics.ts'
import { redisVersion } from '../harness/versions.ts'
import type { RedisServer } from '../../test/doubles/redis.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { Load } from './redis-down-process.ts'

const SUBJECT = 'Redis frozen, p99'
const REFERENCE = 'L1 alone, p99'
const OUTAGES = 5
const ROUNDS = 5
const ROUND_MS = 1000
const DEADLINE_MS = 250
const SCHEDULING_MS = 50

export const redisDown: Scenario = {
  name: 'redis-down',
  work: 'reads while Redis stands still (SIGSTOP), once the breaker is open: `getOrSet` and `get` of 1,000 hot keys and, one read in seven, of cold ones; the loader answers at once. p99',
  reference: 'the same reads of a cache with L1 alone: p99',
  expects: 'A dead Redis costs each call one deadline at most, and after that next to nothing.',
  bar: { most: 2 },
  nodes: [24],
  run,
}

async function run(node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const redis = await startRedis()
  try {
    const outages: Outage[] = []
    for (let outage = 1; outage <= OUTAGES; outage++) {
      outages.push(await measureOutage(redis, node))
      const { longestMs, rounds } = outages.at(-1) as Outage
      const ratio = ratioOf(rounds.map(roundOf), SUBJECT, REFERENCE).median
      tell(`outage ${outage}: ${ratio.toFixed(3)}, longest call ${longestMs.toFixed(1)} ms`)
    }
    const measured = outages.flatMap(({ rounds }, index) => rounds.map((round) => ({ ...round, pair: index + 1 })))
    const rounds = measured.map(roundOf)
    const summaryOf = (figure: (load: Load) => number) =>
      summarize(measured.map(({ subject, reference }) => figure(subject) / figure(reference)))
    return {
      unit: 'µs',
      rounds,
      ratio: ratioOf(rounds, SUBJECT, REFERENCE),
      also: {
        'reads/s': summaryOf(({ reads, ms }) => reads / ms),
        'p50 of cold reads': summaryOf(({ coldP50Us }) => coldP50Us),
      },
      conditions: {
        'longest call of the outage in ms': {
          figure: Math.max(...outages.map(({ longestMs }) => longestMs)),
          most: DEADLINE_MS + SCHEDULING_MS,
        },
        'unhandled rejections': {
          figure: outages.reduce((sum, { unhandled }) => sum + unhandled, 0),
          most: 0,
        },
      },
      versions: { redis: await redisVersion(redis.url) },
      details: {
        commandTimeoutMs: DEADLINE_MS,
        longestCallOfEachOutageMs: outages.map(({ longestMs }) => Number(longestMs.toFixed(1))),
        readsPerSecond: measured.map(({ subject, reference }) =>
          [subject, reference].map(({ reads, ms }) => Math.round((reads / ms) * 1000)),
        ),
      },
    }
  } finally {
    await redis.stop()
  }
}

interface RoundOfLoads {
  readonly pair: number
  readonly subject: Load
  readonly reference: Load
}

interface Outage {
  readonly rounds: readonly RoundOfLoads[]
  /** Of all calls from shortly before the outage until its end. */
  readonly longestMs: number
  readonly unhandled: number
}

function roundOf({ pair, subject, reference }: RoundOfLoads): Round {
  const figures = { [SUBJECT]: Number(subject.p99Us.toFixed(2)), [REFERENCE]: Number(reference.p99Us.toFixed(2)) }
  return { pair, figures }
}

/** Redis stands still while the subject reads; once its breaker is open both are measured in turn. */
async function measureOutage(redis: RedisServer, node: NodeBinary): Promise<Outage> {
  const file = new URL('./redis-down-process.js', import.meta.url)
  const subject = await startProgram(file, ['L1 and L2', redis.url], node)
  const reference = await startProgram(file, ['L1 alone', redis.url], node)
  try {
    for (const program of [subject, reference]) await program.ask('load for', ROUND_MS)
    const first = subject.ask<Load>('load until the breaker is open')
    await sleep(100)
    redis.freeze()
    const loads = [await first]
    // The loop of both is compiled for what it does from now on.
    for (const program of [subject, reference]) await program.ask('load for', ROUND_MS)
    const rounds: RoundOfLoads[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const here = await measure(subject)
      loads.push(here)
      rounds.push({ pair: 0, subject: here, reference: await measure(reference) })
    }
    redis.thaw()
    loads.push(await subject.ask<Load>('load until the breaker is closed'))
    const longestMs = Math.max(...loads.map((load) => load.longestMs))
    return { rounds, longestMs, unhandled: await subject.ask<number>('unhandled rejections') }
  } finally {
    redis.thaw()
    await Promise.all([subject.stop(), reference.stop()])
  }
}

async function measure(program: Program): Promise<Load> {
  await program.ask('collect garbage')
  return program.ask<Load>('load for', ROUND_MS)
}
