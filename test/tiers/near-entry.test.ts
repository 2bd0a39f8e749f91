import { describe, expect, test } from 'vitest'
import { judge, MADE_STALE } from '../../src/entry/freshness.ts'
import type { NearContent } from '../../src/tiers/near-entry.ts'
import { NearEntry } from '../../src/tiers/near-entry.ts'

const DAY_MS = 86_400_000
const NEVER = Number.POSITIVE_INFINITY

const HOME = {
  isRoot: true,
  bucket: 0,
  currency: { verifiedAt: 0, behindAt: Number.NEGATIVE_INFINITY, emptyAt: Number.NEGATIVE_INFINITY },
  groups: ['k:_'],
}

function content(given: Partial<NearContent> = {}): NearContent {
  return {
    value: { a: 1 },
    home: HOME,
    createdAt: 1000,
    freshUntil: 2000,
    staleUntil: 3000,
    keptUntil: 4000,
    ttlUntil: undefined,
    loadMs: 7,
    version: undefined,
    tags: [],
    groups: HOME.groups,
    asOf: 900,
    mark: 3,
    bytes: 10,
    shared: true,
    tiers: 'all',
    schema: undefined,
    ...given,
  }
}

/** What an entry tells of itself, under the names of its content. */
function told(entry: NearEntry): NearContent {
  const names = Object.keys(content()) as (keyof NearContent)[]
  return Object.fromEntries(names.map((name) => [name, entry[name]])) as unknown as NearContent
}

describe('NearEntry', () => {
  test.each<[string, Partial<NearContent>]>([
    ['of deadlines soon', {}],
    ['with a ttl that goes on in L2', { ttlUntil: 9000 }],
    ['without an end', { freshUntil: NEVER, staleUntil: NEVER, keptUntil: NEVER, ttlUntil: NEVER }],
    ['created a month ago', { createdAt: -30 * DAY_MS }],
    ['fresh until a month ago, to the fraction', { freshUntil: -30 * DAY_MS - 0.5 }],
    ['fresh for a month', { freshUntil: 30 * DAY_MS + 0.25 }],
    ['stale for a month', { staleUntil: 30 * DAY_MS + 0.5 }],
    ['kept for a month', { keptUntil: 30 * DAY_MS + 0.75 }],
    ['with a ttl of a month in L2', { ttlUntil: 30 * DAY_MS + 0.125 }],
    ['made stale before its time', { freshUntil: MADE_STALE }],
    ['that was known to be current at no time', { asOf: Number.NEGATIVE_INFINITY }],
    ['with a version', { version: 4 }],
    ['in L1 alone', { tiers: 'l1' }],
    ['with tags, not to be shared', { tags: ['t'], groups: ['k:_', 't:t'], shared: false }],
  ])('one %s tells what it was made of', (_what, given) => {
    expect(told(new NearEntry(content(given)))).toEqual(content(given))
  })

  test('between whole milliseconds, deadlines are never later than given, and less than one earlier', () => {
    const given = { asOf: 0.75, createdAt: 0.5, freshUntil: 1000.5, staleUntil: 2000.999, keptUntil: 3000.75 }
    const { createdAt, freshUntil, staleUntil, keptUntil } = new NearEntry(content(given))
    for (const [kept, asked] of [
      [createdAt, given.createdAt],
      [freshUntil, given.freshUntil],
      [staleUntil, given.staleUntil],
      [keptUntil, given.keptUntil],
    ] as const) {
      expect(kept).toBeLessThanOrEqual(asked)
      expect(kept).toBeGreaterThan(asked - 1)
    }
  })

  test('a copy of it has the same deadlines, however often it is copied', () => {
    // (5.7 + ms) - 5.7 is less than ms for each of these.
    const at = (ms: number) => 5.7 + ms + 0.5
    const given = {
      createdAt: at(7),
      freshUntil: at(2044),
      staleUntil: at(2045),
      keptUntil: at(2046),
      ttlUntil: at(2047),
    }
    const entry = new NearEntry(content({ asOf: 5.7, ...given }))
    let copy = entry
    for (let times = 0; times < 5; times++) copy = copy.with({})
    expect(told(copy)).toEqual(told(entry))
  })

  test('is surely fresh before all of its deadlines, and never once one is over', () => {
    const entries = [
      new NearEntry(content()),
      new NearEntry(content({ freshUntil: 4000, staleUntil: 5000, keptUntil: 2000 })),
      new NearEntry(content({ freshUntil: MADE_STALE, keptUntil: NEVER })),
    ]
    const at = (now: number) => entries.map((entry) => entry.isSurelyFresh(now))
    expect(at(1000)).toEqual([true, true, false])
    expect(at(1999)).toEqual([true, true, false])
    expect(at(2000)).toEqual([false, false, false])
  })

  test('what is fresh for very long is not surely so after a month, and its deadlines tell', () => {
    for (const freshUntil of [NEVER, 60 * DAY_MS]) {
      const entry = new NearEntry(content({ freshUntil, staleUntil: NEVER, keptUntil: NEVER }))
      expect(entry.isSurelyFresh(20 * DAY_MS)).toBe(true)
      expect([entry.isSurelyFresh(30 * DAY_MS), judge(entry, 30 * DAY_MS)]).toEqual([false, 'fresh'])
      expect(judge(entry, 60 * DAY_MS)).toBe(freshUntil === NEVER ? 'fresh' : 'stale')
    }
  })

  test.each([2000, NEVER, 60 * DAY_MS])('made stale, one that was fresh until %s is stale', (freshUntil) => {
    const entry = new NearEntry(content({ freshUntil, staleUntil: NEVER }))
    entry.makeStale()
    expect([entry.freshUntil, entry.isSurelyFresh(1000), judge(entry, 1000)]).toEqual([MADE_STALE, false, 'stale'])
  })

  test('nobody is known to have nothing to renew, but for a reader that was noted', () => {
    const entry = new NearEntry(content())
    expect(entry.isCalm(0.5, 1000)).toBe(false)
    entry.calm(0.5)
    expect([entry.isCalm(0.5, 1499), entry.isCalm(0.5, 1500), entry.isCalm('auto', 1000)]).toEqual([true, false, false])
    entry.calm('auto')
    expect([entry.isCalm(0.5, 1000), entry.isCalm('auto', 1859), entry.isCalm('auto', 1860)]).toEqual([
      false,
      true,
      false,
    ])
    const longer = new NearEntry(content({ ttlUntil: 3000 }))
    longer.calm(0.5)
    expect([longer.isCalm(0.5, 1999), longer.isCalm(0.5, 2000)]).toEqual([true, false])
  })

  test('a copy is the same but for its changes, and has no answer yet', () => {
    const entry = new NearEntry(content({ version: 4, freshUntil: 60 * DAY_MS }))
    entry.calm(0.5)
    entry.ready = Promise.resolve(1)
    const copy = entry.with({ value: 2, shared: false })
    expect(told(copy)).toEqual({ ...told(entry), value: 2, shared: false })
    expect([copy.ready, copy.isCalm(0.5, 1000)]).toEqual([undefined, true])
    entry.makeStale()
    expect([entry.with({}).freshUntil, copy.freshUntil]).toEqual([MADE_STALE, 60 * DAY_MS])
  })
})
