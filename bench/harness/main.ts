/**
 * Runs all benches, or those that are named, each on the Node versions that it asks for; writes their results and the
 * README's table. `--node 24` runs on that version alone, `--table` only writes the table. `--against <folder>` measures
 * this checkout against another one that is compiled, and writes nothing.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { invalidateLag, invalidateLagCluster } from '../fleet/invalidate-lag.ts'
import { proofCost } from '../fleet/proof-cost.ts'
import { redisDown } from '../fleet/redis-down.ts'
import { stampede } from '../fleet/stampede.ts'
import { dbLoad } from '../load/db-load.ts'
import { httpCapture } from '../load/http-capture.ts'
import { httpHitExpress, httpHitFront, httpVsRoute } from '../load/http-hits.ts'
import { httpNewUrls } from '../load/http-new-urls.ts'
import { httpVsProxies } from '../load/http-vs-proxies.ts'
import { l1Hit } from '../micro/l1-hit.bench.ts'
import { l1Peek } from '../micro/l1-peek.bench.ts'
import { l2Hit1, l2Hit64, l2Hit64Cluster } from '../micro/l2-hit.bench.ts'
import { memory } from '../micro/memory.bench.ts'
import { missOverhead } from '../micro/miss-overhead.bench.ts'
import { scale } from '../micro/scale.bench.ts'
import { conditionInWords, holds, inWords, reaches } from './bar.ts'
import { nodeOf } from './node-binary.ts'
import { NotInstalled } from './not-installed.ts'
import { writeTable } from './readme.ts'
import { readResults, record } from './results.ts'
import { tableOf } from './table.ts'
import type { Bar } from './bar.ts'
import type { NodeBinary } from './node-binary.ts'
import type { Measured, Scenario } from './scenario.ts'

const scenarios: readonly Scenario[] = [
  l1Hit,
  l1Peek,
  l2Hit64,
  l2Hit1,
  l2Hit64Cluster,
  missOverhead,
  memory,
  scale,
  httpHitExpress,
  httpHitFront,
  httpVsRoute,
  httpVsProxies,
  httpCapture,
  httpNewUrls,
  stampede,
  invalidateLag,
  invalidateLagCluster,
  redisDown,
  proofCost,
  dbLoad,
]

/** A checkout may be slower than another by so much: less than that is told from noise by no run. */
const NOT_SLOWER: Bar = 0.95

await main()

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { node: { type: 'string' }, table: { type: 'boolean' }, against: { type: 'string' } },
  })
  const candidates = values.against === undefined ? scenarios : scenarios.filter(({ compare }) => compare)
  const known = candidates.map(({ name }) => name)
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    console.error(`There is no such bench as ${unknown.join(', ')}; the benches are ${known.join(', ')}.`)
    process.exitCode = 2
    return
  }
  const chosen = candidates.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const only = values.node === undefined ? undefined : Number(values.node)
  if (values.against !== undefined) {
    const folder = resolve(values.against)
    const lines = await eachOn(chosen, only, (scenario, node) => compareOne(scenario, node, folder))
    console.log(`\n${lines.join('\n')}`)
    return
  }
  const lines = values.table ? [] : await eachOn(chosen, only, runOne)
  console.log(`\n${writeTable(tableOf(readResults()))}\n`)
  for (const line of lines) console.log(line)
}

async function eachOn(
  chosen: readonly Scenario[],
  only: number | undefined,
  act: (scenario: Scenario, node: NodeBinary) => Promise<string>,
): Promise<string[]> {
  const lines: string[] = []
  for (const scenario of chosen) {
    for (const major of scenario.nodes.filter((each) => only === undefined || each === only)) {
      const node = await nodeOf(major)
      const outcome = await act(scenario, node).catch(passedOver)
      lines.push(`${scenario.name.padEnd(16)} Node ${node.version.padEnd(8)} ${outcome}`)
    }
  }
  return lines
}

/** What is said of a bench that cannot be run here; any other error ends the run. */
function passedOver(error: unknown): string {
  if (!(error instanceof NotInstalled)) throw error
  const said = `NOT MEASURED: ${error.message}`
  console.log(`   ${said}`)
  return said
}

async function runOne(scenario: Scenario, node: NodeBinary): Promise<string> {
  console.log(`\n── ${scenario.name} on Node ${node.version}`)
  console.log(`   ${scenario.work}\n   against ${scenario.reference}\n   ${scenario.expects}`)
  const run = await record(scenario, node, (line) => console.log(`   ${line}`))
  for (const line of medians(run)) console.log(`   ${line}`)
  console.log(`   ${outcome(run, scenario.bar)}`)
  return outcome(run, scenario.bar)
}

async function compareOne(scenario: Scenario, node: NodeBinary, folder: string): Promise<string> {
  console.log(`\n── ${scenario.name} on Node ${node.version}\n   against the same in ${folder}`)
  const measured = await scenario.compare?.(folder, node, (line) => console.log(`   ${line}`))
  if (!measured) throw new Error(`${scenario.name} compares no checkouts`)
  for (const line of medians(measured)) console.log(`   ${line}`)
  return outcome(measured, NOT_SLOWER)
}

/** The median of each variant, for people: only ratios are kept as findings. */
function medians({ rounds, unit, also = {}, reported = {} }: Measured): string[] {
  const names = Object.keys(rounds[0]?.figures ?? {})
  const middle = (figures: readonly number[]) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0
  const lines = names.map((name) => {
    const figure = middle(rounds.map(({ figures }) => figures[name] ?? 0))
    const cpu = middle(rounds.map(({ cpuUs = {} }) => cpuUs[name] ?? 0))
    const shown = figure < 1000 ? Number(figure.toPrecision(3)) : Math.round(figure).toLocaleString('en')
    return `${name}: ${shown} ${unit}${cpu === 0 ? '' : `, ${cpu} µs CPU each`}`
  })
  const others = Object.entries(also).map(
    ([name, { median, lowerQuartile, upperQuartile }]) =>
      `ratio of ${name}: ${median.toFixed(3)} (${lowerQuartile.toFixed(3)}–${upperQuartile.toFixed(3)})`,
  )
  const reports = Object.entries(reported).map(([name, figures]) => `${name}: ${JSON.stringify(figures)}`)
  return [...lines, ...others, ...reports]
}

function outcome({ ratio, conditions = {} }: Measured, bar: Bar | undefined): string {
  if (!ratio) return 'reported'
  const { median, lowerQuartile, upperQuartile, rounds } = ratio
  const spread = `${lowerQuartile.toFixed(3)}–${upperQuartile.toFixed(3)} over ${rounds} rounds`
  const judged = bar === undefined ? [] : [`bar ${inWords(bar)}: ${reaches(median, bar) ? 'reached' : 'NOT reached'}`]
  const held = Object.entries(conditions).map(
    ([name, condition]) => `${conditionInWords(name, condition)}${holds(condition) ? '' : ': NOT held'}`,
  )
  return [`ratio ${median.toFixed(3)} (${spread})`, ...judged, ...held].join(', ')
}
