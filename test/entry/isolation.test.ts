import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { copyDeep, freezeDeep } from '../../src/entry/isolation.ts'
import { anyValue } from './any-value.ts'

describe('freezeDeep', () => {
  test('freezes plain data all the way down', () => {
    const value = { list: [{ deep: [1] }], empty: {}, text: 'x', nothing: null }
    expect(freezeDeep(value)).toBe(true)
    expect(Object.isFrozen(value) && Object.isFrozen(value.list) && Object.isFrozen(value.empty)).toBe(true)
    expect(() => {
      ;(value.list[0] as { deep: number[] }).deep.push(2)
    }).toThrow(TypeError)
  })

  test.each([
    ['a Map', new Map()],
    ['a Set', new Set()],
    ['a Date', new Date(0)],
    ['a Buffer', Buffer.from('x')],
    ['a typed array', new Float64Array(1)],
    ['an ArrayBuffer', new ArrayBuffer(1)],
  ])('%s cannot be frozen, nor what holds it', (_name, part) => {
    expect(freezeDeep(part)).toBe(false)
    const holder = { before: { a: 1 }, part, after: [1] }
    expect(freezeDeep(holder)).toBe(false)
    expect(Object.isFrozen(holder)).toBe(false)
    expect(freezeDeep([[part]])).toBe(false)
  })

  test.each([[1], ['x'], [null], [undefined], [1n], [true]])('%s needs no freezing', (value) => {
    expect(freezeDeep(value)).toBe(true)
  })

  test('answers whether it froze the whole, for any value', () => {
    fc.assert(
      fc.property(anyValue(), (value) => {
        const whole = freezeDeep(value)
        expect(whole).toBe(isFrozenDeep(value))
      }),
    )
  })
})

function isFrozenDeep(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return false
  return Object.isFrozen(value) && Object.values(value).every(isFrozenDeep)
}

describe('copyDeep', () => {
  test('is equal to the original and shares nothing with it that can be changed, for any value', () => {
    fc.assert(
      fc.property(anyValue(), (value) => {
        const copy = copyDeep(value)
        expect(isDeepStrictEqual(copy, value)).toBe(true)
        const parts = changeableParts(value)
        for (const part of changeableParts(copy)) expect(parts.has(part)).toBe(false)
      }),
    )
  })

  test('of frozen data can be changed', () => {
    const value = { list: [1] }
    freezeDeep(value)
    const copy = copyDeep(value)
    copy.list.push(2)
    expect([copy, value]).toEqual([{ list: [1, 2] }, { list: [1] }])
  })

  test('of bytes does not change with them', () => {
    for (const value of [Buffer.from('abc'), new Uint8Array([1, 2, 3]), new Float64Array([1, 2])]) {
      const copy = copyDeep({ value }).value
      const before = copy.slice()
      value.fill(0)
      expect(copy).toEqual(before)
      expect(copy).not.toEqual(value)
    }
  })

  test('of a view is of its own part only', () => {
    const bytes = Buffer.from('secret and more')
    expect(copyDeep(new DataView(bytes.buffer, bytes.byteOffset, 6)).buffer.byteLength).toBe(6)
    expect(copyDeep(new Uint8Array(bytes.buffer, bytes.byteOffset, 6)).buffer.byteLength).toBe(6)
  })
})

function changeableParts(value: unknown, parts = new Set<unknown>()): Set<unknown> {
  if (typeof value !== 'object' || value === null) return parts
  parts.add(value)
  // Small Buffers are windows on a pool that they share.
  if (Buffer.isBuffer(value)) return parts
  if (ArrayBuffer.isView(value)) parts.add(value.buffer)
  else if (value instanceof Map || value instanceof Set)
    for (const part of [...value].flat(1)) changeableParts(part, parts)
  else for (const part of Object.values(value)) changeableParts(part, parts)
  return parts
}
