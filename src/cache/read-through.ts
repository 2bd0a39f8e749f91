import type { Encoded } from '../entry/codec.ts'
import { decode } from '../entry/codec.ts'
import { TierCacheError } from '../errors.ts'
import type { RequestCounters } from '../events.ts'
import type { Acquired, Ending, Lease, Waiter } from '../stampede/lease.ts'
import type { Candidate, Seen } from '../tiers/tier.ts'
import type { Flight } from './flights.ts'
import type { Loader, Run } from './loader.ts'
import { runLoader } from './loader.ts'
import { lookupFar } from './lookup.ts'
import { groupsOf, isolate, land, refuse } from './near.ts'
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

/** What a caller gets: the outcome, and whether another caller of this process had started the load. */
export interface Answer {
  readonly loaded: Loaded
  readonly joined: boolean
}

/** How often a caller starts over whose load turned out to be older than a change that it knew of when it joined. */
const RESTARTS_MOST = 3

/** The story of a miss in L1: L2, then one flight in this process, one lease among all, one load, one store. */
export async function readThrough(parts: Parts, request: LoadRequest): Promise<Answer> {
  parts.counters.loadsWaiting++
  try {
    if (!parts.shared || parts.loads.joinable(request.target.id)) return await joinOrLead(parts, request, undefined)
    const first = await readFar(parts, request)
    return first.word === 'value' ? { loaded: first.loaded, joined: false } : await joinOrLead(parts, request, first)
  } finally {
    parts.counters.loadsWaiting--
  }
}

/**
 * Joins the flight under way, or leads one. A tag of a value is known only when it has been loaded, so that:
 *   1. A's loader reads v1; the value will have tag t
 *   2. t is invalidated
 *   3. B joins A's load, and would get v1 although it asked after 2: it starts over
 */
async function joinOrLead(parts: Parts, request: LoadRequest, first: FarRead | undefined): Promise<Answer> {
  const { target, settings } = request
  const waitMs = settings.waitTimeoutMs ?? settings.hardTimeoutMs
  for (let round = 0; round < RESTARTS_MOST; round++) {
    const running = parts.loads.joinable(target.id)
    if (!running) {
      const loaded = await parts.loads.start(target.id, () => lead(parts, request, first))
      return { loaded, joined: false }
    }
    const joinedAt = parts.marks.count
    const loaded = await within(parts, running, waitMs)
    if (!loaded) break
    if (loaded.mark < joinedAt && hasMoved(parts, loaded)) continue
    parts.counters.loadsShared++
    return { loaded, joined: true }
  }
  return { loaded: await loadUnstored(parts, request), joined: false }
}

/** Whether a group of what was loaded was made void or stale since its load began. */
function hasMoved({ marks }: Parts, { groups, mark }: Loaded): boolean {
  return marks.movedSince(groups, mark) || marks.movedSoftlySince(groups, mark)
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

/** The flight of the caller that came first. `first`: what L2 said when it was asked a moment ago. */
async function lead(parts: Parts, request: LoadRequest, first: FarRead | undefined): Promise<Loaded> {
  const flight = parts.flights.open(request.target.id, parts.marks.count)
  const waiter = parts.shared?.leases.wait(request.target)
  try {
    if (!waiter) return await loadAlone(parts, request, flight, false)
    return await goRound(parts, request, flight, waiter, first)
  } finally {
    waiter?.leave()
    parts.flights.close(flight)
  }
}

/** Asks for the lease, waits for its holder and reads L2 again, until one of them leads to a value. */
async function goRound(
  parts: Parts,
  request: LoadRequest,
  flight: Flight,
  waiter: Waiter,
  first: FarRead | undefined,
): Promise<Loaded> {
  const { settings } = request
  const giveUpAt = parts.clock.now() + (settings.waitTimeoutMs ?? settings.hardTimeoutMs)
  let read = first ?? (await readFar(parts, request))
  let hasWaited = false
  let disappointments = 0
  while (disappointments <= DISAPPOINTMENTS_MOST) {
    const step = read.word === 'unusable' ? await acquire(parts, request, read.seen, hasWaited) : read
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
    read = await readFar(parts, request)
  }
  return loadUnstored(parts, request)
}

/** What L2 says to a reader: a value; or nothing that it may use, and what must be named to the lease as seen. */
type FarRead =
  | { readonly word: 'value'; readonly loaded: Loaded }
  | { readonly word: 'unusable'; readonly seen: Seen | undefined }
  | { readonly word: 'unreachable' }

/** Looks into L2 on a flight of its own. */
async function readFar(parts: Parts, { target, settings, requests, purpose }: LoadRequest): Promise<FarRead> {
  // What L2 has under a key that was invalidated here, and not yet there, is not to be believed.
  if (!parts.shared || parts.journal.fences(target.id, target.groups)) return { word: 'unreachable' }
  const flight = parts.flights.open(target.id, parts.marks.count)
  try {
    const { entry, shared, freshness, seen } = await lookupFar(parts, target, flight, settings, requests)
    const isUsable = freshness === 'fresh' || (freshness === 'stale' && purpose === 'read')
    if (!entry || !isUsable) return { word: 'unusable', seen }
    const { value, createdAt, freshUntil, tags } = entry
    const groups = groupsOf(target, tags)
    const { mark } = flight
    return { word: 'value', loaded: { value, shared, tier: 'l2', freshness, createdAt, freshUntil, mark, groups } }
  } catch {
    // Counted and told by the client.
    return { word: 'unreachable' }
  } finally {
    parts.flights.close(flight)
  }
}

/** Asks for the lease. */
async function acquire(
  parts: Parts,
  { target }: LoadRequest,
  seen: Seen | undefined,
  hasWaited: boolean,
): Promise<Acquired | { readonly word: 'unreachable' }> {
  if (!parts.shared) return { word: 'unreachable' }
  try {
    return await parts.shared.leases.acquire(target, seen, hasWaited)
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
    run = await runLoader(parts, request.target, request.loader, request.settings)
  } catch (error) {
    await release(parts, lease, { word: 'failed', ...wordsOf(error) })
    throw error
  } finally {
    stopRenewing()
  }
  const storable = prepare(parts, request, flight, run)
  if (!storable) {
    await release(parts, lease, { word: run.skippedFor === 'next' ? 'refused' : 'skipped' })
    return unstored(parts, request, flight.mark, run)
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
  const run = await runLoader(parts, request.target, request.loader, request.settings)
  const storable = prepare(parts, request, flight, run)
  if (!storable) return unstored(parts, request, flight.mark, run)
  landLoaded(parts, request, flight, storable, asOf, unguarded)
  return storable.loaded
}

/** Loads for one caller and stores nothing: others must not wait for it twice, nor get what may not be shared. */
async function loadUnstored(parts: Parts, request: LoadRequest): Promise<Loaded> {
  const mark = parts.marks.count
  const run = await runLoader(parts, request.target, request.loader, request.settings)
  return unstored(parts, request, mark, run)
}

interface Storable {
  readonly candidate: Candidate
  readonly loaded: Loaded
}

/** Encodes what was loaded, and decodes it again: what the first caller gets is of the same types as what later ones get. */
function prepare(parts: Parts, { target, settings }: LoadRequest, flight: Flight, run: Run): Storable | undefined {
  if (run.skippedFor || run.value === undefined) return undefined
  const { ttlMs = settings.ttlMs, tags } = run
  const kept: EntrySettings = { ...settings, ttlMs, tags }
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
  const groups = groupsOf(target, tags)
  const { mark } = flight
  const loaded: Loaded = { value, shared, tier: 'loader', freshness: 'fresh', createdAt, freshUntil, mark, groups }
  return { candidate, loaded }
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
function unstored(parts: Parts, { target }: LoadRequest, mark: number, run: Run): Loaded {
  const now = parts.clock.now()
  const { value, tags } = run
  const groups = groupsOf(target, tags)
  return { value, shared: true, tier: 'loader', freshness: 'fresh', createdAt: now, freshUntil: now, mark, groups }
}

/** A loader's failure in two words, for the other processes that wait for it. */
function wordsOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'Error', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return { code, message: error.message }
}
