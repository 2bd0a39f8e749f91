import { startProgram } from '../harness/program.ts'
import { HTTP_PEERS, installPeers, peerVersions } from '../harness/peers.ts'
import { ratioOf } from '../harness/paired-rounds.ts'
import { findGenerator } from './generator.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { HttpPeerName } from '../harness/peers.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { Generator } from './generator.ts'
import type { Cpu, Served, Variant } from './http-server.ts'

const PAIRS = 5
const ROUNDS = 7
const SECONDS = 1
const CONNECTIONS = 32

/** Who serves the same page: variants of `http-server`. */
interface Servers {
  readonly subject: Variant
  readonly reference: Variant
  /** Measured beside them, in the same rounds. */
  readonly peers?: readonly HttpPeerName[]
}

/** A bench of a page that is in L1. */
interface Hits extends Pick<Scenario, 'name' | 'reference' | 'expects' | 'bar'> {
  readonly through: string
  readonly servers: Servers
}

export const httpHitExpress = hits({
  name: 'http-hit-express',
  through: '`app.use(httpCache(cache))` on Express 5',
  reference: 'a bare Express 5 route that writes a prepared Buffer with the same headers',
  expects: 'A hit of the middleware costs about what Express itself costs.',
  bar: 0.95,
  servers: { subject: 'httpCache', reference: 'bare route', peers: HTTP_PEERS },
})

export const httpHitFront = hits({
  name: 'http-hit-front',
  through: '`accelerate(cache, app)`',
  reference: 'a bare node:http listener that writes a prepared Buffer with the same headers, as one prepared list',
  expects: 'A hit of accelerate costs about what Node itself costs.',
  bar: 0.95,
  servers: { subject: 'accelerate', reference: 'bare listener' },
})

export const httpVsRoute = hits({
  name: 'http-vs-route',
  through: '`accelerate(cache, app)`',
  reference: 'the same Express 5 route by itself: `res.json` of 34 products in memory, no database',
  expects: 'What a cache in front spares, at the least: nothing but the framework and JSON.',
  bar: 4,
  servers: { subject: 'accelerate', reference: 'uncached route', peers: HTTP_PEERS },
})

function hits({ through, servers, ...told }: Hits): Scenario {
  return {
    ...told,
    work: `12 kB of JSON from L1 through ${through}, ${CONNECTIONS} connections`,
    nodes: [24, 20],
    run: (node, tell) => run(servers, node, tell),
  }
}

async function run(servers: Servers, node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const { subject, reference, peers = [] } = servers
  if (peers.length > 0) installPeers(tell)
  const generator = findGenerator()
  const rounds: Round[] = []
  for (let pair = 1; pair <= PAIRS; pair++) {
    rounds.push(...(await measurePair(pair, servers, node, generator)))
    tell(`pair ${pair}: ${ratioOf(rounds.slice(-ROUNDS), subject, reference).median.toFixed(3)}`)
  }
  return {
    unit: 'requests/s',
    rounds,
    ratio: ratioOf(rounds, subject, reference),
    also: Object.fromEntries(peers.map((name) => [name, ratioOf(rounds, name, reference)])),
    versions: peerVersions(peers),
    details: { generator: generator.name, connections: CONNECTIONS, secondsPerRound: SECONDS },
  }
}

/** Each server is a process of its own, and so is the generator; the server that is not asked stands still. */
async function measurePair(pair: number, names: Servers, node: NodeBinary, generator: Generator): Promise<Round[]> {
  const file = new URL('./http-server.js', import.meta.url)
  const subject = await startProgram(file, [names.subject], node)
  const served = await subject.ask<Served>('served')
  const reference = await startProgram(file, [names.reference, JSON.stringify(served.fields)], node)
  const same = await reference.ask<Served>('served')
  const servers = [
    { name: names.subject, program: subject, url: served.url },
    { name: names.reference, program: reference, url: same.url },
  ]
  for (const name of names.peers ?? []) {
    const program = await startProgram(file, [name], node)
    servers.push({ name, program, url: (await program.ask<Served>('served')).url })
  }
  try {
    if (same.body !== served.body) throw new Error('the two servers send different bodies')
    if (names.reference !== 'uncached route' && JSON.stringify(same.names) !== JSON.stringify(served.names)) {
      throw new Error(`the two servers send different fields: ${served.names} and ${same.names}`)
    }
    const rounds: Round[] = []
    for (let round = -1; round < ROUNDS; round++) {
      const figures: Record<string, number> = {}
      const cpuUs: Record<string, number> = {}
      for (const { name, program, url } of servers) {
        const { perSecond, cpu } = await measure(program, url, generator)
        figures[name] = Math.round(perSecond)
        cpuUs[name] = Number(cpu.toPrecision(4))
      }
      if (round >= 0) rounds.push({ pair, figures, cpuUs })
    }
    return rounds
  } finally {
    await Promise.all(servers.map(({ program }) => program.stop()))
  }
}

async function measure(
  program: Program,
  url: string,
  generator: Generator,
): Promise<{ perSecond: number; cpu: number }> {
  await program.ask('collect garbage')
  const before = await program.ask<Cpu>('cpu')
  const perSecond = await generator.run(url, CONNECTIONS, SECONDS)
  const after = await program.ask<Cpu>('cpu')
  return { perSecond, cpu: (after.cpuUs - before.cpuUs) / (after.requests - before.requests) }
}
