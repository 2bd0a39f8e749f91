import { expectTypeOf, test } from 'vitest'
import type { CacheEvents, CodecOptions, CreateCacheOptions, DefaultOptions, SetOptions } from '../../src/index.ts'

test('keys are texts or bytes, and there is no encryption without a list of them', () => {
  expectTypeOf<{ encryption: { keys: [string, Uint8Array, Buffer] } }>().toExtend<CodecOptions>()
  expectTypeOf<{ encryption: object }>().not.toExtend<CodecOptions>()
  expectTypeOf<{ encryption: { keys: string } }>().not.toExtend<CodecOptions>()
})

test('compression is said in a word, or with its options', () => {
  expectTypeOf<{ codec: { compression: true } }>().toExtend<CreateCacheOptions>()
  expectTypeOf<{ compression: { threshold: number; algorithm: 'zstd' } }>().toExtend<CodecOptions>()
  expectTypeOf<{ compression: { algorithm: 'lz4' } }>().not.toExtend<CodecOptions>()
})

test('schemaVersion is for a cache or namespace, and not for a call', () => {
  expectTypeOf<DefaultOptions['schemaVersion']>().toEqualTypeOf<string | number | undefined>()
  expectTypeOf<SetOptions>().not.toHaveProperty('schemaVersion')
})

test('the reasons of an incompatible entry are a closed list', () => {
  expectTypeOf<CacheEvents['incompatible']['reason']>().toEqualTypeOf<
    'schema-version' | 'not-encrypted' | 'unknown-key' | 'algorithm' | 'too-large'
  >()
})
