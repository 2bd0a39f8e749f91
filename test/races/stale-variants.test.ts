import { expect, test } from 'vitest'
import { LanguageSite } from '../http/language-site.ts'

const open = () => new LanguageSite(() => [['Cache-Tag', 'page']])

const ways: [string, (site: LanguageSite) => Promise<unknown>][] = [
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
  const late = await site.begin('de')
  await makeStale(site)
  await late.end('v1')
  expect(await site.get('de', 'v2')).toMatchObject({ from: 'application', body: 'v2' })
  expect(await site.get('de', 'none')).toMatchObject({ from: 'cache', body: 'v2' })
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
    await site.get('en', 'en')
    site.clock.advance(5)
    const late = await site.begin('de')
    site.clock.advance(5)
    await makeStale(site)
    if (isRenewed) expect(await site.get('en', 'en 2')).toMatchObject({ from: 'application' })
    await late.comesLate()
    await late.end('v1')
    expect(await site.get('de', 'v2')).toMatchObject({ from: 'application', body: 'v2' })
    await site.cache.close()
  },
)

test('a variant that comes late is stored if nothing was made stale', async () => {
  const site = open()
  await site.get('en', 'en')
  const late = await site.begin('de')
  await late.comesLate()
  await late.end('v1')
  expect(await site.get('de', 'v2')).toMatchObject({ from: 'cache', body: 'v1' })
  await site.cache.close()
})
