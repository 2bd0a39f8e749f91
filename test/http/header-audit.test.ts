import { describe, expect, test } from 'vitest'
import { audit } from '../../src/http/header-audit.ts'
import type { AuditRule } from '../../src/http/options.ts'

const carried = { host: 'h', cookie: 'c', 'user-agent': 'u', 'x-tenant': '7', 'x-trace': 't', 'accept-language': 'tr' }

const TERMS = { keyed: [], contradicting: [], harmless: [], isAssumed: true }

function judged(
  rule: AuditRule,
  reads: string[],
  terms: { keyed?: string[]; contradicting?: string[]; harmless?: string[]; isAssumed?: boolean } = {},
) {
  return audit(new Set(reads), carried, { rule, ...TERMS, ...terms })
}

describe('fields that a handler read', () => {
  test.each<[AuditRule, { refused?: string[]; vary?: string[]; told?: string[] }]>([
    ['guard', { refused: ['x-tenant'], told: ['cookie', 'user-agent', 'x-absent'] }],
    ['strict', { refused: ['cookie', 'user-agent', 'x-absent', 'x-tenant'] }],
    ['vary', { vary: ['cookie', 'user-agent', 'x-absent', 'x-tenant'] }],
    ['warn', { told: ['cookie', 'user-agent', 'x-absent', 'x-tenant'] }],
  ])('%s', (rule, found) => {
    const reads = ['x-tenant', 'user-agent', 'x-absent', 'cookie', 'authorization', 'if-none-match']
    expect(judged(rule, reads)).toEqual({ refused: [], vary: [], told: [], ...found })
  })

  test.each<AuditRule>(['guard', 'strict', 'vary', 'warn'])('%s: keyed and harmless ones are nothing', (rule) => {
    const terms = { keyed: ['accept-language', 'x-tenant'], harmless: ['x-trace'] }
    expect(judged(rule, ['accept-language', 'x-tenant', 'x-trace'], terms)).toEqual({ refused: [], vary: [], told: [] })
  })

  test('guard: where the response says its own lifetime, those whose names tell who asks or what was changed', () => {
    const own = { isAssumed: false }
    expect(judged('guard', ['x-trace', 'x-tenant', 'user-agent'], own)).toEqual({
      refused: ['x-tenant'],
      vary: [],
      told: ['user-agent', 'x-trace'],
    })
    const long = { 'x-trace': 'a'.repeat(1025) }
    expect(audit(new Set(['x-trace']), long, { rule: 'guard', ...TERMS, ...own }).refused).toEqual(['x-trace'])
    expect(judged('guard', ['x-trace'], { isAssumed: true }).refused).toEqual(['x-trace'])
  })

  test('guard: a cookie is told of, however long: what is stored of its request has said that it is for all', () => {
    const long = { cookie: 'a'.repeat(2000) }
    const terms = { rule: 'guard', ...TERMS } as const
    expect(audit(new Set(['cookie']), long, terms)).toEqual({ refused: [], vary: [], told: ['cookie'] })
  })

  test.each<AuditRule>(['guard', 'strict', 'vary', 'warn'])(
    '%s: what says something else than the key is refused, but for harmless ones and those in Vary',
    (rule) => {
      const contradicting = ['host', 'x-forwarded-host']
      expect(judged(rule, ['host', 'user-agent'], { contradicting }).refused).toEqual(['host'])
      expect(judged(rule, ['host'], { contradicting, harmless: ['host'] }).refused).toEqual([])
      expect(judged(rule, ['host'], { contradicting, keyed: ['host'] }).refused).toEqual([])
    },
  )

  test('fields of tracing count for strict alone', () => {
    for (const rule of ['guard', 'vary', 'warn'] as const) {
      expect(judged(rule, ['traceparent', 'x-request-id'])).toEqual({ refused: [], vary: [], told: [] })
    }
    expect(judged('strict', ['traceparent', 'x-request-id']).refused).toEqual(['traceparent', 'x-request-id'])
  })

  test('vary: more than Vary should name is refused', () => {
    const many = Array.from({ length: 9 }, (_, index) => `x-${index}`)
    expect(judged('vary', many)).toEqual({ refused: many, vary: [], told: [] })
    expect(judged('vary', many.slice(1)).vary).toEqual(many.slice(1))
  })
})
