import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readCacheOptions } from '../src/cache/cache-options.ts'
import {
  DEFAULTS,
  readChangeOptions,
  readCounterOptions,
  readDefaultOptions,
  readKeysOptions,
  readLoadOptions,
  readSetOptions,
} from '../src/cache/call-options.ts'
import { createCache } from '../src/index.ts'
import { kinds, namesOf, places } from './doubles/verbs.ts'

interface Row {
  readonly name: string
  readonly places: readonly string[]
  readonly type: string
  readonly standard: string
}

const page = readFileSync(join(import.meta.dirname, '../docs/reference/options.md'), 'utf8')

/** What the first table says that its words stand for. */
const groups = new Map(
  [...page.matchAll(/^\| (\w+) \| ((?:`[\w.]+`(?:, )?)+) \|$/gm)].map(([, word = '', list = '']) => [
    word,
    listed(list),
  ]),
)

const rows: readonly Row[] = [...page.matchAll(/^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \| .+ \|$/gm)].map(
  ([, name = '', where = '', type = '', standard = '']) => ({
    name,
    places: where
      .split(', ')
      .flatMap((word) => (word.startsWith('`') ? listed(word) : (groups.get(word) ?? [`(${word})`]))),
    type: type.replaceAll('`', ''),
    standard,
  }),
)

function listed(text: string): readonly string[] {
  return [...text.matchAll(/`([\w.]+)`/g)].map(([, word = '']) => word)
}

/** How the options of a place become settings. A verb whose options all have defaults of a namespace needs none. */
const settings: Readonly<Record<string, (options: object) => unknown>> = {
  createCache: (options) => readCacheOptions(options),
  l1: (l1) => readCacheOptions({ l1 }),
  codec: (codec) => readCacheOptions({ codec }),
  'codec.compression': (compression) => readCacheOptions({ codec: { compression } }),
  'codec.encryption': (encryption) =>
    readCacheOptions({ codec: { encryption: { keys: ['0'.repeat(64)], ...encryption } } }),
  defaults: (defaults) => readCacheOptions({ defaults }),
  namespace: (options) => readDefaultOptions('namespace', options, DEFAULTS),
  getOrSet: (options) => readLoadOptions('getOrSet', options, DEFAULTS),
  set: (options) => readSetOptions(options, DEFAULTS),
  delete: (options) => ({ requireAck: readChangeOptions('delete', options, DEFAULTS) }),
  increment: (options) => readCounterOptions(options, DEFAULTS),
  keys: (options) => readKeysOptions(options),
}

const cache = createCache()
afterAll(() => cache.close())

test('the page has every option of every place, and no other', async () => {
  const known = await Promise.all(
    places(cache).map(async (place) => (await namesOf(place)).map((name) => `${name} of ${place.name}`)),
  )
  const told = rows.flatMap(({ name, places: where }) => where.map((place) => `${name} of ${place}`))
  expect(told.sort()).toEqual(known.flat().sort())
})

describe.each(rows)('$name of $places', ({ name, places: where, type, standard }) => {
  const [place = ''] = where
  const kind = kinds[`${place}.${name}`] ?? kinds[name]

  test('is of the type that the page says', () => {
    expect(type).toBe(kind?.type)
  })

  test('has the default that the page says', () => {
    if (name === 'redis' || ['codec.encryption', 'define'].includes(place)) {
      // What has no default, and is no setting, has nothing to be compared with.
      expect(standard).toBe('none')
      return
    }
    const reader = where.flatMap((each) => settings[each] ?? []).at(0)
    if (!reader) throw new Error(`test/options-page.test.ts does not know how the options of ${where} become settings`)
    const [, literal] = /^`(.+)`$/.exec(standard) ?? []
    if (literal !== undefined) {
      expect(reader({ [name]: JSON.parse(literal.replaceAll("'", '"')) })).toEqual(reader({}))
    } else {
      expect(standard).toMatch(/^none/)
      const changed = (kind?.valid ?? []).flatMap((value) => changedBy(reader({}), reader({ [name]: value })))
      expect([...new Set(changed)]).toEqual([undefined])
    }
  })
})

/** The values of settings that are other ones in others. */
function changedBy(before: unknown, after: unknown): readonly unknown[] {
  if (!isRecord(before) || !isRecord(after)) return Object.is(before, after) ? [] : [before]
  return Object.keys(after).flatMap((name) => changedBy(before[name], after[name]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
