import { expect, test } from 'vitest'
import { LanguageSite } from '../http/language-site.ts'
import { ask, requestOf } from '../http/plain-exchange.ts'
import type { Fields } from '../../src/http/message.ts'

/**
 *   A: the variant `en`, of the group e, is stored, and with it the rule of its resource
 *   B: asks for `de`; its handler sends the head, and reads v1 of the group d; a second later nobody waits for B any more
 *   C: changes what d shows, and says so: the rule stays, as nothing that it stands for was of d
 *   B: ends; v1 would be stored as a variant of the rule, and served for its whole lifetime
 */
test('a variant that comes late, of a group that was made invalid meanwhile, is not stored', async () => {
  const site = new LanguageSite((language) => [['Cache-Groups', `"${language}"`]])
  await site.get('en', 'en')
  expect(await site.get('en', 'none')).toMatchObject({ from: 'cache', body: 'en' })

  const late = await site.begin('de')
  await late.comesLate()
  const fields: Fields = [['Cache-Group-Invalidation', '"de"']]
  await ask(site.engine, requestOf({ method: 'POST', target: '/form' }), () => ({ fields }))
  await late.end('v1')

  expect(await site.get('de', 'v2')).toMatchObject({ from: 'application', body: 'v2' })
  expect(await site.get('en', 'none')).toMatchObject({ from: 'cache', body: 'en' })
  await site.cache.close()
})
