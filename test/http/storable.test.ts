import { describe, expect, test } from 'vitest'
import { readHttpOptions } from '../../src/http/settings.ts'
import { candidateOf, isForAuthorized, refusalOf, withheldFields } from '../../src/http/storable.ts'
import { controlOf } from '../../src/http/targeted.ts'
import { requestOf } from './plain-exchange.ts'
import type { Fields, RequestHeaders } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

interface Given {
  readonly status?: number
  readonly control?: string
  readonly fields?: Fields
  readonly request?: RequestHeaders
  readonly options?: HttpCacheOptions
  readonly ageMs?: number
  readonly method?: string
  readonly routeMs?: number | undefined
}

function refusal(given: Given) {
  const { status = 200, control = '', fields = [], request = {}, method = 'GET', options, ageMs = 0 } = given
  const routeMs = 'routeMs' in given ? given.routeMs : 60_000
  const settings = readHttpOptions(options)
  const all: Fields = [['Cache-Control', control], ['Age', String(ageMs / 1000)], ...fields]
  const candidate = candidateOf({ status, fields: all }, settings, { now: NOW, routeMs })
  return refusalOf(requestOf({ headers: request, method }), candidate, settings)
}

const NOW = Date.UTC(2026, 5, 1, 12)
const TAGGED: Fields = [['ETag', '"a"']]

function controlFor(text: string, name = 'Cache-Control') {
  return controlOf([[name, text]], readHttpOptions({}))
}

describe('RFC 9111, section 3', () => {
  test('a fresh 200 may be stored', () => expect(refusal({})).toBeUndefined())

  test.each([200, 203, 204, 299, 301, 302, 404, 418, 500, 503])('a %i with an explicit lifetime may be', (status) => {
    expect(refusal({ status, control: 'max-age=60' })).toBeUndefined()
  })

  test.each([100, 101, 206, 304, 600])('a %i is never stored', (status) => {
    expect(refusal({ status })).toBe('status')
  })

  test.each([
    ['no-store', 'no-store'],
    ['No-Store', 'no-store'],
    ['NO-STORE="x"', 'no-store'],
    ['public, no-store', 'no-store'],
    ['private', 'private'],
    ['public, PRIVATE', 'private'],
    ['private="x", private', 'private'],
    ['no-cache', 'no-cache'],
    ['No-Cache, max-age=60', 'no-cache'],
    ['no-cache="x", no-cache', 'no-cache'],
    ['private="x-user"', undefined],
    ['no-cache="x-user"', undefined],
    ['must-revalidate', undefined],
    ['unknown=1', undefined],
  ])('Cache-Control: %s', (control, expected) => {
    expect(refusal({ control })).toBe(expected)
  })

  test('must-understand lifts no-store for statuses that are understood, and bars the others', () => {
    expect(refusal({ control: 'must-understand, no-store' })).toBeUndefined()
    expect(refusal({ control: 'must-understand, no-store', status: 299 })).toBe('status')
  })

  test('not without a lifetime, nor when it is over', () => {
    expect(refusal({ control: 'public', routeMs: undefined, fields: TAGGED })).toBe('no-lifetime')
    expect(refusal({ ageMs: 59_000 })).toBeUndefined()
    expect(refusal({ ageMs: 60_000 })).toBe('expired')
  })

  test('an hour old and fresh for one minute: of use if it can be validated, or may be served stale', () => {
    const old: Given = { control: 'max-age=60', routeMs: undefined, ageMs: 300_000 }
    expect(refusal(old)).toBe('expired')
    expect(refusal({ ...old, fields: TAGGED })).toBeUndefined()
    expect(refusal({ ...old, fields: TAGGED, options: { keep: '4m' } })).toBe('expired')
    expect(refusal({ ...old, options: { stale: '5m' } })).toBeUndefined()
    expect(refusal({ ...old, control: 'max-age=60, stale-if-error=600' })).toBeUndefined()
    expect(refusal({ ...old, control: 'max-age=60, stale-if-error=600, must-revalidate' })).toBe('expired')
  })

  test.each(['no-cache', 'max-age=0', 'max-age=60, no-cache'])(
    '%s is stored with a validator, as it can be used then (sections 4.3.1 and 5.2.2.4)',
    (control) => {
      const given: Given = { control, routeMs: undefined, fields: TAGGED, options: { zeroLifetime: 'store' } }
      expect(refusal(given)).toBeUndefined()
      expect(refusal({ ...given, options: { profile: 'conformance' } })).toBeUndefined()
      expect(refusal({ ...given, options: { zeroLifetime: 'store', keep: 0 } })).toBeDefined()
      expect(refusal({ ...given, fields: [], options: { zeroLifetime: 'store' } })).toBeDefined()
    },
  )

  test.each([
    ['no-cache', 'no-cache'],
    ['public, max-age=60, no-cache', 'no-cache'],
    ['public, max-age=0', 'zero-lifetime'],
    ['s-maxage=0, max-age=60', 'zero-lifetime'],
    ['max-age=soon', 'zero-lifetime'],
    ['max-age=0, stale-while-revalidate=5, must-revalidate', 'zero-lifetime'],
    ['max-age=0, stale-while-revalidate=5', undefined],
    ['max-age=0, stale-if-error=5', undefined],
  ])('but by default what says %s is not', (control, expected) => {
    const options: HttpCacheOptions = { stale: '1m', staleIfError: '1h' }
    expect(refusal({ control, routeMs: undefined, fields: TAGGED, options })).toBe(expected)
  })

  test('nor is what has expired before it came, or what its route gives no time; what an option gives none, is', () => {
    const past: Fields = [['Expires', '0'], ...TAGGED]
    expect(refusal({ control: 'public', routeMs: undefined, fields: past })).toBe('zero-lifetime')
    expect(refusal({ routeMs: 0, fields: TAGGED })).toBe('zero-lifetime')
    expect(refusal({ routeMs: undefined, fields: TAGGED, options: { ttl: 0 } })).toBeUndefined()
  })

  test.each([
    ['GET', undefined],
    ['QUERY', undefined],
    ['HEAD', 'method'],
    ['POST', 'method'],
    ['PUT', 'method'],
    ['get', 'method'],
  ])('the response to a %s', (method, expected) => {
    expect(refusal({ method })).toBe(expected)
  })

  test('that to a POST where it stands for a GET (RFC 9110, section 9.3.3)', () => {
    const fields: Fields = [['Content-Location', requestOf().target]]
    expect(refusal({ method: 'POST', fields })).toBe('method')
    expect(refusal({ method: 'POST', fields, options: { storePost: true } })).toBeUndefined()
    expect(refusal({ method: 'POST', options: { storePost: true } })).toBe('method')
    expect(refusal({ method: 'PUT', fields, options: { storePost: true } })).toBe('method')
  })
})

describe('targeted fields (RFC 9213)', () => {
  const targeted = (text: string, more: Partial<Given> = {}) =>
    refusal({ control: 'no-store', routeMs: undefined, ...more, fields: [['CDN-Cache-Control', text]] })

  test.each([
    ['max-age=60', undefined],
    ['max-age=60, no-store', 'no-store'],
    ['max-age=60, private', 'private'],
    ['max-age=60, no-cache', 'no-cache'],
    ['max-age=0', 'zero-lifetime'],
    ['none', 'no-lifetime'],
    ['', 'no-store'],
    ['max-age=60;', 'no-store'],
  ])('%s', (text, expected) => {
    expect(targeted(text)).toBe(expected)
  })

  test('say that a response to a request with cookies may be shared, not one to a request with Authorization', () => {
    expect(targeted('max-age=60', { request: { cookie: 'a=1' } })).toBeUndefined()
    expect(targeted('max-age=60', { request: { authorization: 'a' } })).toBe('authorization')
    expect(targeted('max-age=60, public', { request: { authorization: 'a' } })).toBeUndefined()
  })
})

describe('what is one user’s', () => {
  test('Set-Cookie is not stored, whatever Cache-Control says, unless the option does', () => {
    const cookies: Given = { control: 'public, s-maxage=60', fields: [['set-Cookie', ['a=1', 'b=2']]] }
    expect(refusal(cookies)).toBe('set-cookie')
    expect(refusal({ ...cookies, control: 'no-cache="set-cookie"' })).toBe('set-cookie')
    expect(refusal({ fields: [['Set-Cookie2', 'a=1']] })).toBe('set-cookie')
    expect(refusal({ ...cookies, options: { setCookie: 'strip' } })).toBeUndefined()
    expect(refusal({ ...cookies, options: { profile: 'conformance' } })).toBeUndefined()
  })

  test.each([
    ['', 'authorization'],
    ['max-age=60', 'authorization'],
    ['public', undefined],
    ['S-MaxAge=60', undefined],
    ['must-revalidate', undefined],
  ])('Authorization and %j (section 3.5)', (control, expected) => {
    expect(refusal({ control, request: { authorization: 'Basic x' } })).toBe(expected)
    expect(isForAuthorized(controlFor(control))).toBe(expected === undefined)
  })

  test.each([
    ['', 'cookie'],
    ['max-age=60', 'cookie'],
    ['must-revalidate', 'cookie'],
    ['public', undefined],
    ['s-maxage=60', undefined],
  ])('Cookie and %j', (control, expected) => {
    expect(refusal({ control, request: { cookie: 'sid=1' } })).toBe(expected)
    expect(refusal({ control, request: { cookie: 'sid=1' }, options: { cookies: 'ignore' } })).toBeUndefined()
  })
})

test.each([
  ['text/event-stream', 'endless'],
  ['TEXT/Event-Stream ; charset=utf-8', 'endless'],
  ['multipart/x-mixed-replace;boundary="x"', 'endless'],
  ['text/event-streams', undefined],
  ['text/html; note=text/event-stream', undefined],
  ['', undefined],
])('streams without an end are not stored: Content-Type: %s', (type, expected) => {
  expect(refusal({ control: 'public, max-age=60', fields: [['content-type', type]] })).toBe(expected)
})

test('Vary: *, trailers, codings of the transfer and too long bodies are not stored', () => {
  expect(refusal({ fields: [['Vary', 'Accept, *']] })).toBe('vary')
  expect(refusal({ control: 'private="vary"', fields: [['Vary', 'Accept']] })).toBe('vary')
  expect(refusal({ control: 'no-cache="VARY"', fields: [['Vary', 'Accept']] })).toBe('vary')
  expect(refusal({ control: 'private="content-encoding"', fields: [['Content-Encoding', 'gzip']] })).toBe('coding')
  expect(refusal({ control: 'private="content-encoding"' })).toBeUndefined()
  expect(
    refusal({
      fields: [
        ['Vary', 'Accept'],
        ['Connection', 'close, vary'],
      ],
    }),
  ).toBe('vary')
  expect(refusal({ control: 'private="vary"' })).toBeUndefined()
  expect(refusal({ fields: [['Trailer', 'Digest']] })).toBe('trailers')
  expect(refusal({ fields: [['Transfer-Encoding', 'gzip, chunked']] })).toBe('coding')
  expect(refusal({ fields: [['Transfer-Encoding', 'Chunked']] })).toBeUndefined()
  expect(refusal({ fields: [['Content-Length', '11']], options: { maxBodyBytes: 10 } })).toBe('too-large')
  expect(refusal({ fields: [['Content-Length', '10']], options: { maxBodyBytes: 10 } })).toBeUndefined()
})

test('withheld are fields named by private and no-cache, and cookies unless they are replayed', () => {
  const control = controlFor('private="X-User", no-cache="x-a, X-B"')
  const named = ['x-user', 'x-a', 'x-b']
  expect(withheldFields(control, { setCookie: 'strip' })).toEqual(['set-cookie', 'set-cookie2', ...named])
  expect(withheldFields(control, { setCookie: 'refuse' })).toEqual(['set-cookie', 'set-cookie2', ...named])
  expect(withheldFields(control, { setCookie: 'replay' })).toEqual(named)
  const targeted = controlFor('private="x-user", no-cache', 'Tiercache-Control')
  expect(withheldFields(targeted, { setCookie: 'replay' })).toEqual(['x-user'])
})
