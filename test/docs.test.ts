import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { readDefaultOptions, readKeysOptions, readSetOptions } from '../src/cache/call-options.ts'
import { readCacheOptions } from '../src/cache/cache-options.ts'
import { readDefineOptions, readWrapOptions } from '../src/cache/handle-options.ts'
import { errorCodes } from '../src/errors.ts'
import { PageExamples } from './doubles/page-examples.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

describe('the examples of the README', () => {
  const examples = new PageExamples('README.md')
  afterAll(() => examples.remove())

  test('compile as they stand, and those of the cache run and say what they say', { timeout: 60_000 }, () => {
    expect(examples.codes).toHaveLength(5)
    expect(examples.compile()).toEqual({ status: 0, output: '' })
    expect(examples.run(1)).toEqual({ status: 0, output: '200\n1.1\n304\n1.1\n' })
    expect(examples.run(2)).toEqual({ status: 0, output: 'Ada Ada 1\n' })
    expect(examples.run(3)).toEqual({ status: 0, output: '' })
    expect(examples.run(0)).toEqual({
      status: 0,
      output: "{ id: 1, name: 'Ada' }\n{ id: 1, name: 'Ada' }\ntrue\n",
    })
  })
})

/** What the shorter examples of the pages go on from, as the first one of docs/concepts/http.md has it. */
const GIVEN = `import { createCache } from 'tiercache'
import { httpCache } from 'tiercache/middleware/express'
import express from 'express'

const cache = createCache()
const app = express()
app.use(httpCache(cache))
`

/** Pages with examples, and how many; those of docs/testing.md are run by the tests of it. */
const EXAMPLES: Readonly<Record<string, number>> = {
  'docs/concepts/http.md': 9,
  'docs/reference/codec.md': 1,
  'docs/reference/metrics.md': 1,
  'docs/reference/tracing.md': 1,
}

test.each(Object.entries(EXAMPLES))('the examples of %s compile', { timeout: 60_000 }, (page, count) => {
  const examples = new PageExamples(page, GIVEN)
  try {
    expect(examples.codes).toHaveLength(count)
    expect(examples.compile()).toEqual({ status: 0, output: '' })
  } finally {
    examples.remove()
  }
})

test('no other page has examples', () => {
  const pages = pagesBelow('docs').filter((page) => new PageExamples(page).codes.length > 0)
  expect(pages.sort()).toEqual([...Object.keys(EXAMPLES), 'docs/testing.md'].sort())
})

test('the README names every option, as the code has it, and the defaults of those that it explains', () => {
  const section = /^## Options\n([\s\S]*?)^## /m.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? ''
  const settings = readCacheOptions(undefined)
  const known = [
    ...knownTo((nonsense) => readCacheOptions(nonsense)),
    ...knownTo((nonsense) => readCacheOptions({ l1: nonsense })),
    ...knownTo((nonsense) => readCacheOptions({ codec: nonsense })),
    ...knownTo((nonsense) => readCacheOptions({ codec: { compression: nonsense } })),
    ...knownTo((nonsense) => readCacheOptions({ codec: { encryption: nonsense as never } })),
    ...knownTo((nonsense) => readDefaultOptions('namespace', nonsense, settings.defaults)),
    ...knownTo((nonsense) => readSetOptions(nonsense, settings.defaults)),
    ...knownTo((nonsense) => readKeysOptions(nonsense)),
    ...knownTo((nonsense) => readDefineOptions(nonsense as never)),
    ...knownTo((nonsense) => readWrapOptions(() => {}, nonsense)),
  ]
  expect(known).toEqual(expect.arrayContaining(['redis', 'maxBytes', 'waitTimeout', 'requireAck', 'version']))
  expect(known.filter((name) => !new RegExp(`\\b${name}\\b`).test(section))).toEqual([])
  const defaults = [...section.matchAll(/^\| `(\w+)` \| (.+?) \|/gm)].map(([, name, value]) => [name, value])
  expect(Object.fromEntries(defaults)).toEqual({
    onRedisDown: `\`'${settings.onRedisDown}'\``,
    requireAck: `\`${settings.defaults.requireAck}\``,
    version: readSetOptions({}, settings.defaults).version ?? 'none',
  })
})

/** The names of options that a reader takes, as its error lists them. */
function knownTo(read: (nonsense: object) => unknown): string[] {
  try {
    read({ nonsense: 1 })
  } catch (error) {
    const [, names = ''] = /expected one of (.*)$/.exec(String(error)) ?? []
    return names.split(', ')
  }
  throw new Error('a reader of options took one that does not exist')
}

test('docs/reference/errors.md has every error and its meaning, and no other', () => {
  const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(ERR_\w+)` \| (.+) \|$/gm)].map(([, code, meaning]) => [code, meaning])
  expect(Object.fromEntries(rows)).toEqual(errorCodes)
})

test('links between the pages lead somewhere', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...pagesBelow('docs'),
    ...pagesBelow('bench'),
    ...pagesBelow('examples'),
  ]
  const dead = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)]
      .map(([, link]) => link ?? '')
      .filter((link) => !existsSync(resolve(root, dirname(page), link)))
      .map((link) => `${page}: ${link}`),
  )
  expect(pages.length).toBeGreaterThan(5)
  expect(dead).toEqual([])
})

test('docs/reference/codec.md has every reason for which an entry is none for a process, and no other', () => {
  const source = readFileSync(join(root, 'src/events.ts'), 'utf8')
  const union = /^export type Incompatibility = (.*)$/m.exec(source)?.[1] ?? ''
  const page = readFileSync(join(root, 'docs/reference/codec.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| (?:is|was) /gm)].map(([, reason]) => reason)
  expect(rows).toEqual([...union.matchAll(/'([\w-]+)'/g)].map(([, reason]) => reason))
  expect(rows.length).toBeGreaterThan(3)
})

function pagesBelow(start: string): string[] {
  return readdirSync(join(root, start), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => join(start, file))
}

test('docs/reference/events.md has every event with what it carries, and no other', () => {
  const source = readFileSync(join(root, 'src/events.ts'), 'utf8')
  const body =
    /^export interface CacheEvents \{\n([\s\S]*?)^\}/m.exec(source)?.[1]?.replace(/\/\*[\s\S]*?\*\//g, '') ?? ''
  const subject = ['namespace?', 'key?', 'tag?']
  const told = [...body.matchAll(/^ {2}'?([\w-]+)'?: ((?:.|\n {4,})*)/gm)].map(([, name, payload = '']) => [
    name,
    [
      ...(payload.includes('InvalidationSubject') ? subject : []),
      ...[...payload.matchAll(/readonly (\w+\??):/g)].map(([, field]) => field),
    ].join(' '),
  ])
  const page = readFileSync(join(root, 'docs/reference/events.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| (.*?) \| \S/gm)].map(([, name, fields = '']) => [
    name,
    fields.replaceAll(/[`,]/g, ''),
  ])
  expect(told.length).toBeGreaterThan(10)
  expect(rows).toEqual(told)
})

test('docs/reference/tracing.md has every channel, and no other', () => {
  const source = readFileSync(join(root, 'src/tracing.ts'), 'utf8')
  const verbs = /^const verbs = \{\n([\s\S]*?)^\}/m.exec(source)?.[1] ?? ''
  const channels = [...verbs.matchAll(/^ {2}(\w+): \{/gm), ...source.matchAll(/channelOf<\w+>\('(\w+)'\)/g)]
  const page = readFileSync(join(root, 'docs/reference/tracing.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `tiercache:(\w+)` \| `/gm)].map(([, name]) => name)
  expect(rows.sort()).toEqual(channels.map(([, name]) => name).sort())
  expect(rows.length).toBeGreaterThan(15)
})
