import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { createCache } from '../../src/create-cache.ts'
import { RedisNames } from '../../src/entry/key.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/redis-rights.md'), 'utf8')
const line = /^ACL SETUSER .*$/m.exec(page)?.[0] ?? ''
const [, , user = '', ...rules] = line.split(' ')
const rights = rules.filter((rule) => /^[~&+]/.test(rule))
const password = rules.find((rule) => rule.startsWith('>'))?.slice(1) ?? ''
const rows = [...page.matchAll(/^\| `(.+?)` \| .+ \| (.+) \|$/gm)].map(
  ([, right = '', without = '']) => [right.replace('\\|', '|'), without] as const,
)

let server: RedisServer
let admin: Redis
const caches: Cache[] = []
beforeAll(async () => {
  server = await startRedis()
  admin = new Redis(server.url, { db: DATABASE })
})
afterAll(async () => {
  admin.disconnect()
  await server.stop()
})
afterEach(async () => {
  await Promise.all(caches.splice(0).map((cache) => cache.close()))
  vi.restoreAllMocks()
})

const DATABASE = 1
const names = new RedisNames('tiercache', DATABASE)

/** A cache of the user, and what it tells of Redis. */
function make() {
  const redis = { host: server.host, port: server.port, db: DATABASE, username: user, password }
  const cache = createCache({ redis, maxStaleness: 500, commandTimeout: '2s' })
  caches.push(cache)
  const warnings: { readonly code: string; readonly detail?: Readonly<Record<string, string>> }[] = []
  const errors: unknown[] = []
  cache.on('warning', (event) => void warnings.push(event))
  cache.on('l2-error', (event) => void errors.push(event))
  return { cache, warnings, errors }
}

/** Everything that a cache sends to Redis, in one process; each call by itself, since some of them may fail. */
async function useAll(cache: Cache): Promise<unknown[]> {
  const shop = cache.namespace('shop')
  const outcomes: unknown[] = []
  const all: (() => Promise<unknown>)[] = [
    () => cache.set('k', 1, { tags: ['t'] }),
    () => cache.set('v', 1, { version: 1 }),
    () => cache.set('v', 2, { version: 2 }),
    () => cache.get('k'),
    () => cache.getOrSet('loaded', () => 'v', { tags: ['t', 'u'] }),
    () => cache.getOrSet('failed', () => Promise.reject(new Error('no'))).catch(() => 'failed'),
    () => cache.getOrSet('skipped', ({ skip }) => skip()),
    () => cache.expire('k'),
    () => cache.touch('loaded', '2h'),
    () => cache.touch('loaded', 'never'),
    () => cache.increment('n', 2),
    () => cache.increment('n'),
    () => cache.expireTags('u'),
    () => cache.invalidateTags('t'),
    () => cache.delete('v'),
    () => admin.set(names.entry({ namespace: '_', key: 'unreadable' }), 'no entry'),
    () => cache.get('unreadable'),
    () => shop.set('k', 1),
    () => shop.clear(),
    () => cache.clear(),
  ]
  for (const call of all) outcomes.push(await call().catch((error: unknown) => error))
  return outcomes
}

/** Grants the user of the page its rights, less one. */
async function grant(less?: string): Promise<void> {
  await admin.flushall()
  await admin.script('FLUSH')
  await admin.call('ACL', 'SETUSER', user, ...rules.filter((rule) => rule !== less))
}

test('the page explains each right of the line, and no other', () => {
  expect(rights.length).toBeGreaterThan(20)
  expect(rows.map(([right]) => right)).toEqual(rights)
})

test('under exactly this user all goes well, and nothing is told', async () => {
  await grant()
  const [a, b] = [make(), make()]
  for (const { cache } of [a, b]) await expect.poll(() => cache.stats().l2Usable).toBe(true)
  await a.cache.set('shared', 1)
  expect(await b.cache.get('shared')).toBe(1)
  await expect.poll(() => b.cache.stats().coherent).toBe(true)
  await a.cache.set('shared', 2)
  await expect.poll(() => b.cache.get('shared')).toBe(2)
  for (const turn of ['with the scripts that were sent ahead', 'after they were forgotten']) {
    const outcomes = await useAll(a.cache)
    expect(outcomes.filter((outcome) => outcome instanceof Error)).toEqual([])
    expect(outcomes.filter((outcome) => (outcome as { acknowledged?: boolean })?.acknowledged === false)).toEqual([])
    if (turn === 'after they were forgotten') break
    await admin.script('FLUSH')
  }
  // Longer than a beat: the subscriber's connection has been pinged.
  await expect.poll(() => a.cache.stats().coherent).toBe(true)
  for (const { warnings, errors } of [a, b]) expect([warnings, errors]).toEqual([[], []])
})

describe('without one right', () => {
  test.each(rights)('%s', async (right) => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await grant(right)
    const { cache, warnings } = make()
    await cache.get('k')
    await admin.script('FLUSH')
    await useAll(cache)
    const without = rows.find(([each]) => each === right)?.[1]
    const told = () => warnings.filter(({ code }) => code === 'ERR_MISSING_RIGHT').map(({ detail }) => detail?.right)
    if (without?.includes('nothing is told')) {
      await expect.poll(() => cache.stats().coherent).toBe(true)
      expect(warnings).toEqual([])
    } else await expect.poll(told).toEqual([right])
    expect(warned.mock.calls.length > 0).toBe(without?.includes('on the console') === true)
  })
})
