import { startProgram } from '../harness/program.ts'
import { ratioOf } from '../harness/paired-rounds.ts'
import { findGenerator } from './generator.ts'
import { startNginx, startVarnish } from './proxies.ts'
import type { NodeBinary } from '../harness/node-binary.ts'
import type { Program } from '../harness/program.ts'
import type { Measured, Round, Scenario } from '../harness/scenario.ts'
import type { Generator } from './generator.ts'
import type { Cpu, Served, Variant } from './http-server.ts'

const SUBJECT = 'accelerate'
const NGINX = 'nginx'
const VARNISH = 'Varnish'
const BARE = 'bare listener'
const PAIRS = 5
const ROUNDS = 7
const SECONDS = 1
const CONNECTIONS = 32

export const httpVsProxies: Scenario = {
  name: 'http-vs-proxies',
  work: '12 kB of JSON from L1 through `accelerate(cache, app)`, 32 connections',
  reference: 'the same page from the `proxy_cache` of nginx, one worker',
  expects: 'A cache inside of the process answers no slower than a proxy in front of it, and there is one hop less.',
  bar: 1,
  nodes: [24, 20],
  run,
}

/** Somebody who answers from a cache, or from a prepared Buffer. */
interface Server {
  readonly name: string
  readonly url: string
}

interface Servers {
  readonly all: readonly Server[]
  /** What the proxies ask for the page. */
  readonly origin: Program
  readonly versions: Readonly<Record<string, string>>
  stop(): Promise<void>
}

async function run(node: NodeBinary, tell: (line: string) => void): Promise<Measured> {
  const generator = findGenerator()
  const rounds: Round[] = []
  let versions: Servers['versions'] = {}
  for (let pair = 1; pair <= PAIRS; pair++) {
    const servers = await startServers(node)
    try {
      rounds.push(...(await measure(servers, pair, generator)))
      versions = servers.versions
    } finally {
      await servers.stop()
    }
    tell(`pair ${pair}: ${ratioOf(rounds.slice(-ROUNDS), SUBJECT, NGINX).median.toFixed(3)}`)
  }
  return {
    unit: 'requests/s',
    rounds,
    ratio: ratioOf(rounds, SUBJECT, NGINX),
    also: {
      'against Varnish': ratioOf(rounds, SUBJECT, VARNISH),
      'a prepared Buffer from bare node:http against nginx': ratioOf(rounds, BARE, NGINX),
    },
    versions,
    details: { generator: generator.name, connections: CONNECTIONS, secondsPerRound: SECONDS },
  }
}

/** All in processes of their own; those that are not asked stand still. */
async function startServers(node: NodeBinary): Promise<Servers> {
  const started: { stop(): Promise<void> }[] = []
  const begun = async <Running extends { stop(): Promise<void> }>(starting: Promise<Running>): Promise<Running> => {
    const running = await starting
    started.unshift(running)
    return running
  }
  const stop = async () => {
    for (const running of started) await running.stop()
  }
  const server = (variant: Variant, ...args: string[]) =>
    begun(startProgram(new URL('./http-server.js', import.meta.url), [variant, ...args], node))
  try {
    const subject = await server(SUBJECT)
    const served = await subject.ask<Served>('served')
    const bare = await (await server(BARE, JSON.stringify(served.fields))).ask<Served>('served')
    const origin = await server('cacheable route')
    const page = new URL((await origin.ask<Served>('served')).url)
    const nginx = await begun(startNginx(Number(page.port)))
    const varnish = await begun(startVarnish(Number(page.port)))
    const proxies = [
      { name: NGINX, url: nginx.origin + page.pathname },
      { name: VARNISH, url: varnish.origin + page.pathname },
    ]
    const caches = [{ name: SUBJECT, url: served.url }, ...proxies]
    for (const cache of caches) await checkHit(cache, served.body)
    const versions = { [nginx.name]: nginx.version, [varnish.name]: varnish.version }
    return { all: [...caches, { name: BARE, url: bare.url }], origin, versions, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Throws unless the second answer is the same page, from the cache. */
async function checkHit({ name, url }: Server, body: string): Promise<void> {
  await (await fetch(url)).text()
  const second = await fetch(url)
  const status = second.headers.get('Cache-Status')
  if ((await second.text()) !== body) throw new Error(`${name} sends another page`)
  if (!/\bhit\b/i.test(status ?? '')) throw new Error(`${name} does not cache: ${status}`)
}

async function measure({ all, origin }: Servers, pair: number, generator: Generator): Promise<Round[]> {
  const before = await origin.ask<Cpu>('cpu')
  const rounds: Round[] = []
  for (let round = -1; round < ROUNDS; round++) {
    const figures: Record<string, number> = {}
    for (const { name, url } of all) figures[name] = Math.round(await generator.run(url, CONNECTIONS, SECONDS))
    if (round >= 0) rounds.push({ pair, figures })
  }
  const after = await origin.ask<Cpu>('cpu')
  if (after.requests !== before.requests) throw new Error('a proxy has asked for the page again')
  return rounds
}
