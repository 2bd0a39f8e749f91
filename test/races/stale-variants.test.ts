import { expect, test } from 'vitest'
import { assemble } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { PATIENCE_MS } from '../../src/http/recording.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ask, requestOf } from '../http/plain-exchange.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Watcher } from '../../src/http/exchange.ts'
import type { Fields } from '../../src/http/message.ts'

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const fields: Fields = [
  ['Cache-Control', 'max-age=600'],
  ['Vary', 'Accept-Language'],
  ['Cache-Tag', 'page'],
]
const page = (language: string) => requestOf({ headers: { 'accept-language': language } })

interface Site {
  readonly clock: FakeClock
  readonly cache: Cache
  readonly engine: HttpCache
}

function open(): Site {
  const clock = new FakeClock()
  const cache = assemble(undefined, clock)
  return { clock, cache, engine: new HttpCache(cache, undefined) }
}

async function get({ engine }: Site, language: string, body: string) {
  const got = await ask(engine, page(language), () => ({ fields, body }))
  await turns()
  return got
}

/** A request whose handler has sent its head, and read v1. */
async function begin({ engine }: Site): Promise<Watcher> {
  const watchers: Watcher[] = []
  engine.handle({
    request: page('de'),
    isGone: () => false,
    answer: () => expect.unreachable('nothing is stored'),
    forward: (watcher) => watchers.push(watcher),
  })
  await turns()
  const [watcher] = watchers
  if (!watcher) throw new Error('the application was not asked')
  watcher.head({ status: 200, fields })
  return watcher
}

async function end(watcher: Watcher): Promise<void> {
  watcher.chunk(Buffer.from('v1'))
  watcher.over(true)
  await turns()
}

const ways: [string, (site: Site) => Promise<unknown>][] = [
  ['its tag is expired', ({ cache }) => cache.expireTags('page')],
  ['its URL is purged softly', ({ engine }) => engine.purges.softPurge('http://a.example/')],
]

/**
 *   A: misses; the handler reads v1
 *   B: the database gets v2; what A makes is made stale
 *   A: ends; v1 would be stored as the first variant, and found by its rule
 */
test.each(ways)('the first variant is not fresh if, while it is made, %s', async (_, makeStale) => {
  const site = open()
  const watcher = await begin(site)
  await makeStale(site)
  await end(watcher)
  expect(await get(site, 'de', 'v2')).toMatchObject({ from: 'application', body: 'v2' })
  expect(await get(site, 'de', 'none')).toMatchObject({ from: 'cache', body: 'v2' })
  await site.cache.close()
})

/**
 *   A: the variant `en` is stored, and with it the rule of its resource
 *   B: asks for `de`; its handler sends the head, and reads v1
 *   C: the database gets v2; the page is made stale; and perhaps somebody asks for `en` again, which renews the rule
 *   B: a second later nobody waits for B any more; ends; v1 would be stored as a variant of the rule
 */
test.each(ways.flatMap(([name, act]) => [false, true].map((isRenewed) => [name, isRenewed, act] as const)))(
  'a variant that comes late is not stored if, before it was late, %s (rule renewed: %s)',
  async (_, isRenewed, makeStale) => {
    const site = open()
    await get(site, 'en', 'en')
    site.clock.advance(5)
    const watcher = await begin(site)
    site.clock.advance(5)
    await makeStale(site)
    if (isRenewed) expect(await get(site, 'en', 'en 2')).toMatchObject({ from: 'application' })
    site.clock.advance(PATIENCE_MS)
    await turns()
    await end(watcher)
    expect(await get(site, 'de', 'v2')).toMatchObject({ from: 'application', body: 'v2' })
    await site.cache.close()
  },
)

test('a variant that comes late is stored if nothing was made stale', async () => {
  const site = open()
  await get(site, 'en', 'en')
  const watcher = await begin(site)
  site.clock.advance(PATIENCE_MS)
  await turns()
  await end(watcher)
  expect(await get(site, 'de', 'v2')).toMatchObject({ from: 'cache', body: 'v1' })
  await site.cache.close()
})
