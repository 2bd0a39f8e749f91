import { describe, expect, test } from 'vitest'
import * as valibot from 'valibot'
import { z } from 'zod'
import type { Cache } from '../../src/cache/cache.ts'
import type { StandardSchema } from '../../src/entry/schema.ts'
import { heardAll, inBothForms, withRedis } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const User = z.object({ id: z.number(), name: z.string() })
const Valibot = valibot.object({ id: valibot.number(), name: valibot.string() })
const Later = z.object({ id: z.number(), name: z.string().refine(async (name) => name !== '') })
const INVALID = { code: 'ERR_INVALID_VALUE' }

const ada = { id: 1, name: 'Ada' }
const wrong = { id: 1, name: 2 } as unknown as typeof ada

/** A schema that counts how often it is asked. */
function counting() {
  let asked = 0
  const validate = (value: unknown) => {
    asked++
    return typeof value === 'object' && value !== null ? { value } : { issues: [{ message: 'no object' }] }
  }
  const schema: StandardSchema<object> = { '~standard': { version: 1, vendor: 'test', validate } }
  return { schema, asked: () => asked }
}

function invalidOf(cache: Cache): unknown[] {
  const told: unknown[] = []
  cache.on('invalid', (event) => told.push(event))
  return told
}

inBothForms((kit) => {
  const tier = kit.isShared ? 'l2' : 'l1'

  describe.each<[string, StandardSchema]>([
    ['zod', User],
    ['valibot', Valibot],
    ['an asynchronous zod', Later],
  ])('%s', (_, schema) => {
    test('what passes is stored and served', async () => {
      const cache = await kit.make()
      expect(await cache.getOrSet('k', () => ada, { schema })).toEqual(ada)
      expect(await cache.getOrSet('k', () => wrong, { schema })).toEqual(ada)
      await cache.set('s', ada, { schema })
      expect(await cache.get('s')).toEqual(ada)
      expect(cache.counters.invalid).toBe(0)
    })

    test('what is loaded and does not pass is a failure of the loader, and not stored', async () => {
      const cache = await kit.make()
      const failure = { ...INVALID, message: expect.stringMatching(/"k".*name: /) }
      const callers = [1, 2].map(() => cache.getOrSet('k', () => wrong, { schema }))
      for (const caller of callers) await expect(caller).rejects.toMatchObject(failure)
      expect(await cache.has('k')).toBe(false)
      expect(cache.counters.loadsFailed).toBe(1)
    })

    test('what is set and does not pass is refused, and what is there stays', async () => {
      const cache = await kit.make()
      await cache.set('k', ada)
      const refused = cache.set('k', wrong, { schema })
      await expect(refused).rejects.toMatchObject({ ...INVALID, cause: expect.anything() })
      expect(await cache.get('k')).toEqual(ada)
    })

    test('what is cached and does not pass is a miss: it is loaded, and replaced', async () => {
      const cache = await kit.make()
      const told = invalidOf(cache)
      await cache.set('k', wrong)
      expect(await cache.getOrSet('k', () => ada, { schema })).toEqual(ada)
      expect(cache.counters.invalid).toBe(told.length)
      expect(told.at(-1)).toMatchObject({ namespace: '_', key: 'k', tier, error: INVALID })
      expect(await cache.get('k')).toEqual(ada)
    })

    test('get, getEntry, has and peek go by the schema of their namespace', async () => {
      const cache = await kit.make()
      const users = cache.namespace('users', { schema })
      const plain = cache.namespace('users')
      await plain.set('k', wrong)
      expect(users.peek('k')).toBeUndefined()
      expect(await users.get('k')).toBeUndefined()
      expect(await users.getEntry('k')).toBeUndefined()
      expect(await users.has('k')).toBe(false)
      expect(await plain.get('k')).toEqual(wrong)
      await plain.set('k', ada)
      expect(users.peek('k')).toBeUndefined()
      expect(await users.get('k')).toEqual(ada)
      expect(users.peek('k')).toEqual(ada)
    })
  })

  test('what a schema makes of a value is stored and handed out', async () => {
    const cache = await kit.make()
    const schema = z.object({ id: z.coerce.number(), name: z.string().default('nobody') })
    expect(await cache.getOrSet('k', () => ({ id: '1', more: true }), { schema })).toEqual({ id: 1, name: 'nobody' })
    await cache.set('s', { id: '2' }, { schema })
    expect(await cache.get('s')).toEqual({ id: 2, name: 'nobody' })
    await cache.set('old', { id: '3' })
    expect(await cache.getOrSet('old', () => ({ id: 0 }), { schema })).toEqual({ id: 3, name: 'nobody' })
    expect(Object.isFrozen(await cache.getOrSet('old', () => ({ id: 0 }), { schema }))).toBe(true)
  })

  test('what a schema makes of a cached value is of the types that are stored', async () => {
    const cache = await kit.make()
    const schema = z.string().transform((text) => new URL(text))
    await cache.set('k', 'https://a.example/')
    expect(await cache.getOrSet<unknown>('k', () => '', { schema })).toBe('https://a.example/')
  })

  test('an entry is checked once under a schema, and not again', async () => {
    const cache = await kit.make()
    const { schema, asked } = counting()
    await cache.getOrSet('k', () => ada, { schema })
    for (let read = 0; read < 3; read++) await cache.getOrSet('k', () => ada, { schema })
    expect(asked()).toBe(1)
    await cache.set('t', ada, { schema })
    for (let read = 0; read < 3; read++) await cache.getOrSet('t', () => ada, { schema })
    expect(asked()).toBe(2)
    await cache.set('s', ada)
    for (let read = 0; read < 3; read++) await cache.getOrSet('s', () => ada, { schema })
    expect(asked()).toBe(3)
    for (let read = 0; read < 3; read++) await cache.getOrSet('s', () => ada)
    expect(asked()).toBe(3)
  })

  test('false: none, where the namespace has one', async () => {
    const cache = await kit.make({ defaults: { schema: User } })
    expect(await cache.getOrSet('k', () => wrong, { schema: false })).toEqual(wrong)
    await cache.set('s', wrong, { schema: false })
    expect(await cache.getOrSet('s', () => ada, { schema: false })).toEqual(wrong)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('a schema that %s lets nothing pass', async (_, validate) => {
    const schema: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate } }
    const cache = await kit.make()
    await cache.set('k', ada)
    const broken = { ...INVALID, message: expect.stringContaining('broken') }
    await expect(cache.getOrSet('k', () => ada, { schema })).rejects.toMatchObject(broken)
    await expect(cache.set('k', ada, { schema })).rejects.toMatchObject(broken)
    expect(await cache.namespace('n', { schema }).get('k')).toBeUndefined()
    expect(await cache.get('k')).toEqual(ada)
  })

  test('a loaded value that does not pass: a stale one is served in its place', async () => {
    const cache = await kit.make()
    const failed = new Promise((resolve) => cache.on('renewal-failed', ({ error }) => resolve(error)))
    await cache.set('k', ada, { ttl: '1h', stale: '1h', schema: User })
    await cache.expire('k')
    expect(await cache.getOrSet('k', () => wrong, { schema: User, stale: 0 })).toEqual(ada)
    expect(await failed).toMatchObject(INVALID)
  })

  test('a stale value that does not pass is neither served nor given to the loader', async () => {
    const cache = await kit.make()
    await cache.set('k', wrong, { ttl: 0, stale: '1h' })
    let stale: unknown = 'not asked'
    const load = (context: { stale: unknown }) => {
      stale = context.stale
      return ada
    }
    expect(await cache.getOrSet('k', load, { schema: User, stale: '1h' })).toEqual(ada)
    expect(stale).toBeUndefined()
  })

  test('who joins the load of a caller without a schema, or with another, has its own', async () => {
    const cache = await kit.make()
    const { schema, asked } = counting()
    const loader = new ScriptedLoader<typeof ada>()
    const first = cache.getOrSet('k', loader.load, { schema })
    const joiners = [User, schema, undefined].map((each) => cache.getOrSet('k', loader.load, { schema: each }))
    await loader.running()
    loader.answer(wrong)
    expect(await first).toEqual(wrong)
    await expect(joiners[0]).rejects.toMatchObject(INVALID)
    for (const joiner of joiners.slice(1)) expect(await joiner).toEqual(wrong)
    expect(asked()).toBe(1)
    expect(loader.started).toBe(1)
  })

  test('a lookup that does not pass counts as a miss', async () => {
    const cache = await kit.make()
    const users = cache.namespace('users', { schema: User })
    await cache.namespace('users').set('k', wrong)
    await users.get('k')
    const requests = cache.counters.requestsOf('users')
    expect(requests).toMatchObject({ l1Fresh: 0, l1Missing: 1, l2Fresh: 0, l2Missing: kit.isShared ? 1 : 0 })
  })
})

withRedis('between processes', (kit) => {
  test('what another process stored is checked when it is read', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    const { schema, asked } = counting()
    await a.set('k', ada)
    await heardAll(b, a)
    expect(await b.getOrSet('k', () => wrong, { schema })).toEqual(ada)
    expect(await b.getOrSet('k', () => wrong, { schema })).toEqual(ada)
    expect(asked()).toBe(1)
    await a.set('k', 'no object')
    await heardAll(b, a)
    expect(await b.getOrSet('k', () => ({ id: 2 }), { schema })).toEqual({ id: 2 })
    expect(b.counters.invalid).toBe(1)
    expect(await b.get('k')).toEqual({ id: 2 })
  })
})
