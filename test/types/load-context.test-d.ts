import { expectTypeOf, test } from 'vitest'
import type { Cache, LoadContext, Loader, LoadOptions } from '../../src/index.ts'

declare const cache: Cache
interface User {
  readonly id: number
}

test('the type of a value is what its loader answers, whatever it uses of its context', () => {
  expectTypeOf(cache.getOrSet('k', () => 1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(cache.getOrSet('k', async ({ signal }) => signal.aborted)).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(cache.getOrSet('k', ({ stale }) => (stale ? 1 : null))).toEqualTypeOf<Promise<1 | null>>()
})

test('notModified adds nothing to that type', () => {
  const load = async ({ stale, notModified }: LoadContext) => (stale ? notModified() : 1)
  expectTypeOf(cache.getOrSet('k', load)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(cache.getOrSet('k', (context) => (context.stale ? context.notModified() : 1))).toEqualTypeOf<
    Promise<number>
  >()
})

test('the stale value is of the type that is given, and unknown where none is', () => {
  void cache.getOrSet<User>('k', ({ stale }) => {
    expectTypeOf(stale).toEqualTypeOf<{ readonly value: User; readonly age: number } | undefined>()
    return { id: 1 }
  })
  void cache.getOrSet('k', ({ stale }) => {
    expectTypeOf(stale).toEqualTypeOf<{ readonly value: unknown; readonly age: number } | undefined>()
    return { id: 1 }
  })
  const load = ({ stale }: LoadContext<User>) => stale?.value.id ?? 0
  expectTypeOf(cache.getOrSet('k', load)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(cache.getOrSetEntry('k', load)).resolves.toHaveProperty('value').toEqualTypeOf<number>()
})

test('a loader has the type of its value', () => {
  const load: Loader<User> = ({ stale }) => stale?.value ?? { id: 1 }
  expectTypeOf(cache.getOrSet('k', load)).toEqualTypeOf<Promise<User>>()
})

test('refreshAhead is a fraction, auto or false', () => {
  expectTypeOf<LoadOptions['refreshAhead']>().toEqualTypeOf<number | 'auto' | false | undefined>()
})
