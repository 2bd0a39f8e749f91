import { expect, test } from 'vitest'
import { assemble } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { PATIENCE_MS } from '../../src/http/recording.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ask, requestOf } from '../http/plain-exchange.ts'
import type { Watcher } from '../../src/http/exchange.ts'
import type { Fields } from '../../src/http/message.ts'

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/**
 *   A: the variant `en` is stored, and with it the rule of its resource
 *   B: asks for `de`; its handler sends the head, and reads v1; a second later nobody waits for B any more
 *   C: changes what the page shows, and purges its URL softly: the variants are stale, and the rule stays
 *   B: ends; v1 would be stored as a fresh variant of the rule
 */
test('a variant that comes late is not stored when its URL was purged softly meanwhile', async () => {
  const clock = new FakeClock()
  const cache = assemble(undefined, clock)
  const engine = new HttpCache(cache, undefined)
  const sent: Fields = [
    ['Cache-Control', 'max-age=600'],
    ['Vary', 'Accept-Language'],
  ]
  const page = (language: string) => requestOf({ headers: { 'accept-language': language } })
  const get = async (language: string, body: string) => {
    const got = await ask(engine, page(language), () => ({ fields: sent, body }))
    await turns()
    return got
  }
  await get('en', 'en')
  expect(await get('en', 'none')).toMatchObject({ from: 'cache', body: 'en' })

  let watcher: Watcher | undefined
  engine.handle({
    request: page('de'),
    isGone: () => false,
    answer: () => expect.unreachable('nothing is stored'),
    forward: (given) => {
      watcher = given
    },
  })
  await turns()
  watcher?.head({ status: 200, fields: sent })
  clock.advance(PATIENCE_MS)
  await turns()
  await engine.purges.softPurge('http://a.example/')
  watcher?.chunk(Buffer.from('v1'))
  watcher?.over(true)
  await turns()

  expect(await get('de', 'v2')).toMatchObject({ from: 'application', body: 'v2' })
  await cache.close()
})
