import { afterEach, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { createCache } from '../../src/create-cache.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { startRedis } from '../doubles/redis.ts'

const open: (Cache | RedisServer)[] = []
const rejections: unknown[] = []
process.on('unhandledRejection', (error) => rejections.push(error))

afterEach(async () => {
  for (const each of open.splice(0)) await ('stop' in each ? each.stop() : each.close())
  expect(rejections).toEqual([])
})

async function redis(port?: number): Promise<RedisServer> {
  const server = await startRedis(port === undefined ? {} : { port })
  open.push(server)
  return server
}

function cacheOn(server: { url: string }): Cache {
  const cache = createCache({ redis: server.url, maxStaleness: 500 })
  open.unshift(cache)
  return cache
}

/** Calls of all kinds on two caches, until told to stop. Answers how many there were and what failed. */
function load(caches: readonly Cache[]) {
  let isOver = false
  let calls = 0
  const failures: unknown[] = []
  const worker = async (cache: Cache, seed: number) => {
    for (let turn = seed; !isOver; turn++) {
      const key = `k${turn % 50}`
      const call =
        turn % 10 === 0
          ? cache.set(key, turn)
          : turn % 10 === 1
            ? cache.delete(key)
            : cache.getOrSet(key, async () => turn)
      await call.catch((error: unknown) => failures.push(error))
      calls++
      if (turn % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  const workers = caches.flatMap((cache) => [0, 7, 13, 21].map((seed) => worker(cache, seed)))
  return {
    calls: () => calls,
    async stop() {
      isOver = true
      await Promise.all(workers)
      return failures
    },
  }
}

async function until(happened: () => boolean): Promise<void> {
  await expect.poll(happened, { timeout: 10_000 }).toBe(true)
}

test('Redis killed under load: no call fails, and L2 joins again when it is back', async () => {
  const server = await redis()
  const caches = [cacheOn(server), cacheOn(server)]
  const running = load(caches)
  await until(() => running.calls() > 500 && caches.every((cache) => cache.stats().l2Usable === true))
  await server.kill('SIGKILL')
  const atDeath = running.calls()
  await until(() => running.calls() > atDeath + 1000)
  await server.restart()
  await until(() => caches.every((cache) => cache.stats().l2Usable === true))
  const atReturn = running.calls()
  await until(() => running.calls() > atReturn + 500)
  expect(await running.stop()).toEqual([])
  await caches[0]?.set('after', 'all')
  expect(await caches[1]?.get('after')).toBe('all')
})

test('Redis frozen under load: no call fails, the breaker opens, and closes when it goes on', async () => {
  const server = await redis()
  const cache = cacheOn(server)
  const states: string[] = []
  cache.on('breaker', ({ to }) => states.push(to))
  const running = load([cache])
  await until(() => running.calls() > 200)
  server.freeze()
  await until(() => states.includes('open'))
  const frozen = running.calls()
  await until(() => running.calls() > frozen + 1000)
  server.thaw()
  await until(() => states.at(-1) === 'closed')
  expect(await running.stop()).toEqual([])
})

test('a Redis that cannot be reached: the cache starts, one warning, L1 goes on, L2 joins when it comes up', async () => {
  const gone = await redis()
  const { port, url } = gone
  await gone.stop()
  const cache = createCache({ redis: url })
  open.unshift(cache)
  const warnings: unknown[] = []
  cache.on('warning', (event) => warnings.push(event))
  expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
  expect(await cache.getOrSet('k', () => 'again')).toBe('loaded')
  expect(await cache.set('s', 1)).toEqual({ acknowledged: false })
  await until(() => warnings.length > 0)
  const server = await redis(port)
  await until(() => cache.stats().l2Usable === true)
  expect(warnings).toEqual([
    { code: 'ERR_REDIS_UNAVAILABLE', message: expect.stringContaining(`${server.host}:${port} cannot be reached`) },
  ])
  expect(await cache.set('s', 2)).toEqual({ acknowledged: true })
})
