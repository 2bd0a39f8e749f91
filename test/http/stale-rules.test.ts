import { describe, expect, test } from 'vitest'
import { readHttpOptions } from '../../src/http/settings.ts'
import { retentionOf, staleRulesOf } from '../../src/http/stale-rules.ts'
import { controlOf } from '../../src/http/targeted.ts'
import type { Fields } from '../../src/http/message.ts'
import type { Lifetime } from '../../src/http/lifetime.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

const FRESH: Lifetime = { ms: 1000, source: 'explicit' }

function rules(control: string, options: HttpCacheOptions = {}, name = 'Cache-Control') {
  const settings = readHttpOptions(options)
  return staleRulesOf(controlOf([[name, control]], settings), FRESH, settings)
}

const BARRED = { whileRevalidateMs: 0, ifErrorMs: 0, mustRevalidate: true }

describe('RFC 5861', () => {
  test('the response says how long it may be served stale, and for what', () => {
    expect(rules('max-age=1, stale-while-revalidate=30, stale-if-error=600')).toEqual({
      whileRevalidateMs: 30_000,
      ifErrorMs: 600_000,
      mustRevalidate: false,
    })
    expect(rules('max-age=1, Stale-While-Revalidate="30"').whileRevalidateMs).toBe(30_000)
    expect(rules('max-age=1, stale-if-error=5', {}, 'Tiercache-Control').ifErrorMs).toBe(5000)
  })

  test('of repeated ones the least counts, and what is no number is none', () => {
    expect(rules('stale-while-revalidate=30, stale-while-revalidate=5').whileRevalidateMs).toBe(5000)
    expect(rules('stale-while-revalidate=soon', { stale: '1m' }).whileRevalidateMs).toBe(0)
    expect(rules('stale-if-error', { stale: '1m' }).ifErrorMs).toBe(0)
  })
})

describe('where the response says nothing, the options do', () => {
  test('nothing by default', () => {
    expect(rules('max-age=1')).toEqual({ whileRevalidateMs: 0, ifErrorMs: 0, mustRevalidate: false })
  })

  test('stale is for both, staleIfError for errors', () => {
    expect(rules('max-age=1', { stale: '1m' })).toMatchObject({ whileRevalidateMs: 60_000, ifErrorMs: 60_000 })
    expect(rules('max-age=1', { stale: '1m', staleIfError: 0 })).toMatchObject({
      whileRevalidateMs: 60_000,
      ifErrorMs: 0,
    })
    expect(rules('max-age=1', { staleIfError: '1h' })).toMatchObject({ whileRevalidateMs: 0, ifErrorMs: 3_600_000 })
  })

  test('the response comes first, for each of them', () => {
    const options: HttpCacheOptions = { stale: '1m', staleIfError: '1h' }
    expect(rules('stale-while-revalidate=0', options)).toMatchObject({ whileRevalidateMs: 0, ifErrorMs: 3_600_000 })
    expect(rules('stale-if-error=1', options)).toMatchObject({ whileRevalidateMs: 60_000, ifErrorMs: 1000 })
  })

  test('no time is without an end', () => {
    expect(rules('', { stale: 'never' })).toMatchObject({
      whileRevalidateMs: 2 ** 31 * 1000,
      ifErrorMs: 2 ** 31 * 1000,
    })
    expect(rules('stale-if-error=99999999999').ifErrorMs).toBe(2 ** 31 * 1000)
  })
})

describe('what is over at once', () => {
  const over = (source: Lifetime['source'], control = '') => {
    const settings = readHttpOptions({ stale: '1m', staleIfError: '1h' })
    return staleRulesOf(controlOf([['Cache-Control', control]], settings), { ms: 0, source }, settings)
  }

  test.each(['explicit', 'route'] as const)('is not made longer by the options, where that is %s', (source) => {
    expect(over(source)).toEqual({ whileRevalidateMs: 0, ifErrorMs: 0, mustRevalidate: false })
    expect(over(source, 'stale-while-revalidate=5')).toMatchObject({ whileRevalidateMs: 5000, ifErrorMs: 0 })
  })

  test.each(['default', 'heuristic'] as const)('is, where that is %s', (source) => {
    expect(over(source)).toMatchObject({ whileRevalidateMs: 60_000, ifErrorMs: 3_600_000 })
  })
})

describe('RFC 9111, section 4.2.4: what bars stale responses', () => {
  test.each(['must-revalidate', 'Proxy-Revalidate', 's-maxage=60', 's-maxage', 'no-cache', 'no-cache="x", no-cache'])(
    '%s',
    (directive) => {
      const options: HttpCacheOptions = { stale: '1m', staleIfError: '1h' }
      expect(rules(`${directive}, stale-while-revalidate=30, stale-if-error=30`, options)).toEqual(BARRED)
      expect(rules(`max-age=5, ${directive}`, options)).toEqual(BARRED)
      expect(rules(directive, options)).toEqual(BARRED)
    },
  )

  test.each(['no-cache="x"', 'private="x"', 'immutable', 'public'])('%s does not', (directive) => {
    expect(rules(directive, { stale: '1m' }).whileRevalidateMs).toBe(60_000)
  })

  test('nor does Cache-Control beside a targeted field', () => {
    const settings = readHttpOptions({ stale: '1m' })
    const fields: Fields = [
      ['Cache-Control', 's-maxage=5'],
      ['CDN-Cache-Control', 'max-age=5'],
    ]
    expect(staleRulesOf(controlOf(fields, settings), FRESH, settings).whileRevalidateMs).toBe(60_000)
  })
})

describe('retentionOf', () => {
  const retention = (control: string, fields: Fields, options: HttpCacheOptions = {}) =>
    retentionOf(fields, rules(control, options), readHttpOptions(options))

  test('as long as the longest of its uses', () => {
    expect(retention('stale-while-revalidate=30, stale-if-error=50', [])).toBe(50_000)
    expect(retention('stale-while-revalidate=70, stale-if-error=50', [])).toBe(70_000)
    expect(retention('max-age=5', [])).toBe(0)
  })

  test.each<Fields[number]>([
    ['ETag', '"a"'],
    ['last-modified', 'Mon, 01 Jun 2026 12:00:00 GMT'],
  ])('with %s for the option keep, so that it can be validated', (name, value) => {
    expect(retention('must-revalidate', [[name, value]])).toBe(600_000)
    expect(retention('stale-if-error=900', [[name, value]])).toBe(900_000)
    expect(retention('no-cache', [[name, value]], { keep: '1h' })).toBe(3_600_000)
    expect(retention('no-cache', [[name, value]], { keep: 0 })).toBe(0)
    expect(retention('no-cache', [[name, value]], { keep: 'never' })).toBe(2 ** 31 * 1000)
  })
})
