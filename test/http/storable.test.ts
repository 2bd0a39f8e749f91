import { describe, expect, test } from 'vitest'
import { parseCacheControl } from '../../src/http/cache-control.ts'
import { readHttpOptions } from '../../src/http/options.ts'
import { isForAuthorized, refusalOf, withheldFields } from '../../src/http/storable.ts'
import type { Fields, RequestHeaders } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

interface Given {
  readonly status?: number
  readonly control?: string
  readonly fields?: Fields
  readonly request?: RequestHeaders
  readonly options?: HttpCacheOptions
  readonly ageMs?: number
}

function refusal({ status = 200, control = '', fields = [], request = {}, options, ageMs = 0 }: Given) {
  const candidate = {
    head: { status, fields },
    control: parseCacheControl(control),
    lifetime: { ms: 60_000, source: 'explicit' as const },
    initialAgeMs: ageMs,
  }
  return refusalOf(request, candidate, readHttpOptions(options))
}

describe('RFC 9111, section 3', () => {
  test('a fresh 200 may be stored', () => expect(refusal({})).toBeUndefined())

  test.each([200, 203, 204, 299, 301, 302, 404, 418, 500, 503])('a %i with an explicit lifetime may be', (status) => {
    expect(refusal({ status })).toBeUndefined()
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
    const head = { status: 200, fields: [] }
    const control = parseCacheControl('')
    const settings = readHttpOptions(undefined)
    expect(refusalOf({}, { head, control, lifetime: undefined, initialAgeMs: 0 }, settings)).toBe('no-lifetime')
    expect(refusal({ ageMs: 60_000 })).toBe('expired')
  })
})

describe('what is one user’s', () => {
  test('Set-Cookie is never stored, whatever Cache-Control says', () => {
    expect(refusal({ control: 'public, s-maxage=60', fields: [['set-Cookie', ['a=1', 'b=2']]] })).toBe('set-cookie')
  })

  test.each([
    ['', 'authorization'],
    ['max-age=60', 'authorization'],
    ['public', undefined],
    ['S-MaxAge=60', undefined],
    ['must-revalidate', undefined],
  ])('Authorization and %j (section 3.5)', (control, expected) => {
    expect(refusal({ control, request: { authorization: 'Basic x' } })).toBe(expected)
    expect(isForAuthorized(parseCacheControl(control))).toBe(expected === undefined)
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

test('Vary: *, trailers and too long bodies are not stored', () => {
  expect(refusal({ fields: [['Vary', 'Accept, *']] })).toBe('vary')
  expect(refusal({ fields: [['Trailer', 'Digest']] })).toBe('trailers')
  expect(refusal({ fields: [['Content-Length', '11']], options: { maxBodyBytes: 10 } })).toBe('too-large')
  expect(refusal({ fields: [['Content-Length', '10']], options: { maxBodyBytes: 10 } })).toBeUndefined()
})

test('fields named by private and no-cache are withheld', () => {
  expect(withheldFields(parseCacheControl('private="X-User", no-cache="x-a, X-B"'))).toEqual(['x-user', 'x-a', 'x-b'])
})
