import { expect, test } from 'vitest'
import { HttpCache } from '../../src/http/http-cache.ts'
import { readHttpOptions } from '../../src/http/options.ts'

test('the defaults are the safe ones', () => {
  expect(readHttpOptions(undefined)).toEqual({
    ttlMs: undefined,
    maxBodyBytes: 2 ** 20,
    clientDirectives: 'ignore',
    cookies: 'explicit',
  })
  expect(readHttpOptions({ ttl: undefined, cookies: undefined })).toEqual(readHttpOptions({}))
})

test.each([
  [{ tll: '1m' }, 'ERR_UNKNOWN_OPTION', "unknown option 'tll'"],
  [{ ttl: -1 }, 'ERR_INVALID_OPTION', 'httpCache.ttl: expected'],
  [{ ttl: '1 minute' }, 'ERR_INVALID_OPTION', 'got "1 minute"'],
  [{ maxBodyBytes: 1.5 }, 'ERR_INVALID_OPTION', 'httpCache.maxBodyBytes: expected a whole number'],
  [{ maxBodyBytes: 2 ** 30 }, 'ERR_INVALID_OPTION', 'httpCache.maxBodyBytes'],
  [{ clientDirectives: true }, 'ERR_INVALID_OPTION', "expected 'ignore', 'validate', 'obey', got true"],
  [{ cookies: 'allow' }, 'ERR_INVALID_OPTION', 'httpCache.cookies'],
  [[], 'ERR_INVALID_OPTION', 'httpCache'],
])('%j is refused', (options, code, message) => {
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
