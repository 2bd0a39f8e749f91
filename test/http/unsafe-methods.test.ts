import fc from 'fast-check'
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
  ['http://a.example/x/../%79?z#w', ['/x/../%79?z', '/%79?z']],
  ['http://a.example', ['/']],
  ['http://a.example?y', ['/?y']],
  ['/./x', ['/./x', '/x']],
  ['http://user@a.example/x', ['/x']],
  ['http://a.example@b.example/x', []],
  ['', []],
])('Location: %s', (location, expected) => {
  expect(targets(201, [['Location', location]])).toEqual(['/a/b?c', ...expected])
  expect(targets(201, [['content-location', location]])).toEqual(['/a/b?c', ...expected])
})

test('a host that is none makes nothing but the target invalid', () => {
  const request = requestOf({ method: 'POST', host: 'a b', target: '/x' })
  expect(invalidatedTargets(request, { status: 201, fields: [['Location', '/y']] })).toEqual(['/x'])
})

test('a target that is a whole URL is read as one (RFC 9112, section 3.2.2)', () => {
  const of = (target: string, fields: Fields = []) =>
    invalidatedTargets(requestOf({ method: 'POST', target }), { status: 200, fields })
  expect(of('http://a.example/x?y')).toEqual(['/x?y'])
  // An application goes by the path and by Host, whatever the URL says.
  expect(of('http://b.example/x')).toEqual(['/x'])
  expect(of('http://b.example/x', [['Location', 'http://b.example/y']])).toEqual(['/x'])
  expect(of('*')).toEqual(['*'])
})

test('a target with two slashes in front is a path, and Location relative to it has our origin', () => {
  const request = requestOf({ method: 'POST', target: '//b.example/x' })
  expect(invalidatedTargets(request, { status: 200, fields: [['Location', '/y']] })).toEqual(['//b.example/x', '/y'])
})

test('never throws on what clients and applications write', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, text, (host, target, location) => {
      const request = requestOf({ method: 'POST', host, target })
      expect(invalidatedTargets(request, { status: 200, fields: [['Location', location]] })).toBeInstanceOf(Array)
    }),
  )
})
