import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { cached } from '../../src/middleware/cached.ts'
import { httpCache } from '../../src/middleware/express.ts'
import { accelerate } from '../../src/middleware/node.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

const cache = createCache()
afterAll(() => cache.close())

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/options.md'), 'utf8')
const section = /^## Response caches\n(.*)/ms.exec(page)?.[1] ?? ''
const [, group = ''] = /^\| responses \| (.+) \|$/m.exec(section) ?? []

const rows = [...section.matchAll(/^\| `(\w+)` \| (.+?) \| (.+?) \| (.+) \|$/gm)].map(
  ([, name = '', where = '', standard = '', meaning = '']) => ({
    name,
    places: [...where.replace('responses', group).matchAll(/`(\w+)`/g)].map(([, place]) => place),
    standard,
    conformance: / With the conformance profile `(.+?)`\.$/.exec(meaning)?.[1],
  }),
)

/** What stands for a default that no literal can say. */
const UNSAID = ['none', 'as `stale`', 'as `hardTimeout`', 'all count', 'as they came', 'a warning']

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

/** How the faces are made that take options. */
const faces: Readonly<Record<string, (options: object) => unknown>> = {
  httpCache: (options) => httpCache(cache, options),
  accelerate: (options) => accelerate(cache, () => {}, options),
  cached: (options) => cached(cache, () => {}, options),
}

test.each(Object.entries(faces))('the page has every option of %s, and no other', (face, make) => {
  const [, owner, list = ''] = /^(\w+): .+ expected one of (.+)$/.exec(messageOf(() => make({ unknown: 1 }))) ?? []
  expect(owner).toBe(face)
  const told = rows.filter(({ places }) => places.includes(face)).map(({ name }) => name)
  expect(told.sort()).toEqual(list.split(', ').sort())
})

test.each(Object.entries(faces))('what is no object of options is told: %s', (face, make) => {
  for (const value of [null, 5, 'nonsense', []]) {
    expect(messageOf(() => make(value as never))).toMatch(new RegExp(`^${face}: expected an object of options, got `))
  }
})

function messageOf(act: () => unknown): string {
  try {
    return String(act())
  } catch (error) {
    return String((error as Error).message)
  }
}

const ofResponses = rows.filter(({ places }) => places.length === 3)

test.each(ofResponses)('$name has the default that the page says: $standard', ({ name, standard }) => {
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
