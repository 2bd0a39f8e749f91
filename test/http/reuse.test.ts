import { expect, test } from 'vitest'
import { readHttpOptions } from '../../src/http/settings.ts'
import { mayReuse } from '../../src/http/reuse.ts'
import { requestOf } from './plain-exchange.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { StoredResponse } from '../../src/http/stored-response.ts'

const NOW = 1_000_000
const stored: StoredResponse = {
  kind: 'response',
  resource: 'r',
  status: 200,
  fields: [],
  unsent: [],
  body: new Uint8Array(),
  bornAt: NOW - 10_000,
  freshUntil: NOW + 50_000,
  forAuthorized: false,
  whileRevalidateMs: 0,
  ifErrorMs: 0,
  mustRevalidate: false,
  retentionMs: 0,
  tags: [],
  taggedHere: false,
}

function reuse(headers: Record<string, string>, options: HttpCacheOptions = {}, changes: Partial<StoredResponse> = {}) {
  return mayReuse(requestOf({ headers }), 'r', { ...stored, ...changes }, 'fresh', readHttpOptions(options), NOW)
}

test('a stored response is for its own resource, and for credentials only if it says so', () => {
  expect(reuse({})).toBe('serve')
  expect(reuse({}, {}, { resource: 's' })).toBe('mismatch')
  expect(reuse({ authorization: 'x' })).toBe('authorization')
  expect(reuse({ authorization: 'x' }, {}, { forAuthorized: true })).toBe('serve')
  expect(reuse({ cookie: 'x' })).toBe('serve')
})

// RFC 9111, section 5.2.1; the stored response is 10 s old and fresh for 50 s more.
test.each([
  ['no-cache', 'revalidate', 'revalidate'],
  ['No-Cache', 'revalidate', 'revalidate'],
  ['max-age=0', 'revalidate', 'revalidate'],
  ['max-age="0"', 'revalidate', 'revalidate'],
  ['max-age=9', 'serve', 'revalidate'],
  ['max-age=10', 'serve', 'serve'],
  ['max-age=20, max-age=5', 'serve', 'revalidate'],
  ['max-age=soon', 'revalidate', 'revalidate'],
  ['min-fresh=50', 'serve', 'serve'],
  ['min-fresh=51', 'serve', 'revalidate'],
  ['min-fresh=soon', 'serve', 'serve'],
  ['max-stale', 'serve', 'serve'],
])('%s: %s when validating, %s when obeying, nothing when ignoring', (control, validate, obey) => {
  const headers = { 'cache-control': control }
  expect(reuse(headers)).toBe('serve')
  expect(reuse(headers, { clientDirectives: 'validate' })).toBe(validate)
  expect(reuse(headers, { clientDirectives: 'obey' })).toBe(obey)
})

test('immutable: a reload need not ask while it is fresh; no-cache does (RFC 8246, section 2)', () => {
  const fields: StoredResponse['fields'] = [['Cache-Control', 'max-age=60, Immutable']]
  for (const clientDirectives of ['validate', 'obey'] as const) {
    const judged = (control: string, changes: Partial<StoredResponse>) =>
      reuse({ 'cache-control': control }, { clientDirectives }, changes)
    expect(judged('max-age=0', { fields })).toBe('serve')
    expect(judged('no-cache', { fields })).toBe('revalidate')
    expect(judged('max-age=0', { fields, freshUntil: NOW, whileRevalidateMs: 60_000 })).toBe('revalidate')
    const unsent: StoredResponse['fields'] = [['Tiercache-Control', 'max-age=60']]
    expect(judged('max-age=0', { fields, unsent })).toBe('revalidate')
  }
  expect(reuse({ 'cache-control': 'max-age=9' }, { clientDirectives: 'obey' }, { fields })).toBe('revalidate')
})

test('Pragma is nothing', () => {
  expect(reuse({ pragma: 'no-cache' }, { clientDirectives: 'obey' })).toBe('serve')
})
