import { startRedis } from '../../test/doubles/redis.ts'
import { startCluster } from '../../test/doubles/redis-cluster.ts'
import { startProgram } from './program.ts'
import { redisVersion } from './versions.ts'
import { summarize } from './statistics.ts'
import type { NodeBinary } from './node-binary.ts'
import type { Measured, Round } from './scenario.ts'
import type { Summary } from './statistics.ts'
import type { VariantContext, Work } from './variant.ts'

export interface PairedOptions {
  /** The file that exports `variants`. */
  readonly bench: string
  readonly subject: string
  readonly reference: string
  readonly also?: readonly string[]
  readonly unit: string
  /** What is measured of a round. Default: operations per second. */
  readonly figureOf?: (work: Work) => number
  /** How often all variants start anew, each in a process of its own. */
  readonly pairs: number
  /** How many rounds each such pair of processes is measured for, in turn. */
  readonly rounds: number
  /** Rounds of each process that are not counted. */
  readonly warmUps: number
  /** How many masters the Cluster has that is there beside the one server; without it there is none. */
  readonly masters?: number
  /** Versions of what is measured, beside those of all runs. */
  readonly versions?: Readonly<Record<string, string>>
  /** The folder of another checkout: the subject is measured against itself there, instead of the reference. */
  readonly against?: string
}

/**
 * Measures variants in turn: A B A B … Each has a process of its own, since code that two of them share (lru-cache,
 * ioredis, msgpackr) would be compiled for both uses at once. Several processes per variant, since one may by chance
 * be laid out better in memory than the next.
 */
export async function pairedRounds(
  options: PairedOptions,
  node: NodeBinary,
  tell: (line: string) => void,
): Promise<Measured> {
  const { bench, unit } = options
  const [subject, reference, ...also] = contestantsOf(options).map(({ name }) => name) as [string, string, ...string[]]
  const redis = await startRedis()
  const cluster =
    options.masters === undefined ? undefined : await startCluster({ masters: options.masters, replicas: 0 })
  const context = { redisUrl: redis.url, cluster: cluster?.nodes ?? [] }
  try {
    const rounds: Round[] = []
    for (let pair = 1; pair <= options.pairs; pair++) {
      rounds.push(...(await measurePair(options, context, pair, node)))
      tell(`pair ${pair}: ${ratioOf(rounds.slice(-options.rounds), subject, reference).median.toFixed(3)}`)
    }
    const others = also.map((name) => [name, ratioOf(rounds, name, reference)] as const)
    if (options.against !== undefined) others.push(['CPU time per operation', cpuRatioOf(rounds, reference, subject)])
    return {
      unit,
      rounds,
      ratio: ratioOf(rounds, subject, reference),
      ...(others.length > 0 && { also: Object.fromEntries(others) }),
      versions: { redis: await redisVersion(redis.url), ...options.versions },
      details: { bench: bench.slice(bench.lastIndexOf('/') + 1), subject, reference },
    }
  } finally {
    await Promise.all([redis.stop(), cluster?.stop()])
  }
}

/** What is measured in turn, the subject first: a variant, here or in the folder of another checkout. */
interface Contestant {
  readonly name: string
  readonly variant: string
  readonly folder: readonly string[]
}

function contestantsOf({ subject, reference, also = [], against }: PairedOptions): readonly Contestant[] {
  if (against === undefined) {
    return [subject, reference, ...also].map((variant) => ({ name: variant, variant, folder: [] }))
  }
  const there = { name: `${subject}, the other checkout`, variant: subject, folder: [against] }
  return [{ name: subject, variant: subject, folder: [] }, there]
}

async function measurePair(
  options: PairedOptions,
  context: VariantContext,
  pair: number,
  node: NodeBinary,
): Promise<Round[]> {
  const contestants = contestantsOf(options)
  const { figureOf = perSecond } = options
  const file = new URL('./variant-process.js', import.meta.url)
  const programs = await Promise.all(
    contestants.map(({ variant, folder }) =>
      startProgram(file, [options.bench, variant, JSON.stringify(context), ...folder], node),
    ),
  )
  try {
    const rounds: Round[] = []
    for (let round = -options.warmUps; round < options.rounds; round++) {
      const figures: Record<string, number> = {}
      const cpuUs: Record<string, number> = {}
      for (const [index, program] of programs.entries()) {
        const { name } = contestants[index] as Contestant
        const work = await program.ask<Work>('round')
        figures[name] = figureOf(work)
        cpuUs[name] = Number((work.cpuUs / work.operations).toPrecision(4))
      }
      if (round >= 0) rounds.push({ pair, figures, cpuUs })
    }
    for (const program of programs) await program.ask('close')
    return rounds
  } finally {
    await Promise.all(programs.map((program) => program.stop()))
  }
}

function perSecond({ operations, ms }: Work): number {
  return Math.round((operations / ms) * 1000)
}

/** The same of the CPU time: steadier on a busy machine. Larger than 1 where the second needs less. */
function cpuRatioOf(rounds: readonly Round[], first: string, second: string): Summary {
  return summarize(rounds.map(({ cpuUs = {} }) => (cpuUs[first] ?? Number.NaN) / (cpuUs[second] ?? Number.NaN)))
}

/** The ratio of each round, summarized. */
export function ratioOf(rounds: readonly Round[], subject: string, reference: string): Summary {
  return summarize(rounds.map(({ figures }) => (figures[subject] ?? Number.NaN) / (figures[reference] ?? Number.NaN)))
}
