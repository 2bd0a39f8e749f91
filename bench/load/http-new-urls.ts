import { ratioOf } from '../harness/paired-rounds.ts'
import { startProgram } from '../harness/program.ts'
import { summarize } from '../harness/statistics.ts'
import { askForNew } from './new-urls.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { Used } from './misses-server.ts'

const SUBJECT = 'the last third'
const REFERENCE = 'the first third'
const RUNS = 3
const URLS = 100_000
const PARTS = 12
/** Parts that are not counted: L1 is not full yet, and code not compiled. */
const WARM_UPS = 3
const BYTES = 12_000
const CONNECTIONS = 32

export const httpNewUrls: Scenario = {
  name: 'http-new-urls',
  work: '100,000 URLs, each asked for once, 12 kB each, through `accelerate(cache, listener)`; all are stored, and L1 drops the oldest: CPU time per request in the last third',
  reference: 'the first third, after a warm-up of 33,000 more',
  expects:
    'A crawler that asks for everything costs as much per request at the end, and no more memory than L1 is allowed.',
  bar: { most: 1.1 },
  nodes: [24],
  run,
}

async function run(node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const rounds: Round[] = []
  const growth: number[] = []
  for (let pair = 1; pair <= RUNS; pair++) {
    const parts = await measureParts(node)
    const third = (parts.length - WARM_UPS) / 3
    const early = parts.slice(WARM_UPS, WARM_UPS + third)
    const late = parts.slice(-third)
    for (const [index, { cpuUs }] of early.entries()) {
      rounds.push({ pair, figures: { [SUBJECT]: late[index]?.cpuUs ?? Number.NaN, [REFERENCE]: cpuUs } })
    }
    growth.push((parts.at(-1)?.bytes ?? Number.NaN) / (early.at(-1)?.bytes ?? Number.NaN))
    tell(
      `run ${pair}: ${ratioOf(rounds.slice(-third), SUBJECT, REFERENCE).median.toFixed(3)}, memory ${growth.at(-1)?.toFixed(3)}`,
    )
  }
  return {
    unit: 'µs of CPU per request',
    rounds,
    ratio: ratioOf(rounds, SUBJECT, REFERENCE),
    conditions: { 'memory at the end, of that after the first third': { figure: summarize(growth).median, most: 1.1 } },
    details: { urls: URLS, connections: CONNECTIONS },
  }
}

async function measureParts(node: NodeBinary): Promise<Used[]> {
  const program = await startProgram(new URL('./misses-server.js', import.meta.url), ['accelerate'], node)
  try {
    const origin = await program.ask<string>('origin')
    const parts: Used[] = []
    for (let part = -WARM_UPS; part < PARTS - WARM_UPS; part++) parts.push(await measurePart(program, origin))
    return parts
  } finally {
    await program.stop()
  }
}

async function measurePart(program: Program, origin: string): Promise<Used> {
  const requests = Math.round(URLS / (PARTS - WARM_UPS))
  const before = await program.ask<Used>('used')
  await askForNew(origin, BYTES, requests, CONNECTIONS)
  const after = await program.ask<Used>('used')
  return { cpuUs: Number(((after.cpuUs - before.cpuUs) / requests).toPrecision(4)), bytes: after.bytes }
}
