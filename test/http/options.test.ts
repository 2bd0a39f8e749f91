import { expect, test } from 'vitest'
import { HttpCache } from '../../src/http/http-cache.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import type { NegativeTtl } from '../../src/http/negative-ttl.ts'

/** Defaults that a literal can say are compared with docs/reference/options.md in options-page.test.ts. */
test('what is not said is the safe profile, which assumes nothing', () => {
  expect(readHttpOptions(undefined)).toMatchObject({
    profile: 'safe',
    ttlMs: undefined,
    negativeTtlMs: new Map(),
    staleIfErrorMs: undefined,
    waitTimeoutMs: undefined,
    query: { counts: undefined, sort: false },
    keyHeaders: [],
    normalize: { by: new Map(), byCoding: false },
  })
  expect(readHttpOptions({ ttl: undefined, cookies: undefined, profile: undefined })).toEqual(readHttpOptions({}))
  expect(readHttpOptions({ profile: 'safe' })).toEqual(readHttpOptions({}))
})

test('the conformance profile allows what HTTP allows, less what is given beside it', () => {
  const conformance = {
    ...readHttpOptions({}),
    profile: 'conformance',
    heuristic: 0.1,
    clientDirectives: 'obey',
    setCookie: 'replay',
    storePost: true,
    zeroLifetime: 'store',
    audit: 'warn',
  }
  expect(readHttpOptions({ profile: 'conformance' })).toEqual(conformance)
  expect(readHttpOptions({ setCookie: 'strip', storePost: undefined, profile: 'conformance' })).toEqual({
    ...conformance,
    setCookie: 'strip',
  })
})

test('settings are frozen', () => {
  expect(Object.isFrozen(readHttpOptions({}))).toBe(true)
  expect(Object.isFrozen(readHttpOptions({ ttl: 1 }))).toBe(true)
})

test('negativeTtl: one duration for the failures that may be assumed to last, or one for each status', () => {
  const read = (negativeTtl: NegativeTtl) => [...readHttpOptions({ negativeTtl }).negativeTtlMs]
  expect(read('1s')).toEqual([404, 405, 410, 414, 501].map((status) => [status, 1000]))
  expect(read({ seconds: 2 })).toEqual([404, 405, 410, 414, 501].map((status) => [status, 2000]))
  expect(read({ 404: '10s', 503: 1, 410: undefined as never })).toEqual([
    [404, 10_000],
    [503, 1],
  ])
})

test('targeted: names without regard to case, or none', () => {
  expect(readHttpOptions({ targeted: ['Edge-Cache-Control'] }).targeted).toEqual(['edge-cache-control'])
  expect(readHttpOptions({ targeted: [] }).targeted).toEqual([])
})

test.each([
  [{ tll: '1m' }, 'ERR_UNKNOWN_OPTION', "unknown option 'tll'"],
  [{ ttl: -1 }, 'ERR_INVALID_OPTION', 'ttl: expected'],
  [{ ttl: '1 minute' }, 'ERR_INVALID_OPTION', 'got "1 minute"'],
  [{ profile: 'fast' }, 'ERR_INVALID_OPTION', "profile: expected 'safe', 'conformance', got"],
  [{ negativeTtl: 'soon' }, 'ERR_INVALID_OPTION', 'negativeTtl: expected'],
  [{ negativeTtl: {} }, 'ERR_INVALID_OPTION', 'negativeTtl: expected'],
  [{ negativeTtl: { 200: '1s' } }, 'ERR_INVALID_OPTION', 'negativeTtl: expected a duration by status (400 to 599)'],
  [
    { negativeTtl: { 404: '1s', minutes: 1 } },
    'ERR_INVALID_OPTION',
    'a duration by status (400 to 599), got "minutes"',
  ],
  [{ negativeTtl: { 404: 'soon' } }, 'ERR_INVALID_OPTION', 'negativeTtl.404: expected'],
  [{ heuristic: 10 }, 'ERR_INVALID_OPTION', 'heuristic: expected a number from 0 to 1, got 10'],
  [{ heuristic: true }, 'ERR_INVALID_OPTION', 'heuristic'],
  [{ stale: '1w' }, 'ERR_INVALID_OPTION', 'stale: expected'],
  [{ staleIfError: null }, 'ERR_INVALID_OPTION', 'staleIfError: expected'],
  [{ keep: false }, 'ERR_INVALID_OPTION', 'keep: expected'],
  [{ hardTimeout: 'never' }, 'ERR_INVALID_OPTION', 'hardTimeout: expected a duration of at least 1 ms, with an end'],
  [{ waitTimeout: 'never' }, 'ERR_INVALID_OPTION', 'waitTimeout: expected a duration of at least 0 ms, with an end'],
  [{ maxBodyBytes: 1.5 }, 'ERR_INVALID_OPTION', 'maxBodyBytes: expected a whole number'],
  [{ maxBodyBytes: 2 ** 30 }, 'ERR_INVALID_OPTION', 'maxBodyBytes'],
  [{ clientDirectives: true }, 'ERR_INVALID_OPTION', "expected 'ignore', 'validate', 'obey', got true"],
  [{ cookies: 'allow' }, 'ERR_INVALID_OPTION', 'cookies'],
  [{ setCookie: 'store' }, 'ERR_INVALID_OPTION', "setCookie: expected 'refuse', 'strip', 'replay'"],
  [{ storePost: 1 }, 'ERR_INVALID_OPTION', 'storePost: expected true or false'],
  [{ targeted: 'CDN-Cache-Control' }, 'ERR_INVALID_OPTION', 'targeted: expected a list of field names'],
  [{ targeted: ['Cache-Control'] }, 'ERR_INVALID_OPTION', 'targeted'],
  [{ targeted: [1n] }, 'ERR_INVALID_OPTION', 'targeted'],
  [{ targeted: [''] }, 'ERR_INVALID_OPTION', 'targeted'],
  [{ harmless: [Object.create(null)] }, 'ERR_INVALID_OPTION', 'harmless: expected a list of field names'],
  [[], 'ERR_INVALID_OPTION', 'httpCache: expected an object'],
  [null, 'ERR_INVALID_OPTION', 'httpCache: expected an object'],
])('%o is refused', (options, code, message) => {
  expect(() => readHttpOptions(options as never)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

test('so is a cache that is none', () => {
  const error = expect.objectContaining({
    code: 'ERR_INVALID_ARGUMENT',
    message: expect.stringContaining('createCache'),
  })
  for (const cache of [undefined, null, {}, 'redis://']) expect(() => new HttpCache(cache as never, {})).toThrow(error)
})

test('tags: a list that is checked at once, or a function', () => {
  const tagsOf = () => ['a']
  expect(readHttpOptions({ tags: ['a', 'a', 'b'] }).tags).toEqual(['a', 'b'])
  expect(readHttpOptions({ tags: tagsOf }).tags).toBe(tagsOf)
  expect(() => readHttpOptions({ tags: [''] })).toThrow('tag: expected a well-formed text')
  expect(() => readHttpOptions({ tags: 'a' as never })).toThrow('tags: expected a list of tags, or a function, got "a"')
})

test('names of fields and hosts: without regard to case', () => {
  expect(readHttpOptions({ harmless: ['X-Request-ID'], hosts: ['Shop.example', 'LOCALHOST:3000'] })).toMatchObject({
    harmless: ['x-request-id'],
    hosts: ['shop.example', 'localhost:3000'],
  })
  expect(() => readHttpOptions({ harmless: ['a b'] })).toThrow('harmless: expected a list of field names')
  expect(() => readHttpOptions({ harmless: 'x-a' as never })).toThrow('harmless: expected a list of field names, got')
  expect(() => readHttpOptions({ hosts: ['https://shop.example'] })).toThrow('hosts: expected a list of hosts such as')
  expect(() => readHttpOptions({ audit: 'no' as never })).toThrow(/^audit: expected 'guard', 'strict', 'vary', 'warn'/)
})
