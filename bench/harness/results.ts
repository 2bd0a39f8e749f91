import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { root } from './root.ts'
import { packageVersions } from './versions.ts'
import type { Bar } from './bar.ts'
import type { NodeBinary } from './node-binary.ts'
import type { Measured, Scenario } from './scenario.ts'

/** A file `bench/results/<name>.json`: the newest run on each Node. */
export interface ResultsFile {
  readonly name: string
  readonly work: string
  readonly reference: string
  readonly expects: string
  readonly bar: Bar | null
  readonly runs: readonly ResultsRun[]
}

export interface ResultsRun extends Measured {
  readonly date: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
  /** The machine's load average over a minute, before the run: much above 0 means that others were at work. */
  readonly loadBefore: number
  readonly versions: Readonly<Record<string, string>>
}

const folder = new URL('bench/results/', root)

export function readResults(): ResultsFile[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return files.sort().map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as ResultsFile)
}

/** Runs a scenario and puts what it found in the place of the last run on the same Node. */
export async function record(scenario: Scenario, node: NodeBinary, tell: (line: string) => void): Promise<ResultsRun> {
  const { name, work, reference, expects, bar = null, nodes } = scenario
  const [cpu] = cpus()
  const loadBefore = Number((loadavg()[0] ?? 0).toFixed(2))
  const measured = await scenario.run(node, tell)
  const run: ResultsRun = {
    date: new Date().toISOString(),
    node: node.version,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    loadBefore,
    ...measured,
    versions: { ...packageVersions(), ...measured.versions },
  }
  const earlier = readResults().find((file) => file.name === name)
  const others = (earlier?.runs ?? []).filter((other) => majorOf(other.node) !== node.major)
  const place = (version: string) => nodes.indexOf(majorOf(version))
  const runs = [run, ...others]
    .filter((each) => nodes.includes(majorOf(each.node)))
    .sort((a, b) => place(a.node) - place(b.node))
  write({ name, work, reference, expects, bar, runs })
  return run
}

function write(file: ResultsFile): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${file.name}.json`, folder), `${lines(file)}\n`)
}

/** JSON with a line for each round. */
function lines(file: ResultsFile): string {
  const rounds: string[] = []
  const hold = (key: string, value: unknown) => {
    if (key !== 'rounds' || !Array.isArray(value)) return value
    return value.map((round) => `@${rounds.push(JSON.stringify(round)) - 1}@`)
  }
  return JSON.stringify(file, hold, 2).replace(/"@(\d+)@"/g, (_, index) => rounds[Number(index)] ?? '')
}

export function majorOf(version: string): number {
  return Number(version.replace(/^v/, '').split('.')[0])
}
