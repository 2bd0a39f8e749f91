import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { between } from '../../bench/harness/readme.ts'
import { quantile, summarize } from '../../bench/harness/statistics.ts'
import { tableOf } from '../../bench/harness/table.ts'
import type { ResultsFile, ResultsRun } from '../../bench/harness/results.ts'

const ratioOf = (median: number) => ({
  median,
  lowerQuartile: median - 0.04,
  upperQuartile: median + 0.05,
  rounds: 35,
})

function file(name: string, bar: number | null, ...runs: Partial<ResultsRun>[]): ResultsFile {
  const common = { date: '', cpu: '', cores: 2, loadBefore: 0, versions: {}, unit: 'reads/s', rounds: [] }
  return {
    name,
    work: 'a',
    reference: 'b',
    expects: 'c',
    bar,
    runs: runs.map((run) => ({ ...common, node: 'v24.1.0', ...run })),
  }
}

const cellsOf = (row: string | undefined) =>
  row
    ?.split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())

test('a row for each Node, in the order of the house', () => {
  const table = tableOf([
    file('l2-hit-64', 2, { ratio: ratioOf(2.1), also: { 'filling L1': ratioOf(1.5) } }),
    file('l1-hit', 1, { ratio: ratioOf(1.06) }, { ratio: ratioOf(1.02), node: 'v20.19.0' }),
  ])
  const rows = table.split('\n').slice(2).map(cellsOf)
  expect(rows).toEqual([
    ['`l1-hit`', 'a', 'b', '24.1.0', '**1.06** (1.02–1.11)', '1.00: reached', ''],
    ['`l1-hit`', 'a', 'b', '20.19.0', '**1.02** (0.98–1.07)', '1.00: reached', ''],
    ['`l2-hit-64`', 'a', 'b', '24.1.0', '**2.10** (2.06–2.15)', '2.00: reached', 'filling L1: 1.50'],
  ])
})

test.each([
  [1.23, 2, '**not reached: 1.23 of 2.00**'],
  [0.949, 0.95, '**not reached: 0.9490 of 0.95**'],
  [0.95, 0.95, '0.95: reached'],
])('a ratio of %d is judged by the bar %d as it was measured', (median, bar, said) => {
  const [, , row] = tableOf([file('l1-hit', bar, { ratio: ratioOf(median) })]).split('\n')
  expect(cellsOf(row)?.[5]).toBe(said)
})

test('figures that are reported have a table of their own', () => {
  const reported = { 'cache off': { queries: 1000, 'p50 in ms': 12.34 }, L1: { queries: 420.4, 'p50 in ms': 1.5 } }
  expect(tableOf([file('db-load', null, { reported })])).toBe(
    [
      '`db-load`: a (Node 24.1.0).',
      '',
      '| | queries | p50 in ms |',
      '|---|---|---|',
      '| cache off | 1000 | 12.3 |',
      '| L1 | 420 | 1.5 |',
    ].join('\n'),
  )
})

test('the table stands between its markers, and only there', () => {
  const text = 'before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n'
  const written = between(text, 'new')
  expect(written).toBe('before\n<!-- bench:start -->\n\nnew\n\n<!-- bench:end -->\nafter\n')
  expect(between(written ?? '', 'new')).toBe(written)
})

test.each(['no markers', '<!-- bench:end --> <!-- bench:start -->', '<!-- bench:start -->'])(
  'a README without both markers in order is left alone: %s',
  (text) => expect(between(text, 'new')).toBeUndefined(),
)

test('the middle half of the rounds', () => {
  expect(summarize([5, 1, 2, 4, 3])).toEqual({ median: 3, lowerQuartile: 2, upperQuartile: 4, rounds: 5 })
  expect(quantile([1, 2], 0.5)).toBe(1.5)
  expect(() => quantile([], 0.5)).toThrow('no figures')
})

test('the table of the README is that of the results', () => {
  const folder = new URL('../../bench/results/', import.meta.url)
  const files = readdirSync(folder).sort()
  const results = files.map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as ResultsFile)
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  expect(between(readme, tableOf(results))).toBe(readme)
})
