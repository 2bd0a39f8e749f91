import type { Cache } from './cache/cache.ts'
import type { CacheOptions } from './cache/cache-options.ts'
import { partsOf, start } from './create-cache.ts'
import { checkKey, namespaceWithin, ROOT_NAMESPACE } from './entry/key.ts'
import { badValue } from './errors.ts'
import type { Duration } from './options.ts'
import { readFiniteDuration, readWord } from './options.ts'
import { FleetBus } from './testing/fleet-bus.ts'
import { MemoryFleet } from './testing/memory-fleet.ts'
import { NoticeLine } from './testing/notice-line.ts'
import type { RedisFailure } from './testing/redis-way.ts'
import { REDIS_FAILURES, RedisWay } from './testing/redis-way.ts'
import type { TestClock } from './testing/test-clock.ts'
import { createTestClock, isTestClock, settled } from './testing/test-clock.ts'

export { createTestClock } from './testing/test-clock.ts'
export type { CacheOptions } from './cache/cache-options.ts'
export type { RedisFailure } from './testing/redis-way.ts'
export type { TestClock, TestClockOptions } from './testing/test-clock.ts'

/** The caches of a fleet of so many: a tuple where the number is known. */
export type CachesOf<Count extends number, Caches extends readonly Cache[] = readonly []> = number extends Count
  ? readonly Cache[]
  : Caches['length'] extends Count
    ? Caches
    : CachesOf<Count, readonly [...Caches, Cache]>

/** Caches that share L2 and hear of each other, as those of several processes with one Redis. */
export interface TestFleet<Count extends number = number> {
  /** By whose time all of them go. */
  readonly clock: TestClock
  /** One for each process, numbered from 0. */
  readonly caches: CachesOf<Count>
  readonly redis: TestRedis
  readonly bus: TestBus
  /** Ends all disturbances, then closes the caches; loads that go on are given up, for which `clock` moves on. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * The Redis of a fleet, and what may become of it. `processes`: for which of them, by their numbers; none given: for all.
 * A number that is no process throws `ERR_INVALID_ARGUMENT`. Only `down` keeps notices back, and the proof that L1 is current:
 * `health().coherent` ends `maxStaleness` after it, or after `bus.cut`.
 */
export interface TestRedis {
  /**
   * It cannot be reached: no command is sent, no notice comes.
   *
   * @example
   * fleet.redis.down(1) // the second process alone
   */
  down(...processes: number[]): void
  /** A command is answered so much later; from `commandTimeout` on it fails (`ERR_REDIS_TIMEOUT`), and does nothing. */
  slow(duration: Duration, ...processes: number[]): void
  /** The next command fails so, and does nothing. Each call stands for one more. */
  failNext(code: RedisFailure, ...processes: number[]): void
  /** Each nth command fails so, and does nothing. */
  failEvery(nth: number, code: RedisFailure, ...processes: number[]): void
  /** Ends all of these. What was not acknowledged is repeated, and what was missed is not believed. */
  restore(...processes: number[]): void
  /**
   * Redis drops a value to make room, without a word to anybody: that of a key, or all of them. Default of `namespace`: the
   * root. Throws `ERR_INVALID_KEY` or `ERR_INVALID_NAMESPACE`.
   */
  evict(key?: string, namespace?: string): void
}

/** How the processes of a fleet hear of each other's changes. `processes`: as in {@link TestRedis}. */
export interface TestBus {
  /** Nothing is heard; commands to Redis go on. From `maxStaleness` on L1 is not believed. */
  cut(...processes: number[]): void
  /** Notices come so much later. */
  delay(duration: Duration, ...processes: number[]): void
  /** The next notice is lost; that it was is found out within a fifth of `maxStaleness`. Each call stands for one more. */
  loseNext(...processes: number[]): void
  /** Ends all of these. What was missed is not believed. */
  restore(...processes: number[]): void
}

/** How long a cache that is being closed waits, at most. */
const CLOSING_MS = 10_000

/**
 * A cache of this process alone, by a clock that a test moves. Throws as `createCache`; `ERR_INVALID_OPTION` for a `redis`
 * or another kind of clock.
 *
 * @example
 * const clock = createTestClock()
 * const cache = createTestCache({ defaults: { ttl: '1m' } }, { clock })
 */
export function createTestCache(options: CacheOptions | undefined, time: { readonly clock: TestClock }): Cache {
  checkTestOptions(options, time?.clock)
  return start(partsOf(options, time.clock))
}

/**
 * Caches with the same options that share an L2 in memory and hear of each other: for tests of what an application does as
 * several processes, or while Redis fails. Redis itself is not needed. Values are neither compressed nor encrypted, and there is
 * one bucket.
 *
 * Throws as `createCache`; `ERR_INVALID_OPTION` for a `redis` or another kind of clock; `ERR_INVALID_ARGUMENT` for a count
 * below 1. Default of `clock`: one of its own.
 *
 * @example
 * await using fleet = createTestFleet(2, { defaults: { ttl: '5m' } })
 * const [here, there] = fleet.caches
 * await here.set('k', 1)
 * await there.get('k') // 1
 * fleet.redis.down()
 * await here.delete('k') // { acknowledged: false }
 */
export function createTestFleet<const Count extends number>(
  count: Count,
  options?: CacheOptions,
  time?: { readonly clock?: TestClock | undefined },
): TestFleet<Count> {
  const clock = time?.clock ?? createTestClock()
  checkTestOptions(options, clock)
  if (!Number.isSafeInteger(count) || count < 1)
    throw badValue('ERR_INVALID_ARGUMENT', 'count', 'a whole number >= 1', count)
  const first = startProcess(clock, options)
  const others = Array.from({ length: count - 1 }, () => startProcess(clock, options, first.memory))
  const processes = [first, ...others]
  const { entries } = first.memory
  const caches = processes.map(({ cache }) => cache)
  const redis = testRedis(processes, entries)
  const close = async () => {
    redis.restore()
    await closeAll(caches, clock)
  }
  return {
    clock,
    caches: caches as readonly Cache[] as CachesOf<Count>,
    redis,
    bus: testBus(processes),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface TestProcess {
  readonly cache: Cache
  readonly memory: MemoryFleet
  readonly bus: FleetBus
  readonly way: RedisWay
  /** Those who wait for the loads of other processes go on. */
  callAll(): void
}

/** A cache of a fleet; the first one brings what they share. */
function startProcess(clock: TestClock, options: CacheOptions | undefined, shared?: MemoryFleet): TestProcess {
  const parts = partsOf(options, clock)
  const { settings, counters, events } = parts
  const memory = shared ?? new MemoryFleet(clock, settings.leaseMs)
  const { origin } = parts.bus
  const { maxStalenessMs, commandTimeoutMs } = settings
  const bus = new FleetBus(memory.hub, new NoticeLine(clock), { origin, maxStalenessMs }, clock)
  const way = new RedisWay({ clock, counters, events, commandTimeoutMs })
  const far = way.to(memory.sharedOver(bus))
  const cache = start({ ...parts, bus, shared: far, endings: [() => bus.close()] })
  return { cache, memory, bus, way, callAll: () => far.leases.callAll([0]) }
}

function testRedis(processes: readonly TestProcess[], entries: MemoryFleet['entries']): TestRedis {
  return {
    down(...numbers) {
      for (const { way, bus, callAll } of chosen(processes, numbers)) {
        way.down()
        bus.disturb((line) => line.cut())
        callAll()
      }
    },
    slow(duration, ...numbers) {
      const ms = readFiniteDuration('slow', duration, 0)
      for (const { way } of chosen(processes, numbers)) way.slow(ms)
    },
    failNext(code, ...numbers) {
      const failure = readWord('failNext', code, REDIS_FAILURES)
      for (const { way } of chosen(processes, numbers)) way.failNext(failure)
    },
    failEvery(nth, code, ...numbers) {
      if (!Number.isSafeInteger(nth) || nth < 1)
        throw badValue('ERR_INVALID_ARGUMENT', 'nth', 'a whole number >= 1', nth)
      const failure = readWord('failEvery', code, REDIS_FAILURES)
      for (const { way } of chosen(processes, numbers)) way.failEvery(nth, failure)
    },
    restore(...numbers) {
      for (const { way, bus } of chosen(processes, numbers)) {
        if (way.isDown) bus.disturb((line) => line.restore())
        way.restore()
      }
    },
    evict(key, namespace = ROOT_NAMESPACE) {
      if (namespace !== ROOT_NAMESPACE) namespaceWithin(ROOT_NAMESPACE, namespace)
      if (key === undefined) {
        entries.clear()
        return
      }
      checkKey(key)
      entries.delete({ namespace, key })
    },
  }
}

function testBus(processes: readonly TestProcess[]): TestBus {
  const disturb = (numbers: readonly number[], change: (line: NoticeLine) => void) => {
    for (const { bus } of chosen(processes, numbers)) bus.disturb(change)
  }
  return {
    cut: (...numbers) => disturb(numbers, (line) => line.cut()),
    delay(duration, ...numbers) {
      const ms = readFiniteDuration('delay', duration, 0)
      disturb(numbers, (line) => line.delay(ms))
    },
    loseNext: (...numbers) => disturb(numbers, (line) => line.loseNext()),
    restore: (...numbers) => disturb(numbers, (line) => line.restore()),
  }
}

/** These processes; none named: all. */
function chosen(processes: readonly TestProcess[], numbers: readonly number[]): readonly TestProcess[] {
  if (numbers.length === 0) return processes
  return numbers.map((number) => {
    const process = processes[number]
    if (!process)
      throw badValue('ERR_INVALID_ARGUMENT', 'process', `a number from 0 to ${processes.length - 1}`, number)
    return process
  })
}

function checkTestOptions(options: CacheOptions | undefined, clock: unknown): void {
  if (typeof options === 'object' && options !== null && 'redis' in options && options.redis !== undefined) {
    throw badValue('ERR_INVALID_OPTION', 'redis', 'none: a fleet in memory stands for it', options.redis)
  }
  if (!isTestClock(clock)) {
    throw badValue('ERR_INVALID_OPTION', 'clock', 'what createTestClock() makes, as in (…, { clock })', clock)
  }
}

/** A load that nobody ends keeps its cache open for a while, by the clock of the test. */
async function closeAll(caches: readonly Cache[], clock: TestClock): Promise<void> {
  let isClosed = false
  const closing = Promise.all(caches.map((cache) => cache.close())).then(() => {
    isClosed = true
  })
  await settled()
  if (!isClosed) await clock.advance(CLOSING_MS)
  await closing
}
