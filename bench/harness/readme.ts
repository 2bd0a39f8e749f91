import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { root } from './root.ts'

const START = '<!-- bench:start -->'
const END = '<!-- bench:end -->'

/** Puts the table between its two markers in the README. Answers what was done, in words. */
export function writeTable(table: string): string {
  const file = new URL('README.md', root)
  if (!existsSync(file)) return 'there is no README.md: the table was not written'
  const before = readFileSync(file, 'utf8')
  const after = between(before, table)
  if (after === undefined) return `README.md has no ${START} before an ${END}: the table was not written`
  if (after === before) return 'the table in README.md is up to date'
  writeFileSync(file, after)
  return 'the table in README.md was written'
}

/** The text with the table between its markers; `undefined` when they are not there. */
export function between(text: string, table: string): string | undefined {
  const start = text.indexOf(START)
  const end = text.indexOf(END, start)
  if (start < 0 || end < 0) return undefined
  return `${text.slice(0, start + START.length)}\n\n${table}\n\n${text.slice(end)}`
}
