import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Keys, resourceOf, variantOf } from '../../src/http/request-key.ts'
import type { HttpRequest } from '../../src/http/message.ts'

function request(changes: Partial<HttpRequest> = {}): HttpRequest {
  const plain = { method: 'GET', scheme: 'http', host: 'a.example', target: '/x', headers: {}, foreignHost: false }
  return { ...plain, ...changes }
}

describe('resourceOf', () => {
  test('the host is compared without case, the target as it came', () => {
    expect(resourceOf(request({ host: 'A.Example:80' }))).toBe(resourceOf(request({ host: 'a.example:80' })))
    const targets = ['/x', '/X', '/x?', '/x?a=1', '/%78', '//x', '/./x', '/x/', '/x;y', '/x?a=1&b=2', '/x?b=2&a=1']
    expect(new Set(targets.map((target) => resourceOf(request({ target })))).size).toBe(targets.length)
  })

  test('scheme, host and port tell resources apart', () => {
    const requests = [
      request(),
      request({ scheme: 'https' }),
      request({ host: 'b.example' }),
      request({ host: 'a.example:80' }),
    ]
    expect(new Set(requests.map(resourceOf)).size).toBe(requests.length)
  })

  test.each([undefined, '', 'a b', 'a/b', 'a.example:x', 'a@b', 'a.example, b', 'a#b', '[::1', 'a\0b', 'é'])(
    'host %j names no resource',
    (host) => expect(resourceOf(request({ host }))).toBeUndefined(),
  )

  test.each(['a.example', 'localhost:3000', '127.0.0.1', '[::1]:8080', 'under_score'])('host %s does', (host) => {
    expect(resourceOf(request({ host }))).toBeDefined()
  })

  test.each(['http://evil.example/x', '*', '', 'x'])('target %j names no resource', (target) => {
    expect(resourceOf(request({ target }))).toBeUndefined()
  })

  test('no two resources have one text', () => {
    const part = fc.string({ unit: fc.constantFrom('a', ':', '1', '/', '?', '.') })
    const some = fc.record({
      scheme: part,
      host: fc.constantFrom('a', 'a:1', '1', 'a.1'),
      target: part.map((t) => `/${t}`),
    })
    fc.assert(
      fc.property(some, some, (one, other) => {
        const same = one.scheme === other.scheme && one.host === other.host && one.target === other.target
        expect(resourceOf(request(one)) === resourceOf(request(other))).toBe(same)
      }),
    )
  })
})

describe('variantOf', () => {
  const rule = { nonce: 'n', fields: ['accept', 'accept-language'] }

  test('requests match by the named fields alone, white space aside', () => {
    const of = (headers: HttpRequest['headers']) => variantOf('r', rule, headers)
    expect(of({ accept: 'a,b', 'user-agent': 'x' })).toBe(of({ accept: ' a ,  b ' }))
    expect(of({ accept: ['a', 'b'] })).toBe(of({ accept: 'a, b' }))
    expect(of({ accept: 'a' })).not.toBe(of({ accept: 'b' }))
    expect(of({ accept: '' })).not.toBe(of({}))
    expect(of({ accept: '-' })).not.toBe(of({}))
  })

  test('another nonce is another variant', () => {
    expect(variantOf('r', { ...rule, nonce: 'm' }, {})).not.toBe(variantOf('r', rule, {}))
  })

  test('a value cannot pass for another field', () => {
    const value = fc.string({ unit: fc.constantFrom('a', ':', '+', '-', '1', '2', ',') })
    fc.assert(
      fc.property(value, value, value, value, (a, b, c, d) => {
        const one = variantOf('r', rule, { accept: a, 'accept-language': b })
        const other = variantOf('r', rule, { accept: c, 'accept-language': d })
        expect(one === other).toBe(a === c && b === d)
      }),
    )
  })
})

describe('Keys', () => {
  test('gives a text one key, with 256 bits, whatever was asked in between', () => {
    const keys = new Keys()
    const first = keys.of('x')
    expect(first).toMatch(/^[\w-]{43}$/)
    for (let n = 0; n < 10_000; n++) keys.of(`other ${n}`)
    expect(keys.of('x')).toBe(first)
    expect(keys.of('y'.repeat(10_000))).not.toBe(keys.of('y'.repeat(10_001)))
  })
})
