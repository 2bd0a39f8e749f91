import { expect, test, vi } from 'vitest'
import { httpRefusals } from '../../src/counters/http-counters.ts'
import { createCache } from '../../src/create-cache.ts'
import { GuardWarnings } from '../../src/http/guard-warnings.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { ask, requestOf } from './plain-exchange.ts'

function heard(isOn = true) {
  const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  return { warnings: new GuardWarnings(isOn), said: () => emitted.mock.calls.map(([message]) => String(message)) }
}

test('one warning of a kind, with the path and no query', () => {
  const { warnings, said } = heard()
  for (const target of ['/account?token=secret', '/other']) warnings.refused('cookie', requestOf({ target }))
  expect(said()).toEqual([
    expect.stringMatching(/^the response to GET \/account is not stored: its request has Cookie: .*cookies: 'ignore'$/),
  ])
})

/** What is meant so, and `audit` and `tags`, which have warnings of their own. */
const SILENT = [
  'no-lifetime',
  'expired',
  'no-store',
  'private',
  'no-cache',
  'status',
  'method',
  'endless',
  'skip',
  'first-sight',
]
SILENT.push('head', 'range', 'request-no-store', 'precondition', 'mismatch', 'audit', 'tags')

test.each(httpRefusals.filter((detail) => !SILENT.includes(detail)))('%s is warned of', (detail) => {
  const { warnings, said } = heard()
  warnings.refused(detail, requestOf())
  expect(said()).toEqual([expect.stringMatching(/^the response to GET \/ is not stored: /)])
})

test('what applications say on purpose needs no warning', () => {
  const { warnings, said } = heard()
  for (const detail of SILENT) warnings.refused(detail, requestOf())
  expect(said()).toEqual([])
})

test('fields that were read are named, some of them, each set once', () => {
  const { warnings, said } = heard()
  warnings.audited(['x-tenant'], requestOf())
  warnings.audited(['x-tenant'], requestOf())
  warnings.unkeyed(
    Array.from({ length: 9 }, (_, index) => `x-${index}`),
    requestOf({ target: `/${'a'.repeat(100)}` }),
  )
  warnings.badTags(2, requestOf())
  expect(said()).toEqual([
    'the response to GET / is not stored: its handler read x-tenant, not in the key: name it in Vary, or in the option harmless if no response depends on it',
    expect.stringMatching(
      /^the response to GET \/a{79}… may go to clients that it is not for: .* x-7 and 1 more, not in/,
    ),
    'the response to GET / has 2 bad tags in Surrogate-Key or Cache-Tag, left out: a tag is a well-formed text of 1 to 512 bytes of UTF-8',
  ])
})

test('a cookie that was read is told of once for each part of a site, beside other fields', () => {
  const { warnings, said } = heard()
  for (const target of ['/pub/1?a', '/pub/2', '/me']) warnings.unkeyed(['cookie', 'x-a'], requestOf({ target }))
  expect(said()).toEqual([
    expect.stringMatching(
      /^the response to GET \/pub\/1 may go to clients .*: its handler read Cookie: .*Vary: Cookie/,
    ),
    expect.stringMatching(/: its handler read x-a, not in/),
    expect.stringMatching(/^the response to GET \/me may go/),
  ])
})

test('what the option tags has thrown is told', () => {
  const { warnings, said } = heard()
  warnings.tagsFailed(new TypeError('no id'), requestOf())
  expect(said()).toEqual([
    expect.stringMatching(/^the response to GET \/ is not stored: .*option tags .*TypeError: no id/),
  ])
})

test('they are bounded, and off in production', () => {
  const { warnings, said } = heard()
  for (let name = 0; name < 1000; name++) warnings.audited([`x-${name}`], requestOf())
  expect(said()).toHaveLength(64)
  vi.stubEnv('NODE_ENV', 'production')
  const silent = new GuardWarnings()
  vi.stubEnv('NODE_ENV', 'development')
  silent.refused('cookie', requestOf())
  expect(said()).toHaveLength(64)
  new GuardWarnings().refused('cookie', requestOf())
  expect(said()).toHaveLength(65)
  vi.unstubAllEnvs()
})

test('several response caches over one cache warn once of one cause', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const cache = createCache()
  const page = { fields: [['Vary', '*']] as const }
  for (const engine of [new HttpCache(cache, { ttl: '1m' }), new HttpCache(cache.namespace('pages'), { ttl: '1m' })]) {
    await ask(engine, requestOf(), () => page)
  }
  expect(warned).toHaveBeenCalledTimes(1)
  await cache.close()
  const another = createCache()
  await ask(new HttpCache(another, { ttl: '1m' }), requestOf(), () => page)
  expect(warned).toHaveBeenCalledTimes(2)
  await another.close()
  warned.mockRestore()
})
