import { expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { HitForMiss } from '../../src/http/hit-for-miss.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Application } from './plain-exchange.ts'

test('marks a key for a minute, or until it could be shared', () => {
  const marks = new HitForMiss()
  expect(marks.has('k', 0)).toBe(false)
  marks.mark('k', 1000)
  expect(marks.has('k', 60_999)).toBe(true)
  expect(marks.has('k', 61_000)).toBe(false)
  marks.mark('k', 62_000)
  marks.unmark('k')
  expect(marks.has('k', 62_000)).toBe(false)
})

test('is bounded: the oldest mark goes first', () => {
  const marks = new HitForMiss()
  for (let n = 0; n < 10_000; n++) marks.mark(`k${n}`, 0)
  expect(marks.has('k0', 1)).toBe(false)
  expect(marks.has('k9999', 1)).toBe(true)
})

test('of a page that is not stored the application sees the conditionals, and answers them itself', async () => {
  const cache = createCache()
  const engine = new HttpCache(cache, { maxBodyBytes: 10 })
  const conditional = requestOf({ headers: { 'if-none-match': '"a"' } })
  const seen: unknown[] = []
  const application: Application = ({ headers }) => {
    seen.push(headers['if-none-match'])
    if (headers['if-none-match'] === '"a"') return { status: 304, fields: [['ETag', '"a"']] }
    return {
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['ETag', '"a"'],
        ['Content-Length', '20'],
      ],
      body: 'x'.repeat(20),
    }
  }
  for (let n = 0; n < 3; n++) expect((await ask(engine, conditional, application)).status).toBe(304)
  expect(seen).toEqual([undefined, '"a"', '"a"'])
  await cache.close()
})
