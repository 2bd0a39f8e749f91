import { expect, test } from 'vitest'
import { Invalidating } from '../../src/http/invalidating.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { Passing } from '../../src/http/passing.ts'
import { requestOf } from './plain-exchange.ts'
import type { ResponseHead } from '../../src/http/message.ts'

const head: ResponseHead = {
  status: 200,
  fields: [
    ['CDN-Cache-Control', 'max-age=1'],
    ['Cache-Control', 'no-cache'],
    ['Cache-Status', 'origin; hit'],
  ],
}

test.each([
  ['passed by', new Passing('tiercache; fwd=bypass', readHttpOptions({})), 'tiercache; fwd=bypass'],
  [
    'to an unsafe request',
    new Invalidating(requestOf({ method: 'PUT' }), readHttpOptions({}), async () => {}),
    'tiercache; fwd=method',
  ],
])('a response %s is as the application wrote it, less what speaks to this cache alone', (_, watcher, cacheStatus) => {
  expect(watcher.head(head)).toEqual({
    status: 200,
    without: ['cdn-cache-control'],
    set: [['Cache-Status', `origin; hit, ${cacheStatus}`]],
    watchBody: false,
  })
})

test('fields that are not on the target list MUST be passed through (RFC 9213, section 2.2)', () => {
  const passing = new Passing('tiercache; fwd=bypass', readHttpOptions({ targeted: ['Tiercache-Control'] }))
  expect(passing.head(head).without).toEqual([])
})
