import { expect, test } from 'vitest'
import { invalidatedTargets, isSafe } from '../../src/http/unsafe-methods.ts'
import { requestOf } from './plain-exchange.ts'
import type { Fields } from '../../src/http/message.ts'

function targets(status: number, fields: Fields = []) {
  return invalidatedTargets(requestOf({ method: 'POST', target: '/a/b?c' }), { status, fields })
}

test('registered safe methods are safe, unknown ones are not', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']) expect(isSafe(method)).toBe(true)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'get', 'constructor'])
    expect(isSafe(method)).toBe(false)
})

test('a response that is no error makes its target invalid (RFC 9111, section 4.4)', () => {
  for (const status of [200, 201, 204, 303, 304, 399]) expect(targets(status)).toEqual(['/a/b?c'])
  for (const status of [400, 404, 409, 500]) expect(targets(status)).toEqual([])
})

test.each([
  ['/x?y#z', ['/x?y']],
  ['x', ['/a/x']],
  ['?y', ['/a/b?y']],
  ['http://a.example/x', ['/x']],
  ['HTTP://A.example:80/x', ['/x']],
  ['//a.example/x', ['/x']],
  ['/ü', ['/ü', '/%C3%BC']],
  ['http://b.example/x', []],
  ['https://a.example/x', []],
  ['http://a.example:81/x', []],
  ['//b.example/x', []],
  ['http://[', []],
  ['javascript:x', []],
])('Location: %s', (location, expected) => {
  expect(targets(201, [['Location', location]])).toEqual(['/a/b?c', ...expected])
  expect(targets(201, [['content-location', location]])).toEqual(['/a/b?c', ...expected])
})

test('a host that is none makes nothing but the target invalid', () => {
  const request = requestOf({ method: 'POST', host: 'a b', target: '/x' })
  expect(invalidatedTargets(request, { status: 201, fields: [['Location', '/y']] })).toEqual(['/x'])
})
