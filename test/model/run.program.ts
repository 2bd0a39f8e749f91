/**
 * The randomized fault test from a terminal.
 *
 * `--seed N` (default: by chance), `--seeds N` that many in a row, `--seconds S` per seed, `--processes P`,
 * `--faults a,b,c` (`none`, `all`), `--dist FOLDER` of the compiled library, `--control NAME`, `--quiet`.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { excerpt } from './excerpt.ts'
import type { FaultName } from './faults.ts'
import { faultNames, usualFaults } from './faults.ts'
import type { ModelOptions, ModelResult } from './run.ts'
import { runModel } from './run.ts'

const root = join(import.meta.dirname, '../../..')
const folder = join(root, 'build/model')
/** So many violations are told of one seed; all of them are in the file. */
const VIOLATIONS_TOLD = 3

const print = (text: string) => void process.stdout.write(`${text}\n`)

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '15' },
    processes: { type: 'string', default: '4' },
    faults: { type: 'string', default: 'usual' },
    dist: { type: 'string', default: join(root, 'dist') },
  },
})

function readFaults(text: string): readonly FaultName[] {
  if (text === 'usual') return usualFaults
  if (text === 'all') return faultNames
  if (text === 'none') return []
  const names = text.split(',')
  const unknown = names.filter((name) => !faultNames.some((known) => known === name))
  if (unknown.length > 0)
    throw new Error(`there is no fault ${unknown.join(', ')}; the faults are ${faultNames.join(', ')}`)
  return names as FaultName[]
}

/** A copy, so that a process that is started in the middle of a run does not get another build than the others. */
async function copyOf(dist: string): Promise<string> {
  const copy = join(folder, `dist-${process.pid}`)
  await mkdir(folder, { recursive: true })
  await cp(dist, copy, { recursive: true })
  return copy
}

function table(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ')
}

async function tell(options: ModelOptions, { history, violations, counts }: ModelResult): Promise<void> {
  print(`seed ${options.seed}: ${violations.length} violations`)
  print(`  operations  ${table(counts.operations)}`)
  print(`  faults      ${table(counts.faults) || 'none'}`)
  print(`  caches      ${table(counts.counters)}`)
  if (violations.length === 0) return
  const file = join(folder, `seed-${options.seed}-${Date.now()}.json`)
  await writeFile(file, JSON.stringify({ options, violations, history }))
  print(`  the whole history is in ${file}`)
  for (const violation of violations.slice(0, VIOLATIONS_TOLD)) {
    print(`  ${violation.rule} ${violation.text}`)
    for (const line of excerpt(history, violation)) print(`    ${line}`)
  }
}

const first = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed)
const faults = readFaults(values.faults)
const dist = await copyOf(values.dist)
let bad = 0
for (let index = 0; index < Number(values.seeds); index++) {
  const options = {
    seed: first + index,
    seconds: Number(values.seconds),
    processes: Number(values.processes),
    faults,
    dist,
  }
  const result = await runModel(options)
  await tell(options, result)
  if (result.violations.length > 0) bad++
}
print(`${values.seeds} seeds, ${bad} with violations`)
process.exitCode = bad === 0 ? 0 : 1
