import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { isSpared } from '../../src/http/confirming.ts'
import { startRedis } from '../doubles/redis.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { StoredResponse } from '../../src/http/stored-response.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { Script } from './plain-exchange.ts'

const stale: StoredResponse = {
  kind: 'response',
  resource: 'r',
  status: 200,
  fields: [
    ['Cache-Control', 'no-cache'],
    ['Date', 'then'],
    ['ETag', '"a"'],
    ['Link', ['<a>', '<b>']],
  ],
  unsent: [],
  body: Buffer.from('body'),
  bornAt: 0,
  freshUntil: 0,
  forAuthorized: false,
  whileRevalidateMs: 0,
  ifErrorMs: 0,
  mustRevalidate: true,
  retentionMs: 100_000,
  tags: ['a', 'b'],
  taggedHere: false,
}

const again: StoredResponse = { ...stale, bornAt: 5000, freshUntil: 5000 }

describe('a confirmation need not be stored', () => {
  test('if the next request must confirm again, and nothing but Date is new', () => {
    const fields = [...again.fields].reverse().map(([name, value]) => [name, name === 'Date' ? 'now' : value] as const)
    expect(isSpared(stale, { ...again, fields, tags: ['b', 'a'] }, 5000)).toBe(true)
  })

  test.each<[string, Partial<StoredResponse>]>([
    ['it is fresh now', { freshUntil: 5001 }],
    ['a field is new', { fields: [...stale.fields, ['X-New', '1']] }],
    ['a field is another one', { fields: [...stale.fields.slice(0, 2), ['ETag', '"b"'], ...stale.fields.slice(3)] }],
    ['a field has fewer lines', { fields: [...stale.fields.slice(0, 3), ['Link', '<a>']] }],
    ['a field that is not sent is new', { unsent: [['Tiercache-Control', 'no-cache']] }],
    ['a tag is new', { tags: ['a', 'b', 'c'] }],
    ['other rules hold for it', { mustRevalidate: false }],
    ['it is kept for longer', { retentionMs: 200_000 }],
  ])('but must if %s', (_, changes) => {
    expect(isSpared(stale, { ...again, ...changes }, 5000)).toBe(false)
  })

  test.each([
    ['it is kept', {}, 10_000],
    ['it may stand in for failures', { ifErrorMs: 1000 }, 100],
    ['it may be served while it is renewed', { whileRevalidateMs: 500 }, 50],
  ])('and must when a tenth of the time is over for which %s', (_, rules, tenth) => {
    for (const [now, spared] of [
      [tenth - 1, true],
      [tenth, false],
    ] as const) {
      const renewed = { ...stale, ...rules, bornAt: now, freshUntil: now }
      expect(isSpared({ ...stale, ...rules }, renewed, now)).toBe(spared)
    }
  })
})

describe('over Redis', () => {
  let redis: RedisServer
  let admin: Redis
  beforeAll(async () => {
    redis = await startRedis()
    admin = new Redis(redis.url)
  })
  afterAll(async () => {
    admin.disconnect()
    await redis.stop()
  })

  async function bytesReceived(): Promise<number> {
    return Number(/total_net_input_bytes:(\d+)/.exec(await admin.info('stats'))?.[1])
  }

  test.each([
    ['no-cache', 'a'],
    ['public, max-age=0', 'b'],
  ])('%s: confirmations carry no body to Redis', async (control, prefix) => {
    const cache = createCache({ redis: redis.url, prefix })
    const engine = new HttpCache(cache, { zeroLifetime: 'store' })
    const fields = [
      ['Cache-Control', control],
      ['ETag', '"v1"'],
    ] as const
    const application = ({ headers }: { headers: Record<string, unknown> }): Script =>
      headers['if-none-match'] === '"v1"' ? { status: 304, fields } : { fields, body: 'x'.repeat(100_000) }
    const get = async () => {
      const got = await ask(engine, requestOf(), application as never)
      while (cache.counters.loadsWaiting + cache.counters.loadsRunning > 0) await new Promise(setImmediate)
      return got
    }
    await cache.ready()
    await get()
    await get()
    const before = await bytesReceived()
    for (let time = 0; time < 20; time++) {
      const got = await get()
      expect(got.body).toHaveLength(100_000)
      expect(got.cacheStatus).toBe('tiercache; fwd=stale; fwd-status=304; ttl=0')
    }
    expect((await bytesReceived()) - before).toBeLessThan(100_000)
    await cache.close()
  })
})
