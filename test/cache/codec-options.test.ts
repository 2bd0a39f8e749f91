import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readCodecOptions } from '../../src/cache/codec-options.ts'
import type { DefaultOptions } from '../../src/cache/call-options.ts'
import { readDefaultOptions } from '../../src/cache/call-options.ts'
import { readCacheOptions } from '../../src/cache/cache-options.ts'
import { Namespace } from '../../src/cache/namespace.ts'
import { partsOf } from '../../src/create-cache.ts'
import { isAvailable } from '../../src/entry/compression.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

/** What a call refused with, or what it answered. */
function outcome(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return `${(error as { code?: string }).code} ${(error as Error).message}`
  }
}

const read = (codec: unknown) => outcome(() => readCodecOptions(codec as never))
const bytes = Buffer.from('0123456789abcdef0123456789abcdef')
const KEY = 'expected 32 bytes, or these in base64 or as 64 hexadecimal digits, got'

test('nothing is the default', () => {
  const none = { compression: undefined, keys: undefined }
  for (const codec of [undefined, {}, { compression: false }, { compression: undefined, encryption: undefined }]) {
    expect(read(codec)).toEqual(none)
  }
})

test('compression', () => {
  const defaults = { threshold: 4096, algorithm: 'deflate' }
  expect(read({ compression: true })).toMatchObject({ compression: defaults })
  expect(read({ compression: {} })).toMatchObject({ compression: defaults })
  expect(read({ compression: { threshold: 1 } })).toMatchObject({ compression: { ...defaults, threshold: 1 } })
  const zstd = read({ compression: { algorithm: 'zstd' } })
  if (isAvailable('zstd')) expect(zstd).toMatchObject({ compression: { ...defaults, algorithm: 'zstd' } })
  else expect(zstd).toMatch(/^ERR_INVALID_OPTION codec\.compression\.algorithm: expected 'deflate' on Node 2\d\./)
})

test.each<[string, unknown]>([
  ['a Buffer', bytes],
  ['bytes', new Uint8Array(bytes)],
  ['base64', bytes.toString('base64')],
  ['base64 without its end', bytes.toString('base64').replace('=', '')],
  ['base64url', Buffer.alloc(32, 0xfb).toString('base64url')],
  ['hexadecimal digits', bytes.toString('hex')],
  ['large hexadecimal digits', bytes.toString('hex').toUpperCase()],
])('a key as %s', (name, key) => {
  const settings = readCodecOptions({ encryption: { keys: [key as string] } })
  const expected = name === 'base64url' ? Buffer.alloc(32, 0xfb) : bytes
  expect(settings.keys?.map((each) => each.export())).toEqual([expected])
})

test('a key that is changed afterwards stays what it was; settings do not show it', () => {
  const own = Buffer.from(bytes)
  const settings = readCodecOptions({ encryption: { keys: [own, own.toString('hex')] } })
  own.fill(0)
  expect(settings.keys?.[0].export()).toEqual(bytes)
  expect(inspect(settings, { depth: 9, showHidden: true })).not.toMatch(/30 31 32|0123456789/)
})

describe('what is refused, and never shown', () => {
  const word = 'swordfish'
  test.each<[string, unknown, string]>([
    ['a short text', { encryption: { keys: [word] } }, `codec.encryption.keys[0]: ${KEY} a text of 9 characters`],
    [
      'a second one',
      { encryption: { keys: [bytes, word] } },
      `codec.encryption.keys[1]: ${KEY} a text of 9 characters`,
    ],
    ['31 bytes', { encryption: { keys: [bytes.subarray(1)] } }, `codec.encryption.keys[0]: ${KEY} 31 bytes`],
    ['33 bytes', { encryption: { keys: [Buffer.alloc(33)] } }, `codec.encryption.keys[0]: ${KEY} 33 bytes`],
    [
      '65 digits',
      { encryption: { keys: ['a'.repeat(65)] } },
      `codec.encryption.keys[0]: ${KEY} a text of 65 characters`,
    ],
    [
      '32 characters',
      { encryption: { keys: [word.repeat(4).slice(4)] } },
      `codec.encryption.keys[0]: ${KEY} a text of 32 c`,
    ],
    ['no key', { encryption: { keys: [undefined] } }, `codec.encryption.keys[0]: ${KEY} undefined`],
    [
      'an object',
      { encryption: { keys: [{ id: word, key: bytes }] } },
      `codec.encryption.keys[0]: ${KEY} a value of type object`,
    ],
    ['a number', { encryption: { keys: [1234567] } }, `codec.encryption.keys[0]: ${KEY} a value of type number`],
    ['no keys', { encryption: {} }, 'codec.encryption.keys: expected an array of one key or more, got undefined'],
    [
      'an empty list',
      { encryption: { keys: [] } },
      'codec.encryption.keys: expected an array of one key or more, got an array of 0',
    ],
    [
      'keys as a text',
      { encryption: { keys: word } },
      'codec.encryption.keys: expected an array of one key or more, got a text of 9',
    ],
    ['encryption as a text', { encryption: word }, 'codec.encryption: expected { keys }, got a text of 9 characters'],
    ['encryption as bytes', { encryption: bytes }, 'codec.encryption: expected { keys }, got 32 bytes'],
    ['codec as a text', word, 'codec: expected { compression, encryption }, got a text of 9 characters'],
    ['codec as null', null, 'codec: expected an object of options, got null'],
    ['encryption as true', { encryption: true }, 'codec.encryption: expected an object of options, got true'],
    [
      'compression as a text',
      { compression: 'zstd' },
      'codec.compression: expected true, false, or { threshold, algorithm }, got "zstd"',
    ],
    [
      'another algorithm',
      { compression: { algorithm: 'lz4' } },
      `codec.compression.algorithm: expected 'deflate', 'zstd', got "lz4"`,
    ],
    [
      'a threshold of 0',
      { compression: { threshold: 0 } },
      'codec.compression.threshold: expected a whole number >= 1, got 0',
    ],
  ])('%s', (_, codec, message) => {
    const refused = String(read(codec))
    expect(refused.startsWith(`ERR_INVALID_OPTION ${message}`)).toBe(true)
    expect(refused).not.toContain(word)
  })

  test.each<[object, string]>([
    [{ compress: true }, "codec: unknown option 'compress', expected one of compression, encryption"],
    [{ compression: { level: 1 } }, "codec.compression: unknown option 'level', expected one of threshold, algorithm"],
    [{ encryption: { key: word } }, "codec.encryption: unknown option 'key', expected one of keys"],
  ])('%j has a name that does not exist', (codec, message) => {
    expect(read(codec)).toBe(`ERR_UNKNOWN_OPTION ${message}`)
  })
})

test('maxEntryBytes', () => {
  expect(readCacheOptions({}).maxEntryBytes).toBe(16 * 1024 * 1024)
  expect(readCacheOptions({ maxEntryBytes: 1 }).maxEntryBytes).toBe(1)
  for (const wrong of [0, -1, 1.5, 2 ** 29 + 1, '1', Number.NaN]) {
    expect(outcome(() => readCacheOptions({ maxEntryBytes: wrong as never }))).toMatch(
      /^ERR_INVALID_OPTION maxEntryBytes: expected a whole number from 1 to 536870912, got /,
    )
  }
})

test('schemaVersion: a word or a whole number, which is the same word; that of the cache unless a namespace says otherwise', () => {
  const { defaults } = readCacheOptions({ defaults: { schemaVersion: 3 } })
  expect(defaults.schemaVersion).toBe('3')
  expect(readDefaultOptions('namespace', {}, defaults).schemaVersion).toBe('3')
  expect(readDefaultOptions('namespace', { schemaVersion: 'user-2' }, defaults).schemaVersion).toBe('user-2')
  for (const wrong of ['', 'a b', 'ü', 'x'.repeat(65), 1.5, Number.NaN, null, {}]) {
    expect(outcome(() => readDefaultOptions('namespace', { schemaVersion: wrong as never }, defaults))).toMatch(
      /^ERR_INVALID_OPTION schemaVersion: expected a whole number, or 1 to 64 of \[A-Za-z0-9_\.-\], got /,
    )
  }
})

describe("schemaVersion: 'auto'", () => {
  const open = (options: DefaultOptions, below?: DefaultOptions) => {
    const root = new Namespace(partsOf({ defaults: options }, new FakeClock()))
    return (below ? root.within('n', below) : root).target('k').schemaVersion
  }

  test('goes by the schema of each namespace, and is none where there is none', () => {
    const text = open({ schemaVersion: 'auto', schema: z.string() })
    expect(text).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(open({ schemaVersion: 'auto' })).toBeUndefined()
    expect(open({ schemaVersion: 'auto' }, { schema: z.string() })).toBe(text)
    expect(open({ schemaVersion: 'auto', schema: z.string() }, { schema: z.number() })).not.toBe(text)
    expect(open({ schemaVersion: 'auto', schema: z.string() }, { schema: false })).toBeUndefined()
    expect(open({ schemaVersion: 'auto', schema: z.string() }, { schemaVersion: 2 })).toBe('2')
  })

  test('a schema that tells no JSON Schema is refused, and so is one whose values it cannot describe', () => {
    const mute = { '~standard': { version: 1, vendor: 'mine', validate: (value: unknown) => ({ value }) } } as const
    expect(outcome(() => open({ schemaVersion: 'auto', schema: mute }))).toMatch(
      /^ERR_INVALID_OPTION schema: expected one that tells its JSON Schema, for schemaVersion: 'auto'; or give schemaVersion a number or a text, and change it with the schema, got an object/,
    )
    const refused = /^ERR_INVALID_OPTION schema: expected one whose values JSON Schema can describe/
    const throwing = () => {
      throw new Error('no Date')
    }
    const strict = { ...mute, '~standard': { ...mute['~standard'], jsonSchema: { output: throwing } } } as const
    expect(outcome(() => open({ schemaVersion: 'auto', schema: strict }))).toMatch(refused)
    expect(outcome(() => open({ schemaVersion: 'auto', schema: strict }))).toMatch(
      /give schemaVersion a number or a text, and change it with the schema \(no Date\), got an object/,
    )
    const circular: Record<string, unknown> = {}
    circular.itself = circular
    for (const described of [circular, undefined]) {
      const standard = { ...mute['~standard'], jsonSchema: { output: () => described as Record<string, unknown> } }
      expect(outcome(() => open({ schemaVersion: 'auto', schema: { '~standard': standard } }))).toMatch(refused)
    }
  })
})
