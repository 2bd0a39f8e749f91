import type { Counters, Gauges, RequestCounters } from '../counters/counters.ts'
import type { FarHealth } from '../events.ts'
import { isInTouch } from './near.ts'
import type { Parts } from './parts.ts'

/** How a whole cache does at this moment: plain data, without secrets, for a health endpoint. */
export interface CacheHealth {
  /**
   * Whether all is as it should be: it is open, and with Redis that L2 is asked, L1 known to be current, and every change
   * acknowledged. If not, the cache goes on as well as it can: that is a reason to look, and none to end the process.
   */
  readonly ok: boolean
  readonly closed: boolean
  /** As in {@link Gauges}. */
  readonly coherent: boolean
  /** As in {@link Gauges}. */
  readonly journalled: number
  /** Absent with `l1: false`. */
  readonly l1?: { readonly entries: number; readonly bytes: number }
  /** Absent with L1 alone. */
  readonly l2?: FarHealth & { readonly usable: boolean }
}

/** What L1 holds, and how it stands with L2. */
export function gaugesOf(parts: Parts): Gauges {
  const { near, shared, journal, bus, renewing, life } = parts
  return {
    l1Entries: near?.entries ?? 0,
    l1Bytes: near?.bytes ?? 0,
    l2Usable: shared?.far.usable,
    coherent:
      !life.closing && Array.from({ length: bus.buckets }, (_, bucket) => isInTouch(parts, bucket)).every(Boolean),
    journalled: journal.size,
    renewals: renewing.size,
  }
}

export function healthOf(parts: Parts): CacheHealth {
  const { near, shared, life } = parts
  const { coherent, journalled, l1Entries: entries, l1Bytes: bytes } = gaugesOf(parts)
  const closed = life.closing !== undefined
  return {
    ok: !closed && coherent && journalled === 0 && shared?.far.usable !== false,
    closed,
    coherent,
    journalled,
    ...(near && { l1: { entries, bytes } }),
    ...(shared && { l2: { usable: shared.far.usable, ...shared.far.health() } }),
  }
}

/** How often it is looked whether a cache has become ready. */
const LOOK_EVERY_MS = 10

/** Resolves when L2 works and L1 is known to be current, when the cache is closed, or when the bound on staleness has passed. */
export async function whenReady(parts: Parts): Promise<void> {
  const { clock, settings, shared, life } = parts
  const giveUpAt = clock.now() + settings.maxStalenessMs
  const isReady = () => life.closing !== undefined || (shared?.far.usable !== false && gaugesOf(parts).coherent)
  while (!isReady() && clock.now() < giveUpAt) {
    await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve))
  }
}

/** What became of the lookups of one namespace since the cache was made. */
export interface NamespaceStats extends RequestCounters {
  /** Of all lookups, the fraction that L1 answered, stale or fresh; `undefined` before the first one. */
  readonly l1HitRatio: number | undefined
  /** The same, of L1 and L2 together. */
  readonly hitRatio: number | undefined
}

/** What a whole cache has done and holds. */
export interface CacheStats extends Gauges {
  /** By name; `_` is the root. Those beyond the first 64 are `(other)`. */
  readonly namespaces: Readonly<Record<string, NamespaceStats>>
  readonly counters: Counters
}

export function statsOf(parts: Parts): CacheStats {
  const { counters } = parts
  const namespaces = Object.fromEntries([...counters.requests].map(([name, requests]) => [name, withRatios(requests)]))
  return { ...gaugesOf(parts), namespaces, counters }
}

function withRatios(requests: RequestCounters): NamespaceStats {
  const { l1Fresh, l1Stale, l1Missing, l2Fresh, l2Stale } = requests
  const lookups = l1Fresh + l1Stale + l1Missing
  const ratio = (hits: number) => (lookups === 0 ? undefined : Math.min(1, hits / lookups))
  const inL1 = l1Fresh + l1Stale
  // What is stale in L1 is looked up in L2, too, by a read that loads nothing: it is one hit.
  return { ...requests, l1HitRatio: ratio(inL1), hitRatio: ratio(inL1 + l2Fresh + l2Stale) }
}
