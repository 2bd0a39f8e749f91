import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT_NAMESPACE } from '../../src/entry/key.ts'
import { Counters } from '../../src/counters/counters.ts'
import { httpRefusals } from '../../src/counters/http-counters.ts'
import { instruments } from '../../src/metrics/instruments.ts'
import type { Observable } from '../../src/events.ts'
import type { Sample } from '../../src/metrics/instruments.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8')

function observable(counters = new Counters()): Observable {
  return {
    counters,
    gauges: () => ({ l1Entries: 3, l1Bytes: 456, l2Usable: true, coherent: true, journalled: 2, renewals: 4 }),
    on: () => () => {},
  }
}

function read(name: string, cache: Observable): readonly Sample[] {
  const instrument = instruments.find((each) => each.name === name)
  if (!instrument) throw new Error(`there is no ${name}`)
  return instrument.read(cache)
}

const valuesOf = (name: string, cache: Observable) => read(name, cache).map(({ value }) => value)

describe('the table', () => {
  test('is the one of docs/reference/metrics.md', () => {
    const code = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(', ')
    const rows = instruments.map((each) => [
      code([each.name]),
      each.kind,
      each.unit,
      code(each.labels),
      each.buckets.join(', '),
      each.help,
    ])
    const shown = [...page.matchAll(/^\| (`tiercache_.*) \|$/gm)].map(([, row = '']) =>
      row.split('|').map((cell) => cell.trim()),
    )
    expect(shown).toEqual(rows)
  })

  test('has all labels explained on the page', () => {
    const explained = [...page.matchAll(/^\| `([a-z]+)` \| .* \|$/gm)].map(([, label]) => label)
    const used = ['cache', ...instruments.flatMap(({ labels }) => labels), 'le']
    expect(explained).toEqual(expect.arrayContaining([...new Set(used)]))
  })

  test('has each name once', () => {
    const names = instruments.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  test.each(instruments)('$name is named by the conventions of Prometheus', ({ name, kind, unit }) => {
    expect(name).toMatch(/^tiercache(_[a-z0-9]+)+$/)
    expect(name.endsWith('_total')).toBe(kind === 'counter')
    for (const base of ['seconds', 'bytes']) expect(name.endsWith(`_${base}`)).toBe(unit === base)
  })

  test.each(instruments)('$name: its samples have its labels, and no other', (instrument) => {
    const counters = new Counters()
    counters.requestsOf(ROOT_NAMESPACE)
    const labels = instrument.read(observable(counters)).map((sample) => Object.keys(sample.labels))
    const expected =
      instrument.labels.length > 0 ? [[...instrument.labels]] : instrument.buckets.length > 0 ? [['le'], []] : [[]]
    expect(labels.length).toBeGreaterThan(0)
    for (const each of labels) expect(expected).toContainEqual(each)
  })

  /** A number that is added to Counters is shown, or this test says that it is not. */
  test('shows every number that is counted', () => {
    const counters = new Counters()
    const plain = Object.entries(counters).filter(([, value]) => typeof value === 'number')
    Object.assign(counters, Object.fromEntries(plain.map(([name], index) => [name, 1001 + index])))
    counters.loadTimings.add(3)
    counters.l2Timings.add(3)
    const shown = instruments.flatMap((each) => each.read(observable(counters))).map(({ value }) => value)
    expect(plain.length).toBeGreaterThan(10)
    expect(plain.map((_, index) => shown.filter((value) => value === 1001 + index).length)).toEqual(plain.map(() => 1))
    expect(Object.keys(counters).sort()).toEqual(
      [...plain.map(([name]) => name), 'requests', 'loadTimings', 'l2Timings', 'l2Errors', 'http'].sort(),
    )
  })
})

describe('the samples', () => {
  test('lookups: by namespace, tier and result; the root has a name for people', () => {
    const counters = new Counters()
    const root = { l1Fresh: 1, l1Stale: 2, l1Missing: 3, l2Fresh: 4, l2Stale: 5, l2Missing: 6 }
    Object.assign(counters.requestsOf(ROOT_NAMESPACE), root)
    counters.requestsOf('shop.users').l2Stale = 7
    const shown = read('tiercache_requests_total', observable(counters)).map(
      ({ labels: { namespace, tier, result }, value }) => `${namespace} ${tier} ${result} ${value}`,
    )
    expect(shown).toEqual([
      '(root) l1 fresh 1',
      '(root) l1 stale 2',
      '(root) l1 miss 3',
      '(root) l2 fresh 4',
      '(root) l2 stale 5',
      '(root) l2 miss 6',
      'shop.users l1 fresh 0',
      'shop.users l1 stale 0',
      'shop.users l1 miss 0',
      'shop.users l2 fresh 0',
      'shop.users l2 stale 7',
      'shop.users l2 miss 0',
    ])
  })

  test('of HTTP: a series for each word of closed lists, whatever is counted', () => {
    const counters = new Counters()
    counters.http.outcomes.hit++
    for (const reason of ['cookie', 'made-up', '__proto__', 'toString']) counters.http.refused(reason)
    counters.http.invalidations.tag += 2
    const counted = (name: string) =>
      read(name, observable(counters))
        .filter(({ value }) => value > 0)
        .map(({ labels, value }) => [...Object.values(labels), value])
    expect(counted('tiercache_http_requests_total')).toEqual([['hit', 1]])
    expect(counted('tiercache_http_refusals_total')).toEqual([
      ['cookie', 1],
      ['other', 3],
    ])
    expect(counted('tiercache_http_invalidations_total')).toEqual([['tag', 2]])
    expect(read('tiercache_http_refusals_total', observable())).toHaveLength(httpRefusals.length + 1)
  })

  test.each([
    ['tiercache_load_duration_seconds', 'loadTimings'],
    ['tiercache_l2_duration_seconds', 'l2Timings'],
  ] as const)('%s: buckets are cumulative, include their bound, and are in seconds', (name, field) => {
    const counters = new Counters()
    const timings = counters[field]
    const [least = 0, next = 0] = timings.boundsMs
    const most = timings.boundsMs.at(-1) as number
    for (const ms of [least, next, next, most + 1]) timings.add(ms)
    const samples = read(name, observable(counters))
    const buckets = samples.filter(({ suffix }) => suffix === '_bucket')
    expect(buckets.map(({ labels }) => labels.le)).toEqual([...timings.boundsMs.map((ms) => `${ms / 1000}`), '+Inf'])
    expect(buckets.map(({ value }) => value)).toEqual([1, ...timings.boundsMs.slice(1).map(() => 3), 4])
    expect(samples.slice(-2)).toEqual([
      { suffix: '_sum', labels: {}, value: (least + next + next + most + 1) / 1000 },
      { suffix: '_count', labels: {}, value: 4 },
    ])
  })

  test('errors of L2: each code of Redis from the start, others as they come', () => {
    const counters = new Counters()
    counters.l2Failed('ERR_REDIS_TIMEOUT')
    counters.l2Failed('ERR_REDIS_TIMEOUT')
    counters.l2Failed('ERR_UNDECODABLE')
    const shown = read('tiercache_l2_errors_total', observable(counters)).map(({ labels, value }) => [
      labels.code,
      value,
    ])
    expect(shown).toEqual([
      ['ERR_REDIS_TIMEOUT', 2],
      ['ERR_REDIS_UNAVAILABLE', 0],
      ['ERR_REDIS_LOST', 0],
      ['ERR_REDIS_REPLY', 0],
      ['ERR_UNDECODABLE', 1],
    ])
  })

  test('what L1 holds', () => {
    expect(valuesOf('tiercache_l1_entries', observable())).toEqual([3])
    expect(valuesOf('tiercache_l1_bytes', observable())).toEqual([456])
  })

  test('reading changes nothing', () => {
    const counters = new Counters()
    counters.requestsOf('a').l1Fresh = 5
    counters.loadTimings.add(12)
    counters.sets = 9
    const before = structuredClone({ ...counters })
    for (const each of instruments) each.read(observable(counters))
    expect(structuredClone({ ...counters })).toEqual(before)
  })
})
