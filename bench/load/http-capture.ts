import { ratioOf } from '../harness/paired-rounds.ts'
import { startProgram } from '../harness/program.ts'
import { askForNew } from './new-urls.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { Used } from './misses-server.ts'

const SUBJECT = '16 MB through the cache'
const REFERENCE = '16 MB without one'
const STORED = '15 MB, stored'
const NOT_STORED = '15 MB without a cache'
const PAIRS = 3
const ROUNDS = 5
const REQUESTS = 24
const CONNECTIONS = 4

/** A body of 16 MB goes just beyond the greatest that is kept, 15 MiB: all of it is recorded for nothing. */
const LARGE = 16_000_000
const STORABLE = 15_000_000

export const httpCapture: Scenario = {
  name: 'http-capture',
  work: 'MB/s of bodies of 16 MB that a handler streams through `accelerate(cache, listener)`, each from a URL that is new, 4 connections; recorded until they exceed 15 MiB',
  reference: 'the same handler without a cache',
  expects: 'Recording a body as it goes by costs its client little.',
  bar: 0.9,
  nodes: [24],
  run,
}

async function run(node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const rounds: Round[] = []
  for (let pair = 1; pair <= PAIRS; pair++) {
    rounds.push(...(await measurePair(pair, node)))
    tell(`pair ${pair}: ${ratioOf(rounds.slice(-ROUNDS), SUBJECT, REFERENCE).median.toFixed(3)}`)
  }
  return {
    unit: 'MB/s',
    rounds,
    ratio: ratioOf(rounds, SUBJECT, REFERENCE),
    also: { '15 MB, which are stored in L1': ratioOf(rounds, STORED, NOT_STORED) },
    details: { requestsPerRound: REQUESTS, connections: CONNECTIONS },
  }
}

async function measurePair(pair: number, node: NodeBinary): Promise<Round[]> {
  const file = new URL('./misses-server.js', import.meta.url)
  const cached = await startProgram(file, ['accelerate'], node)
  const bare = await startProgram(file, ['bare'], node)
  const works = [
    { name: SUBJECT, program: cached, bytes: LARGE },
    { name: REFERENCE, program: bare, bytes: LARGE },
    { name: STORED, program: cached, bytes: STORABLE },
    { name: NOT_STORED, program: bare, bytes: STORABLE },
  ]
  try {
    const rounds: Round[] = []
    for (let round = -1; round < ROUNDS; round++) {
      const figures: Record<string, number> = {}
      const cpuUs: Record<string, number> = {}
      for (const { name, program, bytes } of works) {
        const { megabytesPerSecond, cpu } = await measure(program, bytes)
        figures[name] = Math.round(megabytesPerSecond)
        cpuUs[name] = Math.round(cpu)
      }
      if (round >= 0) rounds.push({ pair, figures, cpuUs })
    }
    return rounds
  } finally {
    await Promise.all([cached.stop(), bare.stop()])
  }
}

async function measure(program: Program, bytes: number): Promise<{ megabytesPerSecond: number; cpu: number }> {
  const origin = await program.ask<string>('origin')
  const before = await program.ask<Used>('used')
  const ms = await askForNew(origin, bytes, REQUESTS, CONNECTIONS)
  const after = await program.ask<Used>('used')
  return { megabytesPerSecond: (bytes * REQUESTS) / ms / 1000, cpu: (after.cpuUs - before.cpuUs) / REQUESTS }
}
