import { createSecretKey } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Encoded } from '../../src/entry/codec.ts'
import { decode, encode } from '../../src/entry/codec.ts'
import type { Address } from '../../src/entry/entry.ts'
import type { Envelope } from '../../src/entry/envelope.ts'
import { FLAG_COMPRESSED, FLAG_ENCRYPTED, FLAG_INTEGER, FLAG_NULL, FLAG_VERSIONED } from '../../src/entry/header.ts'
import { anyValue } from './any-value.ts'
import { envelopeOf } from './envelope-of.ts'

const key = (seed: number) => createSecretKey(Buffer.alloc(32, seed))
const compression = { threshold: 1, algorithm: 'deflate' } as const
const k: Address = { namespace: 'shop.users', key: 'k' }
const envelopes: Readonly<Record<string, Envelope>> = {
  plain: envelopeOf(),
  compressing: envelopeOf({ compression }),
  encrypting: envelopeOf({ keys: [key(1)] }),
  both: envelopeOf({ compression, keys: [key(1)] }),
}
const both = envelopes.both as Envelope
const secret = { name: 'Ada', notes: 'secret '.repeat(100) }

/** The value, a word why it is none for the reader, or the code of what was thrown or rejected with. */
async function outcome(envelope: Envelope, sealed: Encoded, address = k, schemaVersion?: string): Promise<unknown> {
  try {
    const opened = await envelope.open(sealed, address, schemaVersion)
    return typeof opened === 'string' ? opened : decode(opened)
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

const sealed = async (envelope: Envelope, value: unknown, schemaVersion?: string) =>
  envelope.seal(encode(value), k, schemaVersion)

describe.each(Object.entries(envelopes))('%s', (_, envelope) => {
  test('any value comes back, with a version and without', async () => {
    await fc.assert(
      fc.asyncProperty(anyValue(), fc.constantFrom(undefined, 'v2'), async (value, version) => {
        const read = await outcome(envelope, await sealed(envelope, value, version), k, version)
        expect(isDeepStrictEqual(read, value)).toBe(true)
      }),
    )
  })

  test('a large value comes back', async () => {
    const value = Array.from({ length: 20_000 }, (_each, index) => ({ index, text: `number ${index}` }))
    expect(await outcome(envelope, await sealed(envelope, value, 'v2'), k, 'v2')).toEqual(value)
  })

  test('an integer stays in the clear, whatever the version: scripts count with it', async () => {
    expect(await sealed(envelope, 42, 'v2')).toEqual({ flags: FLAG_INTEGER, payload: Buffer.from('42') })
    expect(await outcome(envelope, encode(42), k, 'v2')).toBe(42)
    for (const flag of [FLAG_COMPRESSED, FLAG_ENCRYPTED, FLAG_VERSIONED]) {
      expect(await outcome(envelope, { flags: FLAG_INTEGER | flag, payload: Buffer.from('42') })).toBe(
        'ERR_UNDECODABLE',
      )
    }
  })

  test('of another version it is none', async () => {
    expect(await outcome(envelope, await sealed(envelope, secret, 'v2'))).toBe('schema-version')
    expect(await outcome(envelope, await sealed(envelope, secret, 'v2'), k, 'v1')).toBe('schema-version')
    expect(await outcome(envelope, await sealed(envelope, secret), k, 'v1')).toBe('schema-version')
    expect(await outcome(envelope, await sealed(envelope, null), k, 'v1')).toBe('schema-version')
  })

  test('arbitrary bytes under any flags are read, refused, or none', async () => {
    const words = ['schema-version', 'not-encrypted', 'unknown-key', 'algorithm', 'too-large', 'ERR_UNDECODABLE']
    await fc.assert(
      fc.asyncProperty(fc.nat(31), fc.uint8Array({ maxLength: 80 }), async (flags, bytes) => {
        const read = await outcome(envelope, { flags, payload: Buffer.from(bytes) })
        if (typeof read === 'string' && /^ERR_|^\w*Error/.test(read)) expect(words).toContain(read)
      }),
      { numRuns: 2000 },
    )
  })

  test('what was sealed and then changed anywhere is read, refused, or none', async () => {
    const bytes = await sealed(envelope, secret, 'v2')
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.payload.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const payload = Buffer.from(bytes.payload)
        payload[at] = (payload[at] as number) ^ change
        const read = await outcome(envelope, { flags: bytes.flags, payload }, k, 'v2')
        if (typeof read === 'string' && /^ERR_|^\w*Error/.test(read)) expect(read).toBe('ERR_UNDECODABLE')
      }),
      { numRuns: 500 },
    )
  })
})

test('a version that does not fit is refused', async () => {
  const payload = Buffer.from([9, 0x76, 0x32])
  for (const version of [undefined, 'v2']) {
    expect(await outcome(envelopeOf(), { flags: FLAG_VERSIONED, payload }, k, version)).toBe('ERR_UNDECODABLE')
  }
})

test('without settings and version, it is what was encoded', async () => {
  const encoded = encode(secret)
  expect(envelopeOf().seal(encoded, k, undefined)).toBe(encoded)
  expect(envelopeOf().open(encoded, k, undefined)).toBe(encoded)
})

test('below the threshold nothing is compressed', async () => {
  const envelope = envelopeOf({ compression: { ...compression, threshold: encode(secret).payload.length } })
  expect((await sealed(envelope, secret)).flags).toBe(FLAG_COMPRESSED)
  expect((await sealed(envelope, { ...secret, name: 'A' })).flags).toBe(0)
})

test('who does not compress reads what others compressed', async () => {
  expect(await outcome(envelopeOf(), await sealed(envelopeOf({ compression }), secret))).toEqual(secret)
  const small = envelopeOf({ bytesMost: 100 })
  expect(await outcome(small, await sealed(envelopeOf({ compression }), secret))).toBe('too-large')
})

describe('encrypted', () => {
  test('nothing of the value is in the clear, and no two are alike; null has no look of its own', async () => {
    const [one, other] = [await sealed(both, secret), await sealed(both, secret)]
    expect(one.payload.includes('Ada')).toBe(false)
    expect(one.payload).not.toEqual(other.payload)
    expect((await sealed(both, null)).flags).toBe(FLAG_NULL | FLAG_ENCRYPTED)
  })

  test.each<[string, Address]>([
    ['key', { ...k, key: 'l' }],
    ['namespace', { ...k, namespace: 'shop' }],
    ['place between the two', { namespace: 'shop', key: 'users:k' }],
  ])('moved to another %s it is refused', async (_, address) => {
    expect(await outcome(both, await sealed(both, secret), address)).toBe('ERR_UNDECODABLE')
  })

  test('moved to another prefix or version, or with other flags, it is refused', async () => {
    const bytes = await sealed(both, secret, 'v1')
    expect(await outcome(envelopeOf({ prefix: 'other', keys: [key(1)] }), bytes, k, 'v1')).toBe('ERR_UNDECODABLE')
    const relabelled = Buffer.from(bytes.payload)
    relabelled.write('v2', 1)
    expect(await outcome(both, { ...bytes, payload: relabelled }, k, 'v2')).toBe('ERR_UNDECODABLE')
    const unversioned = bytes.payload.subarray(3)
    expect(await outcome(both, { flags: bytes.flags & ~FLAG_VERSIONED, payload: unversioned })).toBe('ERR_UNDECODABLE')
    expect(await outcome(both, { ...bytes, flags: bytes.flags | FLAG_NULL }, k, 'v1')).toBe('ERR_UNDECODABLE')
    expect(await outcome(both, { ...bytes, flags: bytes.flags & ~FLAG_COMPRESSED }, k, 'v1')).toBe('ERR_UNDECODABLE')
  })

  test('what is in the clear is none for who encrypts, and the other way round', async () => {
    expect(await outcome(both, encode(secret))).toBe('not-encrypted')
    expect(await outcome(both, encode(null))).toBe('not-encrypted')
    expect(await outcome(both, await sealed(envelopes.compressing as Envelope, secret))).toBe('not-encrypted')
    expect(await outcome(envelopeOf(), await sealed(both, secret))).toBe('unknown-key')
  })

  test('with a key that is not here it is none, and not refused', async () => {
    const next = envelopeOf({ keys: [key(2), key(1)] })
    expect(await outcome(next, await sealed(both, secret))).toEqual(secret)
    expect(await outcome(both, await sealed(next, secret))).toBe('unknown-key')
  })
})
