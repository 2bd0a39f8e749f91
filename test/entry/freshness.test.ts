import { expect, test } from 'vitest'
import { judge } from '../../src/entry/freshness.ts'

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
