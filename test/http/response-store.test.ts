import { afterEach, describe, expect, test } from 'vitest'
import { assemble } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Cache, DefaultOptions } from '../../src/index.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { Script } from './plain-exchange.ts'

const caches: Cache[] = []
afterEach(() => Promise.all(caches.splice(0).map((cache) => cache.close())))

/** An engine over a cache that has defaults for its own values. */
function open({ defaults, options }: { defaults?: DefaultOptions; options?: HttpCacheOptions }) {
  const clock = new FakeClock()
  const cache = assemble({ defaults }, clock)
  caches.push(cache)
  return { clock, cache, engine: new HttpCache(cache, options) }
}

const page: Script = { fields: [['Cache-Control', 'public, max-age=60']], body: 'x'.repeat(100_000) }

async function landed(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('what the cache says of its values is not said of responses', () => {
  test('their tags', async () => {
    const { cache, engine } = open({ defaults: { tags: ['products'] } })
    await ask(engine, requestOf(), () => page)
    await landed()
    await cache.invalidateTags('products')
    expect(await ask(engine, requestOf(), () => page)).toMatchObject({ from: 'cache' })
  })

  test('their tiers: a response counts in L1 for what it takes', async () => {
    const { cache, engine } = open({ defaults: { tiers: 'l1' } })
    await ask(engine, requestOf(), () => page)
    await landed()
    expect(cache.gauges()).toMatchObject({ l1Entries: 1 })
    expect(cache.gauges().l1Bytes).toBeGreaterThan(100_000)
  })

  test.each<DefaultOptions>([{ l1Ttl: 1 }, { jitter: 1 }])('their lifetimes: %o', async (defaults) => {
    const { clock, engine } = open({ defaults })
    await ask(engine, requestOf(), () => page)
    await landed()
    clock.advance(58_000)
    expect(await ask(engine, requestOf(), () => page)).toMatchObject({ from: 'cache' })
  })

  test('the deadlines of their loaders: a response that comes later is stored, and waited for', async () => {
    const { clock, engine } = open({ defaults: { hardTimeout: 10, waitTimeout: 0 } })
    let respond = (_: Script) => {}
    let runs = 0
    const slow = () => {
      runs++
      return new Promise<Script>((resolve) => {
        respond = resolve
      })
    }
    const first = ask(engine, requestOf(), slow)
    await landed()
    const second = ask(engine, requestOf(), slow)
    await landed()
    clock.advance(5000)
    await landed()
    respond(page)
    expect((await first).cacheStatus).toBe('tiercache; fwd=uri-miss; stored')
    expect((await second).cacheStatus).toBe('tiercache; fwd=uri-miss; collapsed')
    expect(runs).toBe(1)
    await landed()
    expect(await ask(engine, requestOf(), slow)).toMatchObject({ from: 'cache' })
  })
})

describe('the deadlines of a response cache', () => {
  /** An application that answers when it is told to, and how often it was asked. */
  function waiting() {
    const asked: ((script: Script) => void)[] = []
    return { asked, application: () => new Promise<Script>((resolve) => asked.push(resolve)) }
  }

  test('waitTimeout: after that, a request goes to the application itself', async () => {
    const { clock, engine } = open({ options: { waitTimeout: 100 } })
    const { asked, application } = waiting()
    const first = ask(engine, requestOf(), application)
    await landed()
    const second = ask(engine, requestOf(), application)
    await landed()
    clock.advance(99)
    await landed()
    expect(asked).toHaveLength(1)
    clock.advance(1)
    await landed()
    expect(asked).toHaveLength(2)
    for (const respond of asked) respond(page)
    expect((await first).cacheStatus).toBe('tiercache; fwd=uri-miss; stored')
    expect(await second).toMatchObject({ from: 'application' })
  })

  test('hardTimeout: what comes later goes to its client, and is not stored', async () => {
    const { clock, engine } = open({ options: { hardTimeout: 100 } })
    const { asked, application } = waiting()
    const first = ask(engine, requestOf(), application)
    await landed()
    clock.advance(100)
    await landed()
    asked[0]?.(page)
    expect(await first).toMatchObject({ from: 'application', status: 200, cacheStatus: 'tiercache; fwd=uri-miss' })
    await landed()
    const second = ask(engine, requestOf(), application)
    await landed()
    expect(asked).toHaveLength(2)
    asked[1]?.(page)
    expect((await second).cacheStatus).toBe('tiercache; fwd=uri-miss; stored')
  })
})
