import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verbs } from '../doubles/verbs.ts'

test('the types of every verb are tested', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.test-d.ts'))
  const text = files.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join('\n')
  const isTested = (verb: string) => text.includes(`cache.${verb}`) || text.includes(`Cache['${verb}']`)
  expect(Object.keys(verbs).filter((verb) => !isTested(verb))).toEqual([])
})
