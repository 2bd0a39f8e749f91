import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Cache } from '../../src/cache/cache.ts'
import type { CodecOptions } from '../../src/cache/codec-options.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import type { StandardSchema } from '../../src/entry/schema.ts'
import { heardAll, inBothForms, withOneRedis } from '../doubles/caches.ts'

/** What becomes of values on their way to Redis and back, as an application meets it. */

const ada = { name: 'Ada', notes: 'a secret that nobody may read. '.repeat(400) }
const large = Array.from({ length: 5000 }, (_, index) => ({ index, text: `row ${index}` }))

/** The events of one name, as they are told from now on. */
function told<Name extends 'incompatible' | 'undecodable' | 'unstorable'>(cache: Cache, name: Name): unknown[] {
  const events: unknown[] = []
  cache.on(name, (event) => void events.push(event))
  return events
}

withOneRedis('with Redis', 'it looks at the bytes that are stored', (kit) => {
  // What is slow here is the machine: no read may be a miss for that, and no load lose its lease.
  const make = (options: CreateCacheOptions = {}) => kit.make({ commandTimeout: '5s', lease: '30s', ...options })
  let redis: Redis
  beforeEach(() => {
    redis = new Redis(kit.server().url)
    return redis.flushall()
  })
  afterEach(() => redis.disconnect())

  async function bytesOf(key: string): Promise<Buffer> {
    const [name] = await redis.keys(`*:v:*:${key}`)
    return (await redis.getBuffer(name ?? '')) as Buffer
  }
  const nameOf = async (key: string) => (await redis.keys(`*:v:*:${key}`))[0] as string
  const key = () => randomBytes(32).toString('base64')
  const encrypting = (...keys: string[]): { codec: CodecOptions } => ({ codec: { encryption: { keys } } })

  describe('compression', () => {
    test.each([
      ['a small value', 'x'.repeat(4000), 4000],
      ['a value beyond the threshold', 'x'.repeat(4096), 300],
      ['a large one', 'x'.repeat(1_000_000), 10_000],
    ])('%s', async (_, value, most) => {
      const cache = await make({ codec: { compression: true } })
      const other = await make()
      await cache.set('k', value)
      expect(cache.peek('k')).toBe(value)
      expect((await bytesOf('k')).length).toBeLessThan(most + 200)
      expect(await other.get('k')).toBe(value)
      expect(other.gauges().l1Bytes).toBeGreaterThan(value.length)
    })

    test('a loaded value, and reads of one tick', async () => {
      const cache = await make({ codec: { compression: true } })
      const other = await make({ codec: { compression: true } })
      expect(await cache.getOrSet('large', () => large)).toEqual(large)
      await cache.set('ada', ada, { tags: ['people'] })
      expect(await Promise.all([other.get('large'), other.get('ada')])).toEqual([large, ada])
      await cache.invalidateTags('people')
      // L1 of a process that stands still answers nothing, whether it has heard of it or not.
      await heardAll(other, cache)
      expect(await other.getOrSet('ada', () => 'again')).toBe('again')
    })
  })

  test('a large one that was cut off is a miss, told, and removed', async () => {
    const [cache, other] = [await make({ codec: { compression: true } }), await make()]
    const undecodable = told(other, 'undecodable')
    await cache.set('k', large)
    await redis.set(await nameOf('k'), (await bytesOf('k')).subarray(0, -20))
    expect(await other.get('k')).toBeUndefined()
    expect(undecodable).toMatchObject([{ key: 'k', error: { code: 'ERR_UNDECODABLE' } }])
    await expect.poll(() => redis.keys('*:v:*:k')).toEqual([])
  })

  describe('encryption', () => {
    test('values are there for who has the key, and in Redis only in cipher', async () => {
      const shared = key()
      const cache = await make(encrypting(shared))
      const other = await make(encrypting(shared))
      for (const [name, value] of Object.entries({ ada, null: null, text: 'secret', large })) {
        await cache.set(name, value)
        expect(await other.get(name)).toEqual(value)
      }
      expect((await bytesOf('ada')).includes('secret')).toBe(false)
      expect((await bytesOf('text')).includes('secret')).toBe(false)
    })

    test('counters count, in the clear', async () => {
      const shared = key()
      const [cache, other] = [await make(encrypting(shared)), await make(encrypting(shared))]
      await cache.set('n', 40)
      expect(await other.increment('n')).toBe(41)
      expect(await cache.increment('n')).toBe(42)
      expect(await other.get('n')).toBe(42)
      expect((await bytesOf('n')).subarray(-2).toString()).toBe('42')
    })

    test('a new key: last everywhere, then first, and at no time is anything lost', async () => {
      const [old, next] = [key(), key()]
      const before = await make(encrypting(old))
      const prepared = await make(encrypting(old, next))
      const turned = await make(encrypting(next, old))
      await before.set('a', 'by the old one')
      await turned.set('b', 'by the new one')
      expect(await turned.get('a')).toBe('by the old one')
      expect(await prepared.get('b')).toBe('by the new one')
    })

    test('an unknown key: a miss that is told, and the entry stays; who loads it replaces it', async () => {
      const [old, next] = [key(), key()]
      const [cache, behind] = [await make(encrypting(next, old)), await make(encrypting(old))]
      const [incompatible, undecodable] = [told(behind, 'incompatible'), told(behind, 'undecodable')]
      await cache.set('k', ada)
      const bytes = await bytesOf('k')
      expect(await behind.get('k')).toBeUndefined()
      expect(incompatible).toEqual([{ namespace: '_', key: 'k', reason: 'unknown-key' }])
      expect(behind.counters.incompatible).toBe(1)
      expect(await bytesOf('k')).toEqual(bytes)
      expect(await behind.touch('k', '10m')).toEqual({ acknowledged: true, found: true })
      expect(await cache.get('k')).toEqual(ada)
      expect(await behind.getOrSet('k', () => 'loaded')).toBe('loaded')
      const third = await make(encrypting(next, old))
      expect(await third.get('k')).toBe('loaded')
      expect(undecodable).toEqual([])
    })

    test('without any key: a miss that stays; and in the clear it is one for who encrypts', async () => {
      const [cache, plain] = [await make(encrypting(key())), await make()]
      await cache.set('sealed', ada)
      await plain.set('open', ada)
      const [one, other] = [told(plain, 'incompatible'), told(cache, 'incompatible')]
      expect(await plain.get('sealed')).toBeUndefined()
      expect(await cache.get('open')).toBeUndefined()
      expect(one).toMatchObject([{ reason: 'unknown-key' }])
      expect(other).toMatchObject([{ reason: 'not-encrypted' }])
      expect(await redis.keys('*:v:*')).toHaveLength(2)
    })

    test('altered, or moved from another key, it is a miss, told, and removed', async () => {
      const shared = key()
      const [cache, other] = [await make(encrypting(shared)), await make(encrypting(shared))]
      const undecodable = told(other, 'undecodable')
      await cache.set('mine', { owner: 'me' })
      await cache.set('yours', { owner: 'you' })
      await redis.set(await nameOf('yours'), await bytesOf('mine'))
      const altered = await bytesOf('mine')
      altered[altered.length - 1] = (altered[altered.length - 1] as number) ^ 1
      await redis.set(await nameOf('mine'), altered)
      expect(await other.get('yours')).toBeUndefined()
      expect(await other.get('mine')).toBeUndefined()
      expect(undecodable).toMatchObject([{ key: 'yours' }, { key: 'mine' }])
      expect(other.counters.undecodable).toBe(2)
      await expect.poll(() => redis.keys('*:v:*')).toEqual([])
    })
  })

  describe('schemaVersion', () => {
    test('what was stored under another one is a miss, and stays; invalidations are for all', async () => {
      const old = (await make()).namespace('users', { schemaVersion: 1 })
      const young = (await make()).namespace('users', { schemaVersion: 2 })
      const bare = (await make()).namespace('users')
      const incompatible = told(young, 'incompatible')
      await old.set('k', 'old')
      expect(await young.get('k')).toBeUndefined()
      expect(await bare.get('k')).toBeUndefined()
      expect(incompatible).toEqual([{ namespace: 'users', key: 'k', reason: 'schema-version' }])
      expect(young.counters.incompatible).toBe(1)
      const again = (await make()).namespace('users', { schemaVersion: '1' })
      expect(await again.get('k')).toBe('old')
      await young.delete('k')
      await expect.poll(() => again.getEntry('k')).toBeUndefined()
    })

    test('each loads for itself, and keeps it in L1: the two do not fight', async () => {
      const old = await make({ defaults: { schemaVersion: 1 } })
      const young = await make({ defaults: { schemaVersion: 2 } })
      const loads: string[] = []
      const read = (cache: Cache, version: string) =>
        cache.getOrSet('k', () => {
          loads.push(version)
          return version
        })
      for (let round = 0; round < 3; round++) {
        expect(await read(old, 'old')).toBe('old')
        expect(await read(young, 'young')).toBe('young')
      }
      expect(loads).toEqual(['old', 'young'])
    })

    test("'auto': a changed schema makes what is stored a miss, the same one in other code does not", async () => {
      const open = async (schema: StandardSchema) =>
        (await make()).namespace('users', { schemaVersion: 'auto', schema })
      const old = await open(z.object({ name: z.string(), age: z.number() }))
      await old.set('k', { name: 'Ada', age: 36 })
      const same = await open(z.object({ name: z.string(), age: z.number() }))
      expect(await same.get('k')).toEqual({ name: 'Ada', age: 36 })
      const wider = await open(z.object({ name: z.string(), age: z.number().optional() }))
      const incompatible = told(wider, 'incompatible')
      expect(await wider.get('k')).toBeUndefined()
      expect(incompatible).toEqual([{ namespace: 'users', key: 'k', reason: 'schema-version' }])
    })

    test("'auto': of values that JSON Schema cannot describe, too", async () => {
      const open = async (schema: StandardSchema) =>
        (await make()).namespace('users', { schemaVersion: 'auto', schema })
      const ada = { born: new Date(0), visits: new Map([['home', 1]]) }
      const visits = z.map(z.string(), z.number())
      await (await open(z.object({ born: z.date(), visits }))).set('k', ada)
      expect(await (await open(z.object({ born: z.date(), visits }))).get('k')).toEqual(ada)
      const other = await open(z.object({ born: z.date(), visits: z.map(z.string(), z.number().nullable()) }))
      expect(await other.get('k')).toBeUndefined()
    })

    test('integers are of every version', async () => {
      const one = await make({ defaults: { schemaVersion: 1 } })
      const two = await make({ defaults: { schemaVersion: 2 } })
      expect(await one.increment('n')).toBe(1)
      expect(await two.increment('n')).toBe(2)
      expect(await one.get('n')).toBe(2)
    })
  })
})

inBothForms((kit) => {
  test('maxEntryBytes: a larger value is refused by set; loaded, it is answered and not stored', async () => {
    const cache = await kit.make({ maxEntryBytes: 100 })
    const unstorable = told(cache, 'unstorable')
    await expect(cache.set('k', 'x'.repeat(99))).rejects.toMatchObject({
      code: 'ERR_VALUE_TOO_LARGE',
      message: '"k": the value: expected at most 100 bytes when encoded (maxEntryBytes), got 101',
    })
    expect(await cache.set('k', 'x'.repeat(98))).toEqual({ acknowledged: true })
    expect(await cache.getOrSet('large', () => 'x'.repeat(99))).toBe('x'.repeat(99))
    expect(unstorable).toMatchObject([{ key: 'large', error: { code: 'ERR_VALUE_TOO_LARGE' } }])
    expect(cache.counters.unstorable).toBe(1)
    expect(await cache.get('large')).toBeUndefined()
  })

  test('a codec changes nothing for who reads and writes', async () => {
    const codec: CodecOptions = { compression: { threshold: 1 }, encryption: { keys: [randomBytes(32)] } }
    const cache = await kit.make({ codec, l1: kit.isShared ? false : {} })
    for (const value of [null, 0, false, '', ada, large, new Map([[1, new Set(['x'])]]), Buffer.from('bytes')]) {
      await cache.set('k', value)
      expect(await cache.get('k')).toEqual(value)
    }
  })
})
