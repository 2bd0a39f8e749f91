import { describe, expect, test } from 'vitest'
import type { LoadManyContext } from '../../src/cache/batch-loader.ts'
import type { LoadContext } from '../../src/cache/load-context.ts'
import { assemble } from '../../src/create-cache.ts'
import { inBothForms } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { allHeard, inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const KEPT = { ttl: 1000, stale: 5000, jitter: 0 } as const

describe('the value that is to be replaced', () => {
  test('is there behind a stale one, with its age; and not where there is none', async () => {
    const clock = new FakeClock()
    const cache = assemble(undefined, clock)
    const seen: unknown[] = []
    const load = ({ stale }: LoadContext<unknown>) => {
      seen.push(stale)
      return { n: seen.length }
    }
    await cache.getOrSet('k', load, KEPT)
    clock.advance(1500)
    expect(await cache.getOrSet('k', load, KEPT)).toEqual({ n: 1 })
    await expect.poll(() => cache.peek('k')).toEqual({ n: 2 })
    expect(seen).toEqual([undefined, { value: { n: 1 }, age: 1500 }])
  })

  test('may be changed by the loader: others do not see that', async () => {
    const clock = new FakeClock()
    const cache = assemble(undefined, clock)
    await cache.set('k', new Map([['a', 1]]), KEPT)
    clock.advance(1500)
    const loader = new ScriptedLoader<Map<string, number>>()
    await cache.getOrSet('k', loader.load, KEPT)
    await loader.running()
    let kept: unknown
    loader.answerWith((context) => {
      const { stale } = context as LoadContext<Map<string, number>>
      stale?.value.set('b', 2)
      expect(context.stale).toBe(stale)
      kept = context.notModified()
      return new Map()
    })
    expect(await cache.getOrSet('k', loader.load, KEPT)).toEqual(new Map([['a', 1]]))
    await expect.poll(() => cache.peek('k')).toEqual(new Map([['a', 1]]))
    expect(kept).toBeUndefined()
  })

  inFleets((fleet) => {
    test.each([{}, { l1: false } as const])('is that of L2, with %o', async (options) => {
      const [a, b] = [await fleet.process(options), await fleet.process(options)]
      await a.cache.set('k', 'old', { ...KEPT, ttl: '1h' })
      await a.cache.expire('k')
      await allHeard(a, b)
      const loader = new ScriptedLoader<string>()
      expect(await b.cache.getOrSet('k', loader.load, KEPT)).toBe('old')
      await loader.running()
      let value: unknown
      loader.answerWith(({ stale }) => {
        value = stale?.value
        return 'new'
      })
      await turn()
      expect(value).toBe('old')
    })

    test('is gone when its key is deleted before the lease is granted', async () => {
      const a = await fleet.process({ l1: false })
      await a.cache.set('k', 'old', { ...KEPT, ttl: '1h' })
      await a.cache.expire('k')
      const asking = a.leases.holdCall('acquire')
      const loader = new ScriptedLoader<string>()
      expect(await a.cache.getOrSet('k', loader.load, KEPT)).toBe('old')
      await asking.arrived
      await a.cache.delete('k')
      asking.release()
      await loader.running()
      loader.answerWith((context) => {
        expect(() => context.notModified()).toThrow(expect.objectContaining({ code: 'ERR_NOTHING_TO_KEEP' }))
        return String(context.stale)
      })
      await expect.poll(() => a.cache.get('k')).toBe('undefined')
    })
  })
})

describe('notModified', () => {
  inBothForms((kit) => {
    test('keeps the value with its tags and those of this load, and makes it fresh again', async () => {
      const cache = await kit.make()
      await cache.set('k', { n: 1 }, { ttl: '1h', stale: '1h', tags: ['old'] })
      await cache.expire('k')
      const before = await cache.getEntry('k')
      expect(before?.freshness).toBe('stale')
      const load = ({ notModified, setTags, setTtl }: LoadContext) => {
        setTags('set')
        setTtl(90_000)
        return notModified()
      }
      expect(await cache.getOrSet('k', load, { ttl: 1, stale: '1h', jitter: 0, tags: ['call'] })).toEqual({ n: 1 })
      await expect.poll(() => cache.get('k')).toEqual({ n: 1 })
      const after = await cache.getEntry('k')
      expect(after).toMatchObject({ freshness: 'fresh', tags: ['old', 'call', 'set'] })
      expect(after?.ttl).toBeGreaterThan(80_000)
      await cache.invalidateTags('old')
      expect(await cache.get('k')).toBeUndefined()
    })

    test('where nothing is to be kept it throws, which is the loader’s failure', async () => {
      const cache = await kit.make()
      const failure = { code: 'ERR_NOTHING_TO_KEEP', message: expect.stringContaining('"k"') }
      await expect(cache.getOrSet('k', ({ notModified }) => notModified())).rejects.toMatchObject(failure)
      expect(await cache.has('k')).toBe(false)
    })

    test('a loader that fails after it has failed', async () => {
      const cache = await kit.make()
      await cache.set('k', 'old', { ttl: '1h', stale: '1h' })
      await cache.expire('k')
      const failed = new Promise((resolve) => cache.on('renewal-failed', ({ error }) => resolve(error)))
      const failure = new Error('away')
      const load = ({ notModified }: LoadContext): string => {
        notModified()
        throw failure
      }
      expect(await cache.getOrSet('k', load, { stale: '1h' })).toBe('old')
      expect(await failed).toBe(failure)
      expect((await cache.getEntry('k'))?.freshness).toBe('stale')
    })

    test.each(['delete', 'clear', 'tag'] as const)('%s meanwhile: nothing is stored', async (how) => {
      const cache = await kit.make()
      await cache.set('k', 'old', { ttl: '1h', stale: '1h', tags: ['t'] })
      await cache.expire('k')
      const loader = new ScriptedLoader<string>()
      expect(await cache.getOrSet('k', loader.load, { stale: '1h' })).toBe('old')
      await loader.running()
      await { delete: () => cache.delete('k'), clear: () => cache.clear(), tag: () => cache.invalidateTags('t') }[how]()
      loader.answerWith(({ notModified }) => notModified())
      await expect.poll(() => cache.counters.fillsRefused).toBe(1)
      expect(await cache.getEntry('k')).toBeUndefined()
    })
  })
})

describe('negativeTtl', () => {
  const clocked = () => {
    const clock = new FakeClock()
    return { clock, cache: assemble({ defaults: { jitter: 0, ttl: 1000, negativeTtl: 100 } }, clock) }
  }

  test('is the ttl of a loaded null, and of no other value', async () => {
    const { clock, cache } = clocked()
    expect(await cache.getOrSet('none', () => null)).toBeNull()
    expect(await cache.getOrSet('zero', () => 0)).toBe(0)
    clock.advance(99)
    expect(await cache.get('none')).toBeNull()
    clock.advance(1)
    expect(await cache.get('none')).toBeUndefined()
    expect(await cache.get('zero')).toBe(0)
  })

  test('does not hold for a null that is set', async () => {
    const { clock, cache } = clocked()
    await cache.set('none', null)
    clock.advance(999)
    expect(await cache.get('none')).toBeNull()
  })

  test('setTtl of the loader wins', async () => {
    const { clock, cache } = clocked()
    const load = ({ setTtl }: LoadContext) => {
      setTtl(500)
      return null
    }
    await cache.getOrSet('none', load)
    clock.advance(499)
    expect(await cache.get('none')).toBeNull()
    clock.advance(1)
    expect(await cache.get('none')).toBeUndefined()
  })

  test('without it a null is fresh as long as any other', async () => {
    const clock = new FakeClock()
    const cache = assemble(undefined, clock)
    await cache.getOrSet('none', () => null, { ttl: 1000, jitter: 0 })
    clock.advance(999)
    expect(await cache.get('none')).toBeNull()
  })
})

test('skip refuses what it does not know, of one key and of many', async () => {
  const cache = assemble(undefined, new FakeClock())
  const refused = expect.objectContaining({
    code: 'ERR_INVALID_ARGUMENT',
    message: "others: expected 'each' or 'next', got \"foo\"",
  })
  await expect(cache.getOrSet('k', (context) => context.skip('foo' as never))).rejects.toEqual(refused)
  const loadMany = (keys: readonly string[], context: LoadManyContext) => {
    for (const key of keys) context.skip(key, 'foo' as never)
    return {}
  }
  await expect(cache.getOrSetMany(['k'], loadMany)).rejects.toEqual(refused)
})

test('what a loader calls after its end has no effect', async () => {
  const clock = new FakeClock()
  const cache = assemble(undefined, clock)
  let context: LoadContext | undefined
  const load = (given: LoadContext) => {
    context = given
    return 'value'
  }
  const schema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      // Between the loader's end and the storing of its value.
      validate: async (value: unknown) => {
        context?.setTtl(1)
        context?.setTags('late')
        context?.skip()
        context?.notModified()
        return { value }
      },
    },
  } as const
  await cache.getOrSet('k', load, { ttl: 1000, jitter: 0, schema })
  expect(await cache.getEntry('k')).toMatchObject({ value: 'value', ttl: 1000, tags: [] })
})
