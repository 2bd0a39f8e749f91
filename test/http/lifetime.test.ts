import { describe, expect, test } from 'vitest'
import { parseCacheControl } from '../../src/http/cache-control.ts'
import { formatHttpDate } from '../../src/http/http-date.ts'
import { initialAgeMs, lifetimeOf } from '../../src/http/lifetime.ts'
import type { Fields } from '../../src/http/message.ts'

const NOW = Date.UTC(2026, 5, 1, 12, 0, 0, 250)
const NONE = { routeMs: undefined, ttlMs: undefined }

function lifetime(control: string | undefined, fields: Fields = [], status = 200, defaults = NONE as Defaults) {
  return lifetimeOf({ status, fields }, parseCacheControl(control), defaults, NOW)
}
type Defaults = Parameters<typeof lifetimeOf>[2]

function date(offsetMs: number): string {
  return formatHttpDate(NOW + offsetMs)
}

describe('RFC 9111, section 4.2.1', () => {
  test('s-maxage before max-age before Expires', () => {
    const fields: Fields = [['Expires', date(30_000)]]
    expect(lifetime('max-age=20, s-maxage=10', fields)?.ms).toBe(10_000)
    expect(lifetime('max-age=20', fields)?.ms).toBe(20_000)
    expect(lifetime(undefined, fields)?.ms).toBe(30_000)
  })

  test('Expires counts from Date', () => {
    expect(
      lifetime(undefined, [
        ['date', date(-10_000)],
        ['expires', date(20_000)],
      ])?.ms,
    ).toBe(30_000)
  })

  test('an Expires that is no date, or several of which one is past, means expired', () => {
    expect(lifetime(undefined, [['Expires', '0']])?.ms).toBe(0)
    expect(lifetime(undefined, [['Expires', [date(60_000), date(-60_000)]]])?.ms).toBe(0)
  })

  test.each(['max-age=', 'max-age', 'max-age=-1', 'max-age=1.5', 'max-age=x'])('%s means stale', (control) => {
    expect(lifetime(control)?.ms).toBe(0)
  })

  test('the shortest of repeated directives, quoted or not', () => {
    expect(lifetime('max-age=60, max-age="5"')?.ms).toBe(5000)
    expect(lifetime('max-age=60, max-age=nonsense')?.ms).toBe(0)
  })

  test('is a year at most', () => {
    expect(lifetime('max-age=999999999999')?.ms).toBe(365 * 86_400_000)
  })

  test('Pragma says nothing', () => {
    expect(lifetime('max-age=5', [['Pragma', 'no-cache']])?.ms).toBe(5000)
  })
})

describe('what the route and the options say', () => {
  test('nothing is known without them', () => {
    expect(lifetime('public')).toBeUndefined()
  })

  test('the default counts only where the response says nothing', () => {
    const defaults = { routeMs: undefined, ttlMs: 1000 }
    expect(lifetime('public', [], 200, defaults)).toEqual({ ms: 1000, source: 'default' })
    expect(lifetime('max-age=5', [], 200, defaults)?.ms).toBe(5000)
    expect(lifetime(undefined, [['Expires', '0']], 200, defaults)?.ms).toBe(0)
  })

  test.each([404, 410, 500, 503, 302, 401])('the default does not count for a %i', (status) => {
    expect(lifetime(undefined, [], status, { routeMs: undefined, ttlMs: 1000 })).toBeUndefined()
  })

  test('the route comes first', () => {
    expect(lifetime('max-age=5', [], 404, { routeMs: 9000, ttlMs: 1000 })).toEqual({ ms: 9000, source: 'explicit' })
    expect(lifetime('max-age=5', [], 500, { routeMs: 9000, ttlMs: 1000 })?.ms).toBe(5000)
    expect(lifetime(undefined, [], 500, { routeMs: 9000, ttlMs: 1000 })).toBeUndefined()
  })
})

describe('initialAgeMs (RFC 9111, section 4.2.3)', () => {
  test.each([
    [[], 0],
    [[['Age', '30']], 30_000],
    [[['Age', '30, 99']], 30_000],
    [[['Age', ['7', '99']]], 7000],
    [[['Age', '-5']], 0],
    [[['Age', 'old']], 0],
    [[['Date', date(-20_000)]], 20_000],
    [
      [
        ['Date', date(-20_000)],
        ['Age', '5'],
      ],
      20_000,
    ],
    [[['Date', date(20_000)]], 0],
    [[['Date', 'today']], 0],
    [[['Date', date(0)]], 0],
  ] satisfies [Fields, number][])('%j', (fields, ms) => {
    expect(initialAgeMs(fields, NOW)).toBe(ms)
  })
})
