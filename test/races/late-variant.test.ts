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
 *   A: the variant `en`, of the group e, is stored, and with it the rule of its resource
 *   B: asks for `de`; its handler sends the head, and reads v1 of the group d; a second later nobody waits for B any more
 *   C: changes what d shows, and says so: the rule stays, as nothing that it stands for was of d
 *   B: ends; v1 would be stored as a variant of the rule, and served for its whole lifetime
 */
test('a variant that comes late, of a group that was made invalid meanwhile, is not stored', async () => {
  const clock = new FakeClock()
  const cache = assemble(undefined, clock)
  const engine = new HttpCache(cache, undefined)
  const sent = (group: string): Fields => [
    ['Cache-Control', 'max-age=600'],
    ['Vary', 'Accept-Language'],
    ['Cache-Groups', `"${group}"`],
  ]
  const page = (language: string) => requestOf({ headers: { 'accept-language': language } })
  const get = async (language: string, body: string) => {
    const got = await ask(engine, page(language), () => ({ fields: sent(language), body }))
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
  watcher?.head({ status: 200, fields: sent('de') })
  clock.advance(PATIENCE_MS)
  await turns()
  const fields: Fields = [['Cache-Group-Invalidation', '"de"']]
  await ask(engine, requestOf({ method: 'POST', target: '/form' }), () => ({ fields }))
  watcher?.chunk(Buffer.from('v1'))
  watcher?.over(true)
  await turns()

  expect(await get('de', 'v2')).toMatchObject({ from: 'application', body: 'v2' })
  expect(await get('en', 'none')).toMatchObject({ from: 'cache', body: 'en' })
  await cache.close()
})
