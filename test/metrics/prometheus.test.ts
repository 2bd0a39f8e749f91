import { createRequire } from 'node:module'
import { Redis } from 'ioredis'
import { AggregatorRegistry, Counter, Registry } from 'prom-client'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { Counters } from '../../src/counters/counters.ts'
import { Events } from '../../src/events.ts'
import { instruments } from '../../src/metrics/instruments.ts'
import { prometheus } from '../../src/metrics/prometheus.ts'
import { current } from '../doubles/caches.ts'
import { startRedis } from '../doubles/redis.ts'
import type { OpenMetricsContentType } from 'prom-client'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import type { Observable } from '../../src/events.ts'
import type { MetricsRegister, PrometheusOptions } from '../../src/metrics/prometheus.ts'

const atEnd: (() => unknown)[] = []
afterEach(async () => {
  for (const step of atEnd.splice(0).reverse()) await step()
})

function open(options?: CreateCacheOptions) {
  const cache = createCache(options)
  atEnd.push(() => cache.close())
  return cache
}

async function openRedis() {
  const redis = await startRedis()
  atEnd.push(() => redis.stop())
  return redis
}

/** What a Prometheus reads: each series to its number. Fails where a series comes twice. */
async function scrape(register: { metrics(): Promise<string> }): Promise<Record<string, number>> {
  const lines = (await register.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const pairs = lines.map((line) => [
    line.slice(0, line.lastIndexOf(' ')),
    Number(line.slice(line.lastIndexOf(' ') + 1)),
  ])
  const series = Object.fromEntries(pairs)
  if (Object.keys(series).length !== lines.length) throw new Error(`a series came twice:\n${lines.join('\n')}`)
  return series
}

/** The series that are not 0, less the durations, which differ from run to run. */
async function counted(register: Registry): Promise<Record<string, number>> {
  const series = Object.entries(await scrape(register))
  const isShown = (name: string, value: number) => value !== 0 && !/_seconds_(bucket|sum)|_coherent/.test(name)
  return Object.fromEntries(series.filter(([name, value]) => isShown(name, value)))
}

const lookups = (tier: string, result: string, namespace = '(root)', cache = 'default') =>
  `tiercache_requests_total{cache="${cache}",namespace="${namespace}",tier="${tier}",result="${result}"}`
const series = (name: string, cache = 'default') => `tiercache_${name}{cache="${cache}"}`

/** A cache of numbers only. */
function observable(counters = new Counters()): Observable & { counters: Counters } {
  const events = new Events()
  return {
    counters,
    gauges: () => ({ l1Entries: 3, l1Bytes: 456, l2Usable: true, coherent: true, journalled: 2, renewals: 4 }),
    on: events.on.bind(events),
  }
}

/** A promise and its end, for a loader that answers when it is told. */
function gate<T>() {
  let open!: (value: T) => void
  const answer = new Promise<T>((resolve) => {
    open = resolve
  })
  return { answer, open }
}

describe('a scrape', () => {
  test('of a new cache shows every metric, with its help and type, at 0; and that it is coherent', async () => {
    const register = new Registry()
    prometheus(open(), { register })
    const text = await register.metrics()
    for (const { name, kind, help } of instruments) {
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name}`)
    }
    expect(await counted(register)).toEqual({})
    expect((await scrape(register))[series('coherent')]).toBe(1)
  })

  test('after hits, misses, loads, failures and changes shows their exact numbers', async () => {
    const register = new Registry()
    const cache = open()
    prometheus(cache, { register })
    const users = cache.namespace('users')
    await cache.getOrSet('a', () => 1)
    await cache.getOrSet('a', () => 2)
    await cache.get('a')
    cache.peek('a')
    cache.peek('b')
    await cache.get('b')
    await users.getOrSet('a', async () => 'Ada')
    await users.get('a')
    await expect(users.getOrSet('b', () => Promise.reject(new Error('no database')))).rejects.toThrow('no database')
    await cache.getOrSet('f', () => () => {})
    await cache.set('c', 3)
    await cache.set('d', 4)
    await cache.delete('c')
    await users.clear()
    const { l1Bytes } = cache.gauges()
    expect(l1Bytes).toBeGreaterThan(0)
    expect(await counted(register)).toEqual({
      [lookups('l1', 'fresh')]: 3,
      [lookups('l1', 'miss')]: 3,
      [lookups('l1', 'fresh', 'users')]: 1,
      [lookups('l1', 'miss', 'users')]: 2,
      [series('load_duration_seconds_count')]: 4,
      [series('loads_failed_total')]: 1,
      [series('unstorable_total')]: 1,
      [series('sets_total')]: 2,
      [series('deletes_total')]: 1,
      [series('clears_total')]: 1,
      [series('l1_entries')]: 3,
      [series('l1_bytes')]: l1Bytes,
    })
  })

  test('shows loads while they run, who waits for them, who shared them, and a fill that came too late', async () => {
    const register = new Registry()
    const cache = open()
    prometheus(cache, { register })
    const { answer, open: let1 } = gate<number>()
    const callers = [1, 2, 3].map(() => cache.getOrSet('a', () => answer))
    const during = await counted(register)
    expect(during[series('loads_in_flight')]).toBe(1)
    expect(during[series('loads_waiting')]).toBe(3)
    await cache.delete('a')
    let1(7)
    expect(await Promise.all(callers)).toEqual([7, 7, 7])
    expect(await counted(register)).toEqual({
      [lookups('l1', 'miss')]: 3,
      [series('load_duration_seconds_count')]: 1,
      [series('loads_shared_total')]: 2,
      [series('fills_refused_total')]: 1,
      [series('deletes_total')]: 1,
    })
  })

  test('shows stale hits and renewals that fail', async () => {
    const register = new Registry()
    const cache = open({ defaults: { ttl: 0, stale: '1m' } })
    prometheus(cache, { register })
    await cache.getOrSet('a', () => 1)
    const failing = () => Promise.reject(new Error('no database'))
    expect(await cache.getOrSet('a', failing)).toBe(1)
    await vi.waitFor(() => expect(cache.counters.renewalsFailed).toBe(1))
    expect(await counted(register)).toEqual({
      [lookups('l1', 'miss')]: 1,
      [lookups('l1', 'stale')]: 1,
      [series('load_duration_seconds_count')]: 2,
      [series('loads_failed_total')]: 1,
      [series('renewals_failed_total')]: 1,
      [series('l1_entries')]: 1,
      [series('l1_bytes')]: cache.gauges().l1Bytes,
    })
  })

  test('shows evictions', async () => {
    const register = new Registry()
    const cache = open({ l1: { maxEntries: 2 } })
    prometheus(cache, { register })
    for (const key of ['a', 'b', 'c', 'd', 'e']) await cache.set(key, 1)
    const shown = await counted(register)
    expect(shown[series('l1_evictions_total')]).toBe(3)
    expect(shown[series('l1_entries')]).toBe(2)
  })

  test('measures loads in seconds', async () => {
    const register = new Registry()
    const cache = open()
    prometheus(cache, { register })
    await cache.getOrSet('a', () => new Promise((resolve) => setTimeout(resolve, 60, 1)))
    const shown = await scrape(register)
    const upTo = (le: string) => shown[`tiercache_load_duration_seconds_bucket{cache="default",le="${le}"}`]
    expect([upTo('0.05'), upTo('30'), upTo('+Inf')]).toEqual([0, 1, 1])
    expect(shown[series('load_duration_seconds_sum')]).toBe(cache.counters.loadTimings.sumMs / 1000)
    expect(shown[series('load_duration_seconds_sum')]).toBeGreaterThan(0.05)
    expect(shown[series('load_duration_seconds_sum')]).toBeLessThan(10)
  })

  test('resets nothing, and changes nothing', async () => {
    const register = new Registry()
    const cache = open()
    prometheus(cache, { register })
    await cache.getOrSet('a', () => 1)
    await cache.get('a')
    const first = await register.metrics()
    expect(await register.metrics()).toBe(first)
    await register.getMetricsAsJSON()
    expect(await register.metrics()).toBe(first)
    await cache.get('a')
    expect((await counted(register))[lookups('l1', 'fresh')]).toBe(2)
  })

  test('is of one instant: what is counted while it goes on is in none of its metrics', async () => {
    const register = new Registry()
    const cache = observable()
    prometheus(cache, { register })
    const text = register.metrics()
    cache.counters.requestsOf('afterwards').l1Fresh = 1
    cache.counters.sets = 1
    expect(await text).not.toContain('afterwards')
    expect(await text).toContain(`${series('sets_total')} 0\n`)
  })

  test('listens to no event', async () => {
    const register = new Registry()
    const cache = { ...observable(), on: vi.fn() }
    prometheus(cache, { register })
    await register.metrics()
    expect(cache.on).not.toHaveBeenCalled()
  })
})

describe('with Redis', () => {
  test('two caches in one register: lookups in L2, its durations, notices', async () => {
    const redis = await openRedis()
    const register = new Registry()
    // A machine that stands still for a while must not turn a hit into a miss: no deadline, proof or clock decides.
    const patient = { redis: redis.url, commandTimeout: '10s', maxStaleness: '1m', lease: '30s' } as const
    const one = open(patient)
    const two = open(patient)
    prometheus(one, { register, name: 'one' })
    prometheus(two, { register, name: 'two' })
    await Promise.all([one, two].map((cache) => current(cache)))
    await one.getOrSet('a', () => 1)
    await one.get('a')
    await two.get('a')
    await two.get('a')
    await two.get('b')
    await two.set('s', 1, { stale: '1m' })
    await two.expire('s')
    await one.getEntry('s')
    await vi.waitFor(() => expect(one.counters.noticesReceived).toBeGreaterThanOrEqual(1))

    const raw = new Redis(redis.url)
    atEnd.push(() => raw.disconnect())
    const [entry = ''] = await raw.keys('tiercache:*:v:_:a')
    await raw.set(entry.replace(/a$/, 'junk'), 'this is no entry')
    expect(await two.get('junk')).toBeUndefined()

    const shown = await counted(register)
    const ofLookups = Object.entries(shown).filter(([name]) => name.startsWith('tiercache_requests_total'))
    expect(Object.fromEntries(ofLookups)).toEqual({
      [lookups('l1', 'miss', '(root)', 'one')]: 2,
      [lookups('l1', 'fresh', '(root)', 'one')]: 1,
      [lookups('l2', 'miss', '(root)', 'one')]: 1,
      [lookups('l2', 'stale', '(root)', 'one')]: 1,
      [lookups('l1', 'miss', '(root)', 'two')]: 3,
      [lookups('l1', 'fresh', '(root)', 'two')]: 1,
      [lookups('l2', 'fresh', '(root)', 'two')]: 1,
      [lookups('l2', 'miss', '(root)', 'two')]: 2,
    })
    expect(shown[series('undecodable_total', 'two')]).toBe(1)
    for (const [name, cache] of Object.entries({ one, two })) {
      const { l2Timings, noticesReceived, gaps } = cache.counters
      expect(l2Timings.count).toBeGreaterThan(0)
      expect(shown[series('l2_duration_seconds_count', name)]).toBe(l2Timings.count)
      expect(shown[series('notices_received_total', name)]).toBe(noticesReceived)
      expect(shown[series('gaps_total', name)] ?? 0).toBe(gaps)
      expect((await scrape(register))[series('l2_duration_seconds_sum', name)]).toBeCloseTo(l2Timings.sumMs / 1000, 3)
    }
  })

  test('a Redis that does not answer: errors by code, and what it did not acknowledge', async () => {
    const redis = await openRedis()
    const register = new Registry()
    const cache = open({ redis: redis.url, commandTimeout: 100 })
    prometheus(cache, { register })
    await vi.waitFor(() => expect(cache.stats().l2Usable).toBe(true))
    await cache.set('a', 1)
    redis.freeze()
    expect(await cache.set('a', 2)).toEqual({ acknowledged: false })
    expect(await cache.getOrSet('b', () => 3)).toBe(3)
    const shown = await counted(register)
    redis.thaw()
    const timeouts = `tiercache_l2_errors_total{cache="default",code="ERR_REDIS_TIMEOUT"}`
    expect(shown[timeouts]).toBeGreaterThanOrEqual(1)
    expect(shown[timeouts]).toBe(cache.counters.l2Errors.get('ERR_REDIS_TIMEOUT'))
    expect(shown[series('unacknowledged_total')]).toBe(1)
    expect(shown[series('sets_total')]).toBe(2)
  })
})

describe('the number of series', () => {
  test('does not grow with 10,000 keys, and no key is shown', async () => {
    const register = new Registry()
    const cache = open()
    prometheus(cache, { register })
    const before = Object.keys(await scrape(register))
    for (let n = 0; n < 10_000; n++) {
      if (n % 2 === 0) await cache.set(`secret-${n}`, n)
      else await cache.getOrSet(`secret-${n}`, () => n)
    }
    expect(Object.keys(await scrape(register))).toEqual(before)
    expect(await register.metrics()).not.toContain('secret')
  })

  test('does not grow with 1,000 namespaces beyond the 64 that are counted on their own', async () => {
    const register = new Registry()
    const cache = open()
    prometheus(cache, { register })
    const before = Object.keys(await scrape(register)).length
    const use = async (from: number) => {
      for (let n = from; n < from + 1000; n++) await cache.namespace(`tenant-${n}`).get('a')
    }
    await use(0)
    const after = await scrape(register)
    expect(Object.keys(after).length).toBe(before + 64 * 6)
    expect(after[lookups('l1', 'miss', 'tenant-0')]).toBe(1)
    expect(after[lookups('l1', 'miss', '(other)')]).toBe(1000 - 63)
    await use(1000)
    expect(Object.keys(await scrape(register))).toEqual(Object.keys(after))
  })
})

describe('several caches', () => {
  test('share a register by names, each metric told once', async () => {
    const register = new Registry()
    const one = observable()
    const two = observable()
    one.counters.sets = 1
    two.counters.sets = 2
    prometheus(one, { register, name: 'one' })
    prometheus(two, { register, name: 'two' })
    const shown = await scrape(register)
    expect([shown[series('sets_total', 'one')], shown[series('sets_total', 'two')]]).toEqual([1, 2])
    expect((await register.metrics()).match(/# TYPE tiercache_sets_total/g)).toHaveLength(1)
  })

  test('a name that is taken is refused, and nothing changes', async () => {
    const register = new Registry()
    prometheus(observable(), { register })
    const before = await register.metrics()
    expect(() => prometheus(observable(), { register })).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        message: "name: expected one that no other cache has in this register, got 'default'",
      }),
    )
    expect(await register.metrics()).toBe(before)
  })

  test('share a register by prefixes', async () => {
    const register = new Registry()
    prometheus(observable(), { register, prefix: 'one_' })
    prometheus(observable(), { register, prefix: 'two_' })
    const shown = await scrape(register)
    expect(shown['one_tiercache_l1_bytes{cache="default"}']).toBe(456)
    expect(shown['two_tiercache_l1_bytes{cache="default"}']).toBe(456)
    expect(shown['two_tiercache_load_duration_seconds_bucket{cache="default",le="+Inf"}']).toBe(0)
    expect(Object.keys(shown).every((name) => /^(one|two)_tiercache_/.test(name))).toBe(true)
  })

  test.each([
    ['again', {}],
    ['under another name', { name: 'other' }],
    ['under another prefix', { prefix: 'other_' }],
  ])('the same cache %s is refused, and nothing changes', async (_, options) => {
    const register = new Registry()
    const cache = open()
    prometheus(cache, { register })
    const before = await register.metrics()
    for (const same of [cache, cache.namespace('users')]) {
      expect(() => prometheus(same, { register, ...options })).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_ARGUMENT',
          message: "cache: expected one that this register does not show yet, got the cache that it shows as 'default'",
        }),
      )
    }
    expect((await register.metrics()).match(/# TYPE/g)).toEqual(before.match(/# TYPE/g))
  })

  test('the same cache in two registers is fine', async () => {
    const cache = observable()
    cache.counters.sets = 5
    const registers = [new Registry(), new Registry()]
    for (const register of registers) prometheus(cache, { register })
    for (const register of registers) expect((await scrape(register))[series('sets_total')]).toBe(5)
  })
})

describe('taking a cache off', () => {
  test('leaves the register as it was, as often as it is done', async () => {
    const register = new Registry()
    new Counter({ name: 'mine_total', help: 'mine', registers: [register] })
    const before = await register.metrics()
    const cache = open()
    const remove = prometheus(cache, { register })
    expect(await register.metrics()).not.toBe(before)
    remove()
    expect(await register.metrics()).toBe(before)
    const removeSecond = prometheus(cache, { register })
    remove()
    expect((await scrape(register))[series('sets_total')]).toBe(0)
    removeSecond()
    expect(await register.metrics()).toBe(before)
  })

  test('leaves the other caches', async () => {
    const register = new Registry()
    const remove = prometheus(observable(), { register, name: 'one' })
    prometheus(observable(), { register, name: 'two' })
    remove()
    const shown = await register.metrics()
    expect(shown).toContain('cache="two"')
    expect(shown).not.toContain('cache="one"')
  })

  test('a closed cache goes on being shown until then', async () => {
    const register = new Registry()
    const cache = open()
    const remove = prometheus(cache, { register })
    await cache.set('a', 1)
    await cache.close()
    expect(await counted(register)).toEqual({ [series('sets_total')]: 1 })
    remove()
    expect(await scrape(register)).toEqual({})
  })
})

describe('what else a register does', () => {
  test('clear: nothing is shown, and the cache can be shown anew', async () => {
    const register = new Registry()
    const cache = observable()
    cache.counters.sets = 2
    const removeOld = prometheus(cache, { register })
    register.clear()
    expect(await scrape(register)).toEqual({})
    const remove = prometheus(cache, { register })
    removeOld()
    expect((await scrape(register))[series('sets_total')]).toBe(2)
    remove()
    expect(await scrape(register)).toEqual({})
  })

  test('removeSingleMetric: it comes back with the next cache', async () => {
    const register = new Registry()
    prometheus(observable(), { register, name: 'one' })
    register.removeSingleMetric('tiercache_requests_total')
    register.removeSingleMetric('tiercache_sets_total')
    expect(Object.keys(await scrape(register))).not.toContain(series('sets_total', 'one'))
    prometheus(observable(), { register, name: 'two' })
    const shown = Object.keys(await scrape(register))
    expect(shown).toContain(series('sets_total', 'one'))
    expect(shown).toContain(series('sets_total', 'two'))
  })

  test('resetMetrics: counters and histograms begin at 0, gauges and the cache do not', async () => {
    const register = new Registry()
    const elsewhere = new Registry()
    const cache = observable()
    prometheus(cache, { register })
    prometheus(cache, { register: elsewhere })
    const { counters } = cache
    counters.sets = 5
    counters.requestsOf('a').l1Fresh = 6
    counters.loadsRunning = 7
    counters.l2Failed('ERR_REDIS_REPLY')
    counters.loadTimings.add(700)
    const before = await elsewhere.metrics()
    register.resetMetrics()
    const gauges = {
      [series('loads_in_flight')]: 7,
      [series('l1_entries')]: 3,
      [series('l1_bytes')]: 456,
      [series('l2_up')]: 1,
      [series('journal_entries')]: 2,
      [series('renewals_in_flight')]: 4,
    }
    expect(await counted(register)).toEqual(gauges)
    expect((await scrape(register))[series('load_duration_seconds_sum')]).toBe(0)
    counters.sets++
    counters.requestsOf('a').l1Fresh++
    counters.requestsOf('b').l2Missing++
    counters.loadTimings.add(3)
    expect(await counted(register)).toEqual({
      ...gauges,
      [series('sets_total')]: 1,
      [lookups('l1', 'fresh', 'a')]: 1,
      [lookups('l2', 'miss', 'b')]: 1,
      [series('load_duration_seconds_count')]: 1,
    })
    expect(counters.sets).toBe(6)
    expect((await scrape(elsewhere))[series('sets_total')]).toBe(6)
    expect(before).toContain(`${series('sets_total')} 5\n`)
  })

  test('default labels, JSON, and a single metric as text', async () => {
    const register = new Registry()
    const cache = observable()
    cache.counters.sets = 5
    prometheus(cache, { register })
    register.setDefaultLabels({ app: 'shop' })
    const text = await register.getSingleMetricAsString('tiercache_sets_total')
    expect(text).toMatch(/^tiercache_sets_total\{.*\} 5$/m)
    expect(text).toContain('app="shop"')
    const json = await register.getMetricsAsJSON()
    expect(json).toHaveLength(instruments.length)
    expect(json.find(({ name }) => name === 'tiercache_sets_total')).toMatchObject({
      type: 'counter',
      aggregator: 'sum',
      values: [{ value: 5, labels: { cache: 'default', app: 'shop' } }],
    })
  })

  test('OpenMetrics: the name of a counter is without _total, its lines with it', async () => {
    const register = new Registry<OpenMetricsContentType>()
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const cache = observable()
    cache.counters.sets = 5
    const remove = prometheus(cache, { register })
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      const text = await register.metrics()
      expect(text).toContain(`# TYPE tiercache_sets counter\n${series('sets_total')} 5\n`)
      expect(text).toContain('tiercache_load_duration_seconds_bucket{cache="default",le="+Inf"} 0\n')
      expect(text).not.toContain('_total_total')
    }
    prometheus(observable(), { register, name: 'two' })
    expect((await register.metrics()).match(/# TYPE tiercache_sets counter/g)).toHaveLength(1)
    remove()
    expect(await register.metrics()).not.toContain('cache="default"')
  })

  test('the workers of a cluster are added up', async () => {
    const workers = [1, 2].map((sets) => {
      const register = new Registry()
      const cache = observable()
      cache.counters.sets = sets
      cache.counters.loadTimings.add(20)
      prometheus(cache, { register })
      return register
    })
    const whole = AggregatorRegistry.aggregate(await Promise.all(workers.map((each) => each.getMetricsAsJSON())))
    const shown = await scrape(whole)
    expect(shown[series('sets_total')]).toBe(3)
    expect(shown[series('load_duration_seconds_count')]).toBe(2)
    expect(shown['tiercache_load_duration_seconds_bucket{cache="default",le="0.025"}']).toBe(2)
  })

  test('merged registers show what each of them shows', async () => {
    const [one, two] = [new Registry(), new Registry()]
    prometheus(observable(), { register: one, prefix: 'one_' })
    prometheus(observable(), { register: two, prefix: 'two_' })
    const merged = Registry.merge([one, two])
    expect(Object.keys(await scrape(merged))).toEqual([
      ...Object.keys(await scrape(one)),
      ...Object.keys(await scrape(two)),
    ])
    expect(() => prometheus(observable(), { register: merged, prefix: 'one_', name: 'new' })).toThrow(/is another's/)
  })

  test('a register of another copy of prom-client', async () => {
    const require = createRequire(import.meta.url)
    const kept = Object.entries(require.cache)
    for (const [path] of kept) if (path.includes('prom-client')) delete require.cache[path]
    const copy = require('prom-client') as typeof import('prom-client')
    for (const [path, module] of kept) require.cache[path] = module
    expect(copy.Registry).not.toBe(Registry)
    const register = new copy.Registry()
    prometheus(observable(), { register })
    expect((await scrape(register))[series('l1_bytes')]).toBe(456)
  })
})

describe('bad input', () => {
  const register = new Registry()
  const taken = new Registry()
  new Counter({ name: 'tiercache_sets_total', help: 'mine', registers: [taken] })
  const refused: [what: string, options: unknown, code: string, message: string][] = [
    ['no options', undefined, 'ERR_INVALID_OPTION', 'register: expected a Registry of prom-client, got undefined'],
    ['no object', 'x', 'ERR_INVALID_OPTION', 'prometheus: expected an object of options, got "x"'],
    ['no register', {}, 'ERR_INVALID_OPTION', 'register: expected a Registry of prom-client, got undefined'],
    ['null', { register: null }, 'ERR_INVALID_OPTION', 'register: expected a Registry of prom-client, got null'],
    [
      'another object',
      { register: {} },
      'ERR_INVALID_OPTION',
      'register: expected a Registry of prom-client, got an object',
    ],
    [
      'an unknown name',
      { register, labels: {} },
      'ERR_UNKNOWN_OPTION',
      "prometheus: unknown option 'labels', expected one of register, prefix, name",
    ],
    [
      'a number',
      { register, prefix: 1 },
      'ERR_INVALID_OPTION',
      'prefix: expected letters, digits and _, no digit first, got 1',
    ],
    [
      'a dash',
      { register, prefix: 'a-' },
      'ERR_INVALID_OPTION',
      'prefix: expected letters, digits and _, no digit first, got "a-"',
    ],
    [
      'a digit',
      { register, prefix: '1' },
      'ERR_INVALID_OPTION',
      'prefix: expected letters, digits and _, no digit first, got "1"',
    ],
    [
      'no name',
      { register, name: '' },
      'ERR_INVALID_OPTION',
      'name: expected 1 to 64 characters of [A-Za-z0-9_.-], got ""',
    ],
    [
      'a name of lines',
      { register, name: 'a"}\nb' },
      'ERR_INVALID_OPTION',
      'name: expected 1 to 64 characters of [A-Za-z0-9_.-], got "a\\"}\\nb"',
    ],
    [
      'null as name',
      { register, name: null },
      'ERR_INVALID_OPTION',
      'name: expected 1 to 64 characters of [A-Za-z0-9_.-], got null',
    ],
    [
      "somebody else's metric",
      { register: taken },
      'ERR_INVALID_OPTION',
      "prefix: expected one whose names are free in the register, got '', and 'tiercache_sets_total' is another's",
    ],
  ]

  test.each(refused)('%s is refused', (_, options, code, message) => {
    expect(() => prometheus(observable(), options as PrometheusOptions)).toThrow(
      expect.objectContaining({ name: 'TierCacheError', code, message }),
    )
    expect(register.getMetricsAsArray()).toEqual([])
    expect(taken.getMetricsAsArray()).toHaveLength(1)
  })

  test.each([[undefined], [null], [{}], ['cache'], [{ counters: {}, gauges: () => ({}) }]])(
    '%j is no cache',
    (cache) => {
      expect(() => prometheus(cache as never, { register })).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_ARGUMENT',
          message: expect.stringMatching(/^cache: expected a cache/),
        }),
      )
    },
  )

  test('undefined is absence', async () => {
    const fresh = new Registry()
    prometheus(observable(), { register: fresh, prefix: undefined, name: undefined })
    expect((await scrape(fresh))[series('l1_entries')]).toBe(3)
  })

  /** Checked by the compiler: registers of prom-client fit, whatever their content type. */
  test('the type of the register', () => {
    const fitting: MetricsRegister[] = [
      new Registry(),
      new Registry<OpenMetricsContentType>(),
      new AggregatorRegistry(),
    ]
    expect(fitting).toHaveLength(3)
  })
})
