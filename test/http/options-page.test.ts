import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { readHttpOptions } from '../../src/http/settings.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/concepts/http.md'), 'utf8')
const section = /^## Options\n(.*?)^## /ms.exec(page)?.[1] ?? ''

const rows = [...section.matchAll(/^\| `(\w+)` \| (.+?) \| (.+) \|$/gm)].map(
  ([, name = '', standard = '', meaning = '']) => ({
    name,
    standard,
    conformance: / With the conformance profile `(.+?)`\.$/.exec(meaning)?.[1],
  }),
)

/** What stands for a default that no literal can say. */
const UNSAID = ['none', 'as `stale`', 'all count', 'as they came']

function read(options: Record<string, unknown>) {
  return readHttpOptions(options as HttpCacheOptions)
}

function parsed(literal: string): unknown {
  return JSON.parse(literal.replaceAll("'", '"'))
}

/** The settings that two sets of options differ in. */
function differences(some: Record<string, unknown>, others: Record<string, unknown>): readonly string[] {
  const otherSettings: Record<string, unknown> = { ...read(others) }
  return Object.entries(read(some)).flatMap(([name, value]) =>
    isDeepStrictEqual(value, otherSettings[name]) ? [] : [name],
  )
}

test('the page has every option, and no other', () => {
  const [, list = ''] = /expected one of (.+)$/.exec(messageOf(() => read({ unknown: 1 }))) ?? []
  expect(rows.map(({ name }) => name).sort()).toEqual(list.split(', ').sort())
})

function messageOf(act: () => unknown): string {
  try {
    return String(act())
  } catch (error) {
    return String((error as Error).message)
  }
}

test.each(rows)('$name has the default that the page says: $standard', ({ name, standard }) => {
  const literal = /^`(.+?)`(?: \(.+\))?$/.exec(standard)?.[1]
  if (literal === undefined) expect(UNSAID).toContain(standard)
  else expect(differences({ [name]: parsed(literal) }, {})).toEqual([])
})

test('the conformance profile changes what the page says, and nothing else', () => {
  const given = Object.fromEntries(
    rows.flatMap(({ name, conformance }) => (conformance === undefined ? [] : [[name, parsed(conformance)]])),
  )
  expect(differences(given, { profile: 'conformance' })).toEqual(['profile'])
})
