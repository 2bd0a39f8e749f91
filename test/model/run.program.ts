/**
 * The randomized fault test from a terminal.
 *
 * `--seed N` (default: by chance), `--seeds N` that many in a row, `--seconds S` per seed, `--processes P`,
 * `--faults a,b,c` (`usual`, `none`, `all`), `--dist FOLDER` of the compiled library. `--control NAME` (`all`): the library
 * without one of its rules; then a run is good when it finds a violation, and seeds are tried until one does.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ControlName } from './controls.ts'
import { breakLibrary, controlNames, controlOf } from './controls.ts'
import { excerpt } from './excerpt.ts'
import type { FaultName } from './faults.ts'
import { faultNames, usualFaults } from './faults.ts'
import type { ModelResult } from './recorder.ts'
import type { ModelOptions } from './run.ts'
import { runModel } from './run.ts'
import { runScenario } from './scenarios.ts'

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
    faults: { type: 'string' },
    dist: { type: 'string', default: join(root, 'dist') },
    control: { type: 'string' },
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
const [seeds, seconds, processes] = [Number(values.seeds), Number(values.seconds), Number(values.processes)]
const dist = await copyOf(values.dist)

async function runSeeds(): Promise<boolean> {
  const faults = readFaults(values.faults ?? 'usual')
  let bad = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const options = { seed, seconds, processes, faults, dist }
    const result = await runModel(options)
    await tell(options, result)
    if (result.violations.length > 0) bad++
  }
  print(`${seeds} seeds, ${bad} with violations`)
  return bad === 0
}

/** Seeds until one catches it. Answers whether one did. */
async function runControl(name: ControlName): Promise<boolean> {
  const broken = join(folder, `${name}-${process.pid}`)
  await breakLibrary(name, dist, broken)
  const { scenario, faults: own = usualFaults } = controlOf(name)
  const faults = values.faults === undefined ? own : readFaults(values.faults)
  for (let seed = first; seed < first + seeds; seed++) {
    const { violations, history } = scenario
      ? await runScenario(scenario, broken)
      : await runModel({ seed, seconds, processes, faults, dist: broken })
    const [violation] = violations
    if (!violation) continue
    const rules = [...new Set(violations.map(({ rule }) => rule))].sort().join(', ')
    print(`${name}: caught by ${rules} (${violations.length} violations), seed ${seed}, number ${seed - first + 1}`)
    print(`  ${violation.text} (at ${Math.round(violation.at)} ms)`)
    if (values.control !== 'all') for (const line of excerpt(history, violation)) print(`    ${line}`)
    return true
  }
  print(`${name}: survived ${seeds} seeds`)
  return false
}

async function runControls(names: readonly ControlName[]): Promise<boolean> {
  let isGood = true
  for (const name of names) isGood = (await runControl(name)) && isGood
  return isGood
}

function readControls(text: string): readonly ControlName[] {
  const names = text === 'all' ? controlNames : controlNames.filter((name) => text.split(',').includes(name))
  if (names.length === 0) throw new Error(`there is no control ${text}; the controls are ${controlNames.join(', ')}`)
  return names
}

const isGood = values.control === undefined ? await runSeeds() : await runControls(readControls(values.control))
process.exitCode = isGood ? 0 : 1
