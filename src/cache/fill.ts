import type { TierCacheError } from '../errors.ts'
import type { Lease } from '../stampede/lease.ts'
import type { Candidate } from '../tiers/tier.ts'
import { keepAsItIs } from './as-it-is.ts'
import type { Flight } from './flights.ts'
import { endLease, keepLease, noteFull, wordsOf } from './held-lease.ts'
import type { LoadRequest } from './load-request.ts'
import type { Run } from './loader.ts'
import { loadedBy, runLoader } from './loader.ts'
import { encodedEntry, landLoaded, nearEntry } from './made-entry.ts'
import { refuse } from './near.ts'
import { DEFAULTS } from './call-options.ts'
import type { Loaded, Parts } from './parts.ts'
import { replacedBy } from './servable.ts'
import { withinInBackground } from './time-limit.ts'

/** Told when a load is past its deadline: of what it comes to all the same; `undefined`: nothing, or nothing in time. */
export type WhenLate = (landing: Promise<Loaded | undefined>) => void

/** What becomes of a load: where its value goes, and who hears that there is none. */
interface Destination {
  store(flight: Flight, run: Run, asOf: number): Promise<Loaded> | Loaded
  /** It is past its deadline, and may still answer. */
  late(error: TierCacheError): void
  /** Nobody waits for it any more, and it may still answer. */
  deserted(): void
  failed(error: unknown): void
}

/** Loads as the one process that may. The lease is kept alive meanwhile, and shown when the value is stored. */
export async function loadUnderLease(
  parts: Parts,
  request: LoadRequest,
  flight: Flight,
  lease: Lease,
  whenLate: WhenLate,
): Promise<Loaded> {
  const { settings } = request
  // What the loader reads through this cache must be no older than the lease: the value may be kept for long.
  parts.bus.reached(request.target.bucket, lease.n0)
  const letGo = keepLease(parts, lease)
  // Nothing of it will be stored: the others need not wait for its end.
  const inside = request.inside?.whenHolding(() => void endLease(parts, lease, { word: 'refused' }))
  let isDeserted = false
  const destination: Destination = {
    store: (into, run, asOf) => storeUnderLease(parts, request, into, lease, run, asOf),
    late: (error) => void endLease(parts, lease, { word: 'late', keptMs: settings.hardTimeoutMs, ...wordsOf(error) }),
    deserted: () => {
      isDeserted = true
      void endLease(parts, lease, { word: 'deserted', keptMs: keptMs(parts, request) })
    },
    // Nobody waits for the answer: what this process sends next, Redis carries out after it.
    failed: (error) =>
      void endLease(parts, lease, isDeserted ? { word: 'refused' } : { word: 'failed', ...wordsOf(error) }),
  }
  try {
    return await load(parts, request, flight, destination, whenLate)
  } finally {
    letGo()
    inside?.()
  }
}

/** Loads without L2: because there is none, or because it cannot be reached. Then the value stays in L1 for a short while only. */
export async function loadAlone(
  parts: Parts,
  request: LoadRequest,
  flight: Flight,
  unguarded: boolean,
  whenLate: WhenLate,
): Promise<Loaded> {
  const destination: Destination = {
    store(into, run, asOf) {
      if (request.settings.tiers === 'l1') {
        return keepAsItIs(parts, request, into, run, asOf) ?? unstored(parts, request, into.mark, run)
      }
      const storable = nearEntry(parts, request, into, run)
      if (!storable) return unstored(parts, request, into.mark, run)
      landLoaded(parts, request, into, storable, asOf, unguarded)
      return storable.loaded
    },
    late() {},
    deserted() {},
    failed() {},
  }
  return load(parts, request, flight, destination, whenLate)
}

/** Loads for one caller and stores nothing: others must not wait for it twice, nor get what may not be shared. */
export async function loadUnstored(parts: Parts, request: LoadRequest): Promise<Loaded> {
  return loadReplacing(parts, { ...request, there: replacedBy(parts, request) })
}

/** The same in place of what the request says, whatever is there. */
export async function loadReplacing(parts: Parts, request: LoadRequest): Promise<Loaded> {
  const mark = parts.marks.count
  return unstored(parts, request, mark, await runLoader(parts, request))
}

async function load(
  parts: Parts,
  request: LoadRequest,
  flight: Flight,
  destination: Destination,
  whenLate: WhenLate,
): Promise<Loaded> {
  const replacing: LoadRequest = { ...request, there: replacedBy(parts, request, flight) }
  // The load begins now: what happened before cannot make its value old.
  flight.poison = undefined
  flight.mark = parts.marks.count
  const asOf = parts.clock.now()
  let isOutlived = false
  const goOn = (outcome: Promise<Run>) => {
    isOutlived = true
    return landLate(parts, request, flight, destination, outcome, asOf)
  }
  let run: Run
  try {
    run = await runLoader(parts, replacing, {
      late(outcome, error) {
        destination.late(error)
        whenLate(goOn(outcome))
      },
      deserted(outcome) {
        destination.deserted()
        void goOn(outcome)
      },
    })
  } catch (error) {
    if (!isOutlived) destination.failed(error)
    throw error
  }
  return destination.store(flight, run, asOf)
}

/**
 * The story of a load past its deadline, whose callers have been answered, or of one whose callers have left: it goes on, on
 * a flight of its own. Its value is stored as any other, if nothing happened to its key or groups since the load began, and
 * nobody took over; see docs/decisions/0006-late-results.md and 0025-who-ends-a-load.md.
 */
async function landLate(
  parts: Parts,
  request: LoadRequest,
  { mark, poison }: Flight,
  destination: Destination,
  outcome: Promise<Run>,
  asOf: number,
): Promise<Loaded | undefined> {
  const { target } = request
  const flight = parts.flights.open(target.id, mark)
  flight.poison = poison
  try {
    const run = await withinInBackground(parts.clock, outcome, keptMs(parts, request))
    if (run === undefined) return undefined
    if (isNewerThere(parts, target.id, asOf)) flight.poison = 'a newer value is there'
    return await destination.store(flight, run, asOf)
  } catch (error) {
    // It was told when the deadline passed.
    destination.failed(error)
    return undefined
  } finally {
    parts.flights.close(flight)
  }
}

/** For how long a load may still be stored that nobody waits for any more. */
function keptMs({ settings: { leaseMs } }: Parts, { settings: { hardTimeoutMs } }: LoadRequest): number {
  return leaseMs + (hardTimeoutMs === Number.POSITIVE_INFINITY ? DEFAULTS.hardTimeoutMs : hardTimeoutMs)
}

/** Whether L1 has the value of a load that began later. */
function isNewerThere({ near }: Parts, id: string, asOf: number): boolean {
  const there = near?.get(id)
  return there !== undefined && there.asOf > asOf
}

async function storeUnderLease(
  parts: Parts,
  request: LoadRequest,
  flight: Flight,
  lease: Lease,
  run: Run,
  asOf: number,
): Promise<Loaded> {
  const storable = encodedEntry(parts, request, flight, run)
  if (!storable) {
    await endLease(parts, lease, { word: run.skippedFor === 'next' ? 'refused' : 'skipped' })
    return unstored(parts, request, flight.mark, run)
  }
  const word = await commitFar(parts, storable.candidate, lease)
  if (word === 'refused') refuse(parts, request.target, 'refused by L2')
  else landLoaded(parts, request, flight, storable, asOf, word !== 'stored')
  return storable.loaded
}

/** - `unguarded`: L2 has no room for the value, or could not be reached; then the value may be in it or not. */
async function commitFar(
  parts: Parts,
  candidate: Candidate,
  lease: Lease,
): Promise<'stored' | 'refused' | 'unguarded'> {
  if (!parts.shared) return 'unguarded'
  try {
    const outcome = await parts.shared.far.commit(candidate, lease)
    if (outcome.word !== 'failed') return outcome.word
    noteFull(parts, 'commit', outcome.reason)
    return 'unguarded'
  } catch {
    // Counted and told by the client. The lease ends by itself.
    return 'unguarded'
  }
}

/** The very value of the loader, for those who asked for it. */
function unstored({ clock }: Parts, request: LoadRequest, mark: number, run: Run): Loaded {
  const now = clock.now()
  return loadedBy(run, request, mark, {
    value: run.value,
    shared: true,
    isAsItIs: true,
    createdAt: now,
    freshUntil: now,
  })
}
