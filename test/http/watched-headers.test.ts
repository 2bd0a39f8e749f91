import { describe, expect, test } from 'vitest'
import { noteAll, watchHeaders } from '../../src/http/watched-headers.ts'

function watched(headers: Record<string, string | string[]> = { 'x-a': '1', 'x-b': '2' }) {
  const reads = new Set<string>()
  const seen = watchHeaders(headers, reads) as Record<string, unknown>
  return { headers, reads, seen, read: () => [...reads].sort() }
}

describe('what is read is noted', () => {
  test.each<[string, (headers: Record<string, unknown>) => unknown, string[]]>([
    ['a field', (headers) => headers['x-a'], ['x-a']],
    ['an absent one', (headers) => headers['x-c'], ['x-c']],
    ['in', (headers) => 'x-c' in headers, ['x-c']],
    ['hasOwn', (headers) => Object.hasOwn(headers, 'x-a'), ['x-a']],
    ['destructuring', ({ 'x-b': b }) => b, ['x-b']],
    ['spread', (headers) => ({ ...headers }), ['x-a', 'x-b']],
    ['JSON', (headers) => JSON.stringify(headers), ['x-a', 'x-b']],
    ['entries', (headers) => Object.entries(headers), ['x-a', 'x-b']],
    ['the origin in HTTP/2', (headers) => [headers[':authority'], headers[':scheme']], [':authority', ':scheme']],
    ['Object.keys', (headers) => Object.keys(headers), ['x-a', 'x-b']],
    ['nothing', (headers) => `${headers} ${headers.constructor} ${headers[':path']} ${headers.then}`, []],
  ])('by %s', (_, act, names) => {
    const { seen, read } = watched()
    act(seen)
    expect(read()).toEqual(names)
  })

  test('all at once', () => {
    const { headers, reads, read } = watched()
    noteAll({ ...headers, ':path': '/', ':method': 'GET', ':scheme': 'https' }, reads)
    expect(read()).toEqual([':scheme', 'x-a', 'x-b'])
  })

  test('but not what the application wrote or took out itself', () => {
    const { headers, seen, read } = watched()
    seen['x-a'] = 'mine'
    Object.defineProperty(seen, 'x-c', { value: 'mine', enumerable: true, configurable: true, writable: true })
    delete seen['x-b']
    expect([seen['x-a'], seen['x-b'], seen['x-c']]).toEqual(['mine', undefined, 'mine'])
    expect(headers).toEqual({ 'x-a': 'mine', 'x-c': 'mine' })
    expect(read()).toEqual([])
  })
})

test('to the application it is what it stands for', () => {
  const { headers, seen } = watched({ host: 'a', 'x-list': ['1', '2'] })
  expect(seen).toEqual(headers)
  expect(Object.keys(seen)).toEqual(Object.keys(headers))
  expect(JSON.stringify(seen)).toBe(JSON.stringify(headers))
  expect({ ...seen }).toEqual(headers)
  expect(Object.getPrototypeOf(seen)).toBe(Object.getPrototypeOf(headers))
  expect(Object.getOwnPropertyDescriptors(seen)).toEqual(Object.getOwnPropertyDescriptors(headers))
  expect('host' in seen && !('other' in seen)).toBe(true)
  expect(Object.isExtensible(seen)).toBe(true)
  expect(structuredClone({ ...seen })).toEqual(headers)
})
