/**
 * Everything that CI runs, one step after the other; a failing step does not stop the next. Names of steps as arguments
 * run these alone. The last line is the sum: each test counts, and each other step counts as one.
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

main(process.argv.slice(2))

function main(names: readonly string[]): void {
  const unknown = names.filter((name) => !(name in steps))
  if (unknown.length > 0) {
    console.error(`There is no step ${unknown.join(', ')}; the steps are ${Object.keys(steps).join(', ')}.`)
    process.exitCode = 2
    return
  }
  const results = Object.entries(steps)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .map(([name, command]) => [name, run(name, command)] as const)
  tell(results)
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
  console.log('')
  for (const [name, totals] of results) {
    console.log(
      `${totals.failed === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${totals.passed} passed, ${totals.failed} failed`,
    )
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}
