/**
 * The randomized fault test from a terminal.
 *
 * `--seed N` (default: by chance), `--seeds N` that many in a row, `--seconds S` per seed, `--processes P`,
 * `--faults a,b,c` (`usual`, `none`, `all`), `--form server`, `sentinel` or `cluster`, `--ioredis 5` or `6` (its line),
 * `--dist FOLDER` of the compiled library. `--scenario NAME` (`all`: those of the form): forced schedules instead.
 * `--control NAME` (`all`; `failovers`: those that take one): the library without one of its rules; then a run is good when
 * it finds a violation, and seeds are tried until one does.
 */
import { parseArgs } from 'node:util'
import type { ControlName } from './controls.ts'
import { breakLibrary, controlNames, controlOf } from './controls.ts'
import { excerpt } from './excerpt.ts'
import type { FaultName } from './faults.ts'
import { faultNames, faultsOf, usualFaultsOf } from './faults.ts'
import { builtLibrary, copyLibrary, removeLibrary, useIoredis } from './library.ts'
import type { ModelResult } from './recorder.ts'
import { report } from './report.ts'
import { runModel } from './run.ts'
import type { ScenarioName } from './run-scenarios.ts'
import { formOf, runScenarios, scenariosOf } from './run-scenarios.ts'
import type { Form } from './servers.ts'
import { forms } from './servers.ts'

const print = (text: string) => void process.stdout.write(`${text}\n`)

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '15' },
    processes: { type: 'string', default: '4' },
    faults: { type: 'string' },
    form: { type: 'string', default: 'server' },
    ioredis: { type: 'string', default: '6' },
    dist: { type: 'string', default: builtLibrary },
    scenario: { type: 'string' },
    control: { type: 'string' },
  },
})

const first = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed)
const form = readNames('form', values.form, forms)[0] as Form
const ioredis = values.ioredis === '5' ? ('ioredis5' as const) : ('ioredis' as const)
const [seeds, seconds, processes] = [Number(values.seeds), Number(values.seconds), Number(values.processes)]

/** The names in a list, or all of them. */
function readNames<Name extends string>(what: string, text: string, known: readonly Name[]): readonly Name[] {
  if (text === 'all') return known
  return text.split(',').map((name) => {
    const found = known.find((each) => each === name)
    if (found === undefined) throw new Error(`there is no ${what} ${name}; there are: ${known.join(', ')}`)
    return found
  })
}

function readFaults(usual: readonly FaultName[]): readonly FaultName[] {
  const { faults = 'usual' } = values
  if (faults === 'usual') return usual
  if (faults === 'all') return faultsOf(form)
  return faults === 'none' ? [] : readNames('fault', faults, faultNames)
}

/** `failovers`: those whose schedule takes more than one server. */
function readControls(text: string): readonly ControlName[] {
  if (text !== 'failovers') return readNames('control', text, controlNames)
  return controlNames.filter((name) => {
    const { scenario } = controlOf(name)
    return scenario !== undefined && formOf(scenario) !== 'server'
  })
}

/** All of them are those of the form. */
function readScenarios(text: string): readonly ScenarioName[] {
  return text === 'all' ? scenariosOf(form) : readNames('scenario', text, forms.flatMap(scenariosOf))
}

async function runSeeds(dist: string): Promise<boolean> {
  let bad = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const options = { seed, seconds, processes, faults: readFaults(usualFaultsOf(form)), form, ioredis, dist }
    const result = await runModel(options)
    for (const line of await report(`seed ${seed}`, options, result)) print(line)
    if (result.violations.length > 0) bad++
  }
  print(`${seeds} seeds, ${bad} with violations`)
  return bad === 0
}

async function runSchedules(dist: string, names: readonly ScenarioName[]): Promise<boolean> {
  const options = { scenarios: names, dist }
  const result = await runScenarios(names, dist, ioredis)
  for (const line of await report(names.length === 1 ? (names[0] as string) : 'scenarios', options, result)) print(line)
  return result.violations.length === 0
}

async function runControls(dist: string, names: readonly ControlName[]): Promise<boolean> {
  let isGood = true
  for (const name of names) {
    const broken = await breakLibrary(name, dist)
    isGood = (await isCaught(name, broken)) && isGood
    await removeLibrary(broken)
  }
  return isGood
}

/** Runs its scenario, and then seeds until one catches a control. It is caught when either shows it. */
async function isCaught(name: ControlName, dist: string): Promise<boolean> {
  const { scenario, faults } = controlOf(name)
  let isCaughtAtOnce = false
  if (scenario) {
    isCaughtAtOnce = tellCaught(name, `in "${scenario}"`, await runScenarios([scenario], dist, ioredis))
    if (!isCaughtAtOnce) print(`${name}: survived "${scenario}"`)
  }
  if (!faults) return isCaughtAtOnce
  for (let seed = first; seed < first + seeds; seed++) {
    const on = scenario ? formOf(scenario) : form
    const options = { seed, seconds, processes, faults: readFaults(faults), form: on, ioredis, dist }
    const how = `with ${options.faults.join(', ') || 'no faults'}: run ${seed - first + 1}, seed ${seed}`
    if (tellCaught(name, how, await runModel(options))) return true
  }
  print(`${name}: survived ${seeds} runs`)
  return isCaughtAtOnce
}

function tellCaught(name: ControlName, how: string, { violations, history }: ModelResult): boolean {
  const [violation] = violations
  if (!violation) return false
  const rules = [...new Set(violations.map(({ rule }) => rule))].sort().join(', ')
  print(`${name}: caught by ${rules} (${violations.length} violations) ${how}`)
  print(`  ${violation.text}, ${Math.round(violation.at)} ms after the start`)
  if (values.control === name) for (const line of excerpt(history, violation)) print(`    ${line}`)
  return true
}

const dist = await copyLibrary(values.dist, 'dist')
await useIoredis(ioredis, dist)
let isGood: boolean
if (values.control !== undefined) {
  isGood = await runControls(dist, readControls(values.control))
} else if (values.scenario !== undefined) {
  isGood = await runSchedules(dist, readScenarios(values.scenario))
} else {
  isGood = await runSeeds(dist)
}
await removeLibrary(dist)
process.exitCode = isGood ? 0 : 1
