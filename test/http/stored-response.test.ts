import { expect, test } from 'vitest'
import { ageSeconds, isIntact, keep, storedVary, ttlSeconds } from '../../src/http/stored-response.ts'
import type { Fields } from '../../src/http/message.ts'

function kept(fields: Fields, status = 200, withheld: string[] = [], targeted: string[] = []) {
  const rules = {
    whileRevalidateMs: 0,
    ifErrorMs: 0,
    mustRevalidate: false,
    retentionMs: 0,
    tags: [],
    taggedHere: false,
  }
  const keeping = {
    resource: 'r',
    bornAt: 1000,
    freshUntil: 61_000,
    forAuthorized: false,
    ...rules,
    withheld,
    targeted,
  }
  return keep({ status, fields }, Buffer.from('abc'), keeping)
}

test('fields of the connection and those withheld are left out (RFC 9111, section 3.1)', () => {
  const fields: Fields = [
    ['Connection', 'close, X-Hop'],
    ['x-hop', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['Proxy-Authenticate', 'Basic'],
    ['Set-Cookie', ['a=1']],
    ['Age', '5'],
    ['X-User', 'ada'],
    ['Content-Length', '99'],
    ['Link', ['<a>', '<b>']],
    ['Content-Type', 'text/plain'],
  ]
  expect(kept(fields, 200, ['x-user', 'set-cookie']).fields).toEqual([
    ['Link', ['<a>', '<b>']],
    ['Content-Type', 'text/plain'],
    ['Content-Length', '3'],
  ])
})

test('fields that speak to this cache alone are kept apart', () => {
  const stored = kept([['CDN-Cache-Control', 'max-age=5']], 204, [], ['cdn-cache-control'])
  expect(stored).toMatchObject({ fields: [], unsent: [['CDN-Cache-Control', 'max-age=5']] })
})

test('a 204 has no length', () => {
  expect(kept([], 204).fields).toEqual([])
})

test('age and lifetime in whole seconds; a clock that went back makes no negative age', () => {
  const stored = kept([])
  expect(ageSeconds(stored, 11_999)).toBe(10)
  expect(ttlSeconds(stored, 11_999)).toBe(49)
  expect(ageSeconds(stored, 0)).toBe(0)
})

test('storedVary', () => {
  expect(storedVary(kept([['Vary', 'B, a']]))).toEqual(['a', 'b'])
  expect(storedVary(kept([]))).toEqual([])
})

test('isIntact: what others put into the store is not sent', () => {
  const good = kept([['X', ['a', 'b']]])
  expect(isIntact(good)).toBe(true)
  const bad: Record<string, unknown>[] = [
    { status: '200' },
    { status: 999 },
    { status: 101 },
    { message: 'a\r\nb' },
    { fields: {} },
    { unsent: undefined },
    { unsent: [['X', 'a\r\nb']] },
    { fields: [['X']] },
    { fields: [['X Y', 'a']] },
    { fields: [['X', 'a\r\nSet-Cookie: b']] },
    { fields: [['X', ['a', 5]]] },
    { fields: [null] },
    { body: 'abc' },
    { bornAt: Number.NaN },
    { freshUntil: '5' },
    { resource: 5 },
    { retentionMs: '5' },
    { tags: 'a' },
    { tags: [5] },
  ]
  for (const change of bad) expect(isIntact({ ...good, ...change } as never)).toBe(false)
})
