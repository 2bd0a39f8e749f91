import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AS_IT_CAME } from '../../src/http/key-options.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { keyedTarget, namesDefaultPort, resourceOf, unnamed, urlTag, variantOf } from '../../src/http/request-key.ts'
import { requestOf } from './plain-exchange.ts'
import type { HttpRequest } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

function named(changes: Partial<HttpRequest> = {}, options: HttpCacheOptions = {}): string | undefined {
  return resourceOf(requestOf(changes), readHttpOptions(options))
}

describe('resourceOf', () => {
  test('the host is compared without case, the target as it came', () => {
    expect(named({ host: 'A.Example' })).toBe(named({ host: 'a.example' }))
    const targets = ['/x', '/X', '/x?', '/x?a=1', '/%78', '//x', '/./x', '/x/', '/x;y', '/x?a=1&b=2', '/x?b=2&a=1']
    expect(new Set(targets.map((target) => named({ target }))).size).toBe(targets.length)
  })

  test('scheme, host and port tell resources apart, the port of the scheme does not (RFC 9110, section 4.2.3)', () => {
    const requests = [
      {},
      { scheme: 'https' },
      { host: 'b.example' },
      { host: 'a.example:81' },
      { host: 'a.example:443' },
    ]
    expect(new Set(requests.map((changes) => named(changes))).size).toBe(requests.length)
    expect(named({ host: 'a.example:80' })).toBe(named())
    expect(named({ scheme: 'https', host: 'a.example:443' })).toBe(named({ scheme: 'https' }))
    expect(named({ host: '[::1]:80' })).toBe(named({ host: '[::1]' }))
  })

  test('a port that need not be named is told', () => {
    expect(namesDefaultPort({ scheme: 'http', host: 'a.example:80' })).toBe(true)
    expect(namesDefaultPort({ scheme: 'https', host: 'a.example:443' })).toBe(true)
    expect(namesDefaultPort({ scheme: 'https', host: 'a.example:80' })).toBe(false)
    expect(namesDefaultPort({ scheme: 'http', host: 'a.example' })).toBe(false)
    expect(namesDefaultPort({ scheme: 'http', host: undefined })).toBe(false)
  })

  test.each([undefined, '', 'a b', 'a/b', 'a.example:x', 'a@b', 'a.example, b', 'a#b', '[::1', 'a\0b', 'é'])(
    'host %j names no resource',
    (host) => {
      expect(named({ host })).toBeUndefined()
      expect(unnamed(requestOf({ host }), readHttpOptions({}))).toBe('target')
    },
  )

  test.each(['a.example', 'localhost:3000', '127.0.0.1', '[::1]:8080', 'under_score'])('host %s does', (host) => {
    expect(named({ host })).toBeDefined()
    expect(unnamed(requestOf({ host }), readHttpOptions({}))).toBeUndefined()
  })

  test.each(['http://evil.example/x', '*', '', 'x', 'evil.example:443'])('target %j names no resource', (target) => {
    expect(named({ target })).toBeUndefined()
    expect(unnamed(requestOf({ target }), readHttpOptions({}))).toBe('target')
  })

  test('many hosts do not mix', () => {
    for (let n = 0; n < 3000; n++) expect(named({ host: `h${n}` })).toContain(`h${n}`)
    expect(named({ host: 'h0' })).toContain('2:h0')
    expect(named({ scheme: 'https', host: 'h0' })).not.toBe(named({ host: 'h0' }))
  })

  test('no two resources have one text', () => {
    const part = fc.string({ unit: fc.constantFrom('a', ':', '1', '/', '?', '.') })
    const some = fc.record({
      scheme: part,
      host: fc.constantFrom('a', 'a:1', '1', 'a.1'),
      target: part.map((t) => `/${t}`),
      tenant: fc.option(part, { nil: undefined }),
    })
    const text = ({
      tenant,
      ...changes
    }: {
      scheme: string
      host: string
      target: string
      tenant: string | undefined
    }) => named({ ...changes, headers: { 'x-tenant': tenant } }, { keyHeaders: ['X-Tenant'] })
    fc.assert(
      fc.property(some, some, (one, other) => {
        const same =
          one.scheme === other.scheme &&
          one.host === other.host &&
          one.target === other.target &&
          one.tenant === other.tenant
        expect(text(one) === text(other)).toBe(same)
      }),
    )
  })
})

describe('bounds', () => {
  test('a longer target names nothing', () => {
    const target = `/${'x'.repeat(4095)}`
    expect(named({ target })).toBeDefined()
    expect(named({ target: `${target}x` })).toBeUndefined()
    expect(unnamed(requestOf({ target: `${target}x` }), readHttpOptions({}))).toBe('target-length')
    expect(named({ target: '/123' }, { maxTargetLength: 3 })).toBeUndefined()
  })

  test('nor do more parameters', () => {
    const query = (count: number) => `/?${Array.from({ length: count }, () => 'a').join('&')}`
    expect(named({ target: query(100) })).toBeDefined()
    expect(named({ target: query(101) })).toBeUndefined()
    expect(unnamed(requestOf({ target: query(101) }), readHttpOptions({}))).toBe('query-parameters')
    expect(named({ target: '/' }, { maxQueryParameters: 0 })).toBeDefined()
    expect(named({ target: '/?a' }, { maxQueryParameters: 0 })).toBeUndefined()
  })
})

describe('query', () => {
  test.each<[string, HttpCacheOptions['query'], string, string]>([
    ['allowed ones count', { allow: ['a'] }, '/x?b=2&a=1&c', '/x?a=1'],
    ['none', { allow: [] }, '/x?b=2', '/x'],
    ['others are ignored', { ignore: ['utm_*', 'gclid'] }, '/x?utm_source=n&a=1&gclid=2', '/x?a=1'],
    ['by pattern', { ignore: [/^utm/i] }, '/x?UTM=1&a', '/x?a'],
    ['by function', { allow: (name) => name.length === 1 }, '/x?a=1&bb=2', '/x?a=1'],
    ['both', { allow: ['a', 'b'], ignore: ['b'] }, '/x?a&b&c', '/x?a'],
    ['by decoded names', { ignore: ['utm'] }, '/x?%75tm=1&a', '/x?a'],
    ['a star is no dot', { ignore: ['a.b*'] }, '/x?axb=1&a.bc=2', '/x?axb=1'],
    ['names count with case', { ignore: ['utm'] }, '/x?UTM=1', '/x?UTM=1'],
    ['the order does not', { sort: true }, '/x?b=2&a=1', '/x?a=1&b=2'],
    ['that of one name does', { sort: true }, '/x?b&a=2&a=1', '/x?a=2&a=1&b'],
    ['and of one stem', { sort: true }, '/x?c&a[]=2&%61=1&a[x]=3', '/x?a[]=2&%61=1&a[x]=3&c'],
    ['empty ones never', { sort: true }, '/x?&&a&', '/x?a'],
    ['the path stays', { allow: [] }, '/x%2F/../?a', '/x%2F/../'],
  ])('%s', (_, query, target, expected) => {
    expect(keyedTarget(target, readHttpOptions({ query }).query)).toBe(expected)
  })

  test.each([
    ['a semicolon', '/x?utm=1;q=evil'],
    ['a fragment', '/x?utm=1#q=evil'],
    ['brackets', '/x?utm[q]=evil'],
    ['brackets in front', '/x?[utm]=evil'],
    ['encoded brackets', '/x?utm%5Bq%5D=evil'],
    ['a malformed name', '/x?utm%ff=evil'],
    ['a null', '/x?utm%00=evil'],
  ])('nothing is hidden by %s', (_, target) => {
    expect(keyedTarget(target, readHttpOptions({ query: { ignore: ['utm*', '*utm*'] } }).query)).toBe(target)
    expect(keyedTarget(target, readHttpOptions({ query: { allow: [] } }).query)).toBe(target)
  })

  test('a pattern does not remember, and a function that throws hides nothing', () => {
    const sticky = readHttpOptions({ query: { ignore: [/a/gy] } }).query
    for (let time = 0; time < 3; time++) expect(keyedTarget('/x?a=1', sticky)).toBe('/x')
    const allow = () => {
      throw new Error('no')
    }
    expect(keyedTarget('/x?a=1', readHttpOptions({ query: { allow } }).query)).toBe('/x?a=1')
  })

  test('what counts is what an application finds in the query, in whatever form', () => {
    const name = fc.constantFrom('a', 'b', '%61', 'a[]', 'a+', '', 'utm', 'utm[a]', '%')
    const query = fc
      .array(fc.tuple(name, fc.constantFrom('', '=', '=1', '=&', '=%26')))
      .map((parts) => parts.map((part) => part.join('')).join('&'))
    const settings = readHttpOptions({ query: { ignore: ['utm'], sort: true } }).query
    const found = (target: string) => {
      const parameters = new URL(target, 'http://a').searchParams
      parameters.delete('utm')
      return [...new Set(parameters.keys())].sort().map((each) => [each, parameters.getAll(each)])
    }
    fc.assert(
      fc.property(query, query, (one, other) => {
        const same = keyedTarget(`/?${one}`, settings) === keyedTarget(`/?${other}`, settings)
        if (same) expect(found(`/?${one}`)).toEqual(found(`/?${other}`))
        expect(keyedTarget(keyedTarget(`/?${one}`, settings), settings)).toBe(keyedTarget(`/?${one}`, settings))
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    [{ query: 'ignore' }, 'query: expected an object of options'],
    [{ query: { alow: [] } }, "unknown option 'alow'"],
    [{ query: { allow: 'a' } }, 'allow: expected a list of names and patterns, or a function, got "a"'],
    [{ query: { ignore: [5] } }, 'ignore: expected a list'],
    [{ query: { sort: 'yes' } }, 'sort: expected true or false'],
    [{ maxQueryParameters: 1001 }, 'maxQueryParameters: expected a whole number from 0 to 1000'],
    [{ maxTargetLength: 0 }, 'maxTargetLength: expected'],
    [{ keyHeaders: ['x tenant'] }, 'keyHeaders: expected a list of field names'],
  ])('%j is refused', (options, message) => {
    expect(() => readHttpOptions(options as never)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    )
  })
})

describe('QUERY (RFC 10008, section 2.7)', () => {
  const content = (text: string) => Buffer.from(text)
  const query = (changes: Partial<HttpRequest>) => named({ method: 'QUERY', content: content('q'), ...changes })

  test('the content and what describes it tell apart', () => {
    const headers = { 'content-type': 'application/json' }
    const texts = [
      query({}),
      query({ content: content('') }),
      query({ content: content('Q') }),
      query({ headers }),
      query({ headers: { 'content-encoding': 'gzip' } }),
      query({ headers: { 'content-language': 'en' } }),
      query({ target: '/other' }),
      named({}),
    ]
    expect(new Set(texts).size).toBe(texts.length)
    expect(query({ headers })).toBe(query({ headers: { ...headers, accept: 'x' } }))
  })

  test('one whose content was not read names nothing', () => {
    expect(named({ method: 'QUERY' })).toBeUndefined()
    expect(unnamed(requestOf({ method: 'QUERY' }), readHttpOptions({}))).toBe('content')
  })
})

test('urlTag: one for all pages of a URL', () => {
  const settings = readHttpOptions({ keyHeaders: ['x-tenant'], query: { ignore: ['utm'] } })
  const tag = urlTag(requestOf({ target: '/x' }), settings)
  expect(tag).toMatch(/^http:url:[\w-]{43}$/)
  expect(urlTag(requestOf({ target: '/x?utm=1', headers: { 'x-tenant': 'a' }, method: 'QUERY' }), settings)).toBe(tag)
  expect(urlTag(requestOf({ target: '/y' }), settings)).not.toBe(tag)
  expect(urlTag(requestOf({ host: undefined }), settings)).toBeUndefined()
})

describe('variantOf', () => {
  const rule = { nonce: 'n', fields: ['accept', 'accept-language'] }

  test('requests match by the named fields alone, white space aside', () => {
    const of = (headers: HttpRequest['headers']) => variantOf('r', rule, headers, AS_IT_CAME)
    expect(of({ accept: 'a,b', 'user-agent': 'x' })).toBe(of({ accept: ' a ,  b ' }))
    expect(of({ accept: ['a', 'b'] })).toBe(of({ accept: 'a, b' }))
    expect(of({ accept: 'a' })).not.toBe(of({ accept: 'b' }))
    expect(of({ accept: '' })).not.toBe(of({}))
    expect(of({ accept: '-' })).not.toBe(of({}))
  })

  test('or by what their normalisers make of them', () => {
    const { normalize } = readHttpOptions({ normalize: { 'Accept-Language': ['en', 'de'] } })
    const of = (headers: HttpRequest['headers']) => variantOf('r', rule, headers, normalize)
    expect(of({ 'accept-language': 'de-CH, de;q=0.9' })).toBe(of({ 'accept-language': 'de' }))
    expect(of({ 'accept-language': 'de' })).not.toBe(of({ 'accept-language': 'en' }))
    expect(of({ accept: 'a' })).not.toBe(of({ accept: 'b' }))
  })

  test('another nonce is another variant', () => {
    expect(variantOf('r', { ...rule, nonce: 'm' }, {}, AS_IT_CAME)).not.toBe(variantOf('r', rule, {}, AS_IT_CAME))
  })

  test('a value cannot pass for another field', () => {
    const value = fc.string({ unit: fc.constantFrom('a', ':', '+', '-', '1', '2', ',') })
    fc.assert(
      fc.property(value, value, value, value, (a, b, c, d) => {
        const one = variantOf('r', rule, { accept: a, 'accept-language': b }, AS_IT_CAME)
        const other = variantOf('r', rule, { accept: c, 'accept-language': d }, AS_IT_CAME)
        expect(one === other).toBe(a === c && b === d)
      }),
    )
  })
})
