import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test, vi } from 'vitest'
import { Transaction } from '../../src/cache/transaction.ts'
import { createCache } from '../../src/create-cache.ts'
import type { StandardSchema } from '../../src/entry/schema.ts'
import { heardAll, inBothForms } from '../doubles/caches.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const HELD = { acknowledged: false, held: true }

/** A point that a test reaches when it wants to. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

function schemaOf(passes: (value: unknown) => boolean | Promise<boolean>): StandardSchema {
  const resultOf = (value: unknown, passed: boolean) => (passed ? { value } : { issues: [{ message: 'no' }] })
  const validate = (value: unknown) => {
    const passed = passes(value)
    return typeof passed === 'boolean' ? resultOf(value, passed) : passed.then((later) => resultOf(value, later))
  }
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

inBothForms((kit) => {
  /** Two processes, or two callers of one. */
  async function setup() {
    const a = await kit.make()
    const b = kit.isShared ? await kit.make() : a
    const heard = () => (kit.isShared ? heardAll(b, a) : undefined)
    await a.set('key', 'old', { tags: ['tag'] })
    await a.namespace('n').set('key', 'old')
    return { a, b, n: a.namespace('n'), heard }
  }

  describe('what is changed inside', () => {
    const changes: [string, (cache: Awaited<ReturnType<typeof setup>>['a']) => Promise<unknown>, 'gone' | 'stale'][] = [
      ['delete', (cache) => cache.delete('key'), 'gone'],
      ['expire', (cache) => cache.expire('key'), 'stale'],
      ['invalidateTags', (cache) => cache.invalidateTags('other', 'tag'), 'gone'],
      ['expireTags', (cache) => cache.expireTags('tag'), 'stale'],
      ['clear', (cache) => cache.clear(), 'gone'],
    ]
    for (const [name, change, outcome] of changes) {
      test(`${name}: held until the callback has resolved, for everybody outside; done then, before the answer`, async () => {
        const { a, b, heard } = await setup()
        const { open, opened } = gate()
        const inside = gate()
        const transaction = a.transaction(async () => {
          expect(await change(a)).toEqual(HELD)
          expect(await a.get('key')).toBeUndefined()
          inside.open()
          await opened
          return 'answer'
        })
        await inside.opened
        expect([await a.get('key'), await b.get('key'), a.peek('key')]).toEqual(['old', 'old', 'old'])
        open()
        expect(await transaction).toBe('answer')
        await heard()
        expect([await a.get('key'), await b.get('key')]).toEqual([undefined, undefined])
        if (outcome === 'gone') expect(await b.getEntry('key')).toBeUndefined()
      })

      test(`${name}: dropped when the callback throws`, async () => {
        const { a, b, heard } = await setup()
        const failure = new Error('rolled back')
        const transaction = a.transaction(async () => {
          await change(a)
          throw failure
        })
        await expect(transaction).rejects.toBe(failure)
        await heard()
        expect([await a.get('key'), await b.get('key')]).toEqual(['old', 'old'])
        const { deletes, clears, tagInvalidations } = a.counters
        // The double of a fleet deletes keys of its own.
        if (!kit.isShared) expect([deletes, clears, tagInvalidations]).toEqual([0, 0, 0])
      })
    }

    test('set with a ttl of 0: what will be there after the end is there inside, stale or not at all', async () => {
      const { a } = await setup()
      await a.transaction(async () => {
        await a.set('key', 'stale', { ttl: 0, stale: '1h' })
        expect([await a.get('key'), a.peek('key'), await a.has('key')]).toEqual([undefined, undefined, false])
        expect(await a.getEntry('key')).toMatchObject({ value: 'stale', freshness: 'stale', ttl: 0 })
        expect(await a.getOrSet('key', () => 'loaded')).toBe('loaded')
        await a.set('key', 'nothing', { ttl: 0 })
        expect([await a.get('key'), a.peek('key'), await a.getEntry('key')]).toEqual([undefined, undefined, undefined])
        await a.set('other', 'stale', { ttl: 0, stale: '1h' })
      })
      expect([await a.get('key'), await a.getEntry('key')]).toEqual([undefined, undefined])
      expect(await a.getEntry('other')).toMatchObject({ value: 'stale', freshness: 'stale' })
    })

    test('set: its value is there inside at once, outside after the end; it is the value of the moment of the call', async () => {
      const { a, b, heard } = await setup()
      const { open, opened } = gate()
      const inside = gate()
      const value = { name: 'Ada' }
      const transaction = a.transaction(async () => {
        expect(await a.set('key', value, { ttl: 1000, tags: ['fresh'] })).toEqual(HELD)
        value.name = 'Eve'
        expect(await a.get('key')).toEqual({ name: 'Ada' })
        expect(a.peek('key')).toEqual({ name: 'Ada' })
        expect(await a.getOrSet('key', () => 'loaded')).toEqual({ name: 'Ada' })
        const entry = await a.getEntry('key')
        expect(entry).toMatchObject({ freshness: 'fresh', ttl: 1000, tags: ['fresh'] })
        inside.open()
        await opened
      })
      await inside.opened
      expect([await a.get('key'), await b.get('key')]).toEqual(['old', 'old'])
      open()
      await transaction
      await heard()
      expect([await a.get('key'), await b.get('key')]).toEqual([{ name: 'Ada' }, { name: 'Ada' }])
    })

    test('set: what cannot be stored is refused at once, and nothing is held of it', async () => {
      const { a } = await setup()
      await a.transaction(async () => {
        await expect(a.set('key', () => {})).rejects.toMatchObject({ code: 'ERR_UNSTORABLE_VALUE' })
        await expect(a.set('key', 1, { ttl: -1 })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
      })
      expect(await a.get('key')).toBe('old')
    })

    test('in the order in which it was called: the last word about a key holds', async () => {
      const { a, b, heard } = await setup()
      await a.transaction(async () => {
        await a.set('set, deleted', 1)
        await a.delete('set, deleted')
        await a.delete('deleted, set')
        await a.set('deleted, set', 1)
        await a.set('set, set', 1)
        await a.set('set, set', 2)
        await a.set('set, tag', 1, { tags: ['tag'] })
        await a.invalidateTags('tag')
        await a.set('tag, set', 1, { tags: ['tag'] })
        await a.set('set, expired', 1)
        await a.expire('set, expired')
        const inside = ['set, deleted', 'deleted, set', 'set, set', 'set, tag', 'tag, set', 'set, expired']
        expect(await Promise.all(inside.map((key) => a.get(key)))).toEqual([undefined, 1, 2, undefined, 1, undefined])
      })
      await heard()
      for (const cache of [a, b]) {
        const keys = ['key', 'set, deleted', 'deleted, set', 'set, set', 'set, tag', 'tag, set', 'set, expired']
        const found = await Promise.all(keys.map((key) => cache.get(key)))
        expect(found).toEqual([undefined, undefined, 1, 2, undefined, 1, undefined])
      }
    })

    test('what is made stale does not come back, nor does what was gone become stale', async () => {
      const { a, n } = await setup()
      await a.transaction(async () => {
        await a.set('key', 'new')
        await a.expire('key')
        expect(await a.getEntry('key')).toBeUndefined()
        await n.delete('key')
        await n.expire('key')
        expect(await n.getEntry('key')).toBeUndefined()
      })
      await a.set('key', 'old', { tags: ['tag', 'other'] })
      await a.transaction(async () => {
        await a.expire('key')
        await a.expireTags('tag')
        expect(await a.getEntry('key')).toMatchObject({ value: 'old', freshness: 'stale' })
        await a.invalidateTags('other')
        await a.expireTags('other')
        expect(await a.getEntry('key')).toBeUndefined()
      })
    })

    test('set, then touched: the value, for as long as the latter says', async () => {
      const { a, b, heard } = await setup()
      await a.transaction(async () => {
        await a.set('key', 'new')
        await a.touch('key', '1h')
      })
      await heard()
      for (const cache of [a, b]) {
        const entry = await cache.getEntry('key')
        expect(entry?.value).toBe('new')
        expect(entry?.ttl).toBeGreaterThan(3_000_000)
      }
    })

    test('touch: tells what it finds, and is held', async () => {
      const { a } = await setup()
      await a.transaction(async () => {
        expect(await a.touch('key', '1h')).toEqual({ ...HELD, found: true })
        expect(await a.touch('nothing', '1h')).toEqual({ ...HELD, found: false })
        expect((await a.getEntry('key'))?.ttl).toBeLessThanOrEqual(300_000)
      })
      expect((await a.getEntry('key'))?.ttl).toBeGreaterThan(3_000_000)
    })

    test('increment can neither be held nor taken back: refused', async () => {
      const { a } = await setup()
      await a.transaction(async () => {
        await expect(a.increment('count')).rejects.toMatchObject({ code: 'ERR_IN_TRANSACTION' })
      })
      expect(await a.increment('count')).toBe(1)
    })

    test('a namespace is one with its cache, and a cleared one is gone with those below it', async () => {
      const { a, n } = await setup()
      const below = n.namespace('below')
      await below.set('key', 'old')
      await n.transaction(async () => {
        await n.clear()
        expect([await a.get('key'), await n.get('key'), await below.get('key'), below.peek('key')]).toEqual([
          'old',
          undefined,
          undefined,
          undefined,
        ])
        await below.set('key', 'new')
        expect(await below.get('key')).toBe('new')
      })
      expect([await a.get('key'), await n.get('key'), await below.get('key')]).toEqual(['old', undefined, 'new'])
    })
  })

  describe('reads inside', () => {
    test('as long as nothing is changed, they are as any others: what is loaded is stored', async () => {
      const { a, b } = await setup()
      await a.transaction(async () => {
        expect(await a.getOrSet('cold', () => 'loaded')).toBe('loaded')
        expect(await a.get('key')).toBe('old')
      })
      expect([await a.get('cold'), await b.get('cold')]).toEqual(['loaded', 'loaded'])
    })

    test('what was not invalidated is there', async () => {
      const { a, n } = await setup()
      await a.transaction(async () => {
        await a.delete('other')
        await a.invalidateTags('other')
        expect([await a.get('key'), a.peek('key'), await n.has('key')]).toEqual(['old', 'old', true])
        const { l1Fresh } = a.counters.requestsOf('_')
        a.peek('key')
        expect(a.counters.requestsOf('_').l1Fresh).toBe(l1Fresh + 1)
        expect(await n.getOrSet('key', () => 'loaded')).toBe('old')
      })
    })

    test('what was invalidated is loaded, for its caller alone, and stored nowhere', async () => {
      const { a, b } = await setup()
      await a
        .transaction(async () => {
          await a.delete('key')
          let loads = 0
          const load = () => a.getOrSet('key', () => `uncommitted ${++loads}`)
          expect(await Promise.all([load(), load()])).toEqual(['uncommitted 1', 'uncommitted 2'])
          expect(await a.get('key')).toBeUndefined()
          const { value, tier, shared } = await a.getOrSetEntry('key', () => 'uncommitted')
          expect({ value, tier, shared }).toEqual({ value: 'uncommitted', tier: 'loader', shared: false })
          throw new Error('rolled back')
        })
        .catch(() => {})
      expect([await a.get('key'), await b.get('key')]).toEqual(['old', 'old'])
    })

    test('what nobody had is stored nowhere either: it may be made of what is not committed', async () => {
      const { a, b } = await setup()
      await a
        .transaction(async () => {
          await a.delete('row')
          expect(await a.getOrSet('page of it', () => 'uncommitted')).toBe('uncommitted')
          throw new Error('rolled back')
        })
        .catch(() => {})
      expect([await a.get('page of it'), await b.get('page of it')]).toEqual([undefined, undefined])
    })

    test('a load that began before the first change, and ends after it, is stored nowhere', async () => {
      const { a } = await setup()
      const loader = new ScriptedLoader<string>()
      await a.transaction(async () => {
        const load = a.getOrSet('cold', loader.load)
        await loader.running()
        await a.delete('row')
        loader.answer('uncommitted')
        expect(await load).toBe('uncommitted')
      })
      expect(await a.get('cold')).toBeUndefined()
    })

    for (const many of [false, true]) {
      test(`a renewal behind a stale value that ends after the first change is stored nowhere${many ? ', of many too' : ''}`, async () => {
        const { a } = await setup()
        await a.set('key', 'old', { stale: '1h' })
        await a.expire('key')
        const loader = new ScriptedLoader<string>()
        const loaded = new Promise<void>((resolve) => a.on('load', () => resolve()))
        await a.transaction(async () => {
          if (many) {
            const load = async () => ({ key: await loader.load({} as never) })
            expect((await a.getOrSetMany(['key'], load, { stale: '1h' })).get('key')).toBe('old')
          } else {
            expect(await a.getOrSet('key', loader.load, { stale: '1h' })).toBe('old')
          }
          await loader.running()
          await a.delete('row')
          loader.answer('uncommitted')
          await loaded
        })
        await a.get('another')
        expect(await a.getEntry('key')).toMatchObject({ value: 'old', freshness: 'stale' })
      })
    }

    test('what is stale outside is so inside', async () => {
      const { a } = await setup()
      await a.set('key', 'old', { stale: '1h' })
      await a.expire('key')
      await a.transaction(async () => {
        await a.delete('row')
        expect([a.peek('key'), await a.get('key')]).toEqual([undefined, undefined])
        expect(await a.getOrSet('key', () => 'uncommitted')).toBe('uncommitted')
      })
      expect(await a.getEntry('key')).toMatchObject({ value: 'old', freshness: 'stale' })
    })

    test('nobody outside gets what is loaded inside, and nobody inside what was loaded before', async () => {
      const { a } = await setup()
      await a.delete('key')
      const [outer, inner] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
      const outside = a.getOrSet('key', outer.load)
      await outer.running()
      await a.transaction(async () => {
        await a.delete('key')
        const inside = a.getOrSet('key', inner.load)
        await inner.running()
        inner.answer('uncommitted')
        expect(await inside).toBe('uncommitted')
      })
      outer.answer('old')
      expect(await outside).toBe('old')
      expect(await a.get('key')).toBeUndefined()
    })

    test('what was made stale inside is loaded; it is served when that fails', async () => {
      const { a } = await setup()
      await a.set('key', 'old', { stale: '1h', tags: ['tag'] })
      await a.transaction(async () => {
        await a.expireTags('tag')
        expect(await a.getEntry('key')).toMatchObject({ value: 'old', freshness: 'stale', ttl: 0 })
        expect([await a.get('key'), a.peek('key'), await a.has('key')]).toEqual([undefined, undefined, false])
        expect(await a.getOrSet('key', () => 'uncommitted')).toBe('uncommitted')
        const fails = () => Promise.reject(new Error('no answer'))
        expect(await a.getOrSet('key', fails)).toBe('old')
        await a.invalidateTags('tag')
        await expect(a.getOrSet('key', fails)).rejects.toThrow('no answer')
      })
    })

    test('two transactions at one time know nothing of each other', async () => {
      const { a } = await setup()
      const both = [gate(), gate()] as const
      const run = (mine: 0 | 1, other: 0 | 1) =>
        a.transaction(async () => {
          await a.set('key', mine)
          both[mine].open()
          await both[other].opened
          expect(await a.get('key')).toBe(mine)
        })
      await Promise.all([run(0, 1), run(1, 0)])
      expect([0, 1]).toContain(await a.get('key'))
    })
  })

  describe('many keys', () => {
    test('setMany and deleteMany are held, and getMany finds what they make', async () => {
      const { a, b, heard } = await setup()
      await a.setMany({ x: 'old', y: 'old' })
      const { open, opened } = gate()
      const inside = gate()
      const transaction = a.transaction(async () => {
        const { results, ...outcome } = await a.setMany({ x: 'new', z: 'new' })
        expect([outcome, ...results]).toEqual([HELD, ['x', HELD], ['z', HELD]])
        expect(await a.deleteMany(['y', 'key'])).toEqual(HELD)
        expect(await a.deleteMany([])).toEqual({ acknowledged: true })
        await expect(a.setMany({ w: 1, v: () => {} })).rejects.toMatchObject({ code: 'ERR_UNSTORABLE_VALUE' })
        expect([...(await a.getMany(['w', 'x', 'y', 'z', 'key']))]).toEqual([
          ['x', 'new'],
          ['z', 'new'],
        ])
        inside.open()
        await opened
      })
      await inside.opened
      expect(Object.fromEntries(await b.getMany(['x', 'y', 'z']))).toEqual({ x: 'old', y: 'old' })
      open()
      await transaction
      await heard()
      for (const cache of [a, b]) {
        expect(Object.fromEntries(await cache.getMany(['w', 'x', 'y', 'z', 'key']))).toEqual({ x: 'new', z: 'new' })
      }
    })

    test('getOrSetMany loads at once what is missing or was invalidated inside, and stores none of it', async () => {
      const { a, b } = await setup()
      await a.setMany({ x: 'old', y: 'old' })
      const asked: (readonly string[])[] = []
      const load = (missing: readonly string[]) => {
        asked.push(missing)
        return new Map(missing.map((key) => [key, `loaded ${key}`]))
      }
      await a.transaction(async () => {
        expect(Object.fromEntries(await a.getOrSetMany(['x', 'before'], load))).toEqual({
          x: 'old',
          before: 'loaded before',
        })
        await a.delete('y')
        await a.set('set', 'new')
        const found = await a.getOrSetMany(['x', 'y', 'cold', 'set'], load)
        expect(Object.fromEntries(found)).toEqual({ x: 'old', y: 'loaded y', cold: 'loaded cold', set: 'new' })
      })
      expect(asked).toEqual([['before'], ['y', 'cold']])
      expect(Object.fromEntries(await b.getMany(['x', 'before', 'y', 'cold', 'set']))).toEqual({
        x: 'old',
        before: 'loaded before',
        set: 'new',
      })
    })

    test('getOrSetMany: what began before the first change, and ends after it, is stored nowhere', async () => {
      const { a } = await setup()
      const { open, opened } = gate()
      const running = gate()
      await a.transaction(async () => {
        const load = a.getOrSetMany(['cold'], async () => {
          running.open()
          await opened
          return { cold: 'uncommitted' }
        })
        await running.opened
        await a.delete('row')
        open()
        expect((await load).get('cold')).toBe('uncommitted')
      })
      expect(await a.get('cold')).toBeUndefined()
    })
  })

  describe('the end', () => {
    test('what the callback leaves running is outside then', async () => {
      const { a } = await setup()
      const { open, opened } = gate()
      let late: Promise<unknown> = Promise.resolve()
      await a.transaction(async () => {
        await a.delete('other')
        late = opened.then(() => a.delete('key'))
      })
      expect(await a.get('key')).toBe('old')
      // Another one under way makes no difference.
      await a.transaction(async () => {
        open()
        expect(await late).toEqual({ acknowledged: true })
      })
      expect(await a.get('key')).toBeUndefined()
    })

    test('one within another is part of it, and is dropped with it', async () => {
      const { a, n } = await setup()
      const inner = async () => {
        expect(await n.transaction(async () => n.delete('key'))).toEqual(HELD)
        expect(await n.get('key')).toBeUndefined()
      }
      const outer = a.transaction(async () => {
        await inner()
        throw new Error('rolled back')
      })
      await expect(outer).rejects.toThrow('rolled back')
      expect(await n.get('key')).toBe('old')
      await a.transaction(inner)
      expect(await n.get('key')).toBeUndefined()
    })

    test('an inner one that throws, and is caught: its deletions are done; what was set is deleted', async () => {
      const { a, b, n, heard } = await setup()
      await a.transaction(async () => {
        await n.delete('key')
        const inner = a.transaction(async () => {
          await a.set('key', 'rolled back')
          throw new Error('rolled back')
        })
        await expect(inner).rejects.toThrow('rolled back')
        expect(await a.get('key')).toBeUndefined()
      })
      await heard()
      expect([await a.get('key'), await b.get('key'), await n.get('key')]).toEqual([undefined, undefined, undefined])
    })

    test('a callback that is not asynchronous, or fails at once', async () => {
      const { a } = await setup()
      expect(await a.transaction(() => 'answer')).toBe('answer')
      const fails = () => {
        throw new Error('at once')
      }
      await expect(a.transaction(fails)).rejects.toThrow('at once')
      await expect(a.transaction('work' as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    })

    test('close waits for it, and accepts no other', async () => {
      const { a } = await setup()
      const { open, opened } = gate()
      const events: string[] = []
      const transaction = a
        .transaction(async () => {
          await a.delete('key')
          await opened
        })
        .then(() => events.push('done'))
      const closed = a.close().then(() => events.push('closed'))
      await expect(a.transaction(() => {})).rejects.toMatchObject({ code: 'ERR_CLOSED' })
      open()
      await Promise.all([transaction, closed])
      expect(events).toEqual(['done', 'closed'])
      expect(a.counters.unacknowledged).toBe(0)
    })
  })
})

inBothForms((kit) => {
  const Text = schemaOf((value) => typeof value === 'string')

  describe('a call that takes longer than its transaction', () => {
    test('setMany with a schema that answers late is outside then: it is not lost', async () => {
      const cache = await kit.make()
      const { open, opened } = gate()
      const late = schemaOf(() => opened.then(() => true))
      let written: Promise<unknown> = Promise.resolve()
      await cache.transaction(() => {
        written = cache.setMany({ a: 1 }, { schema: late })
      })
      open()
      expect(await written).toMatchObject({ acknowledged: true })
      expect(await cache.get('a')).toBe(1)
    })

    test('touch, whose look has not ended, is held all the same', async () => {
      const cache = await kit.make()
      await cache.set('key', 1, { ttl: '1m' })
      let touched: Promise<unknown> = Promise.resolve()
      await cache.transaction(() => {
        touched = cache.touch('key', '1h')
      })
      expect(await touched).toEqual({ ...HELD, found: true })
      expect(await cache.ttl('key')).toBeGreaterThan(60_000)
    })
  })

  describe('what a load inside is to replace', () => {
    test('is nothing that was invalidated inside', async () => {
      const cache = await kit.make({ defaults: { stale: '1h' } })
      await cache.set('gone', 'old')
      await cache.set('set', 'old')
      await cache.set('stale', 'old')
      await cache.transaction(async () => {
        await cache.delete('gone')
        await cache.set('set', 'new')
        await cache.expire('set')
        await cache.expire('stale')
        const replaced = (key: string) => cache.getOrSet(key, ({ stale }) => ({ is: stale?.value }))
        expect([await replaced('gone'), await replaced('set'), await replaced('stale')]).toEqual([
          { is: undefined },
          { is: undefined },
          { is: 'old' },
        ])
        const kept = (key: string) => cache.getOrSet(key, ({ notModified }) => notModified())
        await expect(kept('gone')).rejects.toMatchObject({ code: 'ERR_NOTHING_TO_KEEP' })
        expect(await kept('stale')).toBe('old')
      })
    })

    test('takes its place after softTimeout; the loader is aborted', async () => {
      const cache = await kit.make({ defaults: { softTimeout: 1 } })
      await cache.set('key', 'old')
      const loader = new ScriptedLoader<string>()
      await cache.transaction(async () => {
        await cache.expire('key')
        const value = cache.getOrSet('key', loader.load)
        await loader.running()
        expect(await value).toBe('old')
        loader.answerWith(({ signal }) => {
          expect(signal.aborted).toBe(true)
          return 'late'
        })
      })
    })
  })

  test('what was set inside without the schema of a reader is checked for it', async () => {
    const cache = await kit.make()
    const texts = cache.namespace('texts', { schema: Text })
    await texts.set('before', 1, { schema: false })
    await cache.transaction(async () => {
      await texts.set('number', 1, { schema: false })
      await texts.set('text', 'a', { schema: false })
      expect([texts.peek('before'), texts.peek('number'), texts.peek('text')]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
      expect([...(await texts.getMany(['before', 'number', 'text']))]).toEqual([['text', 'a']])
      expect(await texts.getOrSet('number', () => 'loaded')).toBe('loaded')
      await texts.set('text', 'b')
      expect(texts.peek('text')).toBe('b')
    })
  })
})

test('many invalidations of one thing are one', async () => {
  const cache = createCache()
  await cache.transaction(async () => {
    for (let row = 0; row < 10; row++) await cache.invalidateTags('rows')
    await cache.delete('key')
    await cache.delete('key')
  })
  expect([cache.counters.tagInvalidations, cache.counters.deletes]).toEqual([1, 1])
  await cache.close()
})

test('a reader looks for its transaction only while one holds a change; nothing is left of the last one', async () => {
  const looks = vi.spyOn(AsyncLocalStorage.prototype, 'getStore')
  const disabled = vi.spyOn(AsyncLocalStorage.prototype, 'disable')
  const cache = createCache()
  await cache.set('key', 'value')
  const looksOf = (read: () => unknown) => {
    looks.mockClear()
    read()
    return looks.mock.calls.length
  }
  const outside = gate()
  const inside = gate()
  const transaction = cache.transaction(async () => {
    expect(looksOf(() => cache.peek('key'))).toBe(0)
    await cache.delete('other')
    expect(looksOf(() => cache.peek('key'))).toBeGreaterThan(0)
    inside.open()
    await outside.opened
  })
  await inside.opened
  expect(looksOf(() => cache.peek('key'))).toBeGreaterThan(0)
  disabled.mockClear()
  outside.open()
  await transaction
  expect(disabled).toHaveBeenCalledTimes(1)
  await cache.transaction(() => {
    expect(looksOf(() => cache.peek('key'))).toBe(0)
  })
  await cache.close()
})

test('an ended transaction keeps nothing for a context that lives on', async () => {
  const transaction = new Transaction(() => {})
  transaction.invalidate(
    { word: 'gone', id: 'key' },
    { operation: 'delete', requireAck: false, act: () => new Promise(() => {}) },
  )
  transaction.invalidate(
    { word: 'gone', group: 'g' },
    { operation: 'clear', requireAck: false, act: () => new Promise(() => {}) },
  )
  expect([transaction.standing('key', []), transaction.standing('other', ['g'])]).toEqual(['gone', 'gone'])
  transaction.end()
  expect([transaction.standing('key', []), transaction.standing('other', ['g'])]).toEqual([undefined, undefined])
})
