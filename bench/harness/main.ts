/**
 * Runs all benches, or those that are named, each on the Node versions that it asks for; writes their results and the
 * README's table. `--node 24` runs on that version alone, `--table` only writes the table.
 */
import { parseArgs } from 'node:util'
import { dbLoad } from '../load/db-load.ts'
import { httpHitExpress } from '../load/http-hit-express.ts'
import { l1Hit } from '../micro/l1-hit.bench.ts'
import { l2Hit1, l2Hit64 } from '../micro/l2-hit.bench.ts'
import { nodeOf } from './node-binary.ts'
import { writeTable } from './readme.ts'
import { readResults, record } from './results.ts'
import { tableOf } from './table.ts'
import type { ResultsRun } from './results.ts'
import type { Scenario } from './scenario.ts'

const scenarios: readonly Scenario[] = [l1Hit, l2Hit64, l2Hit1, httpHitExpress, dbLoad]

await main()

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { node: { type: 'string' }, table: { type: 'boolean' } },
  })
  const known = scenarios.map(({ name }) => name)
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(', ')}; the benches are ${known.join(', ')}.`)
    process.exitCode = 2
    return
  }
  const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const lines = values.table ? [] : await runAll(chosen, values.node === undefined ? undefined : Number(values.node))
  console.log(`\n${writeTable(tableOf(readResults()))}\n`)
  for (const line of lines) console.log(line)
}

async function runAll(chosen: readonly Scenario[], only: number | undefined): Promise<string[]> {
  const lines: string[] = []
  for (const scenario of chosen) {
    for (const major of scenario.nodes.filter((each) => only === undefined || each === only)) {
      lines.push(await runOne(scenario, major))
    }
  }
  return lines
}

async function runOne(scenario: Scenario, major: number): Promise<string> {
  const node = await nodeOf(major)
  console.log(`\n── ${scenario.name} on Node ${node.version}`)
  console.log(`   ${scenario.work}\n   against ${scenario.reference}\n   ${scenario.expects}`)
  const run = await record(scenario, node, (line) => console.log(`   ${line}`))
  for (const line of medians(run)) console.log(`   ${line}`)
  const last = `${scenario.name.padEnd(16)} Node ${node.version.padEnd(8)} ${outcome(scenario, run)}`
  console.log(`   ${outcome(scenario, run)}`)
  return last
}

/** The median of each variant, for people: only ratios are kept as findings. */
function medians({ rounds, unit, also = {}, reported = {} }: ResultsRun): string[] {
  const names = Object.keys(rounds[0]?.figures ?? {})
  const middle = (figures: readonly number[]) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0
  const lines = names.map((name) => {
    const figure = middle(rounds.map(({ figures }) => figures[name] ?? 0))
    const cpu = middle(rounds.map(({ cpuUs }) => cpuUs[name] ?? 0))
    return `${name}: ${Math.round(figure).toLocaleString('en')} ${unit}, ${cpu} µs CPU each`
  })
  const others = Object.entries(also).map(
    ([name, { median, lowerQuartile, upperQuartile }]) =>
      `ratio of ${name}: ${median.toFixed(3)} (${lowerQuartile.toFixed(3)}–${upperQuartile.toFixed(3)})`,
  )
  const reports = Object.entries(reported).map(([name, figures]) => `${name}: ${JSON.stringify(figures)}`)
  return [...lines, ...others, ...reports]
}

function outcome({ bar }: Scenario, { ratio }: ResultsRun): string {
  if (!ratio) return 'reported'
  const { median, lowerQuartile, upperQuartile, rounds } = ratio
  const spread = `${lowerQuartile.toFixed(3)}–${upperQuartile.toFixed(3)} over ${rounds} rounds`
  const said = bar === undefined ? '' : median >= bar ? `, bar ${bar}: reached` : `, bar ${bar}: NOT reached`
  return `ratio ${median.toFixed(3)} (${spread})${said}`
}
