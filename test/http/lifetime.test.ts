import { describe, expect, test } from 'vitest'
import { formatHttpDate } from '../../src/http/http-date.ts'
import { initialAgeMs, lifetimeOf } from '../../src/http/lifetime.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { controlOf } from '../../src/http/targeted.ts'
import type { Fields } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

const NOW = Date.UTC(2026, 5, 1, 12, 0, 0, 250)

interface Given {
  readonly fields?: Fields
  readonly status?: number
  readonly routeMs?: number
  readonly options?: HttpCacheOptions
}

function lifetime(control: string | undefined, { fields = [], status = 200, routeMs, options }: Given = {}) {
  const settings = readHttpOptions(options)
  const all: Fields = control === undefined ? fields : [['Cache-Control', control], ...fields]
  return lifetimeOf({ status, fields: all }, controlOf(all, settings), routeMs, settings, NOW)
}

function date(offsetMs: number): string {
  return formatHttpDate(NOW + offsetMs)
}

describe('RFC 9111, section 4.2.1', () => {
  test('s-maxage before max-age before Expires', () => {
    const fields: Fields = [['Expires', date(30_000)]]
    expect(lifetime('max-age=20, s-maxage=10', { fields })?.ms).toBe(10_000)
    expect(lifetime('max-age=20', { fields })?.ms).toBe(20_000)
    expect(lifetime(undefined, { fields })).toEqual({ ms: 30_000, source: 'explicit' })
  })

  test('Expires counts from Date', () => {
    const fields: Fields = [
      ['date', date(-10_000)],
      ['expires', date(20_000)],
    ]
    expect(lifetime(undefined, { fields })?.ms).toBe(30_000)
    expect(lifetime(undefined, { fields: [['Date', 'today'], ...fields.slice(1)] })?.ms).toBe(20_000)
  })

  test.each([
    '0',
    '-1',
    '',
    'never',
    date(60_000).replace('GMT', 'CET'),
    date(60_000).replace('GMT', '+0000'),
    '2026-06-01T13:00:00Z',
    String(NOW + 60_000),
  ])('an Expires of %j is no date, and means expired (section 5.3)', (text) => {
    expect(lifetime(undefined, { fields: [['Expires', text]] })?.ms).toBe(0)
  })

  test('of several Expires the earliest counts', () => {
    expect(lifetime(undefined, { fields: [['Expires', [date(60_000), date(-60_000)]]] })?.ms).toBe(0)
  })

  test.each(['max-age=', 'max-age', 'max-age=-1', 'max-age=1.5', 'max-age=x', 's-maxage=x, max-age=60'])(
    '%s means stale',
    (control) => {
      expect(lifetime(control, { fields: [['Expires', date(30_000)]] })?.ms).toBe(0)
    },
  )

  test('the shortest of repeated directives, quoted or not', () => {
    expect(lifetime('max-age=60, max-age="5"')?.ms).toBe(5000)
    expect(lifetime('max-age=60, max-age=nonsense')?.ms).toBe(0)
  })

  test('is 2^31 seconds at most (section 1.2.2)', () => {
    expect(lifetime('max-age=2147483649')?.ms).toBe(2 ** 31 * 1000)
    expect(lifetime(`max-age=${'9'.repeat(400)}`)?.ms).toBe(2 ** 31 * 1000)
    expect(lifetime(undefined, { options: { ttl: 'never' } })?.ms).toBe(2 ** 31 * 1000)
    expect(lifetime(undefined, { routeMs: Number.POSITIVE_INFINITY })?.ms).toBe(2 ** 31 * 1000)
  })

  test('Pragma says nothing (section 5.4)', () => {
    expect(lifetime('max-age=5', { fields: [['Pragma', 'no-cache']] })?.ms).toBe(5000)
    expect(lifetime(undefined, { fields: [['Pragma', 'no-cache']], options: { ttl: 1000 } })?.ms).toBe(1000)
  })

  test('no-cache leaves none, its field form does (section 5.2.2.4)', () => {
    expect(lifetime('max-age=5, no-cache', { routeMs: 1000 })).toEqual({ ms: 0, source: 'explicit' })
    expect(lifetime('no-cache', { options: { ttl: 1000 } })?.ms).toBe(0)
    expect(lifetime('max-age=5, no-cache="x"')?.ms).toBe(5000)
  })
})

test('beside a targeted field, Cache-Control and Expires say nothing (RFC 9213, section 2.2)', () => {
  const others: Fields = [
    ['Expires', date(30_000)],
    ['Date', date(0)],
  ]
  const targeted = (text: string) => lifetime('max-age=5', { fields: [...others, ['CDN-Cache-Control', text]] })
  expect(targeted('max-age=9')?.ms).toBe(9000)
  expect(targeted('must-revalidate')).toBeUndefined()
  expect(targeted('max-age="9"')?.ms).toBe(0)
  expect(targeted('&&')?.ms).toBe(5000)
})

describe('what the route and the options say', () => {
  test('nothing is known without them', () => {
    expect(lifetime('public')).toBeUndefined()
  })

  test('the default counts only where the response says nothing', () => {
    const options = { ttl: 1000 }
    expect(lifetime('public', { options })).toEqual({ ms: 1000, source: 'default' })
    expect(lifetime('max-age=5', { options })?.ms).toBe(5000)
    expect(lifetime(undefined, { fields: [['Expires', '0']], options })?.ms).toBe(0)
  })

  test.each([404, 410, 500, 503, 302, 401])('the default does not count for a %i', (status) => {
    expect(lifetime(undefined, { status, options: { ttl: 1000 } })).toBeUndefined()
  })

  test('negativeTtl counts for failures that say nothing', () => {
    const options: HttpCacheOptions = { ttl: '1h', negativeTtl: { 404: '10s', 503: 1000 } }
    expect(lifetime(undefined, { status: 404, options })).toEqual({ ms: 10_000, source: 'default' })
    expect(lifetime('max-age=5', { status: 404, options })?.ms).toBe(5000)
    expect(lifetime(undefined, { status: 503, options })?.ms).toBe(1000)
    expect(lifetime(undefined, { status: 500, options })).toBeUndefined()
    expect(lifetime(undefined, { status: 410, options: { negativeTtl: '2s' } })?.ms).toBe(2000)
    expect(lifetime(undefined, { status: 503, options: { negativeTtl: '2s' } })).toBeUndefined()
  })

  test.each([400, 401, 403, 405, 422, 429, 451])(
    'a route that says how long its page lives does not mean its %i',
    (status) => {
      const given: Given = { routeMs: 9000, options: { ttl: 1000 }, status }
      expect(lifetime(undefined, given)).toBeUndefined()
      expect(lifetime('max-age=5', given)?.ms).toBe(5000)
    },
  )

  test('the route comes first, though not for its failure', () => {
    for (const status of [200, 302, 307, 410]) {
      expect(lifetime('max-age=5', { routeMs: 9000, status })).toEqual({ ms: 9000, source: 'route' })
    }
    const given: Given = { routeMs: 9000, options: { ttl: 1000 } }
    expect(lifetime('max-age=5', { ...given, status: 404 })).toEqual({ ms: 9000, source: 'route' })
    expect(lifetime('max-age=5', { ...given, status: 500 })?.ms).toBe(5000)
    expect(lifetime(undefined, { ...given, status: 500 })).toBeUndefined()
  })
})

describe('heuristics (RFC 9111, section 4.2.2)', () => {
  const modified = (agoMs: number): Fields => [['Last-Modified', date(-agoMs)]]
  const options: HttpCacheOptions = { profile: 'conformance' }

  test('a tenth of the time since Last-Modified', () => {
    expect(lifetime(undefined, { fields: modified(100_000), options })).toEqual({ ms: 10_000, source: 'heuristic' })
    expect(lifetime(undefined, { fields: modified(100_000), options: { heuristic: 0.5 } })?.ms).toBe(50_000)
  })

  test('counted from Date', () => {
    const fields: Fields = [...modified(100_000), ['Date', date(-50_000)]]
    expect(lifetime(undefined, { fields, options })?.ms).toBe(5000)
  })

  test('a day at most', () => {
    expect(lifetime(undefined, { fields: modified(1e12), options })?.ms).toBe(86_400_000)
  })

  test('none by default, nor without a date, nor beside the option ttl', () => {
    expect(lifetime(undefined, { fields: modified(100_000) })).toBeUndefined()
    expect(lifetime(undefined, { options })).toBeUndefined()
    expect(lifetime(undefined, { fields: [['Last-Modified', 'yesterday']], options })).toBeUndefined()
    const both = { fields: modified(100_000), options: { ...options, ttl: 1000 } }
    expect(lifetime(undefined, both)).toEqual({ ms: 1000, source: 'default' })
  })

  test('never where the response says how long it is fresh', () => {
    const fields = modified(100_000)
    expect(lifetime('max-age=0', { fields, options })?.ms).toBe(0)
    expect(lifetime('max-age=x', { fields, options })?.ms).toBe(0)
    expect(lifetime('no-cache', { fields, options })?.ms).toBe(0)
    expect(lifetime(undefined, { fields: [...fields, ['Expires', '0']], options })?.ms).toBe(0)
  })

  test('a Last-Modified in the future makes nothing fresh', () => {
    expect(lifetime(undefined, { fields: modified(-100_000), options })?.ms).toBe(0)
  })

  test.each([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])('for a %i', (status) => {
    expect(lifetime(undefined, { fields: modified(100_000), options, status })?.ms).toBe(10_000)
  })

  test.each([201, 202, 302, 303, 307, 400, 401, 403, 500, 502, 503, 504, 599])(
    'for a %i only where it says public',
    (status) => {
      const given: Given = { fields: modified(100_000), options, status }
      expect(lifetime(undefined, given)).toBeUndefined()
      expect(lifetime('public', given)?.ms).toBe(10_000)
    },
  )
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

  test.each([
    ['2147483648', 2 ** 31],
    ['2147483649', 2 ** 31],
    ['9'.repeat(400), 2 ** 31],
    ['7, x', 7],
    ['x, 7', 0],
    ['1.5', 0],
    ['7 seconds', 0],
    ['"7"', 0],
    ['', 0],
    ['+7', 0],
  ])('Age: %s is %i seconds (section 5.1)', (text, seconds) => {
    expect(initialAgeMs([['Age', text]], NOW)).toBe(seconds * 1000)
  })

  test('the time that the application took counts where Age was true before it', () => {
    expect(initialAgeMs([['Age', '5']], NOW, 2000)).toBe(7000)
    expect(initialAgeMs([['Age', 'x']], NOW, 2000)).toBe(0)
    expect(initialAgeMs([], NOW, 2000)).toBe(0)
  })
})
