import { expectTypeOf, test } from 'vitest'
import { createCache } from '../../src/index.ts'
import type { Handle, LoadContext, Outcome, SetOptions, SetResult } from '../../src/index.ts'
import type { StandardSchema } from '../../src/entry/schema.ts'

interface User {
  readonly id: number
  readonly name: string
}

const cache = createCache()
const oneUser = async (id: number): Promise<User> => ({ id, name: 'Ada' })
const manyUsers = async (ids: number[]): Promise<Map<number, User>> => new Map(ids.map((id) => [id, { id, name: '' }]))
declare const userSchema: StandardSchema<unknown, User>

test('define: the types of the id and of the value are those of load', () => {
  const users = cache.define({ name: 'users', load: oneUser })
  expectTypeOf(users).toEqualTypeOf<Handle<number, User>>()
  expectTypeOf(users.get).parameter(0).toEqualTypeOf<number>()
  expectTypeOf(users.get(1)).toEqualTypeOf<Promise<User>>()
  expectTypeOf(users.getMany([1])).toEqualTypeOf<Promise<Map<number, User>>>()
  expectTypeOf(users.peek(1)).toEqualTypeOf<User | undefined>()
  expectTypeOf(users.set).parameters.toEqualTypeOf<[id: number, value: User, options?: SetOptions | undefined]>()
  expectTypeOf(users.set(1, { id: 1, name: '' })).toEqualTypeOf<Promise<SetResult>>()
  expectTypeOf(users.delete(1)).toEqualTypeOf<Promise<Outcome>>()
  // @ts-expect-error an id of another type
  void users.get('1')
  // @ts-expect-error a value of another type
  void users.set(1, 'Ada')
})

test('define: a loader that is not asynchronous, of an object, of null', () => {
  const sync = cache.define({ name: 'h', load: (id: { shop: string; shelf: number }) => `${id.shop} ${id.shelf}` })
  expectTypeOf(sync).toEqualTypeOf<Handle<{ shop: string; shelf: number }, string>>()
  const nullable = cache.define({ name: 'h', load: async (id: string) => (id === '' ? null : { id }) })
  expectTypeOf(nullable).toEqualTypeOf<Handle<string, { id: string } | null>>()
  const optional = cache.define({ name: 'h', load: async (id: string) => (id === '' ? undefined : { id }) })
  expectTypeOf(optional.get('')).toEqualTypeOf<Promise<{ id: string } | undefined>>()
})

test('define: beside load, its context, key, tags and loadMany know the types', () => {
  const users = cache.define({
    name: 'users',
    load: async (id: number, context) => {
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
      context.setTags('people')
      return { id, name: 'Ada' }
    },
    key: (id) => {
      expectTypeOf(id).toEqualTypeOf<number>()
      return String(id)
    },
    tags: (value, id) => {
      expectTypeOf(id).toEqualTypeOf<number>()
      return [value.name]
    },
    ttl: '1m',
    stale: { minutes: 5 },
  })
  expectTypeOf(users).toEqualTypeOf<Handle<number, { id: number; name: string }>>()
  const both = cache.define({ name: 'users', load: oneUser, loadMany: manyUsers })
  expectTypeOf(both).toEqualTypeOf<Handle<number, User>>()
})

test('define: with loadMany alone there may be nothing', () => {
  const users = cache.define({ name: 'users', loadMany: manyUsers })
  expectTypeOf(users).toEqualTypeOf<Handle<number, User, User | undefined>>()
  expectTypeOf(users.get(1)).toEqualTypeOf<Promise<User | undefined>>()
  expectTypeOf(users.getMany([1])).toEqualTypeOf<Promise<Map<number, User>>>()
  const readonlyIds = cache.define({
    name: 'users',
    loadMany: async (ids: readonly string[], context) => {
      context.setTags('id', 'people')
      return Object.fromEntries(ids.map((id) => [id, { id }]))
    },
  })
  expectTypeOf(readonlyIds).toEqualTypeOf<Handle<string, { id: string }, { id: string } | undefined>>()
  // @ts-expect-error rows are no values by their ids
  cache.define({ name: 'users', loadMany: async (ids: number[]) => ids.map((id) => [id]) as [number][] | 7 })
})

test('define: a schema says the type of the value', () => {
  const users = cache.define({
    name: 'users',
    load: async (id: number): Promise<unknown> => ({ id }),
    schema: userSchema,
  })
  expectTypeOf(users).toEqualTypeOf<Handle<number, User>>()
  const many = cache.define({
    name: 'users',
    loadMany: async (ids: number[]): Promise<Map<number, unknown>> => new Map(ids.map((id) => [id, { id }])),
    schema: userSchema,
  })
  expectTypeOf(many).toEqualTypeOf<Handle<number, User, User | undefined>>()
})

test('define: tags know what the schema makes; the stale value is of the type of the value, where that is said', () => {
  const schema = userSchema
  const users = cache.define({
    name: 'users',
    load: async (id: number, context: LoadContext<User>): Promise<unknown> => context.stale?.value.name ?? { id },
    schema,
    tags: (value, id) => {
      expectTypeOf(value).toEqualTypeOf<User>()
      expectTypeOf(id).toEqualTypeOf<number>()
      return [value.name]
    },
  })
  expectTypeOf(users).toEqualTypeOf<Handle<number, User>>()
  cache.define({
    name: 'users',
    schema,
    load: async (id: number, { stale }) => {
      expectTypeOf(stale).toEqualTypeOf<{ readonly value: User; readonly age: number } | undefined>()
      return { id }
    },
  })
  cache.define<number, User>({
    name: 'users',
    load: async (id, { stale }) => {
      expectTypeOf(stale).toEqualTypeOf<{ readonly value: User; readonly age: number } | undefined>()
      return { id, name: '' }
    },
  })
  const both = cache.define({
    name: 'users',
    load: async (id: number, { stale, notModified }: LoadContext<User>) => (stale ? notModified() : oneUser(id)),
    loadMany: manyUsers,
    tags: ({ name }) => [name],
  })
  expectTypeOf(both).toEqualTypeOf<Handle<number, User>>()
  const lenient = cache.define({ name: 'users', load: oneUser, tags: (value: { name: string }) => [value.name] })
  expectTypeOf(lenient).toEqualTypeOf<Handle<number, User>>()
})

test('wrap: a schema says the type of the result', () => {
  const cached = cache.wrap(async (id: number): Promise<unknown> => ({ id }), {
    name: 'user',
    schema: userSchema,
    key: (id) => {
      expectTypeOf(id).toEqualTypeOf<number>()
      return `${id}`
    },
    tags: (user, id) => {
      expectTypeOf(user).toEqualTypeOf<User>()
      expectTypeOf(id).toEqualTypeOf<number>()
      return [user.name]
    },
  })
  expectTypeOf(cached(1)).toEqualTypeOf<Promise<User>>()
  expectTypeOf(cached.peek(1)).toEqualTypeOf<User | undefined>()
  expectTypeOf(cached.invalidate).parameters.toEqualTypeOf<[id: number]>()
  // @ts-expect-error an argument of another type
  void cached('1')
  expectTypeOf(cache.wrap((id: number) => ({ id: `${id}` }), { name: 'sync', schema: userSchema })(1)).toEqualTypeOf<
    Promise<User>
  >()
})

test('define: what is wrong does not compile', () => {
  // @ts-expect-error no way to load
  cache.define({ name: 'users' })
  // @ts-expect-error no name
  cache.define({ load: oneUser })
  // @ts-expect-error no such option
  cache.define({ name: 'users', load: oneUser, tll: 1 })
  // @ts-expect-error a key is a text
  cache.define({ name: 'users', load: oneUser, key: (id: number) => id })
  const otherIds = async (ids: string[]) => ({ [ids.length]: { id: 1, name: '' } })
  // @ts-expect-error of other ids
  cache.define({ name: 'users', load: oneUser, loadMany: otherIds })
})

test('wrap: a function of the same type, and what goes by its arguments', () => {
  const cached = cache.wrap(oneUser)
  expectTypeOf(cached).toExtend<typeof oneUser>()
  expectTypeOf(cached(1)).toEqualTypeOf<Promise<User>>()
  expectTypeOf(cached.invalidate).parameters.toEqualTypeOf<[id: number]>()
  expectTypeOf(cached.invalidate(1)).toEqualTypeOf<Promise<Outcome>>()
  expectTypeOf(cached.peek(1)).toEqualTypeOf<User | undefined>()
  // @ts-expect-error an argument of another type
  void cached('1')
  // @ts-expect-error an argument of another type
  void cached.invalidate('1')
})

test('wrap: optional arguments, many, and those that are read by key and tags', () => {
  const cached = cache.wrap(async (text: string, page = 1, ...more: boolean[]) => ({ text, page, more }), {
    name: 'search',
    key: (text, page, ...more) => {
      expectTypeOf(page).toEqualTypeOf<number | undefined>()
      expectTypeOf(more).toEqualTypeOf<boolean[]>()
      return `${text} ${page}`
    },
    tags: (result, text) => [result.text, text],
  })
  expectTypeOf(cached).parameters.toEqualTypeOf<[text: string, page?: number | undefined, ...more: boolean[]]>()
  expectTypeOf(cached.invalidate).parameters.toEqualTypeOf<
    [text: string, page?: number | undefined, ...more: boolean[]]
  >()
})

test('wrap: a generic function stays generic', () => {
  const cached = cache.wrap(async <T extends string>(text: T): Promise<{ text: T }> => ({ text }), { name: 'generic' })
  expectTypeOf(cached('a')).toEqualTypeOf<Promise<{ text: 'a' }>>()
})

test('wrap: overloads stay', () => {
  function load(id: number): Promise<User>
  function load(name: string): Promise<User[]>
  async function load(id: number | string): Promise<User | User[]> {
    return typeof id === 'string' ? [] : { id, name: '' }
  }
  const cached = cache.wrap(load)
  expectTypeOf(cached(1)).toEqualTypeOf<Promise<User>>()
  expectTypeOf(cached('Ada')).toEqualTypeOf<Promise<User[]>>()
})

test('wrap: one that is not asynchronous becomes so', () => {
  const cached = cache.wrap((left: number, right: number) => left + right, { name: 'add' })
  expectTypeOf(cached).parameters.toEqualTypeOf<[left: number, right: number]>()
  expectTypeOf(cached(1, 2)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(cached.peek(1, 2)).toEqualTypeOf<number | undefined>()
})

test('wrap: this is asked for', () => {
  const greet = cache.wrap(
    async function (this: { name: string }, to: string) {
      return `${this.name} greets ${to}`
    },
    { name: 'greet' },
  )
  expectTypeOf(greet).thisParameter.toEqualTypeOf<{ name: string }>()
})

test('wrap: what is wrong does not compile', () => {
  // @ts-expect-error no function
  cache.wrap('text')
  // @ts-expect-error no such option
  cache.wrap(oneUser, { tll: 1 })
  // @ts-expect-error a key is a text
  cache.wrap(oneUser, { key: (id) => id })
})

test('transaction: the value of its callback', () => {
  expectTypeOf(cache.transaction(async () => 1 as const)).toEqualTypeOf<Promise<1>>()
  expectTypeOf(cache.transaction(() => 'text')).toEqualTypeOf<Promise<string>>()
  expectTypeOf(cache.transaction(async () => {})).toEqualTypeOf<Promise<void>>()
  expectTypeOf(cache.transaction((): Promise<User> | undefined => undefined)).toExtend<Promise<User | undefined>>()
  // @ts-expect-error no function
  void cache.transaction(Promise.resolve())
  expectTypeOf<Outcome['held']>().toEqualTypeOf<true | undefined>()
})
