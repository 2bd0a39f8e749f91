import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { afterEach, describe, expect, test } from 'vitest'
import { createCache } from '../src/create-cache.ts'
import type { CallTrace } from '../src/index.ts'
import { inEveryForm, withOneRedis } from './doubles/caches.ts'
import { methodsOf } from './doubles/verbs.ts'

/** Calls as those see them who trace. */

const endings: (() => void)[] = []
afterEach(() => {
  for (const end of endings.splice(0)) end()
})

/** All that a listing gives. */
async function all(list: AsyncIterable<string>): Promise<string[]> {
  const keys: string[] = []
  for await (const key of list) keys.push(key)
  return keys
}

type Told = readonly [event: string, context: CallTrace & { readonly command?: string; readonly server?: string }]

/** What is told on a channel from now on, in its order. */
function told(verb: string): Told[] {
  const events: Told[] = []
  const note = (event: string) => (context: object) => void events.push([event, { ...context } as CallTrace])
  const handlers = {
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  }
  const channel = tracingChannel<unknown, object>(`tiercache:${verb}`)
  channel.subscribe(handlers)
  endings.push(() => channel.unsubscribe(handlers))
  return events
}

/** What was told of the calls that have ended, and forgets it. */
function ended(events: Told[]) {
  return events.splice(0).flatMap(([event, context]) => (event === 'asyncEnd' ? [context] : []))
}

inEveryForm((kit) => {
  test('a call begins, and ends later, with one context', async () => {
    const cache = (await kit.make()).namespace('n')
    const contexts = new Set<object>()
    const events: string[] = []
    const note = (event: string) => (context: object) => {
      contexts.add(context)
      events.push(event)
    }
    const channel = tracingChannel<unknown, object>('tiercache:set')
    const handlers = {
      start: note('start'),
      end: note('end'),
      asyncStart: note('asyncStart'),
      asyncEnd: note('asyncEnd'),
      error: note('error'),
    }
    channel.subscribe(handlers)
    await cache.set('k', 1)
    channel.unsubscribe(handlers)
    await cache.set('k', 2)
    expect(events).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect([...contexts]).toEqual([
      { namespace: 'n', key: 'k', outcome: 'acknowledged', result: { acknowledged: true } },
    ])
  })

  test('handles and wrapped functions are told, with what L1 has, and with the many that are loaded together', async () => {
    const cache = await kit.make()
    const [calls, many] = [told('getOrSet'), told('getOrSetMany')]
    const load = async (id: number) => id
    const loadMany = async (ids: number[]) => new Map(ids.map((id) => [id, id]))
    const [single, wrapped] = [cache.define({ name: 'single', load }), cache.wrap(load, { name: 'wrapped' })]
    await single.get(1)
    expect(ended(calls)).toMatchObject([{ namespace: 'single', key: '1', outcome: 'miss', tier: 'loader' }])
    await single.get(1)
    await single.getMany([1])
    const hit = { namespace: 'single', key: '1', outcome: 'hit', tier: 'l1', result: 1 }
    expect(ended(calls)).toEqual([hit, hit])
    await wrapped(1)
    await wrapped(1)
    expect(ended(calls)).toMatchObject([{ outcome: 'miss' }, { outcome: 'hit' }])
    const together = cache.define({ name: 'together', loadMany })
    await Promise.all([together.get(1), together.get(2)])
    expect(ended(many)).toEqual([{ namespace: 'together', keys: ['1', '2'], result: [1, 2] }])
    const failing = cache.define({ name: 'failing', loadMany: () => Promise.reject(new Error('away')) })
    await expect(failing.getMany([1, 2])).rejects.toThrow('away')
    expect(ended(many)).toMatchObject([{ namespace: 'failing', error: { message: 'away' } }])
  })

  test('how a read ended, and what answered it', async () => {
    const cache = await kit.make()
    const calls = { getOrSet: told('getOrSet'), getOrSetEntry: told('getOrSetEntry'), get: told('get') }
    const entries = told('getEntry')
    const subject = { namespace: '_', key: 'k' }
    const options = { stale: '1h' } as const
    expect(await cache.get('k')).toBeUndefined()
    expect(ended(calls.get)).toEqual([{ ...subject, outcome: 'miss', result: undefined }])
    expect(await Promise.all([1, 2].map((value) => cache.getOrSet('k', () => value, options)))).toEqual([1, 1])
    const loaded = { ...subject, outcome: 'miss', tier: 'loader', result: 1 }
    expect(ended(calls.getOrSet)).toEqual([loaded, loaded])
    expect(await cache.getOrSet('k', () => 2)).toBe(1)
    expect(await cache.getOrSet('k', () => 2, { isolation: 'copy' })).toBe(1)
    const hit = { ...subject, outcome: 'hit', tier: 'l1', result: 1 }
    expect(ended(calls.getOrSet)).toEqual([hit, hit])
    await cache.get('k')
    expect(ended(calls.get)).toEqual([hit])
    await cache.getOrSetEntry('k', () => 2)
    expect(ended(calls.getOrSetEntry)).toMatchObject([{ ...subject, outcome: 'hit', tier: 'l1' }])
    await cache.expire('k')
    await cache.getEntry('k')
    expect(ended(entries)).toMatchObject([{ ...subject, outcome: 'stale', tier: kit.isShared ? 'l2' : 'l1' }])
    expect(await cache.get('k')).toBeUndefined()
    expect(ended(calls.get)).toEqual([{ ...subject, outcome: 'miss', result: undefined }])
    expect(await cache.getOrSet('k', () => 2, options)).toBe(1)
    expect(ended(calls.getOrSet)).toMatchObject([{ ...subject, outcome: 'stale', result: 1 }])
    expect(entries).toEqual([])
  })

  test('of peek, which is synchronous', async () => {
    const cache = await kit.make()
    const events = told('peek')
    cache.peek('k')
    await cache.set('k', 1)
    expect(cache.peek('k')).toBe(1)
    expect(() => cache.peek('')).toThrow()
    expect(events.map(([event, { outcome, tier }]) => [event, outcome, tier])).toEqual([
      ['start', undefined, undefined],
      ['end', 'miss', undefined],
      ['start', undefined, undefined],
      ['end', 'hit', 'l1'],
      ['start', undefined, undefined],
      ['error', undefined, undefined],
      ['end', undefined, undefined],
    ])
  })

  test('of presence, changes and counters', async () => {
    const cache = await kit.make()
    const names = [
      'has',
      'ttl',
      'touch',
      'delete',
      'invalidateTags',
      'expireTags',
      'clear',
      'increment',
      'set',
      'expire',
    ]
    const calls = Object.fromEntries(names.map((verb) => [verb, told(verb)]))
    const outcomes = (verb: string) => ended(calls[verb] ?? []).map(({ outcome }) => outcome)
    await cache.set('k', 1, { version: 2 })
    await cache.set('k', 1, { version: 1 })
    expect(outcomes('set')).toEqual(['acknowledged', 'refused'])
    await Promise.all([cache.has('k'), cache.has('none'), cache.ttl('k'), cache.ttl('none')])
    expect([outcomes('has'), outcomes('ttl')]).toEqual([
      ['hit', 'miss'],
      ['hit', 'miss'],
    ])
    await cache.touch('k')
    await cache.expire('k')
    await cache.delete('k')
    await cache.clear()
    for (const verb of ['touch', 'expire', 'delete', 'clear']) expect(outcomes(verb)).toEqual(['acknowledged'])
    await cache.increment('n')
    expect(ended(calls.increment ?? [])).toEqual([{ namespace: '_', key: 'n', result: 1 }])
    for (const verb of ['invalidateTags', 'expireTags'] as const) {
      await cache[verb]('a', 'b')
      expect(ended(calls[verb] ?? [])).toMatchObject([{ namespace: '_', tags: ['a', 'b'], outcome: 'acknowledged' }])
    }
  })

  test('a call that is refused tells its error', async () => {
    const cache = await kit.make()
    const [sets, gets] = [told('set'), told('getOrSet')]
    await expect(cache.set('', 1)).rejects.toMatchObject({ code: 'ERR_INVALID_KEY' })
    await expect(cache.getOrSet(7 as never, () => 1)).rejects.toMatchObject({ code: 'ERR_INVALID_KEY' })
    for (const events of [sets, gets]) {
      expect(events.map(([event]) => event)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
      expect(events.at(-1)?.[1]).toMatchObject({ namespace: '_', error: { code: 'ERR_INVALID_KEY' } })
    }
  })

  test('a loader lies within its call, and what it asks for within it', async () => {
    const cache = await kit.make()
    const loads = told('load')
    const within = new AsyncLocalStorage<string>()
    for (const name of ['getOrSet', 'load']) {
      const { start } = tracingChannel(`tiercache:${name}`)
      start.bindStore(within, () => `${within.getStore() ?? ''}/${name}`)
      endings.push(() => void start.unbindStore(within))
    }
    const inner = () => within.getStore()
    expect(await cache.getOrSet('outer', () => cache.getOrSet('inner', inner))).toBe('/getOrSet/load/getOrSet/load')
    expect(ended(loads).map(({ key }) => key)).toEqual(['inner', 'outer'])
    await expect(cache.getOrSet('fails', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(ended(loads)).toMatchObject([{ namespace: '_', key: 'fails', error: { message: 'no' } }])
  })

  test('a listing is told from its first key to its end, to where it was left, or to its failure', async () => {
    const cache = await kit.make()
    await cache.setMany({ a: 1, b: 2 })
    const listings = told('keys')
    const list = cache.keys({ prefix: 'a' })
    expect(listings).toEqual([])
    expect(await all(list)).toEqual(['a'])
    expect(listings.map(([event]) => event)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(listings[0]?.[1]).toMatchObject({ namespace: '_', prefix: 'a' })
    listings.length = 0
    for await (const key of cache.keys()) if (key !== '') break
    await Promise.resolve()
    expect(listings.at(-1)?.[0]).toBe('asyncEnd')
    listings.length = 0
    const failure = new Error('enough')
    await expect(all(cache.keys({ signal: AbortSignal.abort(failure) }))).rejects.toBe(failure)
    await Promise.resolve()
    expect(ended(listings)).toMatchObject([{ error: failure }])
  })

  test('where nobody traces, a hit is the promise that is kept with the entry', async () => {
    const cache = await kit.make()
    await cache.set('k', 1)
    const hit = cache.get('k')
    expect(cache.getOrSet('k', () => 2)).toBe(hit)
    told('get')
    expect(cache.getOrSet('k', () => 2)).toBe(hit)
    expect(cache.get('k')).not.toBe(hit)
  })

  test('traced, a hit looks at its options as little as when it is not', async () => {
    const cache = await kit.make()
    await cache.set('k', 1)
    const wrong = { ttl: -1 }
    expect(await cache.getOrSet('k', () => 2, wrong)).toBe(1)
    told('getOrSet')
    expect(await cache.getOrSet('k', () => 2, wrong)).toBe(1)
  })
})

withOneRedis('commands', 'it looks at what is sent to one server', (kit) => {
  test('are told with their server, and without their arguments', async () => {
    const cache = await kit.make({ commandTimeout: '5s' })
    const commands = told('l2')
    await cache.set('k', 1)
    const { host } = new URL(kit.server().url)
    const sets = commands.filter(([, { command }]) => command === 'set-n')
    expect(sets.map(([event, { server }]) => [event, server])).toEqual(
      ['start', 'end', 'asyncStart', 'asyncEnd'].map((event) => [event, host]),
    )
    expect(sets.map(([, context]) => Object.keys(context))).toContainEqual(['command', 'server'])
  })
})

describe('the verbs', () => {
  test('all have a channel, but those that ask nothing of the cache', () => {
    const silent = ['namespace', 'on', 'gauges', 'stats', 'close', 'inspect', 'ready', 'health', 'define', 'wrap']
    const cache = createCache()
    const verbs = methodsOf(cache).filter((name) => !silent.includes(name))
    for (const verb of verbs) {
      const events = told(verb)
      const call = Reflect.get(cache, verb) as (...values: unknown[]) => unknown
      try {
        // Whatever it comes to: it was told that it began.
        const called = call.apply(cache, []) as Promise<unknown> | AsyncGenerator
        Promise.resolve('next' in called ? called.next() : called).catch(() => {})
      } catch {}
      expect([verb, events.length > 0]).toEqual([verb, true])
    }
  })
})
