import fc from 'fast-check'
import { expect, test } from 'vitest'
import { forwardStatus, hitStatus } from '../../src/http/cache-status.ts'

test('the members of RFC 9211', () => {
  expect(hitStatus(30, 'L1')).toBe('tiercache; hit; ttl=30; detail=L1')
  expect(forwardStatus('uri-miss', { stored: true })).toBe('tiercache; fwd=uri-miss; stored')
  expect(forwardStatus('vary-miss', { collapsed: true })).toBe('tiercache; fwd=vary-miss; collapsed')
  expect(forwardStatus('bypass', { detail: 'cookie' })).toBe('tiercache; fwd=bypass; detail=cookie')
  expect(forwardStatus('method')).toBe('tiercache; fwd=method')
})

test('key is a string of structured fields, whatever is in it', () => {
  expect(hitStatus(1, 'L2', 'http://a/')).toBe('tiercache; hit; ttl=1; detail=L2; key="http://a/"')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (key) => {
      const line = forwardStatus('uri-miss', { stored: true, key })
      expect(line).toMatch(/^tiercache; fwd=uri-miss; stored; key="(?:[ !#-[\]-~]|\\["\\])*"$/)
    }),
  )
})
