import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as keys from '../../src/entry/key.ts'

const codeOf = (call: () => unknown): unknown => {
  try {
    call()
    return 'accepted'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

const keyCode = (key: unknown) => codeOf(() => keys.checkKey(key))

describe('keys', () => {
  test.each([
    'k',
    ' ',
    '0',
    '*',
    '[a]',
    '{x}',
    'a\r\nb',
    '\0',
    'a\0b',
    '__proto__',
    'constructor',
    '😀',
    '\u00e9',
    'e\u0301',
    '_',
    ':',
    '￾￿',
    '🇩🇪',
  ])('%j is accepted as it is', (key) => {
    expect(keyCode(key)).toBe('accepted')
  })

  test.each([[''], [undefined], [null], [0], [1n], [{}], [['k']], [Symbol('k')], [Object('k')], [true]])(
    '%s is refused: no string, or empty',
    (key) => {
      expect(keyCode(key)).toBe('ERR_INVALID_KEY')
    },
  )

  test.each(['\ud800', '\udfff', 'a\ud800', '\udc00\ud800', '\ud800\ud801\udc00', 'x'.repeat(100).concat('\ud9ab')])(
    '%j is refused: in UTF-8 it would be another key',
    (key) => {
      expect(keyCode(key)).toBe('ERR_INVALID_KEY')
    },
  )

  test.each([
    ['one byte', 'x', 8192],
    ['two bytes', 'é', 4096],
    ['three bytes', '€', 2730],
    ['four bytes', '😀', 2048],
  ])('8 KiB of UTF-8 is the bound, of characters of %s too', (_name, character, most) => {
    expect(keyCode(character.repeat(most))).toBe('accepted')
    expect(Buffer.byteLength(character.repeat(most + 1))).toBeGreaterThan(keys.KEY_BYTES_MOST)
    expect(keyCode(character.repeat(most + 1))).toBe('ERR_INVALID_KEY')
  })

  test('the exact byte counts, not that of characters', () => {
    expect(keyCode(`${'€'.repeat(2730)}xx`)).toBe('accepted')
    expect(keyCode(`${'€'.repeat(2730)}xxx`)).toBe('ERR_INVALID_KEY')
    expect(keyCode(`${'€'.repeat(2730)}é`)).toBe('accepted')
    expect(keyCode(`${'€'.repeat(2730)}€`)).toBe('ERR_INVALID_KEY')
  })

  test('a refusal does not tell the key when that is long', () => {
    expect(() => keys.checkKey('secret'.repeat(2000))).toThrow(
      'key: expected at most 8192 bytes of UTF-8, got a string of 12000 characters',
    )
  })
})

const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/).filter((text) => text !== '_')
const namespace = fc.oneof(
  fc.constant(keys.ROOT_NAMESPACE),
  fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.')),
)
const key = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  fc.stringMatching(/^[\0_.:a]{1,10}$/),
  fc.constantFrom('\0', '\0_\0', '\0_\0k', '\0a\0b', 'a\0b', '\0a.b\0', '_', ':', '__proto__'),
)
const address = fc.record({ namespace, key })

const isSame = (a: { namespace: string; key: string }, b: { namespace: string; key: string }) =>
  a.namespace === b.namespace && a.key === b.key

describe('the name of an entry', () => {
  test('in this process is distinct for distinct addresses', () => {
    fc.assert(
      fc.property(address, address, (a, b) => {
        const isSameId = keys.localId(a.namespace, a.key) === keys.localId(b.namespace, b.key)
        return isSameId === isSame(a, b)
      }),
      { numRuns: 2000 },
    )
    const ids = ['_', 'a', 'a.b', 'b'].flatMap((ns) =>
      ['k', '\0', '\0k', '\0a\0k', '\0_\0\0', 'a', 'b', '.b'].map((k) => keys.localId(ns, k)),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('in this process tells its key, to its own namespace', () => {
    fc.assert(
      fc.property(address, namespace, (a, other) => {
        const id = keys.localId(a.namespace, a.key)
        return keys.localKey(other, id) === (other === a.namespace ? a.key : undefined)
      }),
      { numRuns: 2000 },
    )
    for (const key of ['k', '\0', '\0k', '\0a\0k', '\0_\0k'])
      expect(keys.localKey('_', keys.localId('_', key))).toBe(key)
    expect(keys.localKey('_', keys.localId('a', 'k'))).toBeUndefined()
  })

  test('in Redis tells its key, to its own namespace and bucket', () => {
    const names = new keys.RedisNames('tc', 0, '7')
    fc.assert(
      fc.property(address, namespace, (a, other) => {
        const name = names.entry(a)
        const isOther = new keys.RedisNames('tc', 0, '70').keyOf(a.namespace, name) === undefined
        return isOther && names.keyOf(other, name) === (other === a.namespace ? a.key : undefined)
      }),
      { numRuns: 500 },
    )
    expect(names.keyOf('_', names.lease({ namespace: '_', key: 'k' }))).toBeUndefined()
  })

  test('is matched by a pattern for all buckets, in which nothing of the prefix stands for anything else', () => {
    const names = new keys.RedisNames('shop', 0, '7')
    expect(names.entriesPattern('a.b', '')).toBe('shop:{*}:v:a.b:*')
    expect(names.entriesPattern('_', '*?[a]\\{}^-')).toBe('shop:{*}:v:_:\\*\\?\\[a\\]\\\\{}^-*')
  })

  test('of the root costs no new string', () => {
    expect(keys.localId('_', 'k')).toBe('k')
  })

  test('in Redis is distinct for distinct addresses, from leases, stamps and the chain too', () => {
    const names = new keys.RedisNames('tc', 0)
    fc.assert(
      fc.property(address, address, (a, b) => {
        const all = [names.entry(a), names.lease(a), names.chain, names.clearStamp(b.namespace), names.tagStamp(b.key)]
        if (!isSame(a, b)) all.push(names.entry(b), names.lease(b))
        return new Set(all).size === all.length
      }),
      { numRuns: 500 },
    )
    expect(names.entry({ namespace: 'a', key: 'b:c' })).not.toBe(names.entry({ namespace: 'a.b', key: 'c' }))
  })

  test('in Redis is that of the protocol; no key moves the slot', () => {
    const names = new keys.RedisNames('shop', 3)
    const braces = { namespace: 'users', key: '{x}:}{' }
    expect([names.entry(braces), names.lease(braces), names.chain, names.channel]).toEqual([
      'shop:{0}:v:users:{x}:}{',
      'shop:{0}:l:users:{x}:}{',
      'shop:{0}:q',
      'shop:{0}:c:3',
    ])
    expect([names.clearStamp('_'), names.tagStamp('{t}')]).toEqual(['shop:{0}:k:_', 'shop:{0}:t:{t}'])
    expect(names.ofEntry(braces)).toEqual({
      entry: names.entry(braces),
      lease: names.lease(braces),
      chain: names.chain,
    })
  })

  test('stands for one field of 64 of the chain head, spread evenly', () => {
    const fields = new Set(Array.from({ length: 2000 }, (_, index) => keys.chainField(`t:${index}`)))
    expect(fields.size).toBe(64)
    expect([...fields].every((field) => /^\d+$/.test(field) && Number(field) < 64)).toBe(true)
    expect(keys.chainField('k:_')).toBe(keys.chainField('k:_'))
  })
})

describe('prefixes and namespaces', () => {
  const words = ['a', 'A-Z_0.9', 'x'.repeat(64), '__proto__', '-', '0']
  const noWords: unknown[] = [
    '',
    'a b',
    'a:b',
    'a\0',
    'a\n',
    '{a}',
    'é',
    '*',
    'x'.repeat(65),
    undefined,
    null,
    1,
    {},
    ['a'],
    Symbol('a'),
    Object('a'),
  ]

  test('a prefix is one word', () => {
    for (const prefix of words) expect(codeOf(() => keys.checkPrefix(prefix))).toBe('accepted')
    for (const prefix of noWords) expect(codeOf(() => keys.checkPrefix(prefix))).toBe('ERR_INVALID_NAMESPACE')
  })

  test('a namespace is words between dots', () => {
    for (const name of words) expect(keys.namespaceWithin('_', name)).toBe(name)
    for (const name of noWords) expect(codeOf(() => keys.namespaceWithin('_', name))).toBe('ERR_INVALID_NAMESPACE')
    for (const name of noWords) expect(codeOf(() => keys.namespaceWithin('shop', name))).toBe('ERR_INVALID_NAMESPACE')
    for (const name of ['.', '.a', 'a.', 'a..b', '_']) {
      expect(codeOf(() => keys.namespaceWithin('_', name))).toBe('ERR_INVALID_NAMESPACE')
      expect(codeOf(() => keys.namespaceWithin('shop', name))).toBe('ERR_INVALID_NAMESPACE')
    }
  })

  test('a namespace within another is the same as the whole path from the root', () => {
    expect(keys.namespaceWithin('shop', 'users')).toBe('shop.users')
    expect(keys.namespaceWithin(keys.namespaceWithin('_', 'shop'), 'users.old')).toBe(
      keys.namespaceWithin('_', 'shop.users.old'),
    )
    expect(keys.namespaceWithin('x'.repeat(32), 'y'.repeat(31))).toHaveLength(64)
    expect(codeOf(() => keys.namespaceWithin('x'.repeat(32), 'y'.repeat(32)))).toBe('ERR_INVALID_NAMESPACE')
  })

  test('the namespaces above, the root first', () => {
    expect(keys.namespacesAbove('_')).toEqual(['_'])
    expect(keys.namespacesAbove('a')).toEqual(['_', 'a'])
    expect(keys.namespacesAbove('a.b_.c')).toEqual(['_', 'a', 'a.b_', 'a.b_.c'])
  })
})
