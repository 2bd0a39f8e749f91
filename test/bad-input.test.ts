import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describe as inWords, TierCacheError } from '../src/errors.ts'
import { createCache } from '../src/index.ts'
import type { Kind, Place } from './doubles/verbs.ts'
import {
  call,
  failureOf,
  kinds,
  kindOf,
  methodsOf,
  namesOf,
  nonsense,
  places,
  synchronous,
  verbs,
} from './doubles/verbs.ts'

const cache = createCache()
afterAll(() => cache.close())

/** What a value is refused with, in words; fails for what is no error of ours. */
async function refusal(act: () => unknown): Promise<string> {
  const error = await failureOf(act)
  if (!(error instanceof TierCacheError)) return `not refused, but ${inWords(error)}`
  return `${error.code} ${error.message}`
}

/** The words with which a kind refuses a value: code, name, what was expected, what came. */
function wordsOf(kind: Kind, label: string, value: unknown): RegExp {
  const came = kind.isSecret ? '.+' : kind.type === 'Duration' ? partsOf(value) : literally(inWords(value))
  const anything = Array.isArray(value) ? '.+' : came
  const expected = kind.expected.source.replace(/^\^/, '')
  return new RegExp(
    `^${kind.code ?? 'ERR_INVALID_OPTION'} ${kind.label ?? literally(label)}: expected ${expected}.*, got ${anything}$`,
  )
}

/** Of a duration in parts it is said which: a slip in a name is seen. */
function partsOf(value: unknown): string {
  const isParts = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  const [[unit, count] = []] = isParts ? Object.entries(value) : []
  return literally(isParts ? `{ "${unit}": ${inWords(count)} }` : inWords(value))
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

const bad = (kind: Kind) => [...nonsense.filter((value) => !kind.takes(value)), ...(kind.invalid ?? [])]

/** Whether a value was refused, not what became of the call. */
function isRefusal(error: unknown): boolean {
  return error instanceof TierCacheError && /^ERR_(INVALID|UNKNOWN)_/.test(error.code)
}

describe.each(places(cache))('options of $name', (place: Place) => {
  let names: readonly string[]
  beforeAll(async () => {
    names = await namesOf(place)
  })

  test('what is no object of options is refused', async () => {
    const whole = kinds[place.name.split('.').at(-1) ?? ''] ?? kinds.defaults
    for (const value of nonsense.filter((each) => !(whole as Kind).takes(each) && typeof each !== 'object')) {
      expect(await refusal(() => place.give(value))).toMatch(
        new RegExp(`^ERR_INVALID_OPTION ${literally(place.owner)}: expected .*, got `),
      )
    }
    expect(await refusal(() => place.give(['nonsense']))).toMatch(
      /^ERR_INVALID_OPTION .*: expected .*, got an array of 1$/,
    )
  })

  test('a name that does not exist is refused, with those that do', async () => {
    for (const name of ['nonsense', 'constructor', '__proto__', 'TTL', '']) {
      const options = JSON.parse(`{${JSON.stringify(name)}:1}`)
      expect(await refusal(() => place.give(options))).toBe(
        `ERR_UNKNOWN_OPTION ${place.owner}: unknown option '${name}', expected one of ${names.join(', ')}`,
      )
    }
  })

  test('each option refuses what it does not take: its name, what it takes, and what came', async () => {
    for (const name of names) {
      const kind = kindOf(place, name)
      for (const value of bad(kind)) {
        expect(await refusal(() => place.give({ [name]: value }))).toMatch(wordsOf(kind, place.prefix + name, value))
      }
    }
  })

  test('each option takes what it is said to take, and undefined for absence', async () => {
    for (const name of names) {
      const kind = kindOf(place, name)
      for (const value of [...nonsense.filter(kind.takes), ...kind.valid]) {
        if (value !== null && typeof value === 'object' && !kind.valid.includes(value)) continue
        if (name === 'redis') continue
        const error = await failureOf(() => place.give({ [name]: value }))
        expect([name, value, isRefusal(error) ? String(error) : 'taken']).toEqual([name, value, 'taken'])
      }
      if (place.required?.includes(name)) continue
      expect([name, isRefusal(await failureOf(() => place.give({ [name]: undefined })))]).toEqual([name, false])
    }
  })
})

describe('arguments', () => {
  const positions = Object.entries(verbs).flatMap(([verb, given]) =>
    given.flatMap((kind, position) => (kind === 'options' ? [] : [{ verb, kind, position }])),
  )

  test.each(positions)('$verb: $kind', async ({ verb, kind: name, position }) => {
    const kind = kinds[name] as Kind
    for (const value of bad(kind)) {
      expect(await refusal(() => call(cache, verb, position, value))).toMatch(wordsOf(kind, name, value))
    }
    for (const value of kind.valid) {
      const error = await failureOf(() => call(cache, verb, position, value))
      expect([value, isRefusal(error)]).toEqual([value, false])
    }
    expect(kind.valid.length + bad(kind).length).toBeGreaterThan(0)
  })

  test('what answers a promise rejects, and what does not throws', async () => {
    for (const { verb, kind, position } of positions) {
      const [value] = bad(kinds[kind] as Kind)
      if (value === undefined || verb === 'close') continue
      let threw = false
      try {
        Promise.resolve(call(cache, verb, position, value)).catch(() => {})
      } catch {
        threw = true
      }
      expect([verb, kind, threw]).toEqual([verb, kind, synchronous.includes(verb)])
    }
  })
})

test('every method that users call is in the table', () => {
  expect(Object.keys(verbs).sort()).toEqual([...methodsOf(cache)].sort())
})

test('every kind is that of an option or an argument', async () => {
  const named = (
    await Promise.all(places(cache).map(async (place) => (await namesOf(place)).map((name) => [place, name] as const)))
  ).flat()
  const used = [
    ...named.map(([place, name]) => kindOf(place, name)),
    ...Object.values(verbs).flatMap((given) => given.map((name) => kinds[name])),
  ]
  expect(Object.keys(kinds).filter((name) => !used.includes(kinds[name]))).toEqual([])
})
