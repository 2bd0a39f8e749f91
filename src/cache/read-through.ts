import type { Encoded } from '../entry/codec.ts'
import { decode } from '../entry/codec.ts'
import { TierCacheError } from '../errors.ts'
import type { RequestCounters } from '../events.ts'
import type { Ending, Lease, Waiter } from '../stampede/lease.ts'
import type { Candidate } from '../tiers/tier.ts'
import type { Flight } from './flights.ts'
import type { Loader, Run } from './loader.ts'
import { runLoader } from './loader.ts'
import { lookupFar } from './lookup.ts'
import { isolate, land, refuse } from './near.ts'
import type { EntrySettings, LoadSettings } from './options.ts'
import type { Loaded, Parts, Target } from './parts.ts'
import { candidateOf, encodeValue } from './write-through.ts'

/** One load, as its caller wants it. */
export interface LoadRequest {
  readonly target: Target
  readonly loader: Loader<unknown>
  readonly settings: LoadSettings
  readonly requests: RequestCounters
  /** `read`: a stale value will do. `renew`: a stale value is what is to be replaced. */
  readonly purpose: 'read' | 'renew'
}

/** How often a process goes round again when others come in between and leave nothing to use, before it loads for itself. */
const DISAPPOINTMENTS_MOST = 3

/** What a caller gets: the load's outcome, and whether another caller of this process had started it. */
export type Answer = Loaded & { readonly joined: boolean }

/** The story of a miss: one flight in this process, one lease among all, one load, one store. */
export async function readThrough(parts: Parts, request: LoadRequest): Promise<Answer> {
  const { target, settings } = request
  const running = parts.loads.joinable(target.id)
  parts.counters.loadsWaiting++
  try {
    if (!running) return { ...(await parts.loads.start(target.id, () => lead(parts, request))), joined: false }
    const loaded = await within(parts, running, settings.waitTimeoutMs ?? settings.hardTimeoutMs)
    if (!loaded) return { ...(await loadUnstored(parts, request)), joined: false }
    parts.counters.loadsShared++
    return { ...loaded, joined: true }
  } finally {
    parts.counters.loadsWaiting--
  }
}

/** The promise's outcome, or `undefined` after `ms`. */
async function within<T>(parts: Parts, promise: Promise<T>, ms: number): Promise<T | undefined> {
  if (ms === 0) return undefined
  if (ms === Number.POSITIVE_INFINITY) return promise
  let cancel = () => {}
  const late = new Promise<undefined>((resolve) => {
    cancel = parts.clock.after(ms, () => resolve(undefined))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    cancel()
  }
}

/** The flight of the caller that came first. */
async function lead(parts: Parts, request: LoadRequest): Promise<Loaded> {
  const flight = parts.flights.open(request.target.id, parts.marks.count)
  const waiter = parts.shared?.leases.wait(request.target)
  try {
    if (!waiter) return await loadAlone(parts, request, flight, false)
    return await goRound(parts, request, flight, waiter)
  } finally {
    waiter?.leave()
    parts.flights.close(flight)
  }
}

/** Reads L2, asks for the lease, and waits for its holder, until one of them leads to a value. */
async function goRound(parts: Parts, request: LoadRequest, flight: Flight, waiter: Waiter): Promise<Loaded> {
  const { settings } = request
  const giveUpAt = parts.clock.now() + (settings.waitTimeoutMs ?? settings.hardTimeoutMs)
  let hasWaited = false
  let disappointments = 0
  while (disappointments <= DISAPPOINTMENTS_MOST) {
    const step = await ask(parts, request, flight, hasWaited)
    switch (step.word) {
      case 'value':
        return step.loaded
      case 'unreachable':
        // One command deadline is all that a call may lose to Redis: the rest of it goes without.
        return loadAlone(parts, request, flight, true)
      case 'granted':
        return loadUnderLease(parts, request, flight, step.lease)
      case 'skip':
        return loadUnstored(parts, request)
      case 'failed':
        throw new TierCacheError(
          'ERR_LOAD_ELSEWHERE',
          `another process failed to load this key: ${step.code}: ${step.message}`,
        )
      case 'found':
        disappointments++
        break
      case 'busy': {
        const ms = Math.min(step.leftMs + 1, giveUpAt - parts.clock.now())
        if (ms <= 0) return loadUnstored(parts, request)
        hasWaited = true
        if (await waiter.called(ms)) disappointments++
        break
      }
      default:
        step satisfies never
    }
  }
  return loadUnstored(parts, request)
}

type Step =
  | { readonly word: 'value'; readonly loaded: Loaded }
  | { readonly word: 'granted'; readonly lease: Lease }
  | { readonly word: 'unreachable' | 'skip' | 'found' }
  | { readonly word: 'busy'; readonly leftMs: number }
  | { readonly word: 'failed'; readonly code: string; readonly message: string }

/** One round: L2, then the lease. */
async function ask(parts: Parts, request: LoadRequest, flight: Flight, hasWaited: boolean): Promise<Step> {
  const { target, settings, requests, purpose } = request
  // What L2 has under a key that was invalidated here, and not yet there, is not to be believed.
  if (!parts.shared || parts.journal.fences(target)) return { word: 'unreachable' }
  try {
    const found = await lookupFar(parts, target, flight, settings, requests)
    if (found.entry && (found.freshness === 'fresh' || (found.freshness === 'stale' && purpose === 'read'))) {
      const { entry, shared, freshness } = found
      const { value, createdAt, freshUntil } = entry
      return { word: 'value', loaded: { value, shared, tier: 'l2', freshness, createdAt, freshUntil } }
    }
    return await parts.shared.leases.acquire(target, found.seen, hasWaited)
  } catch {
    // Counted and told by the client.
    return { word: 'unreachable' }
  }
}

/** Loads as the one process that may. The lease is kept alive meanwhile, and shown when the value is stored. */
async function loadUnderLease(parts: Parts, request: LoadRequest, flight: Flight, lease: Lease): Promise<Loaded> {
  const { target } = request
  // The load begins now: what happened before cannot make its value old.
  flight.poison = undefined
  flight.mark = parts.marks.count
  const asOf = parts.clock.now()
  const stopRenewing = keepLease(parts, lease)
  let run: Run
  try {
    run = await runLoader(parts, request.target, request.loader, request.settings.hardTimeoutMs)
  } catch (error) {
    await release(parts, lease, { word: 'failed', ...wordsOf(error) })
    throw error
  } finally {
    stopRenewing()
  }
  const storable = prepare(parts, request, run)
  if (!storable) {
    await release(parts, lease, { word: run.skippedFor === 'next' ? 'refused' : 'skipped' })
    return unstored(parts, run)
  }
  const word = await commitFar(parts, storable.candidate, lease)
  if (word === 'refused') refuse(parts, target, 'refused by L2')
  if (word === 'refused' || word === 'failed') return storable.loaded
  landLoaded(parts, request, flight, storable, asOf, word === 'unknown')
  return storable.loaded
}

/** - `unknown`: L2 could not be reached; the value may be in it or not. */
async function commitFar(
  parts: Parts,
  candidate: Candidate,
  lease: Lease,
): Promise<'stored' | 'refused' | 'failed' | 'unknown'> {
  if (!parts.shared) return 'unknown'
  try {
    return (await parts.shared.far.commit(candidate, lease)).word
  } catch {
    // Counted and told by the client. The lease ends by itself.
    return 'unknown'
  }
}

async function release(parts: Parts, lease: Lease, ending: Ending): Promise<void> {
  try {
    await parts.shared?.leases.release(lease, ending)
  } catch {
    // Counted and told by the client. The lease ends by itself.
  }
}

/** Renews the lease three times in its length, until told to stop. */
function keepLease(parts: Parts, lease: Lease): () => void {
  let cancel = () => {}
  const schedule = () => {
    cancel = parts.clock.after(parts.settings.leaseMs / 3, () => {
      schedule()
      parts.shared?.leases.renew(lease).catch(() => {
        // Counted and told by the client. A lease that runs out refuses the store.
      })
    })
  }
  schedule()
  return () => cancel()
}

/** Loads without L2: because there is none, or because it cannot be reached. Then the value stays in L1 for a short while only. */
async function loadAlone(parts: Parts, request: LoadRequest, flight: Flight, unguarded: boolean): Promise<Loaded> {
  flight.poison = undefined
  flight.mark = parts.marks.count
  const asOf = parts.clock.now()
  const run = await runLoader(parts, request.target, request.loader, request.settings.hardTimeoutMs)
  const storable = prepare(parts, request, run)
  if (!storable) return unstored(parts, run)
  landLoaded(parts, request, flight, storable, asOf, unguarded)
  return storable.loaded
}

/** Loads for one caller and stores nothing: others must not wait for it twice, nor get what may not be shared. */
async function loadUnstored(parts: Parts, request: LoadRequest): Promise<Loaded> {
  return unstored(parts, await runLoader(parts, request.target, request.loader, request.settings.hardTimeoutMs))
}

interface Storable {
  readonly candidate: Candidate
  readonly loaded: Loaded
}

/** Encodes what was loaded, and decodes it again: what the first caller gets is of the same types as what later ones get. */
function prepare(parts: Parts, { target, settings }: LoadRequest, run: Run): Storable | undefined {
  if (run.skippedFor || run.value === undefined) return undefined
  const kept: EntrySettings = run.ttlMs === undefined ? settings : { ...settings, ttlMs: run.ttlMs }
  if (kept.ttlMs + kept.staleMs === 0) return undefined
  let encoded: Encoded
  try {
    encoded = encodeValue(run.value)
  } catch (error) {
    parts.counters.unstorable++
    parts.events.tell('unstorable', () => ({ namespace: target.namespace, key: target.key, error }))
    return undefined
  }
  const candidate = candidateOf(parts, target, encoded, kept, run.loadMs)
  const value = decode(encoded)
  const { createdAt, freshUntil } = candidate
  const shared = isolate(value, settings.isolation)
  return { candidate, loaded: { value, shared, tier: 'loader', freshness: 'fresh', createdAt, freshUntil } }
}

function landLoaded(
  parts: Parts,
  { target, settings }: LoadRequest,
  flight: Flight,
  { candidate, loaded }: Storable,
  asOf: number,
  unguarded: boolean,
): void {
  land(parts, target, flight, {
    entry: { ...candidate, value: loaded.value },
    bytes: candidate.payload.length,
    shared: loaded.shared,
    l1TtlMs: settings.l1TtlMs,
    asOf,
    unguarded,
  })
}

/** The very value of the loader, for those who asked for it. */
function unstored(parts: Parts, run: Run): Loaded {
  const now = parts.clock.now()
  return { value: run.value, shared: true, tier: 'loader', freshness: 'fresh', createdAt: now, freshUntil: now }
}

/** A loader's failure in two words, for the other processes that wait for it. */
function wordsOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'Error', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return { code, message: error.message }
}
