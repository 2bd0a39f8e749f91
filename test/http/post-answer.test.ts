import { expect, test } from 'vitest'
import { isPostAnswer } from '../../src/http/post-answer.ts'
import { requestOf } from './plain-exchange.ts'
import type { Lifetime } from '../../src/http/lifetime.ts'
import type { HttpRequest, ResponseHead } from '../../src/http/message.ts'

const request = requestOf({ method: 'POST', scheme: 'https', host: 'example.org', target: '/a/b?c' })
const explicit: Lifetime = { ms: 60_000, source: 'explicit' }

function answers(references: string[], changes: Partial<HttpRequest> = {}, head: Partial<ResponseHead> = {}) {
  const fields = [['Content-Location', references] as const]
  return isPostAnswer({ ...request, ...changes }, { status: 200, fields, ...head }, explicit)
}

test.each(['/a/b?c', 'b?c', '?c', 'https://example.org/a/b?c', 'https://EXAMPLE.org:443/a/b?c', '//example.org/a/b?c'])(
  'Content-Location: %s names the target (RFC 9110, section 8.7)',
  (reference) => {
    expect(answers([reference])).toBe(true)
  },
)

test.each([
  [['/a/b']],
  [['/a/b?d']],
  [['http://example.org/a/b?c']],
  [['https://example.com/a/b?c']],
  [['https://[']],
  [['/a/b?c', '/a/b?c']],
  [[]],
])('Content-Location: %j does not', (references) => {
  expect(answers(references)).toBe(false)
})

test('a target never names a host', () => {
  expect(answers(['//evil.example/x'], { target: '//evil.example/x' })).toBe(false)
  expect(answers(['/x'], { target: '/x', host: undefined })).toBe(false)
  expect(answers(['x'], { target: '*' })).toBe(false)
})

test.each([201, 204, 206, 303, 404])('a %i is none', (status) => {
  expect(answers(['/a/b?c'], {}, { status })).toBe(false)
})

test('nor is one without explicit freshness (RFC 9110, section 9.3.3)', () => {
  const head: ResponseHead = { status: 200, fields: [['Content-Location', '/a/b?c']] }
  expect(isPostAnswer(request, head, { ms: 60_000, source: 'route' })).toBe(true)
  expect(isPostAnswer(request, head, { ms: 60_000, source: 'default' })).toBe(false)
  expect(isPostAnswer(request, head, { ms: 60_000, source: 'heuristic' })).toBe(false)
  expect(isPostAnswer(request, head, undefined)).toBe(false)
})
