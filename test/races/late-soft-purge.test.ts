import { expect, test } from 'vitest'
import { LanguageSite } from '../http/language-site.ts'

/**
 *   A: the variant `en` is stored, and with it the rule of its resource
 *   B: asks for `de`; its handler sends the head, and reads v1; a second later nobody waits for B any more
 *   C: changes what the page shows, and purges its URL softly: the variants are stale, and the rule stays
 *   B: ends; v1 would be stored as a fresh variant of the rule
 */
test('a variant that comes late is not stored when its URL was purged softly meanwhile', async () => {
  const site = new LanguageSite()
  await site.get('en', 'en')
  expect(await site.get('en', 'none')).toMatchObject({ from: 'cache', body: 'en' })

  const late = await site.begin('de')
  await late.comesLate()
  await site.engine.purges.softPurge('http://a.example/')
  await late.end('v1')

  expect(await site.get('de', 'v2')).toMatchObject({ from: 'application', body: 'v2' })
  await site.cache.close()
})
