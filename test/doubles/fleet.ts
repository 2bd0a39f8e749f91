import type { Redis } from 'ioredis'
import { afterEach, beforeEach, describe } from 'vitest'
import type { Bus } from '../../src/bus/bus.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Parts, SharedParts } from '../../src/cache/parts.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import { partsOf, start } from '../../src/create-cache.ts'
import type { Address } from '../../src/entry/entry.ts'
import type { RedisNames } from '../../src/entry/key.ts'
import { keySubject, wakeUp } from '../../src/entry/notice.ts'
import type { Leases } from '../../src/stampede/lease.ts'
import type { TagIndex } from '../../src/tags/tag-index.ts'
import type { Tier } from '../../src/tiers/tier.ts'
import type { Chaos } from './chaos.ts'
import { chaosOf } from './chaos.ts'
import { FakeClock } from './fake-clock.ts'
import { Line } from './line.ts'
import { MemoryFleet } from './memory-fleet.ts'
import type { RunningForm } from './redis-forms.ts'
import { inChosenForms, inOneForm, keyBeside, keyInBucket } from './redis-forms.ts'
import type { Admin } from './redis-forms-servers.ts'

/** A cache that stands for one process, with everything in a test's hands that it does with the others. */
export interface Process {
  readonly cache: Cache
  readonly parts: Parts
  readonly far: Chaos<Tier>
  readonly leases: Chaos<Leases>
  readonly tags: Chaos<TagIndex>
  /** What is not in the test's hands: the same as it is. */
  readonly raw: SharedParts
  /** What it hears of the others. */
  readonly line: Line
}

/** Processes that share L2, with a clock that stands still until a test moves it. */
export interface Fleet {
  readonly clock: FakeClock
  /** A process that is connected, and hears what the others do. */
  process(options?: CreateCacheOptions): Promise<Process>
  /** Lets time go by, for all processes, with what they do in it. */
  elapse(ms: number): Promise<void>
  /** The lease of a key runs out. */
  runOut(address: Address): Promise<void>
  /** A process misses what a change tells, and learns that it has missed something. */
  misses(process: Process, change: () => Promise<unknown>): Promise<void>
}

/** A fleet with a real Redis between its processes, whatever its form. */
export interface RedisFleet extends Fleet {
  /** A connection of the test's own. A command goes to the server of its first key. */
  readonly redis: Admin
  /** The names in the bucket of an entry. */
  names(address: Address): RedisNames
  /** A key of the same namespace in the bucket of an entry. */
  beside(address: Address, label: string): string
  /** Redis loses everything. */
  flush(): Promise<void>
  /** A process that may not hear anything yet. */
  unheard(options?: CreateCacheOptions): Promise<Process>
}

/** A fleet with one server between its processes, to which there are other ways than the usual one. */
export interface OneRedisFleet extends RedisFleet {
  readonly server: { readonly host: string; readonly port: number; readonly url: string }
}

/** How long a lease is in every fleet, and the bound on staleness. */
export const LEASE_MS = 3000
export const BOUND_MS = 2000
/** How often a process proves that it is current. */
const BEAT_MS = BOUND_MS / 5

/** Runs a suite over processes that share L2 in memory, and over processes that share a real Redis. */
export function inFleets(suite: (fleet: Fleet) => void): void {
  describe('a fleet in memory', () => {
    let shared: MemoryFleet
    const bench = perTest((clock) => {
      shared = new MemoryFleet(clock, LEASE_MS)
    })
    suite({
      get clock() {
        return bench.clock
      },
      async process(options) {
        const parts = partsOf(options, bench.clock)
        const line = new Line()
        const { bus, shared: far } = shared.join(parts.bus.origin, line)
        return bench.started(inHands({ ...parts, bus, shared: far, endings: [() => bus.close()] }, far, line))
      },
      async elapse(ms) {
        bench.clock.advance(ms)
      },
      async runOut(address) {
        shared.leases.revoke(address)
      },
      async misses({ line }, change) {
        line.hold()
        await change()
        line.lose()
        shared.hub.publish('D', 'third', '_:(next)')
      },
    })
  })
  onRedis('a fleet on Redis', suite)
}

/** Runs a suite over processes that share a real Redis, in its chosen forms, under names of its own for each test. */
export function onRedis(name: string, suite: (fleet: RedisFleet) => void): void {
  describe(name, () => {
    inChosenForms((form) => suite(fleetOn(form)))
  })
}

/**
 * Runs a suite over processes that share one server. `because`: what a test does on the way to that server which would
 * mean something else, or nothing, for other forms of Redis.
 */
export function onOneRedis(name: string, because: string, suite: (fleet: OneRedisFleet) => void): void {
  describe(`${name} (one server: ${because})`, () => {
    inOneForm((form) => {
      const server = () => {
        const { host = '', port = 0 } = (form().admin as Redis).options
        return { host, port, url: `redis://${host}:${port}` }
      }
      suite(Object.defineProperty(fleetOn(form), 'server', { get: server }) as OneRedisFleet)
    })
  })
}

/** Tests of one file may share a server: their names differ. */
let prefixes = 0

function fleetOn(form: () => RunningForm): RedisFleet {
  const prefix = () => `f${prefixes}`
  /** Those that hear what is told. */
  let listening: Process[] = []
  const bench = perTest(() => {
    listening = []
  })
  beforeEach(async () => {
    prefixes++
    await form().admit(prefix())
  })
  const names = (address: Address) => form().names(prefix(), address)
  /** What nobody wants, of each server. */
  const onEach = () => form().bucketOfEach.map((bucket) => rootKey(bucket, '(settled)'))
  const onAll = (label: string) => Array.from({ length: form().buckets }, (_, bucket) => rootKey(bucket, label))
  const rootKey = (bucket: number, label: string): Address => ({
    namespace: '_',
    key: keyInBucket(bucket, form().buckets, label),
  })
  /** Lets beats come to their end: the replies to their commands come before later ones, and so do their pongs. */
  const settled = async () => {
    await Promise.all(listening.flatMap(({ raw }) => onEach().map((address) => raw.far.get(address))))
    for (let round = 0; round < 2; round++) {
      await turn()
      for (const address of onEach()) {
        const subject = keySubject(address)
        const heard = listening.map(({ line }) => line.next('F', subject))
        await form().publish(names(address), wakeUp('F', 'a test', subject))
        await Promise.all(heard)
      }
    }
    await turn()
  }
  const elapse = (ms: number) => elapseInBeats(bench.clock, settled, ms)
  const unheard = async (options?: CreateCacheOptions) => {
    // Deadlines are on the clock of the test, which a machine under load is not.
    const all = { redis: form().source(), prefix: prefix(), commandTimeout: '1m', ...options } as const
    const parts = partsOf(all, bench.clock)
    const line = new Line()
    const process = inHands({ ...parts, bus: throughLine(parts.bus, line) }, parts.shared as SharedParts, line)
    origins.set(line, form())
    return bench.started(process)
  }
  return {
    get clock() {
      return bench.clock
    },
    get redis() {
      return form().admin
    },
    names,
    beside: (address, label) => keyBeside(address, form().buckets, label),
    flush: () => form().flush(),
    async process(options) {
      const started = await unheard(options)
      await hearing(started, onAll('(ready)'))
      listening.push(started)
      // The first links that it hears are gaps; of several in one beat the second is told with the next beat.
      await elapse(2 * BEAT_MS)
      return started
    },
    unheard,
    elapse,
    async runOut(address) {
      await form().admin.del(names(address).lease(address))
    },
    async misses({ cache, line }, change) {
      line.hold()
      await change()
      for (const { key } of onAll('(last)')) {
        const last = line.next('D', `_:${key}`)
        await cache.delete(key)
        await last
      }
      line.lose()
      for (const address of onAll('(last)')) {
        const gap = line.next()
        await form().publish(names(address), 'no notice')
        await gap
      }
    },
  }
}

/** A clock of its own for each test, and the end of what a test has started. */
function perTest(begin: (clock: FakeClock) => void) {
  let clock = new FakeClock({ now: BEAT_MS })
  const caches: Cache[] = []
  beforeEach(() => {
    clock = new FakeClock({ now: BEAT_MS })
    begin(clock)
  })
  afterEach(async () => {
    const closings = caches.splice(0).map((cache) => cache.close())
    // Loads that a test has left unanswered are not waited for.
    clock.advance(10_000)
    await Promise.all(closings)
  })
  return {
    get clock() {
      return clock
    },
    started(process: Process): Process {
      caches.push(process.cache)
      return process
    },
  }
}

/** Starts a cache whose calls to what is shared are in a test's hands. */
function inHands(parts: Parts, shared: SharedParts, line: Line): Process {
  const [far, leases, tags] = [chaosOf(shared.far), chaosOf(shared.leases), chaosOf(shared.tags)]
  const handled: Parts = { ...parts, shared: { ...shared, far: far.port, leases: leases.port, tags: tags.port } }
  return { cache: start(handled), parts: handled, far, leases, tags, raw: shared, line }
}

function throughLine(bus: Bus, line: Line): Bus {
  const subscribe: Bus['subscribe'] = ({ noticed, gap, lost }) =>
    bus.subscribe({
      noticed: (notice, bucket) => line.arrive(notice, () => noticed(notice, bucket)),
      gap: (reason, buckets) => line.arrive(undefined, () => gap(reason, buckets)),
      lost: (reason, buckets, links) => line.arrive(undefined, () => lost(reason, buckets, links)),
    })
  return new Proxy(bus, {
    get(target, name) {
      if (name === 'subscribe') return subscribe
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** Resolves when the process hears what is told of keys, one in each bucket. */
async function hearing({ cache, line }: Process, keys: readonly Address[]): Promise<void> {
  const unheard = new Set(keys.map(({ key }) => key))
  for (const key of unheard) void line.next('D', `_:${key}`).then(() => unheard.delete(key))
  // What is told before the subscription is there is never heard.
  while (unheard.size > 0) {
    await Promise.all([...unheard].map((key) => cache.delete(key, { requireAck: true })))
    await turn()
  }
  await allHeard({ cache, line })
}

/**
 * Moves a clock from beat to beat, and lets each come to its end. Redis goes by a clock of its own: a clock that moved
 * while a command is under way would tell a wrong time of the server.
 */
async function elapseInBeats(clock: FakeClock, settled: () => Promise<void>, ms: number): Promise<void> {
  const until = clock.now() + ms
  await settled()
  for (let beatAt = nextBeat(clock); beatAt <= until; beatAt = nextBeat(clock)) {
    clock.advance(beatAt - clock.now())
    await settled()
  }
  clock.advance(until - clock.now())
}

/** All processes start on a beat. */
function nextBeat(clock: FakeClock): number {
  return (Math.floor(clock.now() / BEAT_MS) + 1) * BEAT_MS
}

/** Where the notices come from that a line brings; what is not here has one server. */
const origins = new WeakMap<Line, Pick<RunningForm, 'buckets' | 'bucketOfEach'>>()

let probes = 0

/** Resolves when every process has heard what was told before this call. */
export async function allHeard(...processes: Pick<Process, 'cache' | 'line'>[]): Promise<void> {
  const [teller] = processes
  const { buckets, bucketOfEach } = (teller && origins.get(teller.line)) ?? { buckets: 1, bucketOfEach: [0] }
  for (const bucket of bucketOfEach) {
    const probe = keyInBucket(bucket, buckets, `(probe ${probes++})`)
    const heard = processes.map(({ line }) => line.next('D', `_:${probe}`))
    await teller?.cache.delete(probe)
    await Promise.all(heard)
  }
}

/** Lets everything go on that has its answer. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
