import { expectTypeOf, test } from 'vitest'
import type { Cache, KeysOptions } from '../../src/index.ts'

test('keys are texts, one after the other', () => {
  expectTypeOf<Cache['keys']>().returns.toEqualTypeOf<AsyncGenerator<string, void>>()
  expectTypeOf<Cache['keys']>().returns.toExtend<AsyncIterable<string>>()
  expectTypeOf<Cache['keys']>().parameter(0).toEqualTypeOf<KeysOptions | undefined>()
})

test('a prefix and a signal are accepted, and may be undefined; nothing else is', () => {
  expectTypeOf<{ prefix: string; signal: AbortSignal }>().toExtend<KeysOptions>()
  expectTypeOf<{ prefix: undefined; signal: undefined }>().toExtend<KeysOptions>()
  expectTypeOf<{ prefix: RegExp }>().not.toExtend<KeysOptions>()
  expectTypeOf<{ signal: AbortController }>().not.toExtend<KeysOptions>()
})
