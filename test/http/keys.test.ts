import { describe, expect, test } from 'vitest'
import { Keys } from '../../src/http/keys.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { resourceOf } from '../../src/http/request-key.ts'
import { requestOf } from './plain-exchange.ts'
import type { HttpRequest } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

describe('of', () => {
  test('gives a text one key, with 256 bits, whatever was asked in between', () => {
    const keys = new Keys()
    const first = keys.of('x')
    expect(first).toMatch(/^[\w-]{43}$/)
    for (let n = 0; n < 10_000; n++) keys.of(`other ${n}`)
    expect(keys.of('x')).toBe(first)
    expect(keys.of('y'.repeat(10_000))).not.toBe(keys.of('y'.repeat(10_001)))
  })
})

describe('named: what is remembered is what would be made anew', () => {
  const long = `/${'x'.repeat(1000)}`
  const requests: Partial<HttpRequest>[] = [
    {},
    { host: 'b.example' },
    { scheme: 'https' },
    { host: 'A.example' },
    { host: undefined },
    { target: '/x?utm=1' },
    { target: '/x' },
    { target: '*' },
    { target: long },
    { headers: { 'x-tenant': 'a' } },
    { headers: { 'x-tenant': 'b' } },
    { method: 'HEAD' },
    { method: 'QUERY', content: Buffer.from('a') },
    { method: 'QUERY', content: Buffer.from('b') },
    { method: 'QUERY' },
  ]

  test.each<HttpCacheOptions>([{}, { keyHeaders: ['x-tenant'] }, { query: { ignore: ['utm'] } }])(
    'with %j',
    (options) => {
      const settings = readHttpOptions(options)
      const keys = new Keys()
      for (let round = 0; round < 3; round++) {
        for (const changes of requests) {
          const request = requestOf(changes)
          const resource = resourceOf(request, settings)
          const resourceKey = new Keys().of(resource ?? '')
          const named = keys.named(request, settings)
          if (resource === undefined) expect(named).toBeUndefined()
          else expect(named).toMatchObject({ resource, resourceKey })
        }
        for (let n = 0; n < 3000; n++) keys.named(requestOf({ target: `/flood-${round}-${n}` }), settings)
      }
    },
  )
})
