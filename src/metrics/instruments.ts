import { errorCodes } from '../errors.ts'
import type { RequestCounters, Timings } from '../counters/counters.ts'
import type { Observable } from '../events.ts'
import { Counters } from '../counters/counters.ts'

/** One number of a scrape. */
export interface Sample {
  /** What stands behind the instrument's name: the parts of a histogram have names of their own. */
  readonly suffix: '' | '_bucket' | '_sum' | '_count'
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One metric, as every exporter shows it. */
export interface Instrument {
  readonly name: string
  /** - `counter`: only grows. - `gauge`: how it is at this moment. - `histogram`: durations, counted by buckets. */
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly unit: string
  /** Beside `cache`, which every series has. Their values come from closed lists, or are bounded in number. */
  readonly labels: readonly string[]
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets: readonly number[]
  /** What exactly is counted. */
  readonly help: string
  /** The numbers at this moment. Reading changes nothing. */
  read(cache: Observable): readonly Sample[]
}

/** All metrics. `docs/reference/metrics.md` shows the same table, and a test compares the two. */
export const instruments: readonly Instrument[] = [
  {
    name: 'tiercache_requests_total',
    kind: 'counter',
    unit: 'lookups',
    labels: ['namespace', 'tier', 'result'],
    buckets: [],
    help: 'Lookups in one tier, by how they ended; one that misses L1 and is looked up in L2 counts in both.',
    read: ({ counters }) => [...counters.requests].flatMap(([namespace, counts]) => requestSamples(namespace, counts)),
  },
  histogram(
    'tiercache_load_duration_seconds',
    'Run times of loaders, failed ones included.',
    ({ loadTimings }) => loadTimings,
  ),
  counter(
    'tiercache_loads_failed_total',
    'loads',
    'Loaders that threw, rejected, or did not answer within hardTimeout.',
    ({ loadsFailed }) => loadsFailed,
  ),
  counter(
    'tiercache_loads_aborted_total',
    'loads',
    'Loaders aborted because the last of their callers had left by its signal; they do not count as failed.',
    ({ loadsAborted }) => loadsAborted,
  ),
  counter(
    'tiercache_loads_shared_total',
    'callers',
    'Callers of getOrSet answered by the look into L2, or the load, that another caller in this process began.',
    ({ loadsShared }) => loadsShared,
  ),
  counter(
    'tiercache_lease_waits_total',
    'waits',
    'Waits of this process for the load of another one; callers in it that share a wait count once.',
    ({ waits }) => waits,
  ),
  counter(
    'tiercache_lease_takeovers_total',
    'loads',
    'Loads begun in place of another process that had been waited for and did not finish in time.',
    ({ takeovers }) => takeovers,
  ),
  gauge(
    'tiercache_loads_in_flight',
    'loads',
    'Loaders that run right now, within their hardTimeout and for somebody.',
    ({ counters }) => counters.loadsRunning,
  ),
  gauge(
    'tiercache_loads_waiting',
    'callers',
    'Callers of getOrSet that wait right now for L2 or a loader; renewals behind stale values count too.',
    ({ counters }) => counters.loadsWaiting,
  ),
  gauge('tiercache_l1_entries', 'entries', 'Entries in L1.', (cache) => cache.gauges().l1Entries),
  gauge(
    'tiercache_l1_bytes',
    'bytes',
    'Size of L1 as its bound counts it: encoded values, keys, and an estimated overhead per entry.',
    (cache) => cache.gauges().l1Bytes,
  ),
  counter(
    'tiercache_l1_evictions_total',
    'entries',
    'Entries pushed out of L1 by newer ones; what expired or was deleted does not count.',
    ({ evictions }) => evictions,
  ),
  histogram(
    'tiercache_l2_duration_seconds',
    'Round trips to Redis that were answered, one per command or batch of reads; failures count as errors.',
    ({ l2Timings }) => l2Timings,
  ),
  {
    name: 'tiercache_l2_errors_total',
    kind: 'counter',
    unit: 'commands',
    labels: ['code'],
    buckets: [],
    help: 'Commands to Redis that were sent and failed or were late, by error code.',
    read: ({ counters }) => errorSamples(counters),
  },
  counter(
    'tiercache_l2_skipped_total',
    'commands',
    'Commands that were not sent, because Redis was not connected or the breaker was open.',
    ({ l2Skipped }) => l2Skipped,
  ),
  gauge(
    'tiercache_l2_up',
    'state',
    '1 while Redis is asked, 0 while it is passed over; always 0 with L1 alone.',
    (cache) => Number(cache.gauges().l2Usable === true),
  ),
  gauge(
    'tiercache_coherent',
    'state',
    '1 while L1 is known to be current within maxStaleness; always 1 with L1 alone.',
    (cache) => Number(cache.gauges().coherent),
  ),
  counter('tiercache_sets_total', 'calls', 'Values written by set.', ({ sets }) => sets),
  counter('tiercache_deletes_total', 'calls', 'Keys deleted by delete.', ({ deletes }) => deletes),
  counter('tiercache_clears_total', 'calls', 'Namespaces cleared by clear.', ({ clears }) => clears),
  counter(
    'tiercache_tag_invalidations_total',
    'tags',
    'Tags made void by invalidateTags, or stale by expireTags.',
    ({ tagInvalidations }) => tagInvalidations,
  ),
  counter(
    'tiercache_notices_received_total',
    'notices',
    'Notices of changes that came over the bus; own ones come back and count too.',
    ({ noticesReceived }) => noticesReceived,
  ),
  counter(
    'tiercache_gaps_total',
    'gaps',
    'Times that notices may have been missed, so that L1 was not believed any more: for each reason once in a second at most, of however many buckets.',
    ({ gaps }) => gaps,
  ),
  counter(
    'tiercache_resyncs_total',
    'resyncs',
    'Times that Redis may have lost what it had acknowledged, so that recent invalidations were repeated: once for all buckets of which one reason is found at one time.',
    ({ resyncs }) => resyncs,
  ),
  counter(
    'tiercache_fills_refused_total',
    'values',
    'Values given to their callers and not stored, because they may be older than a change.',
    ({ fillsRefused }) => fillsRefused,
  ),
  counter(
    'tiercache_unstorable_total',
    'values',
    'Loaded values given to their callers and not stored, because they cannot be encoded or are too large.',
    ({ unstorable }) => unstorable,
  ),
  counter(
    'tiercache_undecodable_total',
    'entries',
    'Entries in L2 that this version could not read: misses, and removed.',
    ({ undecodable }) => undecodable,
  ),
  counter(
    'tiercache_incompatible_total',
    'entries',
    'Entries in L2 that are none for this process, and may be some for others: misses, and left there.',
    ({ incompatible }) => incompatible,
  ),
  counter(
    'tiercache_invalid_total',
    'entries',
    'Cached values that did not pass the schema of their reader: misses, and left there.',
    ({ invalid }) => invalid,
  ),
  counter(
    'tiercache_unacknowledged_total',
    'calls',
    'Changes (set, delete, expire, clear, and each tag) that Redis did not acknowledge.',
    ({ unacknowledged }) => unacknowledged,
  ),
  gauge(
    'tiercache_journal_entries',
    'invalidations',
    'Invalidations that Redis has not acknowledged, or may have lost; they are being repeated.',
    (cache) => cache.gauges().journalled,
  ),
  gauge(
    'tiercache_renewals_in_flight',
    'loads',
    'Renewals behind stale values that run right now, or wait for those of other processes: 16 at most.',
    (cache) => cache.gauges().renewals,
  ),
  counter(
    'tiercache_renewals_failed_total',
    'loads',
    'Renewals behind a stale value, or ahead of the end of one, that failed; the value went on being served.',
    ({ renewalsFailed }) => renewalsFailed,
  ),
  {
    name: 'tiercache_http_requests_total',
    kind: 'counter',
    unit: 'requests',
    labels: ['outcome'],
    buckets: [],
    help: 'Requests that came to a response cache, by how they were answered.',
    read: ({ counters }) => labelled('outcome', counters.http.outcomes),
  },
  {
    name: 'tiercache_http_refusals_total',
    kind: 'counter',
    unit: 'responses',
    labels: ['reason'],
    buckets: [],
    help: 'Responses of the application that were not stored, by the reason that Cache-Status shows as detail.',
    read: ({ counters }) => labelled('reason', counters.http.refusals),
  },
  {
    name: 'tiercache_http_invalidations_total',
    kind: 'counter',
    unit: 'invalidations',
    labels: ['by'],
    buckets: [],
    help: 'URLs, tags and groups whose responses were made gone or stale, by what did that.',
    read: ({ counters }) => labelled('by', counters.http.invalidations),
  },
]

function counter(name: string, unit: string, help: string, read: (counters: Counters) => number): Instrument {
  return {
    name,
    kind: 'counter',
    unit,
    labels: [],
    buckets: [],
    help,
    read: ({ counters }) => [sample(read(counters))],
  }
}

function gauge(name: string, unit: string, help: string, read: (cache: Observable) => number): Instrument {
  return { name, kind: 'gauge', unit, labels: [], buckets: [], help, read: (cache) => [sample(read(cache))] }
}

function histogram(name: string, help: string, timings: (counters: Counters) => Timings): Instrument {
  const buckets = timings(new Counters()).boundsMs.map(seconds)
  const read = ({ counters }: Observable) => timingSamples(timings(counters))
  return { name, kind: 'histogram', unit: 'seconds', labels: [], buckets, help, read }
}

function sample(value: number, labels: Sample['labels'] = {}, suffix: Sample['suffix'] = ''): Sample {
  return { suffix, labels, value }
}

/** How {@link Counters} names the keys of no namespace. */
const ROOT = '_'

function requestSamples(name: string, counts: RequestCounters): Sample[] {
  // Parentheses, as in `(other)`: no namespace has them.
  const namespace = name === ROOT ? '(root)' : name
  return [
    sample(counts.l1Fresh, { namespace, tier: 'l1', result: 'fresh' }),
    sample(counts.l1Stale, { namespace, tier: 'l1', result: 'stale' }),
    sample(counts.l1Missing, { namespace, tier: 'l1', result: 'miss' }),
    sample(counts.l2Fresh, { namespace, tier: 'l2', result: 'fresh' }),
    sample(counts.l2Stale, { namespace, tier: 'l2', result: 'stale' }),
    sample(counts.l2Missing, { namespace, tier: 'l2', result: 'miss' }),
  ]
}

function labelled(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([word, count]) => sample(count, { [label]: word }))
}

/** The codes of Redis are there from the start: a rate needs the 0 before the first error. */
function errorSamples({ l2Errors }: Counters): Sample[] {
  const ofRedis = Object.keys(errorCodes).filter((code) => code.startsWith('ERR_REDIS_'))
  const counts = new Map<string, number>([...ofRedis.map((code) => [code, 0] as const), ...l2Errors])
  return [...counts].map(([code, count]) => sample(count, { code }))
}

/** Buckets as Prometheus wants them: each counts all durations up to its bound. */
function timingSamples({ boundsMs, counts, sumMs, count }: Timings): Sample[] {
  let below = 0
  const buckets = boundsMs.map((boundMs, index) => {
    below += counts[index] ?? 0
    return sample(below, { le: String(seconds(boundMs)) }, '_bucket')
  })
  return [
    ...buckets,
    sample(count, { le: '+Inf' }, '_bucket'),
    sample(seconds(sumMs), {}, '_sum'),
    sample(count, {}, '_count'),
  ]
}

function seconds(ms: number): number {
  return ms / 1000
}
