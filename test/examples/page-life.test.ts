import { expect, test } from 'vitest'
import { saidBy, toldOf } from './told-demo.ts'

test('a page of the shop lives as the README says', { timeout: 90_000 }, async () => {
  expect(await saidBy('page-life.program.js')).toBe(toldOf('demo:page'))
})
