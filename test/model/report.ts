import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { excerpt } from './excerpt.ts'
import { modelFolder } from './library.ts'
import type { ModelResult } from './recorder.ts'

/** So many violations of one run are told; all of them are in the file. */
const VIOLATIONS_TOLD = 3

/** What a run came to, in lines. A history with violations is written to a file: what cannot be read again is lost. */
export async function report(title: string, options: object, result: ModelResult): Promise<string[]> {
  const { history, violations, counts } = result
  const lines = [
    `${title}: ${violations.length} violations`,
    `  operations  ${table(counts.operations)}`,
    `  faults      ${table(counts.faults) || 'none'}`,
    `  caches      ${table(counts.counters)}`,
  ]
  if (violations.length === 0) return lines
  await mkdir(modelFolder, { recursive: true })
  const file = join(modelFolder, `${title.replaceAll(/[^a-z0-9]+/gi, '-')}-${Date.now()}.json`)
  await writeFile(file, JSON.stringify({ options, violations, history }))
  lines.push(`  the whole history is in ${file}`)
  for (const violation of violations.slice(0, VIOLATIONS_TOLD)) {
    lines.push(`  ${violation.rule} ${violation.text}`, ...excerpt(history, violation).map((line) => `    ${line}`))
  }
  return lines
}

function table(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, number]) => number > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ')
}
