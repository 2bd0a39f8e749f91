import { MemoryBus } from './bus/memory-bus.ts'
import { RedisBus } from './bus/redis-bus.ts'
import { BackOff } from './cache/back-off.ts'
import { Cache } from './cache/cache.ts'
import { Namespace } from './cache/namespace.ts'
import { Callers } from './cache/callers.ts'
import { ColdStreak } from './cache/cold-streak.ts'
import { Flights } from './cache/flights.ts'
import { Incidents } from './cache/incidents.ts'
import { applyFromElsewhere } from './cache/invalidation.ts'
import { Journal } from './cache/journal.ts'
import { Life } from './cache/life.ts'
import type { CacheOptions, CacheSettings } from './cache/cache-options.ts'
import { readCacheOptions } from './cache/cache-options.ts'
import type { Loaded, Parts, SharedParts } from './cache/parts.ts'
import { RecentInvalidations } from './cache/recent-invalidations.ts'
import { Renewals } from './cache/renewals.ts'
import { replayWhenUsable } from './cache/replay.ts'
import { dropUnheard, resync } from './cache/resync.ts'
import { Transactions } from './cache/transaction.ts'
import { Unstorable } from './cache/unstorable.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import type { Address } from './entry/entry.ts'
import { Envelope } from './entry/envelope.ts'
import { BatchedReads } from './redis/batched-reads.ts'
import { Counters } from './counters/counters.ts'
import { Events } from './events.ts'
import { RedisClient } from './redis/client.ts'
import type { RedisSource } from './redis/source.ts'
import { checkSource } from './redis/source.ts'
import { scriptTexts } from './redis/scripts.ts'
import { RedisLeases } from './stampede/redis-lease.ts'
import { SingleFlight } from './stampede/single-flight.ts'
import { Marks } from './tags/marks.ts'
import { RedisTagIndex } from './tags/redis-tag-index.ts'
import { MemoryTier } from './tiers/memory-tier.ts'
import { RedisTier } from './tiers/redis-tier.ts'
import type { SyncTier } from './tiers/tier.ts'

export type { RedisOptions } from './redis/options.ts'
export type { RedisConnection, RedisSource } from './redis/source.ts'

/** What {@link createCache} takes. */
export interface CreateCacheOptions extends CacheOptions {
  /**
   * L2 and the bus between processes: a URL, options of ioredis, or an ioredis instance that stays the application's.
   * Default: none; the cache runs on L1 alone.
   */
  readonly redis?: RedisSource | undefined
}

/**
 * Makes a cache: L1 alone, or L1 before Redis.
 *
 * Throws `ERR_UNKNOWN_OPTION`, `ERR_INVALID_OPTION`, `ERR_INVALID_NAMESPACE`, `ERR_PEER_MISSING` or `ERR_KEY_PREFIX`. A
 * Redis that cannot be reached is no error: one `warning` is told, L1 goes on, and L2 joins when it comes up.
 *
 * @example
 * const cache = createCache()
 * const shared = createCache({ redis: 'redis://127.0.0.1:6379', defaults: { ttl: '10m' } })
 */
export function createCache(options?: CreateCacheOptions): Cache {
  return assemble(options, systemClock)
}

/** As {@link createCache}, with a clock of the caller's. */
export function assemble(options: CreateCacheOptions | undefined, clock: Clock): Cache {
  return start(partsOf(options, clock))
}

/** The parts that the options ask for, which do not listen to each other yet. */
export function partsOf(options: CreateCacheOptions | undefined, clock: Clock): Parts {
  const settings = readCacheOptions(options)
  if (options?.redis !== undefined) checkSource(options.redis)
  const counters = new Counters()
  const events = new Events()
  const near = settings.l1 && new MemoryTier(settings.l1, () => counters.evictions++)
  const origin = clock.nonce(8)
  const incidents = new Incidents(counters, events, clock)
  const unstorable = new Unstorable(counters, events)
  const common = { settings, clock, counters, events, incidents, unstorable, near, origin }
  return options?.redis === undefined ? alone(common) : withRedis(common, options.redis)
}

/** A cache of these parts. */
export function start(parts: Parts): Cache {
  parts.bus.subscribe({
    noticed: (notice, bucket) => applyFromElsewhere(parts, notice, bucket),
    gap: (reason, buckets) => dropUnheard(parts, reason, buckets),
    lost: (reason, buckets, links) => resync(parts, reason, buckets, links),
  })
  replayWhenUsable(parts)
  return new Cache(parts, new Namespace(parts, parts.settings.namespace))
}

interface Common {
  readonly settings: CacheSettings
  readonly clock: Clock
  readonly counters: Counters
  readonly events: Events
  readonly incidents: Incidents
  readonly unstorable: Unstorable
  readonly near: SyncTier | undefined
  readonly origin: string
}

function alone({ origin, ...common }: Common): Parts {
  const bus = new MemoryBus(origin)
  return { ...common, ...local(common.clock, bus.buckets), shared: undefined, bus, endings: [() => bus.close()] }
}

function withRedis({ origin, ...common }: Common, source: RedisSource): Parts {
  const { settings, clock, counters, events } = common
  const { clusterBuckets, codec, commandTimeoutMs, leaseMs, maxEntryBytes, maxStalenessMs, prefix } = settings
  const ofClient = { source, commandTimeoutMs, prefix, clusterBuckets, scripts: scriptTexts }
  const client = new RedisClient(ofClient, clock, events, counters)
  const undecodable = ({ namespace, key }: Address, error: unknown) => {
    counters.undecodable++
    events.tell('undecodable', () => ({ namespace, key, error }))
  }
  const reads = new BatchedReads(commandTimeoutMs, clock)
  const envelope = new Envelope(prefix, codec, maxEntryBytes, clock)
  const bus = new RedisBus(client, { origin, maxStalenessMs }, clock)
  const here = local(clock, bus.buckets)
  const hearing = { marks: here.marks, of: (bucket: number) => bus.currency(bucket) }
  const leases = new RedisLeases(client, { origin, leaseMs }, clock)
  client.whenFailing((buckets) => leases.callAll(buckets))
  const shared: SharedParts = {
    far: new RedisTier(client, reads, envelope, { origin, commandTimeoutMs }, clock, undecodable),
    leases,
    tags: new RedisTagIndex(client, reads, { origin, maxStalenessMs }, clock, hearing),
    whenUsable: (listener) => client.whenUsable(listener),
  }
  return { ...common, ...here, shared, bus, endings: [() => bus.close(), () => client.close()] }
}

/** The parts that know of this process only. */
function local(
  clock: Clock,
  buckets: number,
): Omit<
  Parts,
  'settings' | 'clock' | 'events' | 'counters' | 'incidents' | 'unstorable' | 'near' | 'shared' | 'bus' | 'endings'
> {
  const marks = new Marks()
  return {
    journal: new Journal(buckets),
    recent: new RecentInvalidations(clock, buckets),
    marks,
    flights: new Flights(),
    streak: new ColdStreak(),
    loads: new SingleFlight<Loaded | undefined>(clock),
    callers: new Callers(),
    renewing: new Renewals(),
    backOff: new BackOff(clock, marks),
    transactions: new Transactions(),
    owners: new Map(),
    life: new Life(),
  }
}
