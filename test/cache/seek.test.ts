import { expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { whenAborted } from '../../src/cache/load-context.ts'
import type { Offer } from '../../src/cache/load-request.ts'
import type { FaceContext, LoadContext } from '../../src/cache/load-context.ts'
import { door } from '../../src/cache/seek.ts'
import { assemble } from '../../src/create-cache.ts'
import { localId } from '../../src/entry/key.ts'
import { inBothForms, withRedis } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const STALE = { ttl: 0, stale: '1m', jitter: 0 } as const

/** Notes what it is offered, and takes what `takes` says. */
function judge(takes: (offer: Offer) => boolean) {
  const offered: string[] = []
  const accepts = (offer: Offer): boolean => {
    offered.push(`${offer.freshness}${offer.failed ? ' failed' : ''} ${String(offer.value)}`)
    return takes(offer)
  }
  return { offered, accepts }
}

function seek(cache: Cache, load: (context: LoadContext) => Promise<unknown>, accepts: (offer: Offer) => boolean) {
  return cache[door].seek('k', load, { accepts })
}

inBothForms((kit) => {
  test('a fresh value that is taken is served; one that is not is what the load replaces', async () => {
    const cache = await kit.make()
    await cache.set('k', 'old', { ttl: '1m' })
    const taking = judge(() => true)
    const never = () => Promise.reject(new Error('a load'))
    expect(await seek(cache, never, taking.accepts)).toMatchObject({ value: 'old', tier: 'l1', freshness: 'fresh' })
    expect(taking.offered).toEqual(['fresh old'])

    const picky = judge(({ value }) => value === 'new')
    const replaced: unknown[] = []
    const load = async ({ stale }: LoadContext) => {
      replaced.push(stale?.value)
      return 'new'
    }
    expect(await seek(cache, load, picky.accepts)).toMatchObject({ value: 'new', tier: 'loader', failed: false })
    expect(new Set(picky.offered)).toEqual(new Set(['fresh old']))
    expect(replaced).toEqual(['old'])
    expect(await cache.get('k')).toBe('new')
  })

  test('a stale value that is taken is served at once, and `behind` renews it', async () => {
    const cache = await kit.make()
    await cache.set('k', 'old', STALE)
    const { offered, accepts } = judge(() => true)
    const loader = new ScriptedLoader<string>()
    const never = () => Promise.reject(new Error('a load'))
    const options = { accepts, behind: loader.load }
    expect(await cache[door].seek('k', never, options)).toMatchObject({ value: 'old', freshness: 'stale' })
    expect(offered).toEqual(['stale old'])
    await loader.running()
    loader.answer('new')
    await expect.poll(() => cache.get('k')).toBe('new')
  })

  test('a stale value that is taken is served at once where the defaults have a softTimeout, too', async () => {
    const cache = (await kit.make()).namespace('n', { softTimeout: 'never' })
    await cache.set('k', 'old', STALE)
    const loader = new ScriptedLoader<string>()
    expect(await seek(cache, loader.load, () => true)).toMatchObject({ value: 'old', freshness: 'stale' })
    await loader.running()
    loader.answer('new')
  })

  test('what expire made stale is served at once to who takes it, whatever `stale` says', async () => {
    const cache = await kit.make()
    await cache.set('k', 'old', { ttl: '1h' })
    await cache.expire('k')
    const loader = new ScriptedLoader<string>()
    const sought = seek(cache, loader.load, () => true)
    await loader.running()
    loader.answer('new')
    expect(await sought).toMatchObject({ value: 'old', freshness: 'stale' })
  })

  test('a key of the root that looks like the name of an entry below shows nothing of that', async () => {
    const cache = await kit.make()
    await cache.namespace('n').set('k', 'secret')
    expect(cache[door].peekEntry(localId('n', 'k'))).toBeUndefined()
    expect(cache.namespace('n')[door].peekEntry('k')?.value).toBe('secret')
  })

  test('a stale value that is not taken is loaded anew, however many renewals run', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    for (let index = 0; index < 16; index++) {
      await cache.set(`k${index}`, 'old', STALE)
      await cache.getOrSet(`k${index}`, loader.load, STALE)
    }
    await loader.running(16)
    await cache.set('k', 'old', STALE)
    const { accepts } = judge(({ freshness }) => freshness === 'fresh')
    expect(await seek(cache, async () => 'new', accepts)).toMatchObject({ value: 'new', freshness: 'fresh' })
    for (let index = 0; index < 16; index++) loader.answer('new')
  })

  test('in place of a failed load a stale value is served where that is taken, and the failure is told where it is not', async () => {
    const cache = await kit.make()
    await cache.set('k', 'old', STALE)
    const failure = new Error('away')
    const { offered, accepts } = judge(({ failed }) => failed)
    expect(await seek(cache, () => Promise.reject(failure), accepts)).toMatchObject({ value: 'old', failed: true })
    expect(offered.at(-1)).toBe('stale failed old')
    await expect(
      seek(
        cache,
        () => Promise.reject(failure),
        () => false,
      ),
    ).rejects.toBe(failure)
  })

  test('those who join a load that fails are served what they take', async () => {
    const cache = await kit.make()
    await cache.set('k', 'old', STALE)
    const loader = new ScriptedLoader<string>()
    const { accepts } = judge(({ failed }) => failed)
    const first = seek(cache, loader.load, accepts)
    await loader.running()
    const second = seek(cache, loader.load, accepts)
    // Its look into L2, if there is one, is over when this one's is.
    await cache.getEntry('k')
    loader.fail(new Error('away'))
    expect(await first).toMatchObject({ value: 'old', failed: true })
    expect(await second).toMatchObject({ value: 'old', failed: true })
    expect(loader.started).toBe(1)
  })

  test('what another caller loads is served where it is taken; who does not take it loads again', async () => {
    const cache = await kit.make()
    const loader = new ScriptedLoader<string>()
    const first = seek(cache, loader.load, () => true)
    await loader.running()
    const second = seek(cache, loader.load, () => true)
    const third = seek(cache, loader.load, ({ value }) => value === 'own')
    await cache.getEntry('k')
    loader.answer('theirs')
    expect(await first).toMatchObject({ value: 'theirs', joined: false })
    expect(await second).toMatchObject({ value: 'theirs', joined: true })
    await loader.running(2)
    loader.answer('own')
    expect(await third).toMatchObject({ value: 'own', joined: false })
  })

  test('peekEntry: what L1 has, fresh or stale, and the very value', async () => {
    const cache = (await kit.make()).namespace('n', { isolation: 'reference' })
    expect(cache[door].peekEntry('k')).toBeUndefined()
    await cache.set('k', { a: 1 }, { ttl: '1m' })
    expect(cache[door].peekEntry('k')).toEqual({ value: { a: 1 }, freshness: 'fresh' })
    expect(cache[door].peekEntry('k')?.value).toBe(cache.peek('k'))
    await cache.set('k', { a: 2 }, STALE)
    expect(cache[door].peekEntry('k')).toEqual({ value: { a: 2 }, freshness: 'stale' })
    await cache.delete('k')
    expect(cache[door].peekEntry('k')).toBeUndefined()
    expect(cache.counters.requestsOf('n').l1Fresh).toBe(1)
    cache[door].noteHit()
    expect(cache.counters.requestsOf('n').l1Fresh).toBe(2)
  })

  test('ctx.setStale: for how long past its ttl a value may be served', async () => {
    const cache = await kit.make()
    const load = async ({ setTtl, setStale }: LoadContext) => {
      setTtl(0)
      setStale('1h')
      return 'old'
    }
    await cache.getOrSet('k', load)
    expect(await cache.getEntry('k')).toMatchObject({ value: 'old', freshness: 'stale' })
    await expect(cache.getOrSet('other', ({ setStale }) => setStale(-1))).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringMatching(/^stale: /),
    })
  })
})

test('those who will not wait any longer take what one of them loads only if they accept it', async () => {
  const clock = new FakeClock()
  const cache = assemble(undefined, clock)
  const [slow, own] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
  const late = cache.getOrSet('k', slow.load)
  await slow.running()
  const seeks = (load: () => unknown, accepts: (offer: Offer) => boolean) =>
    cache[door].seek('k', load, { accepts, waitTimeoutMs: 100 })
  const first = seeks(own.load as () => unknown, () => true)
  const second = seeks(
    async () => 'second',
    () => true,
  )
  const third = seeks(
    async () => 'third',
    ({ value }) => value === 'third',
  )
  clock.advance(100)
  await own.running()
  own.answer('first')
  expect(await first).toMatchObject({ value: 'first', joined: false })
  expect(await second).toMatchObject({ value: 'first', joined: true })
  expect(await third).toMatchObject({ value: 'third', joined: false })
  slow.answer('slow')
  await late
  await cache.close()
})

withRedis('L2 alone', (kit) => {
  test('what L2 has fresh and is not taken is replaced; a stale one that is taken is renewed behind', async () => {
    const cache = await kit.make({ l1: false })
    await cache.set('k', 'old', { ttl: '1m' })
    const { offered, accepts } = judge(({ value }) => value === 'new')
    expect(await seek(cache, async ({ stale }) => (stale?.value === 'old' ? 'new' : 'other'), accepts)).toMatchObject({
      value: 'new',
    })
    expect(offered).toEqual(['fresh old'])
    await cache.set('k', 'old', STALE)
    expect(
      await seek(
        cache,
        async () => 'newer',
        () => true,
      ),
    ).toMatchObject({ value: 'old', tier: 'l2' })
    await expect.poll(() => cache.get('k')).toBe('newer')
  })

  test('one of two processes replaces what neither takes', async () => {
    const [a, b] = [await kit.make(), await kit.make()]
    await a.set('k', 'old', { ttl: '1m' })
    const loader = new ScriptedLoader<string>()
    const accepts = ({ value }: Offer) => value === 'new'
    const first = seek(a, loader.load, accepts)
    await loader.running()
    const waits = new Promise((resolve) => b.on('wait', resolve))
    const second = seek(b, loader.load, accepts)
    await waits
    loader.answer('new')
    expect([(await first).value, (await second).value]).toEqual(['new', 'new'])
    expect(loader.started).toBe(1)
  })
})

inBothForms((kit) => {
  test('what is said to be plain data is kept as it is, and counts in L1 for what it is said to take', async () => {
    const cache = await kit.make()
    const made = { of: 'plain data' }
    const sought = await cache[door].seek('k', () => made, { accepts: () => true, bytesOf: () => 4321 })
    expect(sought.value).toBe(made)
    expect(cache[door].peekEntry('k')?.value).toBe(made)
    expect((await cache.inspect('k')).l1).toMatchObject({ entry: { bytes: 4321 } })
  })
})

test('what is said to take more than `maxEntryBytes` is not stored', async () => {
  const cache = assemble({ maxEntryBytes: 1000 }, new FakeClock())
  const seeking = { accepts: () => true, bytesOf: () => 1001 }
  expect(await cache[door].seek('k', () => 'made', seeking)).toMatchObject({ value: 'made' })
  expect(cache[door].peekEntry('k')).toBeUndefined()
  expect(cache.counters.unstorable).toBe(1)
})

test('the loader of a face hears without a signal that nobody waits for it any more', async () => {
  const clock = new FakeClock()
  const cache = assemble({ defaults: { hardTimeout: '1s' } }, clock)
  const heard: string[] = []
  const contexts: FaceContext[] = []
  const load = (context: FaceContext) => {
    contexts.push(context)
    context[whenAborted](() => heard.push('at the end'))
    return new Promise<string>(() => {})
  }
  const sought = cache[door].seek('k', load, { accepts: () => true })
  sought.catch(() => {})
  clock.advance(999)
  expect(heard).toEqual([])
  clock.advance(1)
  await expect(sought).rejects.toThrow('more than 1000 ms')
  expect(heard).toEqual(['at the end'])
  contexts[0]?.[whenAborted](() => heard.push('at once'))
  expect(heard).toEqual(['at the end', 'at once'])
})
