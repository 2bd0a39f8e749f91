import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupTag, groupTags, invalidatedGroupTags } from '../../src/http/groups.ts'
import { requestOf } from './plain-exchange.ts'
import type { Fields } from '../../src/http/message.ts'

const request = requestOf({ method: 'POST' })
const tags = (value: string | readonly string[]) => groupTags(request, [['Cache-Groups', value]])
const of = (...groups: string[]) => groups.map((group) => groupTag(request, group))

describe('Cache-Groups (RFC 9875, section 2)', () => {
  test('is a list of strings, on one line or several; order, repetition and parameters say nothing', () => {
    expect(tags('"scripts"')).toEqual(of('scripts'))
    expect(tags('"a", "b";x=1')).toEqual(of('a', 'b'))
    expect(tags(['"a"', '"b"', '"a"'])).toEqual(of('a', 'b'))
    expect(tags('"a \\"b\\"", ""')).toEqual(of('a "b"', ''))
    expect(groupTags(request, [])).toEqual([])
  })

  test.each(['scripts', '"a", b', '"a"; "b"', '("a")', '5', '"a', '"a",', "'a'", '"ä"'])(
    '%s is none, and ignored as a whole',
    (value) => expect(tags(value)).toEqual([]),
  )

  test('32 groups of 32 characters, and more', () => {
    const names = Array.from({ length: 40 }, (_, n) => `${n}`.padEnd(64, 'x'))
    expect(tags(names.map((name) => `"${name}"`).join(', '))).toEqual(of(...names))
  })
})

describe('one group (section 2.1)', () => {
  const others = [
    requestOf({ scheme: 'https' }),
    requestOf({ host: 'b.example' }),
    requestOf({ host: 'a.example:8080' }),
    requestOf({ host: 'a.examplea' }),
  ]

  test('is of one origin, told without the default port and case', () => {
    for (const other of others) expect(groupTag(other, 'a')).not.toBe(groupTag(request, 'a'))
    expect(groupTag(requestOf({ host: 'A.example:80' }), 'a')).toBe(groupTag(request, 'a'))
    expect(groupTag(requestOf({ host: 'a b' }), 'a')).toBeUndefined()
  })

  test('has one name, character by character', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expect(groupTag(request, one) === groupTag(request, other)).toBe(one === other)
      }),
    )
  })
})

describe('Cache-Group-Invalidation (section 3)', () => {
  const fields: Fields = [['Cache-Group-Invalidation', '"a", "b"']]

  test('of the response to an unsafe request counts', () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PURGE', 'x'])
      expect(invalidatedGroupTags(requestOf({ method }), { status: 200, fields })).toEqual(of('a', 'b'))
    expect(invalidatedGroupTags(request, { status: 500, fields })).toEqual(of('a', 'b'))
    expect(invalidatedGroupTags(request, { status: 200, fields: [['Cache-Groups', '"a"']] })).toEqual([])
  })

  test('of a safe one it must be ignored', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])
      expect(invalidatedGroupTags(requestOf({ method }), { status: 200, fields })).toEqual([])
  })
})
