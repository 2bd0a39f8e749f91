import { openDatabase } from '../../examples/express-app/src/database.ts'
import { seed } from '../../examples/express-app/src/seed.ts'
import { startRedis } from '../../test/doubles/redis.ts'
import { startProgram } from '../harness/program.ts'
import { seeded } from '../harness/random.ts'
import { quantile } from '../harness/statistics.ts'
import { redisVersion } from '../harness/versions.ts'
import { runVisits } from './open-loop.ts'
import { visitsOf } from './shop-load.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { DatabasePlace } from './remote-database.ts'
import type { Visit } from './shop-load.ts'

const VARIANTS = { off: 'cache off', l1: 'L1', 'l1+l2': 'L1 + L2' } as const
const SHOPS = 2
const PER_SECOND = 60
const WARM_UP = 600
const VISITS = 600
const ROUNDS = 5

export const dbLoad: Scenario = {
  name: 'db-load',
  work: 'the example shop on PostgreSQL, two processes, the same zipf load (open loop, 3 new prices in 1,000 requests)',
  reference: 'the same routes without tiercache',
  expects: 'How many queries the database is spared, and what that does to the latency of all requests.',
  bar: undefined,
  nodes: [24],
  run,
}

async function run(node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const redis = await startRedis()
  const database = await startDatabase(node)
  const fleets: Fleet[] = []
  try {
    for (const variant of Object.keys(VARIANTS)) fleets.push(await startFleet(variant, database.place, redis.url, node))
    const rounds: Outcome[][] = []
    for (let round = 0; round <= ROUNDS; round++) {
      const visits = visitsOf({
        count: round === 0 ? WARM_UP : VISITS,
        perSecond: PER_SECOND,
        shops: SHOPS,
        random: seeded(round + 1),
      })
      const outcomes: Outcome[] = []
      for (const fleet of fleets) outcomes.push(await measure(fleet, visits))
      tell(`${round === 0 ? 'warm-up' : `round ${round}`}: ${outcomes.map(inWords).join(', ')}`)
      if (round > 0) rounds.push(outcomes)
    }
    return {
      unit: 'queries per 1,000 requests',
      rounds: rounds.map(roundOf),
      reported: Object.fromEntries(Object.values(VARIANTS).map((name, index) => [name, report(rounds, index)])),
      versions: { redis: await redisVersion(redis.url) },
      details: {
        database: database.name,
        shops: SHOPS,
        requestsPerSecond: PER_SECOND,
        visits: VISITS,
        warmUp: WARM_UP,
      },
    }
  } finally {
    await Promise.all(fleets.flatMap(({ shops }) => shops.map((shop) => shop.stop())))
    await database.stop()
    await redis.stop()
  }
}

interface StartedDatabase {
  readonly name: string
  readonly place: DatabasePlace
  stop(): Promise<void>
}

/** The server of `DATABASE_URL`, else one embedded Postgres in a process of its own, which all shops share. */
async function startDatabase(node: NodeBinary): Promise<StartedDatabase> {
  const url = process.env.DATABASE_URL
  if (url) {
    const database = openDatabase(url)
    await seed(database)
    await database.close()
    return { name: 'a PostgreSQL server', place: { url }, stop: async () => {} }
  }
  const program = await startProgram(new URL('./database-process.js', import.meta.url), [], node)
  const port = await program.ask<number>('port')
  return { name: 'PGlite, in a process of its own', place: { port }, stop: () => program.stop() }
}

/** The processes of one variant. */
interface Fleet {
  readonly shops: readonly Program[]
  readonly urls: readonly string[]
}

async function startFleet(variant: string, place: DatabasePlace, redisUrl: string, node: NodeBinary): Promise<Fleet> {
  const file = new URL('./shop-process.js', import.meta.url)
  const start = () => startProgram(file, [variant, JSON.stringify(place), redisUrl], node)
  const shops = await Promise.all(Array.from({ length: SHOPS }, start))
  const urls = await Promise.all(shops.map((shop) => shop.ask<string>('url')))
  return { shops, urls }
}

interface Outcome {
  readonly queries: number
  readonly latencies: readonly number[]
  readonly cpuUs: number
}

async function measure({ shops, urls }: Fleet, visits: readonly Visit[]): Promise<Outcome> {
  const total = async (question: string) =>
    (await Promise.all(shops.map((shop) => shop.ask<number>(question)))).reduce((sum, figure) => sum + figure, 0)
  await total('collect garbage')
  const [queriesBefore, cpuBefore] = [await total('queries'), await total('cpu')]
  const latencies = await runVisits(visits, urls)
  return { queries: (await total('queries')) - queriesBefore, latencies, cpuUs: (await total('cpu')) - cpuBefore }
}

const perThousand = ({ queries, latencies }: Outcome) => (queries / latencies.length) * 1000

function inWords(outcome: Outcome, index: number): string {
  return `${Object.values(VARIANTS)[index]} ${perThousand(outcome).toFixed(0)}`
}

function roundOf(outcomes: readonly Outcome[], index: number): Round {
  const named = (figure: (outcome: Outcome) => number) =>
    Object.fromEntries(Object.values(VARIANTS).map((name, place) => [name, figure(outcomes[place] as Outcome)]))
  return {
    pair: index + 1,
    figures: named((outcome) => Number(perThousand(outcome).toFixed(1))),
    cpuUs: named(({ cpuUs, latencies }) => Math.round(cpuUs / latencies.length)),
  }
}

/** Medians over the rounds. */
function report(rounds: readonly (readonly Outcome[])[], index: number): Readonly<Record<string, number>> {
  const median = (figure: (outcome: Outcome) => number) =>
    Number(
      quantile(
        rounds.map((outcomes) => figure(outcomes[index] as Outcome)),
        0.5,
      ).toFixed(2),
    )
  return {
    'queries per 1,000 requests': median(perThousand),
    'p50 in ms': median(({ latencies }) => quantile(latencies, 0.5)),
    'p99 in ms': median(({ latencies }) => quantile(latencies, 0.99)),
  }
}
