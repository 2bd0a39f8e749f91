import { expect, test } from 'vitest'
import { saidBy, toldOf } from './told-demo.ts'

/** What depends on the machine stands in brackets. */
const withoutTimes = (text: string) => text.replace(/\[[^\]]*\d[^\]]*\]/g, '[…]')

test('two copies of the shop, one of them cut off, show what the README says', { timeout: 90_000 }, async () => {
  expect(withoutTimes(await saidBy('coherence.program.js'))).toBe(withoutTimes(toldOf('demo:coherence')))
})
