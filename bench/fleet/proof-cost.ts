import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startRedis } from '../../test/doubles/redis.ts'
import { startCluster } from '../../test/doubles/redis-cluster.ts'
import { machineNow } from '../harness/machine-clock.ts'
import { startProgram } from '../harness/program.ts'
import { quantile } from '../harness/statistics.ts'
import { redisVersion } from '../harness/versions.ts'
import type { CreateCacheOptions } from 'tiercache'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'

const PROCESSES = 20
const ROUNDS = 5
const ROUND_MS = 10_000
/** Until all processes have connected, subscribed and proven everything once. */
const SETTLE_MS = 5_000

const COMMANDS = 'commands per second, all servers'
const SERVER_CPU = 'CPU of each server in ms per second'
const CLIENT_CPU = 'CPU of each process in ms per second'

export const proofCost: Scenario = {
  name: 'proof-cost',
  work: `what it costs to prove that nothing was missed, five times in a bound of 2 s: ${PROCESSES} processes with a cache each, 32 buckets on the Cluster (the default) or 64, and no request at all`,
  reference: 'the same servers without the processes',
  expects: 'An idle fleet costs next to nothing.',
  bar: undefined,
  nodes: [24],
  run,
}

/** Servers, and how a cache finds them. */
interface Place {
  readonly name: string
  readonly options: CreateCacheOptions
  readonly urls: readonly string[]
  stop(): Promise<void>
}

async function run(node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const rounds: Round[] = []
  const reported: Record<string, Readonly<Record<string, number>>> = {}
  let version = ''
  for (const open of [oneServer, () => threeMasters(32), () => threeMasters(64)]) {
    const place = await open()
    try {
      version = await redisVersion(place.urls[0] as string)
      for (const processes of [0, PROCESSES]) {
        const found = await measure(place, processes, node)
        const name = `${place.name}, ${processes === 0 ? 'idle' : `${processes} processes`}`
        reported[name] = medians(found)
        rounds.push(...found.map((figures, index) => ({ pair: index + 1, figures: prefixed(name, figures) })))
        tell(`${name}: ${JSON.stringify(reported[name])}`)
      }
    } finally {
      await place.stop()
    }
  }
  return { unit: 'as named', rounds, reported, versions: { redis: version }, details: { roundMs: ROUND_MS } }
}

async function oneServer(): Promise<Place> {
  const redis = await startRedis()
  return { name: 'one server', options: { redis: redis.url }, urls: [redis.url], stop: () => redis.stop() }
}

async function threeMasters(clusterBuckets: number): Promise<Place> {
  const cluster = await startCluster({ replicas: 0 })
  return {
    name: `Cluster of three masters, ${clusterBuckets} buckets`,
    options: { redis: { cluster: cluster.nodes }, clusterBuckets },
    urls: cluster.servers.map(({ url }) => url),
    stop: () => cluster.stop(),
  }
}

type Figures = Readonly<Record<string, number>>

async function measure(place: Place, processes: number, node: NodeBinary): Promise<Figures[]> {
  const file = new URL('./proof-cost-process.js', import.meta.url)
  const programs: Program[] = []
  const servers = place.urls.map((url) => new Redis(url))
  try {
    for (let count = 0; count < processes; count++) {
      programs.push(await startProgram(file, [JSON.stringify(place.options)], node))
    }
    await programs[0]?.ask('clear')
    await sleep(SETTLE_MS)
    const found: Figures[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const before = await look(servers, programs)
      await sleep(ROUND_MS)
      found.push(between(before, await look(servers, programs), place.urls.length, processes))
    }
    await Promise.all(programs.map((program) => program.ask('close')))
    return found
  } finally {
    await Promise.all(programs.map((program) => program.stop()))
    for (const server of servers) server.disconnect()
  }
}

/** What was used up so far, by all servers and by all processes. */
interface Used {
  readonly at: number
  readonly commands: number
  readonly serverMs: number
  readonly clientMs: number
}

async function look(servers: readonly Redis[], programs: readonly Program[]): Promise<Used> {
  const at = machineNow()
  const infos = await Promise.all(servers.map((server) => server.info()))
  const clients = await Promise.all(programs.map((program) => program.ask<number>('cpuMs')))
  const fieldOf = (info: string, name: string) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1])
  const inAll = (name: string) => sum(infos.map((info) => fieldOf(info, name)))
  return {
    at,
    commands: inAll('total_commands_processed'),
    serverMs: (inAll('used_cpu_user') + inAll('used_cpu_sys')) * 1000,
    clientMs: sum(clients),
  }
}

function between(before: Used, after: Used, servers: number, processes: number): Figures {
  const seconds = (after.at - before.at) / 1000
  const figures = {
    // Without the INFO of the first look at each.
    [COMMANDS]: (after.commands - before.commands - servers) / seconds,
    [SERVER_CPU]: (after.serverMs - before.serverMs) / seconds / servers,
    [CLIENT_CPU]: processes === 0 ? 0 : (after.clientMs - before.clientMs) / seconds / processes,
  }
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, Number(figure.toFixed(2))]))
}

function medians(found: readonly Figures[]): Figures {
  const names = Object.keys(found[0] ?? {})
  return Object.fromEntries(
    names.map((name) => [
      name,
      quantile(
        found.map((figures) => figures[name] ?? Number.NaN),
        0.5,
      ),
    ]),
  )
}

function prefixed(name: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([column, figure]) => [`${name}: ${column}`, figure]))
}

const sum = (figures: readonly number[]) => figures.reduce((total, figure) => total + figure, 0)
