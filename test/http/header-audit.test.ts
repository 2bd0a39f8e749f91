import { describe, expect, test } from 'vitest'
import { audit } from '../../src/http/header-audit.ts'
import type { AuditRule } from '../../src/http/options.ts'

const carried = { host: 'h', cookie: 'c', 'user-agent': 'u', 'x-tenant': '7', 'x-trace': 't', 'accept-language': 'tr' }

function judged(
  rule: AuditRule,
  reads: string[],
  terms: { keyed?: string[]; harmless?: string[]; isAssumed?: boolean } = {},
) {
  return audit(new Set(reads), carried, { rule, keyed: [], harmless: [], isAssumed: true, ...terms })
}

describe('fields that a handler read', () => {
  test.each<[AuditRule, { refused?: string[]; vary?: string[]; told?: string[] }]>([
    ['guard', { refused: ['x-tenant'], told: ['cookie', 'user-agent', 'x-absent'] }],
    ['strict', { refused: ['cookie', 'user-agent', 'x-absent', 'x-tenant'] }],
    ['vary', { vary: ['cookie', 'user-agent', 'x-absent', 'x-tenant'] }],
    ['warn', { told: ['cookie', 'user-agent', 'x-absent', 'x-tenant'] }],
  ])('%s', (rule, found) => {
    const reads = ['x-tenant', 'user-agent', 'x-absent', 'host', 'cookie', 'authorization', 'if-none-match']
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
    expect(audit(new Set(['x-trace']), long, { rule: 'guard', keyed: [], harmless: [], ...own }).refused).toEqual([
      'x-trace',
    ])
    expect(judged('guard', ['x-trace'], { isAssumed: true }).refused).toEqual(['x-trace'])
  })

  test('guard: a cookie is told of, however long: what is stored of its request has said that it is for all', () => {
    const long = { cookie: 'a'.repeat(2000) }
    const terms = { rule: 'guard', keyed: [], harmless: [], isAssumed: true } as const
    expect(audit(new Set(['cookie']), long, terms)).toEqual({ refused: [], vary: [], told: ['cookie'] })
  })

  test('vary: more than Vary should name is refused', () => {
    const many = Array.from({ length: 9 }, (_, index) => `x-${index}`)
    expect(judged('vary', many)).toEqual({ refused: many, vary: [], told: [] })
    expect(judged('vary', many.slice(1)).vary).toEqual(many.slice(1))
  })
})
