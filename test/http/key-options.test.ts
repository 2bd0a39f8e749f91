import { describe, expect, test } from 'vitest'
import { readHttpOptions } from '../../src/http/settings.ts'
import { formDecoded, parametersOf } from '../../src/http/query-parameters.ts'
import { isOtherCoding, nominated } from '../../src/http/vary.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

function told(normalize: HttpCacheOptions['normalize'], name: string, value: string | undefined) {
  return nominated({ [name]: value }, name, readHttpOptions({ normalize }).normalize.by)
}

describe('normalize', () => {
  test('what is made of a field tells it apart', () => {
    expect(told({ 'Accept-Encoding': 'coding' }, 'accept-encoding', 'gzip, deflate, br')).toBe('+br')
    expect(told({ 'accept-encoding': ['gzip'] }, 'accept-encoding', 'gzip, deflate, br')).toBe('+gzip')
    expect(told({ 'accept-encoding': 'coding' }, 'accept-encoding', undefined)).toBe('+identity')
    expect(told({ 'accept-language': ['en', 'de'] }, 'accept-language', 'de-AT')).toBe('+de')
    expect(told({ 'accept-language': ['en', 'de'] }, 'accept', 'de-AT')).toBe('+de-AT')
    expect(told({ 'x-plan': (value) => value?.[0] }, 'x-plan', 'gold')).toBe('+g')
    expect(told({ 'x-plan': () => undefined }, 'x-plan', 'gold')).toBe('-')
  })

  test('a function that throws, or makes no text, changes nothing or says nothing', () => {
    const broken = () => {
      throw new Error('no')
    }
    expect(told({ 'x-plan': broken }, 'x-plan', 'gold')).toBe('+gold')
    expect(told({ 'x-plan': () => 5 as never }, 'x-plan', 'gold')).toBe('-')
  })

  test('what is remembered is bounded, and right', () => {
    const { by } = readHttpOptions({ normalize: { 'accept-language': ['en', 'de'] } }).normalize
    for (let n = 0; n < 2000; n++)
      expect(nominated({ a: `de;q=0.${n}` }, 'a', new Map([['a', by.get('accept-language') ?? String]]))).toMatch(
        /^\+(en|de)$/,
      )
    expect(by.get('accept-language')?.('de')).toBe('de')
  })

  test.each([
    [{ accept: 'coding' }, "normalize.accept: expected a function, or 'coding'"],
    [{ accept: ['a'] }, 'normalize.accept: expected a function'],
    [{ 'accept-language': [] }, 'normalize.accept-language: expected'],
    [{ 'accept-language': 'coding' }, 'normalize.accept-language: expected'],
    [{ 'accept-encoding': [1] }, 'normalize.accept-encoding: expected'],
    [[], 'normalize: expected an object of normalisers by field name'],
    ['coding', 'normalize: expected an object'],
  ])('%j is refused', (normalize, message) => {
    expect(() => readHttpOptions({ normalize } as never)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    )
  })
})

describe('a response in another coding than its variant is for', () => {
  const { normalize } = readHttpOptions({ normalize: { 'accept-encoding': 'coding' } })
  const isOther = (coding: string, accepted: string) =>
    isOtherCoding({ 'accept-encoding': accepted }, [['Content-Encoding', coding]], normalize)

  test('is told', () => {
    expect(isOther('br', 'gzip, br')).toBe(false)
    expect(isOther('BR', 'br')).toBe(false)
    expect(isOther('identity', 'br')).toBe(false)
    expect(isOther('gzip', 'gzip, br')).toBe(true)
    expect(isOther('zstd', 'gzip, zstd')).toBe(true)
    expect(isOther('gzip, br', 'br')).toBe(true)
    expect(isOtherCoding({ 'accept-encoding': 'br' }, [], normalize)).toBe(false)
  })

  test('where each value has a variant of its own there is none', () => {
    expect(isOtherCoding({}, [['Content-Encoding', 'gzip']], readHttpOptions({}).normalize)).toBe(false)
    const byFunction = readHttpOptions({ normalize: { 'accept-encoding': () => 'x' } }).normalize
    expect(isOtherCoding({}, [['Content-Encoding', 'gzip']], byFunction)).toBe(false)
  })
})

test('parametersOf reads queries as forms do (WHATWG URL, section 5.1)', () => {
  expect(parametersOf('a=1&&b&=c&d=e=f&g+h=%C3%A9&%=%ff')).toEqual([
    { raw: 'a=1', name: 'a', value: '1' },
    { raw: 'b', name: 'b', value: '' },
    { raw: '=c', name: '', value: 'c' },
    { raw: 'd=e=f', name: 'd', value: 'e=f' },
    { raw: 'g+h=%C3%A9', name: 'g h', value: 'é' },
    { raw: '%=%ff', name: '%', value: '\ufffd' },
  ])
  for (const text of ['', 'a', '%', '%g1', '%e2%82', '%E2%82%AC+%zz', '%ef%bb%bfx', '%c3%28'])
    expect(formDecoded(text)).toBe(new URLSearchParams(`x=${text}`).get('x'))
})
