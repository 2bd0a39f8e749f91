import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { LoadContext } from '../../src/cache/load-context.ts'
import { heardAll, inBothForms } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

interface User {
  readonly id: number
  readonly name: string
  readonly team: string
}

const user = (id: number, name = 'Ada'): User => ({ id, name, team: id % 2 ? 'odd' : 'even' })

/** A database that notes what it was asked for. */
class Users {
  readonly asked: (number | number[])[] = []
  readonly one = async (id: number): Promise<User> => {
    this.asked.push(id)
    return user(id)
  }
  readonly many = async (ids: number[]): Promise<Map<number, User>> => {
    this.asked.push(ids)
    return new Map(ids.filter((id) => id < 100).map((id) => [id, user(id)]))
  }
}

inBothForms((kit) => {
  async function setup() {
    const a = await kit.make()
    const b = kit.isShared ? await kit.make() : a
    return { a, b, heard: () => (kit.isShared ? heardAll(b, a) : undefined), database: new Users() }
  }

  describe('define', () => {
    test('get loads once, and every verb goes by the id', async () => {
      const { a, b, heard, database } = await setup()
      const users = a.define({ name: 'users', load: database.one })
      const elsewhere = b.define({ name: 'users', load: database.one })
      expect(users.peek(7)).toBeUndefined()
      expect(await Promise.all([users.get(7), users.get(7)])).toEqual([user(7), user(7)])
      expect(await elsewhere.get(7)).toEqual(user(7))
      expect(users.peek(7)).toEqual(user(7))
      expect(database.asked).toEqual([7])
      expect([users.name, users.keyOf(7)]).toEqual(['users', '7'])
      expect(await a.namespace('users').get('7')).toEqual(user(7))

      await users.set(7, user(7, 'Eve'))
      await heard()
      expect([await users.get(7), await elsewhere.get(7)]).toEqual([user(7, 'Eve'), user(7, 'Eve')])
      expect(await users.delete(7)).toEqual({ acknowledged: true })
      await heard()
      expect(await elsewhere.get(7)).toEqual(user(7))
      await users.expire(7)
      expect(await a.namespace('users').get('7')).toBeUndefined()
      await users.set(8, user(8))
      await users.deleteMany([7, 8])
      expect([users.peek(7), users.peek(8)]).toEqual([undefined, undefined])
      await users.set(8, user(8))
      expect(await users.clear()).toEqual({ acknowledged: true })
      expect(users.peek(8)).toBeUndefined()
    })

    test('ids of several kinds, and objects of whatever order, each have a value of their own', async () => {
      const { a } = await setup()
      const handle = a.define({ name: 'h', load: (id: unknown) => ({ id: String(id), type: typeof id as string }) })
      const ids = [1, '1', 1n, true, 'true', '']
      for (const id of ids) expect(await handle.get(id)).toEqual({ id: String(id), type: typeof id })
      await handle.set({ shop: 1, user: 2 }, { id: 'set', type: 'set' })
      expect(await handle.get({ user: 2, shop: 1 })).toEqual({ id: 'set', type: 'set' })
    })

    test('loadMany keeps what is still right, and is not asked again for it', async () => {
      const { a } = await setup()
      const asked: number[] = []
      const users = a.define({
        name: 'users',
        load: async (id: number) => {
          asked.push(id)
          return { id, name: 'loaded alone' }
        },
        loadMany: async (ids: number[], context) => {
          const changed = ids.filter((id) => context.stale<{ name: string }>(id)?.value.name !== 'right')
          for (const id of ids) if (!changed.includes(id)) context.notModified(id)
          return new Map(changed.map((id) => [id, { id, name: 'loaded' }]))
        },
        stale: '1h',
        softTimeout: '1h',
      })
      for (const [id, name] of [
        [1, 'right'],
        [2, 'wrong'],
      ] as const) {
        await users.set(id, { id, name })
        await users.expire(id)
        await expect.poll(async () => (await a.namespace('users').getEntry(String(id)))?.freshness).toBe('stale')
      }
      const found = await users.getMany([1, 2])
      expect([...found.values()].map(({ name }) => name)).toEqual(['right', 'loaded'])
      expect(asked).toEqual([])
      expect((await a.namespace('users').getEntry('1'))?.freshness).toBe('fresh')
    })

    test('with a key of its own', async () => {
      const { a, database } = await setup()
      const users = a.define({ name: 'users', key: (id) => `user:${id}`, load: database.one })
      expect(await users.get(7)).toEqual(user(7))
      expect(await a.namespace('users').get('user:7')).toEqual(user(7))
    })

    test('tags are told from the value, however it came; inherited ones do not apply then', async () => {
      const { a, database } = await setup()
      const space = a.namespace('space', { tags: ['inherited'] })
      const tags = ({ team }: User, id: number) => [`team:${team}`, `user:${id}`]
      const loads = [{ load: database.one }, { loadMany: database.many }]
      for (const [index, load] of loads.entries()) {
        const users = space.define({ name: `users${index}`, ...(load as { load: Users['one'] }), tags })
        const tagsOf = async (key: string) => (await space.namespace(`users${index}`).getEntry(key))?.tags
        await users.get(1)
        await users.set(2, user(2))
        expect([await tagsOf('1'), await tagsOf('2')]).toEqual([
          ['team:odd', 'user:1'],
          ['team:even', 'user:2'],
        ])
        await a.invalidateTags('team:odd')
        expect([users.peek(1), users.peek(2)]).toEqual([undefined, user(2)])
      }
      const named = space.define({ name: 'named', load: database.one, tags: ['own'] })
      const inheriting = space.define({ name: 'inheriting', load: database.one })
      await Promise.all([named.get(1), inheriting.get(1)])
      expect((await space.namespace('named').getEntry('1'))?.tags).toEqual(['own'])
      expect((await space.namespace('inheriting').getEntry('1'))?.tags).toEqual(['inherited'])
    })

    test('options hold for its values, over those of the cache; those of a call over them', async () => {
      const { a, database } = await setup()
      const space = a.namespace('space', { ttl: '1h', jitter: 0 })
      const users = space.define({ name: 'users', load: database.one, stale: '2h' })
      const ttlOf = async (key: string) =>
        Math.ceil(((await space.namespace('users').getEntry(key))?.ttl ?? 0) / 60_000)
      await users.get(1)
      await users.get(2, { ttl: '2h' })
      await users.set(3, user(3), { ttl: '3h' })
      expect([await ttlOf('1'), await ttlOf('2'), await ttlOf('3')]).toEqual([60, 120, 180])
    })

    test('tags are told from what the schema made of the value; a value that does not pass it has none', async () => {
      const { a } = await setup()
      const schema = z.object({ id: z.coerce.number(), name: z.string().default('Ada') })
      const one = async (id: number): Promise<unknown> => (id === 9 ? {} : { id: String(id) })
      const many = async (ids: number[]) => {
        const values = new Map<number, unknown>()
        for (const id of ids) values.set(id, await one(id))
        return values
      }
      for (const [index, load] of [{ load: one }, { loadMany: many }].entries()) {
        const told: unknown[] = []
        const users = a.define({
          name: `users${index}`,
          ...(load as { load: typeof one }),
          schema,
          tags: (value, id) => {
            told.push(value)
            return [value.name, `${value.id + id}`]
          },
        })
        await expect(users.get(9)).rejects.toMatchObject({ code: 'ERR_INVALID_VALUE' })
        await expect(users.set(9, {} as never)).rejects.toMatchObject({ code: 'ERR_INVALID_VALUE' })
        expect(told).toEqual([])
        await users.get(1)
        await users.set(2, { id: '2' } as never)
        const tagsOf = async (key: string) => (await a.namespace(`users${index}`).getEntry(key))?.tags
        expect([await tagsOf('1'), await tagsOf('2')]).toEqual([
          ['Ada', '2'],
          ['Ada', '4'],
        ])
        await a.transaction(() => users.set(3, { id: '3' } as never))
        expect(await tagsOf('3')).toEqual(['Ada', '6'])
        expect(told).toEqual([1, 2, 3].map((id) => ({ id, name: 'Ada' })))
      }
    })

    test.each([['text'], [undefined], [Promise.resolve(['late'])]])('%o is no list of tags', async (tags) => {
      const { a, database } = await setup()
      const bad = { code: 'ERR_INVALID_TAG', message: expect.stringMatching(/tags: expected an array of texts/) }
      const defined = { tags: () => tags as never, ttl: '1h' } as const
      const users = a.define({ name: 'users', load: database.one, ...defined })
      await expect(users.get(1)).rejects.toMatchObject(bad)
      await expect(users.set(1, user(1))).rejects.toMatchObject(bad)
      await expect(a.define({ name: 'many', loadMany: database.many, ...defined }).get(1)).rejects.toMatchObject(bad)
      await expect(a.wrap(database.one, { name: 'wrapped', ...defined })(1)).rejects.toMatchObject(bad)
    })

    test('a value that is kept keeps its tags, whatever its load returned', async () => {
      const { a } = await setup()
      const users = a.define({
        name: 'users',
        jitter: 0,
        ttl: 0,
        stale: '1h',
        load: async (id: number, { stale, notModified }: LoadContext<User>) => (stale ? notModified() : user(id)),
        tags: ({ team }) => [team],
      })
      await users.get(1)
      await users.get(1, { softTimeout: '1m', ttl: '1h' })
      expect(await a.namespace('users').getEntry('1')).toMatchObject({ tags: ['odd'], freshness: 'fresh' })
    })

    test('two kinds of one name are refused; those of one source are one', async () => {
      const { a, database } = await setup()
      const loaderOf = () => async (id: number) => user(id)
      a.define({ name: 'users', load: loaderOf() })
      a.define({ name: 'users', load: loaderOf() })
      const bad = expect.objectContaining({
        code: 'ERR_INVALID_ARGUMENT',
        message: "define: expected a name of its own, got 'users', where the values of another function are",
      })
      expect(() => a.define({ name: 'users', load: database.one })).toThrow(bad)
      expect(() => a.define({ name: 'users', load: loaderOf(), loadMany: database.many })).toThrow(bad)
      expect(() => a.wrap(database.one, { name: 'users' })).toThrow(expect.objectContaining({ code: bad.sample.code }))
      const bound = (prefix: string) =>
        function (this: string, id: number) {
          return `${this}${id}`
        }.bind(prefix)
      a.define({ name: 'bound', load: bound('a') })
      expect(() => a.define({ name: 'bound', load: bound('b') })).toThrow(
        expect.objectContaining({ code: bad.sample.code }),
      )
      expect(await a.namespace('space').define({ name: 'users', load: database.one }).get(1)).toEqual(user(1))
    })

    test('its name, and options of its calls, are told by what they are called here', async () => {
      const { a, database } = await setup()
      expect(() => a.define({ load: database.one } as never)).toThrow(/^name: expected the namespace of the values/)
      const users = a.define({ name: 'users', load: database.one })
      const unknown = { tll: 1 } as never
      await expect(users.get(1, unknown)).rejects.toThrow(/^get: unknown option 'tll'/)
      await expect(users.getMany([1], unknown)).rejects.toThrow(/^getMany: unknown option 'tll'/)
    })

    test('what it refuses', async () => {
      const { a, database } = await setup()
      const codeOf = (options: object) => {
        try {
          a.define(options as never)
          return undefined
        } catch (error) {
          return (error as { code: string }).code
        }
      }
      expect(codeOf({ load: database.one })).toBe('ERR_INVALID_NAMESPACE')
      expect(codeOf({ name: 'a b', load: database.one })).toBe('ERR_INVALID_NAMESPACE')
      expect(codeOf({ name: 'users' })).toBe('ERR_INVALID_OPTION')
      for (const name of ['load', 'loadMany', 'key']) {
        expect(codeOf({ name: 'users', load: database.one, [name]: 'text' })).toBe('ERR_INVALID_OPTION')
      }
      expect(codeOf({ name: 'users', load: database.one, tags: 'text' })).toBe('ERR_INVALID_TAG')
      expect(codeOf({ name: 'users', load: database.one, ttl: -1 })).toBe('ERR_INVALID_OPTION')
      expect(codeOf({ name: 'users', load: database.one, lod: 1 })).toBe('ERR_UNKNOWN_OPTION')
      expect(codeOf(undefined as never)).toBe('ERR_INVALID_ARGUMENT')
      const users = a.define({ name: 'users', load: database.one })
      const bad = { code: 'ERR_INVALID_ARGUMENT' }
      await expect(users.get(Number.NaN)).rejects.toMatchObject(bad)
      await expect(users.getMany([1, Number.NaN])).rejects.toMatchObject(bad)
      await expect(users.set(Number.NaN, user(1))).rejects.toMatchObject(bad)
      await expect(users.delete(Number.NaN)).rejects.toMatchObject(bad)
      expect(() => users.peek(Number.NaN)).toThrow(expect.objectContaining(bad))
      expect(database.asked).toEqual([])
    })
  })

  describe('loadMany', () => {
    test('what is asked for in one turn and misses is loaded by one call; what is in L1 is not waited with', async () => {
      const { a, database } = await setup()
      const users = a.define({ name: 'users', load: database.one, loadMany: database.many })
      await users.get(1)
      expect(database.asked).toEqual([1])
      const later = Promise.resolve().then(() => users.get(4))
      const found = await Promise.all([users.get(1), users.get(2), users.get(3), users.get(2), later])
      expect(found).toEqual([1, 2, 3, 2, 4].map((id) => user(id)))
      expect(database.asked).toEqual([1, [2, 3, 4]])
      expect(users.peek(3)).toEqual(user(3))
    })

    test('a cache that was closed refuses those who were gathered', async () => {
      const { a, database } = await setup()
      const users = a.define({ name: 'users', loadMany: database.many })
      const both = [users.get(1), users.get(2)]
      const closed = a.close()
      expect(await Promise.allSettled(both)).toEqual(
        both.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'ERR_CLOSED' }) })),
      )
      await closed
    })

    test('a turn lasts until nothing of it goes on any more', async () => {
      const { a, database } = await setup()
      const users = a.define({ name: 'users', loadMany: database.many })
      // Of a timer, or of a request: its ticks come before its microtasks.
      await new Promise<void>((resolve) => setImmediate(resolve))
      await new Promise((resolve) => {
        setImmediate(() => {
          const goesOn = async () => {
            for (let step = 0; step < 5; step++) await undefined
            return users.get(2)
          }
          resolve(Promise.all([users.get(1), goesOn()]))
        })
      })
      expect(database.asked).toEqual([[1, 2]])
    })

    test('a hit in L1 is answered in the turn of its reader, before anything is gathered', async () => {
      const { a, database } = await setup()
      const users = a.define({ name: 'users', loadMany: database.many })
      await users.get(1)
      // A tick queued from a microtask comes after all microtasks.
      await Promise.resolve()
      let hasTicked = false
      process.nextTick(() => {
        hasTicked = true
      })
      expect([await users.get(1), (await users.getMany([1, 1])).size, hasTicked]).toEqual([user(1), 1, false])
    })

    test('of L2 too only what misses is loaded', async () => {
      const { a, b, database } = await setup()
      const define = (cache: typeof a) => cache.define({ name: 'users', load: database.one, loadMany: database.many })
      await define(a).getMany([1, 2])
      expect((await define(b).getMany([1, 2, 3, 4])).size).toBe(4)
      expect(database.asked).toEqual([
        [1, 2],
        [3, 4],
      ])
    })

    test('alone it does for one, and what it does not know is undefined, and not stored', async () => {
      const { a, database } = await setup()
      const users = a.define({ name: 'users', loadMany: database.many })
      expect([await users.get(1), await users.get(100)]).toEqual([user(1), undefined])
      expect(await users.get(100)).toBeUndefined()
      expect([...(await users.getMany([2, 100, 1, 2]))]).toEqual([
        [2, user(2)],
        [1, user(1)],
      ])
      expect(database.asked).toEqual([[1], [100], [100], [2, 100]])
    })

    test('what it does not know is loaded by load, where there is one; null is known', async () => {
      const { a } = await setup()
      const asked: unknown[] = []
      const users = a.define({
        name: 'users',
        load: async (id: number) => {
          asked.push(id)
          return id > 200 ? undefined : `one ${id}`
        },
        loadMany: async (ids: number[]) => {
          asked.push(ids)
          return { 1: null, 2: 'many 2' }
        },
      })
      expect([...(await users.getMany([1, 2, 3, 201]))]).toEqual([
        [1, null],
        [2, 'many 2'],
        [3, 'one 3'],
      ])
      expect(asked).toEqual([[1, 2, 3, 201], 3, 201])
      expect(users.peek(1)).toBeNull()
    })

    test('a Map has the ids, of whatever kind; an object has them as texts', async () => {
      const { a } = await setup()
      type Place = { shop: string; shelf: number }
      const places = a.define({
        name: 'places',
        loadMany: async (ids: Place[]) => new Map(ids.map(({ shop, shelf }) => [{ shelf, shop }, `${shop} ${shelf}`])),
      })
      const id: Place = { shop: 'a', shelf: 1 }
      expect(await places.get(id)).toBe('a 1')
      expect((await places.getMany([id, { shelf: 1, shop: 'a' }])).get(id)).toBe('a 1')
      const names = a.define({
        name: 'names',
        loadMany: (ids: string[]) => Object.fromEntries(ids.map((each) => [each, each.toUpperCase()])),
      })
      expect([...(await names.getMany(['a', 'toString', '__proto__'])).values()]).toEqual([
        'A',
        'TOSTRING',
        '__PROTO__',
      ])
      const empty = a.define({ name: 'empty', loadMany: async (): Promise<Record<string, string>> => ({}) })
      expect(await empty.get('toString' as never)).toBeUndefined()
    })

    test('its context goes by ids', async () => {
      const { a } = await setup()
      const numbers = a.define({
        name: 'numbers',
        jitter: 0,
        loadMany: async (ids: number[], { setTags, setTtl, skip, signal }) => {
          expect(signal.aborted).toBe(false)
          setTags(1, 'one')
          setTtl(2, '1h')
          skip(3)
          return new Map(ids.map((id) => [id, id]))
        },
      })
      expect((await numbers.getMany([1, 2, 3])).size).toBe(3)
      const space = a.namespace('numbers')
      expect((await space.getEntry('1'))?.tags).toEqual(['one'])
      expect((await space.getEntry('2'))?.ttl).toBeGreaterThan(3_000_000)
      expect(await space.getEntry('3')).toBeUndefined()
    })

    test('its failure is that of all who were loaded together, and of nobody else', async () => {
      const { a } = await setup()
      const failure = new Error('no answer')
      const handle = a.define({
        name: 'h',
        loadMany: (ids: number[]) => (ids.includes(1) ? Promise.reject(failure) : Promise.resolve(new Map([[3, 3]]))),
        key: (id) => (id === 0 ? '' : String(id)),
      })
      const settled = await Promise.allSettled([handle.get(0), handle.get(1), handle.get(2)])
      expect(settled.map((each) => (each.status === 'rejected' ? (each.reason as Error) : undefined))).toEqual([
        expect.objectContaining({ code: 'ERR_INVALID_KEY' }),
        failure,
        failure,
      ])
      expect(await handle.get(3)).toBe(3)
    })

    test.each([[[1, 2]], ['text'], [undefined], [null]])('%o is no result', async (result) => {
      const { a } = await setup()
      const handle = a.define({ name: 'h', loadMany: async (_: number[]) => result as never })
      await expect(handle.get(1)).rejects.toMatchObject({ code: 'ERR_INVALID_LOADER_RESULT' })
    })

    test('a Map with other things than the ids, of the same text, is no result; more ids than asked for are ignored', async () => {
      const { a } = await setup()
      const [numbers, bigints] = [new Map<unknown, string>([['1', 'one']]), new Map<unknown, string>([[1n, 'one']])]
      for (const [name, result] of Object.entries({ numbers, bigints })) {
        const handle = a.define({ name, loadMany: async (_: number[]) => result as Map<number, string> })
        await expect(handle.get(1)).rejects.toMatchObject({
          code: 'ERR_INVALID_LOADER_RESULT',
          message: expect.stringMatching(
            /^the result of loadMany: expected .* as they were asked for, the number 1, got /,
          ),
        })
        expect(await handle.get(2)).toBeUndefined()
      }
      const both = new Map<number | string, string>([...(numbers as Map<string, string>), [1, 'number'], [2, 'more']])
      const handle = a.define({ name: 'both', loadMany: async (_: (number | string)[]) => both })
      expect(await handle.get(1)).toBe('number')
      expect(handle.peek(2)).toBeUndefined()
    })

    test('a value that another caller loads is waited for, and not loaded again', async () => {
      const { a, database } = await setup()
      const loader = new ScriptedLoader<User>()
      const users = a.define({ name: 'users', loadMany: database.many })
      const first = a.namespace('users').getOrSet('1', loader.load)
      await loader.running()
      const both = Promise.all([users.get(1), users.get(2)])
      await expect.poll(() => database.asked).toEqual([[2]])
      loader.answer(user(1, 'Eve'))
      expect([await first, ...(await both)]).toEqual([user(1, 'Eve'), user(1, 'Eve'), user(2)])
    })

    test('what load answers in place of loadMany is stored, for all processes', async () => {
      const { a, b, database } = await setup()
      const defined = { name: 'users', load: database.one, loadMany: database.many }
      const [users, elsewhere] = [a.define(defined), b.define(defined)]
      expect(await Promise.all([users.get(1), users.get(100)])).toEqual([user(1), user(100)])
      expect([users.peek(1), users.peek(100)]).toEqual([user(1), user(100)])
      expect((await elsewhere.getMany([1, 100])).get(100)).toEqual(user(100))
      expect(database.asked).toEqual([[1, 100], 100])
    })

    test('an id whose key cannot be leaves no load behind that nobody waits for', async () => {
      const { a } = await setup()
      let loads = 0
      const loadMany = async () => {
        loads++
        throw new Error('the database is away')
      }
      const users = a.define({ name: 'users', key: (id: string) => id, loadMany })
      await expect(users.getMany(['a', '\ud800'])).rejects.toMatchObject({ code: 'ERR_INVALID_KEY' })
      await new Promise<void>((resolve) => setImmediate(resolve))
      expect(loads).toBe(0)
    })

    test('tags that are told as undefined are those of the definition', async () => {
      const { a, database } = await setup()
      const users = a.define({ name: 'users', load: database.one, tags: ({ team }: User) => [team] })
      await users.set(1, user(1), { tags: undefined, ttl: '1h' })
      expect((await a.namespace('users').getEntry('1'))?.tags).toEqual(['odd'])
      await users.set(1, user(1), { tags: ['own'] })
      expect((await a.namespace('users').getEntry('1'))?.tags).toEqual(['own'])
    })

    test('a call with options, or inside of a transaction, is loaded by itself', async () => {
      const { a, database } = await setup()
      const users = a.define({ name: 'users', loadMany: database.many })
      await Promise.all([users.get(1), users.get(2, { ttl: 1000 }), users.getMany([3, 4], { ttl: 1000 })])
      expect(database.asked).toHaveLength(3)
      database.asked.length = 0
      await a.transaction(async () => {
        await users.delete(1)
        await users.set(5, user(5, 'Eve'))
        expect(await users.get(5)).toEqual(user(5, 'Eve'))
        expect(await Promise.all([users.get(1), users.get(1)])).toEqual([user(1), user(1)])
        expect((await users.getMany([1, 2, 6])).size).toBe(3)
      })
      expect(database.asked).toEqual([[1], [1], [1, 6]])
      expect([users.peek(1), users.peek(6), users.peek(5)]).toEqual([undefined, undefined, user(5, 'Eve')])
    })
  })
})
