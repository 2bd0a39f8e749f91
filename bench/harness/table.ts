import { conditionInWords, holds, inWords, limitOf, reaches } from './bar.ts'
import type { Bar } from './bar.ts'
import type { ResultsFile, ResultsRun } from './results.ts'

const order = [
  'l1-hit',
  'l1-peek',
  'l2-hit-64',
  'l2-hit-1',
  'l2-hit-64-cluster',
  'miss-overhead',
  'memory',
  'scale',
  'http-hit-express',
  'http-hit-front',
  'http-vs-route',
  'http-vs-proxies',
  'http-capture',
  'http-new-urls',
  'stampede',
  'invalidate-lag',
  'invalidate-lag-cluster',
  'redis-down',
  'proof-cost',
  'db-load',
]

/** The results as Markdown, for the README. */
export function tableOf(files: readonly ResultsFile[]): string {
  const sorted = [...files].sort((a, b) => placeOf(a) - placeOf(b) || a.name.localeCompare(b.name))
  const withBar = sorted.filter(({ runs }) => runs.some(({ ratio }) => ratio))
  const reported = sorted.filter(({ runs }) => runs.some((run) => run.reported))
  return [ratioTable(withBar), ...reported.map(reportedTable)].filter(Boolean).join('\n\n')
}

function placeOf({ name }: ResultsFile): number {
  const place = order.indexOf(name)
  return place < 0 ? order.length : place
}

function ratioTable(files: readonly ResultsFile[]): string {
  if (files.length === 0) return ''
  const rows = files.flatMap((file) => file.runs.flatMap((run) => (run.ratio ? [ratioRow(file, run)] : [])))
  return [
    '| bench | what is measured | against | Node | ratio (middle half of the rounds) | bar | measured beside it |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function ratioRow(
  { name, work, reference, bar }: ResultsFile,
  { node, ratio, also = {}, conditions = {} }: ResultsRun,
): string {
  const cells = [
    `\`${name}\``,
    work,
    reference,
    node.replace(/^v/, ''),
    ratio ? `**${ratio.median.toFixed(2)}** (${ratio.lowerQuartile.toFixed(2)}–${ratio.upperQuartile.toFixed(2)})` : '',
    ratio ? verdict(ratio.median, bar) : '',
    [
      ...Object.entries(also).map(([name, other]) => `${name}: ${other.median.toFixed(2)}`),
      ...Object.entries(conditions).map(([name, condition]) =>
        holds(condition) ? conditionInWords(name, condition) : `**${conditionInWords(name, condition)}**`,
      ),
    ].join('; '),
  ]
  return `| ${cells.join(' | ')} |`
}

function verdict(median: number, bar: Bar | null): string {
  if (bar === null) return 'reported'
  if (reaches(median, bar)) return `${inWords(bar)}: reached`
  // Two digits could show a miss by little as the bar itself.
  const digits = median.toFixed(2) === limitOf(bar).toFixed(2) ? 4 : 2
  return `**not reached: ${median.toFixed(digits)} of ${inWords(bar)}**`
}

function reportedTable({ name, work, runs }: ResultsFile): string {
  return runs
    .flatMap(({ node, reported }) => (reported ? [tableOfReported(name, work, node, reported)] : []))
    .join('\n\n')
}

function tableOfReported(
  name: string,
  work: string,
  node: string,
  reported: NonNullable<ResultsRun['reported']>,
): string {
  const columns = Object.keys(Object.values(reported)[0] ?? {})
  const rows = Object.entries(reported).map(
    ([variant, figures]) => `| ${[variant, ...columns.map((column) => shown(figures[column]))].join(' | ')} |`,
  )
  return [
    `\`${name}\`: ${work} (Node ${node.replace(/^v/, '')}).`,
    '',
    `| | ${columns.join(' | ')} |`,
    `|---${'|---'.repeat(columns.length)}|`,
    ...rows,
  ].join('\n')
}

function shown(figure: number | undefined): string {
  if (figure === undefined) return ''
  return figure >= 100 ? figure.toFixed(0) : figure.toFixed(1)
}
