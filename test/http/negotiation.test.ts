import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bestCoding, bestLanguage } from '../../src/http/negotiation.ts'
import { weightedList } from '../../src/http/weighted-list.ts'

test('weightedList: names in lower case, weights as RFC 9110, section 12.4.2 has them', () => {
  expect(weightedList('GZIP;q=0.5, br , ;q=1,, a;level=1;Q=0.123')).toEqual([
    { name: 'gzip', weight: 0.5 },
    { name: 'br', weight: 1 },
    { name: 'a', weight: 0.123 },
  ])
  for (const bad of ['q=', 'q=2', 'q=-1', 'q=0.1234', 'q=1.1', 'q=x', 'q=.5', 'q="1"'])
    expect(weightedList(`a;${bad}`)).toEqual([{ name: 'a', weight: 0 }])
})

test.each([
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['gzip, br', 'br'],
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip;q=1, br;q=0.5', 'gzip'],
  ['br;q=0, gzip;q=0', 'identity'],
  ['*', 'br'],
  ['*;q=0', 'identity'],
  ['br;q=0, *', 'gzip'],
  ['identity', 'identity'],
  ['identity;q=1, gzip;q=0.5', 'identity'],
  ['identity;q=0.5, gzip;q=1', 'gzip'],
  ['identity, gzip', 'gzip'],
  ['identity;q=0, gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['gzip;q=nonsense', 'identity'],
  ['deflate', 'identity'],
])('Accept-Encoding %j: %s (RFC 9110, section 12.5.3)', (accepted, coding) => {
  expect(bestCoding(accepted, ['br', 'gzip'])).toBe(coding)
})

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['de', 'de'],
  ['de-CH', 'de'],
  ['DE-ch, en;q=0.5', 'de'],
  ['fr, de;q=0.5', 'de'],
  ['en;q=0.5, de', 'de'],
  ['fr', 'en'],
  ['*', 'en'],
  ['pt', 'pt-BR'],
  ['pt-PT', 'pt-BR'],
  ['zh-Hant-x-private', 'zh-Hant'],
  ['en;q=0, *', 'de'],
  ['en;q=0', 'de'],
  ['de;q=0, de-CH', 'en'],
])('Accept-Language %j: %s (RFC 9110, section 12.5.4)', (accepted, language) => {
  expect(bestLanguage(accepted, ['en', 'de', 'pt-BR', 'zh-Hant'])).toBe(language)
})

test('whatever is asked for, what is on offer is the answer', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom('en', 'de', '-', ';q=', '0', '1', ',', '*', 'x'), { maxLength: 30, size: 'max' })
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (accepted) => {
      expect(['br', 'gzip', 'identity']).toContain(bestCoding(accepted, ['br', 'gzip']))
      expect(['en', 'de']).toContain(bestLanguage(accepted, ['en', 'de']))
    }),
  )
})
