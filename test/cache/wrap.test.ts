import { expect, test } from 'vitest'
import { z } from 'zod'
import { heardAll, inBothForms } from '../doubles/caches.ts'

inBothForms((kit) => {
  async function setup() {
    const a = await kit.make()
    const b = kit.isShared ? await kit.make() : a
    const calls: unknown[][] = []
    async function search(text: string, options?: { page?: number }): Promise<string> {
      calls.push(options === undefined ? [text] : [text, options])
      return `${text} ${options?.page ?? 1}`
    }
    return { a, b, calls, search, heard: () => (kit.isShared ? heardAll(b, a) : undefined) }
  }

  test('runs once for the same arguments, in whatever process; others have results of their own', async () => {
    const { a, b, calls, search } = await setup()
    const [cached, elsewhere] = [a.wrap(search), b.wrap(search)]
    expect(await Promise.all([cached('a'), cached('a'), cached('a', undefined)])).toEqual(['a 1', 'a 1', 'a 1'])
    expect(await elsewhere('a')).toBe('a 1')
    expect([await cached('a', { page: 2 }), await cached('b')]).toEqual(['a 2', 'b 1'])
    expect(calls).toEqual([['a'], ['a', { page: 2 }], ['b']])
    expect([cached.name, cached.length]).toEqual(['search', 2])
    expect(await a.namespace('search').get('["a"]')).toBe('a 1')
  })

  test('invalidate, expire, peek and clear go by the arguments', async () => {
    const { a, b, calls, search, heard } = await setup()
    const [cached, elsewhere] = [a.wrap(search, { stale: '1h' }), b.wrap(search, { stale: '1h' })]
    await Promise.all([cached('a'), cached('b', { page: 2 })])
    await Promise.all([elsewhere('a'), elsewhere('b', { page: 2 })])
    expect([cached.peek('a'), cached.peek('b', { page: 2 }), cached.peek('c')]).toEqual(['a 1', 'b 2', undefined])
    expect(await cached.invalidate('b', { page: 2 })).toEqual({ acknowledged: true })
    await heard()
    expect([elsewhere.peek('a'), elsewhere.peek('b', { page: 2 })]).toEqual(['a 1', undefined])
    expect(await cached.expire('a')).toEqual({ acknowledged: true })
    expect(cached.peek('a')).toBeUndefined()
    expect(await a.namespace('search').getEntry('["a"]')).toMatchObject({ value: 'a 1', freshness: 'stale' })
    await elsewhere('b', { page: 2 })
    expect(calls).toHaveLength(3)
    expect(await cached.clear()).toEqual({ acknowledged: true })
    await heard()
    expect(elsewhere.peek('b', { page: 2 })).toBeUndefined()
  })

  test('this is passed on, and is not part of the key', async () => {
    const { a } = await setup()
    const shop = {
      name: 'first',
      greet: a.wrap(
        async function (this: { name: string }, to: string) {
          return `${this.name} greets ${to}`
        },
        { name: 'greet' },
      ),
    }
    expect(await shop.greet('Ada')).toBe('first greets Ada')
    expect(await shop.greet.call({ name: 'second' }, 'Ada')).toBe('first greets Ada')
    expect(await shop.greet.call({ name: 'second' }, 'Eve')).toBe('second greets Eve')
  })

  test('key and tags go by the arguments; options by those of the cache', async () => {
    const { a, calls, search } = await setup()
    const space = a.namespace('space', { ttl: '1h', jitter: 0 })
    const cached = space.wrap(search, {
      name: 'texts',
      key: (text) => text.toLowerCase(),
      tags: (result, text) => [`result:${result}`, `text:${text}`],
    })
    expect([await cached('A', { page: 2 }), await cached('a')]).toEqual(['A 2', 'A 2'])
    const entry = await space.namespace('texts').getEntry('a')
    expect(entry?.tags).toEqual(['result:A 2', 'text:A'])
    expect(entry?.ttl).toBeGreaterThan(3_000_000)
    await a.invalidateTags('text:A')
    await cached('a')
    expect(calls).toHaveLength(2)
  })

  test('a failure, at once or later, is the callers', async () => {
    const { a } = await setup()
    const fails = a.wrap(
      (how: string): string => {
        throw new Error(how)
      },
      { name: 'fails' },
    )
    await expect(fails('at once')).rejects.toThrow('at once')
    const sync = a.wrap((left: number, right: number) => left + right, { name: 'add' })
    expect(await sync(1, 2)).toBe(3)
  })

  test('what it refuses', async () => {
    const { a, search } = await setup()
    const codeOf = (...args: unknown[]) => {
      try {
        ;(a.wrap as (...args: unknown[]) => unknown).apply(a, args)
        return undefined
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(codeOf('text')).toBe('ERR_INVALID_ARGUMENT')
    expect(codeOf(async () => {})).toBe('ERR_INVALID_NAMESPACE')
    expect(codeOf(search.bind(undefined))).toBe('ERR_INVALID_NAMESPACE')
    expect(codeOf(search, { key: 'text' })).toBe('ERR_INVALID_OPTION')
    expect(codeOf(search, { load: search })).toBe('ERR_UNKNOWN_OPTION')
    expect(codeOf(search, { ttl: -1 })).toBe('ERR_INVALID_OPTION')
    await expect(a.wrap(search)(Symbol('s') as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('two functions of one name need names of their own', async () => {
    const { a, search } = await setup()
    a.wrap(search)
    a.wrap(search)
    const other = { search: async () => 'other' }.search
    expect(() => a.wrap(other)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    expect(await a.wrap(other, { name: 'others' })()).toBe('other')
    expect(() => a.wrap(search, { name: 'others' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    expect(await a.namespace('space').wrap(other)()).toBe('other')
  })

  test('of a given name, functions of one source are one; others are refused', async () => {
    const { a } = await setup()
    const sourceOf = () => async (text: string) => text
    expect(await a.wrap(sourceOf(), { name: 'texts' })('a')).toBe('a')
    expect(a.wrap(sourceOf(), { name: 'texts' }).peek('a')).toBe('a')
    const other = async (text: string) => `other ${text}`
    expect(() => a.wrap(other, { name: 'texts' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining("'texts'") }),
    )
    const codeOf = (run: () => unknown) => {
      try {
        run()
        return undefined
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(codeOf(() => a.define({ name: 'texts', load: sourceOf() }))).toBe('ERR_INVALID_ARGUMENT')
    function named(text: string) {
      return text
    }
    const namedAgain = { named: (text: string) => text }.named
    a.wrap(named)
    expect(codeOf(() => a.wrap(namedAgain))).toBe('ERR_INVALID_ARGUMENT')
  })

  test('tags are told from what the schema made of the result', async () => {
    const { a } = await setup()
    const half = a.wrap(async (n: number): Promise<unknown> => String(n), {
      name: 'half',
      schema: z.coerce.number(),
      tags: (result, n) => [`${result + n}`],
    })
    expect(await half(4)).toBe(4)
    expect((await a.namespace('half').getEntry('[4]'))?.tags).toEqual(['8'])
  })

  test('inside of a transaction it is invalidated with the rest', async () => {
    const { a, calls, search } = await setup()
    const cached = a.wrap(search)
    await cached('a')
    await a.transaction(async () => {
      await cached.invalidate('a')
      expect(cached.peek('a')).toBeUndefined()
      await cached('a')
    })
    expect(calls).toHaveLength(2)
    expect(cached.peek('a')).toBeUndefined()
  })
})
