import * as valibot from 'valibot'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { Cache, DefaultOptions, LoadedEntry, LoadOptions, OutputOf, SetOptions } from '../../src/index.ts'

declare const cache: Cache
const zodUser = z.object({ id: z.coerce.number() })
const valibotUser = valibot.object({ id: valibot.number() })
interface User {
  id: number
}

test('schemas of zod and valibot are options of every kind', () => {
  for (const schema of [zodUser, valibotUser]) {
    expectTypeOf({ schema }).toExtend<LoadOptions & SetOptions & DefaultOptions>()
  }
  expectTypeOf<{ schema: false }>().toExtend<LoadOptions>()
  expectTypeOf<{ schema: object }>().not.toExtend<LoadOptions>()
})

test('what a schema makes of a value is its type', () => {
  expectTypeOf<OutputOf<typeof zodUser>>().toEqualTypeOf<User>()
  expectTypeOf<OutputOf<typeof valibotUser>>().toEqualTypeOf<User>()
})

test('a load has the type that its schema makes, and so has the stale value', () => {
  const loaded = cache.getOrSet(
    'k',
    ({ stale }) => {
      expectTypeOf(stale).toEqualTypeOf<{ readonly value: User; readonly age: number } | undefined>()
      return { id: '1' }
    },
    { schema: zodUser, ttl: '1m' },
  )
  expectTypeOf(loaded).toEqualTypeOf<Promise<User>>()
  const entry = cache.getOrSetEntry('k', async () => ({}), { schema: valibotUser })
  expectTypeOf(entry).toEqualTypeOf<Promise<LoadedEntry<User>>>()
})

test('so has a batch of loads', () => {
  const loaded = cache.getOrSetMany(['k'], async (keys) => new Map(keys.map((key) => [key, { id: '1' }])), {
    schema: zodUser,
    ttl: '1m',
  })
  expectTypeOf(loaded).toEqualTypeOf<Promise<Map<string, User>>>()
  const ofObject = cache.getOrSetMany(['k'], () => ({ k: 'whatever' }), { schema: valibotUser })
  expectTypeOf(ofObject).toEqualTypeOf<Promise<Map<string, User>>>()
  const unchecked = cache.getOrSetMany(['k'], () => ({ k: '1' }), { schema: false })
  expectTypeOf(unchecked).toEqualTypeOf<Promise<Map<string, string>>>()
  expectTypeOf(cache.getOrSetMany<number>(['k'], () => ({ k: 1 }), { schema: zodUser })).toEqualTypeOf<
    Promise<Map<string, number>>
  >()
})

test('without a schema the type is that of the loader', () => {
  expectTypeOf(cache.getOrSet('k', () => '1', { ttl: 1 })).toEqualTypeOf<Promise<string>>()
  expectTypeOf(cache.getOrSet('k', async ({ key }) => key, { schema: false })).toEqualTypeOf<Promise<string>>()
  expectTypeOf(cache.getOrSet<number>('k', () => 1, { schema: zodUser })).toEqualTypeOf<Promise<number>>()
})
