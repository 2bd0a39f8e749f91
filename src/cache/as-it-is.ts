import { TierCacheError } from '../errors.ts'
import type { Acknowledged } from './acknowledgement.ts'
import type { EntrySettings, SetSettings } from './call-options.ts'
import type { Flight } from './flights.ts'
import { invalidateFar } from './invalidation.ts'
import type { LoadRequest } from './load-request.ts'
import type { Run } from './loader.ts'
import { loadedBy } from './loader.ts'
import { forget, land } from './near.ts'
import type { Loaded, Parts, Target } from './parts.ts'
import { keptOf, termOf } from './term.ts'
import type { Term } from './term.ts'

/** What a value counts for in L1 that is not encoded, so that nobody knows its size. */
const AS_IT_IS_BYTES = 1024

/**
 * The story of a write with `tiers: 'l1'`: to the others, and to L2, it is a deletion; here the very value is kept. Emptied
 * before and after, as by `write-through.ts`.
 */
export async function writeAsItIs(
  parts: Parts,
  target: Target,
  value: unknown,
  kept: SetSettings,
): Promise<Acknowledged> {
  const { shared } = parts
  const flight = parts.flights.open(target.id, parts.marks.count)
  try {
    forget(parts, target, 'set', flight)
    const asOf = parts.clock.now()
    const deletion = { kind: 'key', id: target.id, address: target } as const
    const outcome = shared && (await invalidateFar(parts, deletion, 'set', () => shared.far.delete(target)))
    if (shared) forget(parts, target, 'set', flight)
    landAsItIs(parts, target, flight, { value, kept, term: termOf(parts, kept), asOf })
    return outcome ?? { acknowledged: true }
  } finally {
    parts.flights.close(flight)
  }
}

/** Keeps the very value of a loader; `undefined` for one that is not to be stored. */
export function keepAsItIs(
  parts: Parts,
  request: LoadRequest,
  flight: Flight,
  run: Run,
  asOf: number,
): Loaded | undefined {
  const { target, settings } = request
  const kept = keptOf(run, settings)
  if (!kept) return undefined
  const { value } = run
  const term = termOf(parts, kept)
  beginChain(parts, target)
  landAsItIs(parts, target, flight, { value, kept, term, asOf, loadMs: run.loadMs })
  return loadedBy(run, request, flight.mark, { value, shared: true, isAsItIs: true, ...term })
}

interface AsItIs {
  readonly value: unknown
  readonly kept: EntrySettings & Pick<SetSettings, 'version'>
  readonly term: Term
  readonly asOf: number
  readonly loadMs?: number
}

function landAsItIs(parts: Parts, target: Target, flight: Flight, { value, kept, term, asOf, loadMs }: AsItIs): void {
  land(parts, target, flight, {
    entry: { value, ...term, tags: kept.tags, version: kept.version, loadMs },
    schema: kept.schema,
    bytes: AS_IT_IS_BYTES,
    shared: true,
    tiers: 'l1',
    l1TtlMs: kept.l1TtlMs,
    asOf,
  })
}

/**
 * Throws `ERR_UNSTORABLE_VALUE`: `undefined` is always a miss, and what is meant by a promise is what it comes to.
 */
export function checkKeepable(value: unknown): void {
  const isPromise = typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
  if (value !== undefined && !isPromise) return
  const got = isPromise ? 'a promise (await it first)' : 'undefined'
  throw new TierCacheError('ERR_UNSTORABLE_VALUE', `the value: expected anything else, got ${got}`)
}

/**
 * What is kept here is proven by the chain of notices of its bucket. Where that has not begun, since nothing was stored
 * or invalidated in L2 yet, a deletion begins it: a value would be served for the bound on staleness only.
 */
function beginChain({ shared, bus }: Parts, target: Target): void {
  const { emptyAt, verifiedAt, behindAt } = bus.currency(target.bucket)
  if (!shared?.far.reaches(target.bucket) || emptyAt <= Math.max(verifiedAt, behindAt)) return
  // Counted and told by the client, when it fails.
  shared.far.delete(target).catch(() => {})
}
