/**
 * Everything that CI runs, one step after the other; a failing step does not stop the next. Names of steps as arguments
 * run these alone; `forms` stands for the longer ones over all forms of Redis. The last line is the sum: each test counts,
 * and each other step counts as one.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { sum, totalsOf, totalsOfCheck } from './totals.ts'
import type { Totals, VitestReport } from './totals.ts'

const report = `build/vitest-${process.versions.node}.json`
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json']

/** Name and command of each step. A tool of node_modules is named by its file in .bin. */
const steps: Readonly<Record<string, readonly string[]>> = {
  lint: ['biome', 'check', '.'],
  lua: [process.execPath, 'build/scripts/build-lua.js', '--check'],
  library: ['tsc', '-p', 'tsconfig.build.json'],
  programs: ['tsc', '-p', 'tsconfig.programs.json'],
  types: ['tsc', '-p', 'tsconfig.json'],
  tests: [process.execPath, ...vitest, `--outputFile.json=${report}`],
  publint: ['publint', '--strict'],
  attw: ['attw', '--pack', '.', '--profile', 'esm-only'],
  knip: ['knip'],
}

/** The tests whose suites run over a form of Redis: those of `test/doubles/redis-forms.ts`. */
const overForms = [
  'test/conformance',
  'test/races',
  'test/cache',
  'test/tiers/far-tier',
  'test/redis/memory-full',
  'test/doubles/redis-forms',
]

/** The steps of `npm run test:forms`. */
const formSteps: Readonly<Record<string, readonly string[]>> = {
  tests: ['env', 'REDIS_FORMS=all', process.execPath, ...vitest, `--outputFile.json=${report}`, ...overForms],
  'model: one server': modelOn('server'),
  'model: Sentinel': modelOn('sentinel'),
  'model: Cluster': modelOn('cluster'),
  'model: Sentinel, ioredis 5': modelOn('sentinel', '--ioredis', '5'),
  'model: Cluster, ioredis 5': modelOn('cluster', '--ioredis', '5'),
  'model: schedules on Sentinel': modelOn('sentinel', '--scenario', 'all'),
  'model: schedules on a Cluster': modelOn('cluster', '--scenario', 'all'),
  'model: controls of failovers': modelOn('cluster', '--control', 'failovers'),
}

function modelOn(form: string, ...options: readonly string[]): readonly string[] {
  return [process.execPath, 'build/test/model/run.program.js', '--form', form, '--seeds', '2', ...options]
}

main(process.argv.slice(2))

function main(names: readonly string[]): void {
  const unknown = names.filter((name) => !(name in steps || name === 'forms'))
  if (unknown.length > 0) {
    console.error(`There is no step ${unknown.join(', ')}; the steps are ${Object.keys(steps).join(', ')}, forms.`)
    process.exitCode = 2
    return
  }
  const chosen = Object.entries(steps).filter(([name]) => names.length === 0 || names.includes(name))
  const all = names.includes('forms') ? [...chosen, ...Object.entries(formSteps)] : chosen
  tell(all.map(([name, command]) => [name, run(name, command)] as const))
}

function run(name: string, [file = '', ...args]: readonly string[]): Totals {
  console.log(`\n── ${name}: ${[file, ...args].join(' ')}`)
  if (name === 'tests') rmSync(report, { force: true })
  const path = `node_modules/.bin:${process.env.PATH}`
  const { status, error } = spawnSync(file, args, { stdio: 'inherit', env: { ...process.env, PATH: path } })
  if (error) console.error(error.message)
  return name === 'tests' ? totalsOf(readReport(), status ?? 1) : totalsOfCheck(status ?? 1)
}

function readReport(): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return undefined
  }
}

function tell(results: readonly (readonly [name: string, totals: Totals])[]): void {
  const { passed, failed } = sum(results.map(([, totals]) => totals))
  const width = Math.max(...results.map(([name]) => name.length))
  console.log('')
  for (const [name, totals] of results) {
    console.log(
      `${totals.failed === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(width)} ${totals.passed} passed, ${totals.failed} failed`,
    )
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}
