import { expect, test } from 'vitest'
import { judge, MADE_STALE, prolonged } from '../../src/entry/freshness.ts'

test.each([
  [{ freshUntil: 10, staleUntil: 20 }, 9.999, 'fresh'],
  [{ freshUntil: 10, staleUntil: 20 }, 10, 'stale'],
  [{ freshUntil: 10, staleUntil: 20 }, 19.999, 'stale'],
  [{ freshUntil: 10, staleUntil: 20 }, 20, 'expired'],
  [{ freshUntil: 10, staleUntil: 10 }, 10, 'expired'],
  [{ freshUntil: Number.POSITIVE_INFINITY, staleUntil: Number.POSITIVE_INFINITY }, Number.MAX_VALUE, 'fresh'],
  [{ freshUntil: 10, staleUntil: Number.POSITIVE_INFINITY }, 11, 'stale'],
])('%j at %d is %s', (entry, now, freshness) => {
  expect(judge(entry, now)).toBe(freshness)
})

test.each([
  ['fresh', { freshUntil: 10, staleUntil: 30 }, 5, { freshUntil: 105, staleUntil: 125 }],
  ['stale', { freshUntil: 10, staleUntil: 30 }, 20, { freshUntil: 120, staleUntil: 140 }],
  ['never stale', { freshUntil: 10, staleUntil: 10 }, 5, { freshUntil: 105, staleUntil: 105 }],
  ['stale without an end', { freshUntil: 10, staleUntil: Infinity }, 5, { freshUntil: 105, staleUntil: Infinity }],
  ['fresh without an end', { freshUntil: Infinity, staleUntil: Infinity }, 5, { freshUntil: 105, staleUntil: 105 }],
  ['made stale', { freshUntil: MADE_STALE, staleUntil: 30 }, 5, { freshUntil: MADE_STALE, staleUntil: 105 }],
  [
    'made stale, for longer',
    { freshUntil: MADE_STALE, staleUntil: 300 },
    5,
    { freshUntil: MADE_STALE, staleUntil: 300 },
  ],
])('what is %s gets a TTL of 100: %j at %d', (_name, deadlines, now, expected) => {
  expect(prolonged(deadlines, now, 100)).toEqual(expected)
})

test('without an end: what may be served stale for a while may be so after that, which never comes', () => {
  const endless = { freshUntil: Infinity, staleUntil: Infinity }
  expect(prolonged({ freshUntil: 10, staleUntil: 30 }, 5, Infinity)).toEqual(endless)
})
