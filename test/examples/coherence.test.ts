import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** What depends on the machine stands in brackets. */
const withoutTimes = (text: string) => text.replace(/\[[^\]]*\d[^\]]*\]/g, '[…]')

test('two copies of the shop, one of them cut off, show what the README says', { timeout: 90_000 }, async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, told] = /^\$ npm run -s demo:coherence\n([^`]*)^```$/m.exec(readme) ?? []
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(root, 'build/test/examples/coherence.program.js'),
  ])
  expect(withoutTimes(stdout)).toBe(withoutTimes(told ?? ''))
})
