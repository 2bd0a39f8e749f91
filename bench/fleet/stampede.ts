import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../test/doubles/redis.ts'
import { machineNow } from '../harness/machine-clock.ts'
import { ratioOf } from '../harness/paired-rounds.ts'
import { startProgram } from '../harness/program.ts'
import { redisVersion } from '../harness/versions.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { Called, Woken } from './stampede-process.ts'

const SUBJECT = 'slowest caller less the loader'
const REFERENCE = 'PUBLISH to the slowest GET'
const PROCESSES = 8
const CALLERS = 100
const LOADER_MS = 200
const FLEETS = 5
const ROUNDS = 9
/** Rounds of a fleet that are not counted, with a loader of 1 ms. */
const WARM_UPS = 40
/** From a question to all processes until they begin, all at one instant. */
const LEAD_MS = 50

export const stampede: Scenario = {
  name: 'stampede',
  work: '8 processes with 100 callers each ask for one cold key at once, loader 200 ms: the slowest caller, less what the loader took',
  reference: 'the same 8 processes woken by a bare PUBLISH, each with one GET: from the PUBLISH to the slowest answer',
  expects: 'One loader runs for all, and who waits for it is woken and answered about as fast as Redis can.',
  bar: { most: 3 },
  nodes: [24],
  run,
}

async function run(node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const redis = await startRedis()
  try {
    const outcomes: Outcome[] = []
    for (let fleet = 1; fleet <= FLEETS; fleet++) {
      outcomes.push(...(await measureFleet(redis.url, fleet, node)))
      tell(`fleet ${fleet}: ${ratioOf(outcomes.slice(-ROUNDS).map(roundOf), SUBJECT, REFERENCE).median.toFixed(3)}`)
    }
    const rounds = outcomes.map(roundOf)
    return {
      unit: 'ms',
      rounds,
      ratio: ratioOf(rounds, SUBJECT, REFERENCE),
      conditions: { 'loads of a key': { figure: Math.max(...outcomes.map(({ loads }) => loads)), most: 1 } },
      versions: { redis: await redisVersion(redis.url) },
      details: { processes: PROCESSES, callers: CALLERS, loaderMs: LOADER_MS },
    }
  } finally {
    await redis.stop()
  }
}

interface Outcome {
  readonly fleet: number
  readonly loads: number
  readonly subjectMs: number
  readonly referenceMs: number
}

function roundOf({ fleet, subjectMs, referenceMs }: Outcome): Round {
  const figures = { [SUBJECT]: Number(subjectMs.toFixed(3)), [REFERENCE]: Number(referenceMs.toFixed(3)) }
  return { pair: fleet, figures }
}

async function measureFleet(redisUrl: string, fleet: number, node: NodeBinary): Promise<Outcome[]> {
  const file = new URL('./stampede-process.js', import.meta.url)
  const start = () => startProgram(file, [redisUrl, String(CALLERS)], node)
  const programs = await Promise.all(Array.from({ length: PROCESSES }, start))
  try {
    for (let round = 0; round < WARM_UPS; round++) {
      await rush(programs, `fleet ${fleet} warm-up ${round}`, 1)
      await wake(programs, programs[round % PROCESSES] as Program, 1)
    }
    const outcomes: Outcome[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const { loads, ms: subjectMs } = await rush(programs, `fleet ${fleet} round ${round}`, LOADER_MS)
      const referenceMs = await wake(programs, programs[round % PROCESSES] as Program, LOADER_MS)
      outcomes.push({ fleet, loads, subjectMs, referenceMs })
    }
    await askAll(programs, 'close')
    return outcomes
  } finally {
    await Promise.all(programs.map((program) => program.stop()))
  }
}

function askAll<Answer>(programs: readonly Program[], question: string, ...args: unknown[]): Promise<Answer[]> {
  return Promise.all(programs.map((program) => program.ask<Answer>(question, ...args)))
}

/** All callers of all processes ask for one key at an instant that is told to them beforehand. */
async function rush(
  programs: readonly Program[],
  key: string,
  loaderMs: number,
): Promise<{ loads: number; ms: number }> {
  const called = await askAll<Called>(programs, 'call', key, machineNow() + LEAD_MS, loaderMs)
  const loads = called.flatMap(({ loadsMs }) => loadsMs)
  return {
    loads: loads.length,
    ms: Math.max(...called.map(({ slowestMs }) => slowestMs)) - Math.min(...loads),
  }
}

/** One process publishes, after as long a silence as the loader gives; all of them hear it, and each reads once. */
async function wake(programs: readonly Program[], publisher: Program, silenceMs: number): Promise<number> {
  const woken = askAll<Woken>(programs, 'wake')
  await sleep(LEAD_MS + silenceMs)
  const publishedAt = await publisher.ask<number>('publish')
  return Math.max(...(await woken).map(({ answeredAt }) => answeredAt)) - publishedAt
}
