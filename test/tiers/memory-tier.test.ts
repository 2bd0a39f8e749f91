import { describe, expect, test, vi } from 'vitest'
import { localId } from '../../src/entry/key.ts'
import { MemoryTier } from '../../src/tiers/memory-tier.ts'
import { NearEntry } from '../../src/tiers/near-entry.ts'
import { tierSuite } from '../conformance/tier.suite.ts'

/** Bytes that an entry takes beside its value, with an id of one character. */
const OVERHEAD = 162

const HOME = {
  isRoot: true,
  bucket: 0,
  currency: { verifiedAt: 0, behindAt: Number.NEGATIVE_INFINITY, emptyAt: Number.NEGATIVE_INFINITY },
  groups: ['k:_'],
}

function near(value: unknown, { bytes = 10, lifeMs = 1000 } = {}): NearEntry {
  return new NearEntry({
    value,
    home: HOME,
    createdAt: 0,
    freshUntil: lifeMs,
    ttlUntil: undefined,
    staleUntil: lifeMs,
    keptUntil: lifeMs,
    schema: undefined,
    tags: [],
    groups: HOME.groups,
    asOf: 0,
    mark: 0,
    bytes,
    shared: true,
    tiers: 'all',
  })
}

tierSuite('MemoryTier', async () => {
  const tier = new MemoryTier({ maxEntries: 1000, maxBytes: 10_000_000 }, () => {})
  return {
    set: ({ namespace, key }, value, lifeMs) => tier.set(localId(namespace, key), near(value, { lifeMs })),
    get: ({ namespace, key }) => tier.get(localId(namespace, key))?.value,
    delete: ({ namespace, key }) => tier.delete(localId(namespace, key)),
    endsByItself: false,
    close: () => {},
  }
})

function tierOf(maxEntries: number, maxBytes = 1_000_000) {
  const evicted = vi.fn()
  return { tier: new MemoryTier({ maxEntries, maxBytes }, evicted), evicted }
}

describe('MemoryTier', () => {
  test('gives back the very entry that it was given', () => {
    const { tier } = tierOf(10)
    const entry = near({ a: 1 })
    tier.set('k', entry)
    expect(tier.get('k')).toBe(entry)
  })

  test('beyond its number of entries, those used longest ago go first', () => {
    const { tier, evicted } = tierOf(3)
    for (const id of ['a', 'b', 'c']) tier.set(id, near(id))
    tier.get('a')
    tier.set('d', near('d'))
    expect(['a', 'b', 'c', 'd'].map((id) => tier.get(id)?.value)).toEqual(['a', undefined, 'c', 'd'])
    expect([tier.entries, evicted.mock.calls.length]).toEqual([3, 1])
  })

  test('lists all that it keeps, which is no use of it', () => {
    const { tier } = tierOf(3)
    expect(tier.list()).toEqual([])
    const entries = ['a', 'b', 'c'].map((id) => [id, near(id)] as const)
    for (const [id, entry] of entries) tier.set(id, entry)
    expect([...tier.list()].sort()).toEqual(entries)
    tier.set('d', near('d'))
    expect(tier.get('a')).toBeUndefined()
    expect([...tier.list()].map(([id]) => id).sort()).toEqual(['b', 'c', 'd'])
  })

  test('beyond its bytes too: those of the value, of the name, and an overhead', () => {
    const { tier, evicted } = tierOf(1000, 1000)
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) tier.set(id, near(id, { bytes: 100 }))
    expect(tier.bytes).toBe(3 * (100 + OVERHEAD))
    expect([tier.entries, evicted.mock.calls.length]).toEqual([3, 3])
    expect(tier.get('f')?.value).toBe('f')
    tier.set('x'.repeat(200), near('long name', { bytes: 10 }))
    expect(tier.bytes).toBeLessThanOrEqual(1000)
    expect(tier.get('x'.repeat(200))?.value).toBe('long name')
  })

  test('entries of no bytes at all count as well', () => {
    const { tier } = tierOf(1000, 10 * OVERHEAD)
    for (let index = 0; index < 100; index++) tier.set(String.fromCharCode(97 + (index % 26)), near(null, { bytes: 0 }))
    expect(tier.entries).toBe(10)
  })

  test('one larger than the whole tier is not kept, pushes nobody out, and what was there under its name is gone', () => {
    const { tier, evicted } = tierOf(10, 1000)
    tier.set('a', near('old'))
    tier.set('b', near('b'))
    tier.set('a', near('huge', { bytes: 1000 }))
    expect([tier.get('a'), tier.get('b')?.value, tier.entries]).toEqual([undefined, 'b', 1])
    expect(tier.bytes).toBe(10 + OVERHEAD)
    expect(evicted).not.toHaveBeenCalled()
  })

  test('only what is pushed out is an eviction: not what is replaced, deleted or cleared', () => {
    const { tier, evicted } = tierOf(10)
    tier.set('a', near(1))
    tier.set('a', near(2, { bytes: 20 }))
    expect([tier.entries, tier.bytes]).toEqual([1, 20 + OVERHEAD])
    tier.delete('a')
    tier.delete('a')
    expect([tier.entries, tier.bytes]).toEqual([0, 0])
    tier.set('b', near(1))
    tier.clear()
    expect([tier.entries, tier.bytes, tier.get('b')]).toEqual([0, 0, undefined])
    expect(evicted).not.toHaveBeenCalled()
  })
})
