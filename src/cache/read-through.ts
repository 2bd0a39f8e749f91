import type { Audience } from '../stampede/audience.ts'
import type { WhenLate } from './fill.ts'
import { loadAlone, loadUnstored } from './fill.ts'
import type { LoadRequest } from './load-request.ts'
import { isCoherent } from './near.ts'
import type { Loaded, Parts, Target } from './parts.ts'
import { seekLease } from './seek-lease.ts'
import type { FarRead } from './servable.ts'
import { isPresumedMissing, PRESUMED_MISSING, UNREACHABLE, readAgain, readFar, readNear, suits } from './servable.ts'
import { untilAborted, within, withinInBackground } from './time-limit.ts'

/** What a caller gets: the outcome, and whether another caller of this process had started the load. */
export interface Answer {
  readonly loaded: Loaded
  readonly joined: boolean
}

/** How often a caller starts over whose load turned out to be older than a change that it knew of when it joined. */
const RESTARTS_MOST = 3

/**
 * The story of a miss in L1: L2, then one flight in this process, one lease among all, one load, one store. `first`: what L2
 * has said already.
 */
export function readThrough(parts: Parts, request: LoadRequest, first?: FarRead): Promise<Answer> {
  // A reader comes to an answer: only a renewal may come to none.
  return attended(parts, request, request.settings.signal, first) as Promise<Answer>
}

/** The same for a newer value than a stale one. `undefined`: there is none, and none that would be stored can be loaded. */
export function renewThrough(parts: Parts, request: LoadRequest): Promise<Answer | undefined> {
  return attended(parts, request, undefined)
}

function attended(
  parts: Parts,
  request: LoadRequest,
  signal: AbortSignal | undefined,
  first?: FarRead,
): Promise<Answer | undefined> {
  const { counters, callers } = parts
  const { id } = request.target
  counters.loadsWaiting++
  callers.come(id)
  const asked = first
    ? Promise.resolve(first).then((each) => afterLook(parts, request, each))
    : answerTo(parts, request)
  const answer = signal ? untilAborted(signal, asked, (reason) => request.audience.leave(reason)) : asked
  const isAnswered = () => {
    counters.loadsWaiting--
    callers.leave(id)
  }
  answer.then(isAnswered, isAnswered)
  return answer
}

function answerTo(parts: Parts, request: LoadRequest): Promise<Answer | undefined> {
  if (!parts.shared || request.settings.tiers === 'l1' || isLoading(parts, request))
    return joinOrLead(parts, request, undefined)
  if (parts.shared.far.passedOver) {
    parts.counters.l2Skipped++
    return joinOrLead(parts, request, UNREACHABLE)
  }
  // Its flight looks into L2, so that those who would wait for it may join it at once.
  if (request.purpose === 'renew') return joinOrLead(parts, request, undefined)
  // In the caller's own turn: those who ask after it in the same turn join it.
  if (isPresumedMissing(parts, request)) return joinOrLead(parts, request, PRESUMED_MISSING)
  return lookThenLoad(parts, request)
}

function lookThenLoad(parts: Parts, request: LoadRequest): Promise<Answer | undefined> {
  return readFar(parts, request).then((first) => afterLook(parts, request, first))
}

function afterLook(parts: Parts, request: LoadRequest, first: FarRead): Answer | Promise<Answer | undefined> {
  const isThere = first.word === 'value' || (first.word === 'unusable' && first.there !== undefined)
  if (first.word !== 'unreachable') parts.streak.noted(isThere)
  if (request.audience.isDeserted) throw request.audience.reason
  return first.word === 'value' ? { loaded: first.loaded, joined: false } : joinOrLead(parts, request, first)
}

/** Whether a load is under way because L2 had nothing to serve: then L2 need not be asked. */
export function isLoading(parts: Parts, { target, purpose }: LoadRequest): boolean {
  const { loads, renewing } = parts
  // Most often there is none, whatever its age.
  if (!loads.joinable(target.id) || !loads.joinable(target.id, joinableMs(parts, target))) return false
  return purpose === 'renew' || !renewing.has(target.id)
}

/**
 * Joins the flight under way, or leads one. A tag of a value is known only when it has been loaded, so that:
 *   1. A's loader reads v1; the value will have tag t
 *   2. t is invalidated
 *   3. B joins A's load, and would get v1 although it asked after 2: it starts over
 *
 * Nor is it known what a transaction will change:
 *   1. A, inside of a transaction that has changed nothing yet, begins to load; B, outside, joins that load
 *   2. inside, the row becomes v2, and the key is invalidated; nothing is committed
 *   3. A's loader reads v2, which is not B's to see: it starts over
 */
async function joinOrLead(parts: Parts, request: LoadRequest, first: FarRead | undefined): Promise<Answer | undefined> {
  const { loads, marks, clock, settings, counters } = parts
  const { audience, place, purpose, target } = request
  const { id } = target
  const waitMs = request.settings.waitTimeoutMs ?? request.settings.hardTimeoutMs
  const giveUpAt = clock.now() + waitMs
  let known = first
  for (let round = 0; round < RESTARTS_MOST; round++) {
    // Who starts over may find what was loaded meanwhile.
    const near = round > 0 && purpose === 'read' ? readNear(parts, request) : undefined
    if (near?.freshness === 'fresh') return { loaded: near, joined: true }
    const running = loads.joinable(id, joinableMs(parts, target))
    if (!running) {
      // Those who come after that would start over in the end.
      const inside = request.inside?.whenHolding(() => loads.detachRun(id, audience))
      const load: Promise<Loaded | undefined> = loads.start(id, audience, () =>
        lead(parts, request, known, (landing) => {
          // Behind a stale value nobody waits.
          if (purpose === 'renew') return
          // As long as a holder that has died would keep them waiting, newcomers wait for what is late.
          loads.succeed(id, load, withinInBackground(clock, landing, settings.leaseMs))
        }),
      )
      const loaded = await (inside ? load.finally(inside) : load)
      return loaded && { loaded, joined: false }
    }
    if (waitMs === 0) break
    const joinedAt = marks.count
    audience.visit(running.audience)
    place?.waits()
    const outcome = await outcomeWithin(clock, running.promise, giveUpAt)
    place?.goesOn()
    endVisit(audience, running.audience, outcome)
    if (!outcome) return purpose === 'renew' ? undefined : loadInstead(parts, request)
    const { loaded } = outcome
    if (loaded && !loaded.isApart && !isOutdated(parts, loaded, joinedAt) && suits(parts, request, loaded)) {
      counters.loadsShared++
      return { loaded, joined: true }
    }
    // What L2 said was before the wait. What cannot be reached is not asked again.
    if (known?.word !== 'unreachable') known = undefined
  }
  return purpose === 'renew' ? undefined : { loaded: await loadUnstored(parts, request), joined: false }
}

/**
 * How old a load may be that is joined: of any age where all that happened since was heard. Or else:
 *   1. A begins to load k = 1, and hears nothing any more
 *   2. B: k becomes 2, and its deletion is acknowledged
 *   3. A, beyond the bound on staleness: another caller joins the load, and would get 1
 */
function joinableMs(parts: Parts, { bucket }: Target): number {
  const { bus, clock, settings } = parts
  if (isCoherent(parts, bucket)) return Number.POSITIVE_INFINITY
  return Math.min(settings.maxStalenessMs, clock.now() - bus.currency(bucket).behindAt)
}

type Outcome = { readonly loaded: Loaded | undefined } | undefined

/** Who has waited for another caller's run has its outcome, or leaves it without one. Throws for who has left already. */
function endVisit(audience: Audience, host: Audience, outcome: Outcome): void {
  if (audience.isDeserted) throw audience.reason
  audience.goHome()
  if (!outcome) host.leave(undefined)
}

interface Limited {
  readonly until: number
  readonly outcome: Promise<Outcome>
}

const lastLimited = new WeakMap<Promise<unknown>, Limited>()

/** The outcome of a run until an instant. Those who join it in one millisecond, for the same time, share one timer. */
function outcomeWithin(
  clock: Parts['clock'],
  running: Promise<Loaded | undefined>,
  giveUpAt: number,
): Limited['outcome'] {
  if (giveUpAt === Number.POSITIVE_INFINITY) return outcomeOf(running)
  const until = Math.ceil(giveUpAt)
  const last = lastLimited.get(running)
  if (last?.until === until) return last.outcome
  const outcome = within(clock, outcomeOf(running), until - clock.now())
  lastLimited.set(running, { until, outcome })
  return outcome
}

async function outcomeOf<T>(running: Promise<T>): Promise<{ readonly loaded: T }> {
  return { loaded: await running }
}

/** Whether a group of what was loaded was made void or stale since its load began, and before a caller joined it. */
function isOutdated(parts: Parts, loaded: Loaded, joinedAt: number): boolean {
  return loaded.mark < joinedAt && hasMoved(parts, loaded)
}

function hasMoved({ marks }: Parts, { groups, mark }: Loaded): boolean {
  return marks.movedSince(groups, mark) || marks.movedSoftlySince(groups, mark)
}

/**
 * The story of those who will not wait any longer: what may be served by now, or else one load for all of them in this
 * process, of which nothing is stored.
 */
async function loadInstead(parts: Parts, request: LoadRequest): Promise<Answer> {
  const joinedAt = parts.marks.count
  const { target, audience, place } = request
  const spare = parts.loads.spare(target.id, joinableMs(parts, target), audience, async () => {
    return (await readAgain(parts, request)) ?? loadUnstored(parts, request)
  })
  const joined = spare.audience !== audience
  if (joined) {
    audience.visit(spare.audience)
    place?.waits()
  }
  const loaded = await spare.promise
  place?.goesOn()
  const isForAll = !joined || (loaded && !loaded.isApart && suits(parts, request, loaded))
  if (loaded && isForAll && !isOutdated(parts, loaded, joinedAt)) return { loaded, joined }
  return { loaded: await loadUnstored(parts, request), joined: false }
}

/**
 * The flight of the caller that came first. `first`: what L2 said when it was asked a moment ago. `undefined`: a renewal
 * that came to nothing newer.
 */
async function lead(
  parts: Parts,
  request: LoadRequest,
  first: FarRead | undefined,
  whenLate: WhenLate,
): Promise<Loaded | undefined> {
  const { audience } = request
  parts.life.bind(audience)
  const flight = parts.flights.open(request.target.id, parts.marks.count)
  const waiter = request.settings.tiers === 'l1' ? undefined : parts.shared?.leases.wait(request.target)
  if (waiter) audience.whenDeserted(() => waiter.leave())
  let isReached = waiter !== undefined
  try {
    const sought = waiter ? await seekLease(parts, request, flight, waiter, first, whenLate) : 'unreachable'
    if (sought === 'nothing-newer') return undefined
    if (sought !== 'unreachable') return sought
    // One command deadline is all that a call may lose to Redis: the rest of it goes without.
    isReached = false
    return await loadAlone(parts, request, flight, waiter !== undefined, whenLate)
  } catch (error) {
    if (audience.isDeserted) throw error
    return serveInstead(parts, request, error, isReached)
  } finally {
    waiter?.leave()
    parts.flights.close(flight)
    parts.life.release(audience)
  }
}

/** Serves what may be served in place of a value that could not be loaded. Rejects with the failure when there is nothing. */
async function serveInstead(parts: Parts, request: LoadRequest, failure: unknown, isReached: boolean): Promise<Loaded> {
  // Behind a stale value nobody waits: it goes on being served.
  if (request.purpose === 'renew') throw failure
  const kept = isReached ? await readAgain(parts, request) : readNear(parts, { ...request, purpose: 'fall-back' })
  if (!kept) throw failure
  if (kept.freshness === 'stale') noteRenewalFailed(parts, request.target, failure)
  return { ...kept, failure }
}

/** Counts and tells that a stale value goes on being served, for want of a newer one; its next renewal waits. */
export function noteRenewalFailed({ counters, events, backOff }: Parts, target: Target, error: unknown): void {
  const { id, namespace, key } = target
  backOff.failed(id)
  counters.renewalsFailed++
  events.tell('renewal-failed', () => ({ namespace, key, error }))
}
