import { TierCacheError } from '../errors.ts'
import type { Acquired, Waiter } from '../stampede/lease.ts'
import type { Seen } from '../tiers/tier.ts'
import type { WhenLate } from './fill.ts'
import { loadUnderLease, loadUnstored } from './fill.ts'
import type { Flight } from './flights.ts'
import { endLease, noteFull } from './held-lease.ts'
import type { LoadRequest } from './load-request.ts'
import type { Loaded, Parts, Target } from './parts.ts'
import type { FarRead } from './servable.ts'
import { PRESUMED_MISSING, readFar, replacing } from './servable.ts'

/** How often a process goes round again when others come in between and leave nothing to use, before it loads for itself. */
const DISAPPOINTMENTS_MOST = 3

/**
 * The story of a flight among all processes: it asks for the lease, waits for its holder and reads L2 again, until one
 * of them leads to a value. `unreachable`: L2 cannot be reached, or has no room. `nothing-newer`: what a renewal could load
 * would not be stored, and so be of no use.
 *
 * `first`: what L2 said when it was asked a moment ago.
 */
export async function seekLease(
  parts: Parts,
  request: LoadRequest,
  flight: Flight,
  waiter: Waiter,
  first: FarRead | undefined,
  whenLate: WhenLate,
): Promise<Loaded | 'unreachable' | 'nothing-newer'> {
  const { target, settings, audience } = request
  const giveUpAt = parts.clock.now() + (settings.waitTimeoutMs ?? settings.hardTimeoutMs)
  let read = first ?? (await readFar(parts, request))
  /** Whether it has waited for a load within its deadline: it shares its failure. */
  let hasWaited = false
  /** How its last wait ended: `called` by the holder, or with the holder's time `over`. */
  let wait: 'none' | 'called' | 'over' = 'none'
  let disappointments = 0
  while (disappointments <= DISAPPOINTMENTS_MOST) {
    if (audience.isDeserted) throw audience.reason
    const step = read.word === 'unusable' ? await acquire(parts, request, read.seen, hasWaited) : read
    if (read === PRESUMED_MISSING) notePresumed(parts, request, step.word)
    if (audience.isDeserted) {
      if (step.word === 'granted') void endLease(parts, step.lease, { word: 'refused' })
      throw audience.reason
    }
    switch (step.word) {
      case 'value':
        return step.loaded
      case 'unreachable':
        return 'unreachable'
      case 'full':
        noteFull(parts, 'acquire', step.message)
        return 'unreachable'
      case 'granted':
        if (wait === 'over') noteTakeover(parts, target)
        return loadUnderLease(parts, replacing(request, read), flight, step.lease, whenLate)
      case 'skip':
        return loadForCallers(parts, replacing(request, read))
      case 'failed':
        throw new TierCacheError(
          'ERR_LOAD_ELSEWHERE',
          `another process failed to load this key: ${step.code}: ${step.message}`,
        )
      case 'found':
        disappointments++
        break
      case 'busy':
      case 'late': {
        const ms = Math.min(step.leftMs + 1, giveUpAt - parts.clock.now())
        if (ms <= 0) return loadForCallers(parts, replacing(request, read))
        if (wait === 'none') noteWait(parts, target, step.leftMs)
        if (step.word === 'busy') hasWaited = true
        request.place?.waits(parts.clock.now() + ms)
        wait = (await waiter.called(ms)) ? 'called' : 'over'
        request.place?.goesOn()
        if (wait === 'called') disappointments++
        break
      }
      default:
        step satisfies never
    }
    read = await readFar(parts, request)
  }
  return loadForCallers(parts, replacing(request, read))
}

/** Loads for those who wait, and stores nothing: a renewal has nobody who does. */
async function loadForCallers(parts: Parts, request: LoadRequest): Promise<Loaded | 'nothing-newer'> {
  return request.purpose === 'renew' ? 'nothing-newer' : loadUnstored(parts, request)
}

/** Asks for the lease. */
async function acquire(
  parts: Parts,
  { target, purpose }: LoadRequest,
  seen: Seen | undefined,
  hasWaited: boolean,
): Promise<Acquired | { readonly word: 'unreachable' }> {
  if (!parts.shared) return { word: 'unreachable' }
  try {
    return await parts.shared.leases.acquire(target, seen, hasWaited, purpose === 'renew')
  } catch {
    // Counted and told by the client.
    return { word: 'unreachable' }
  }
}

/** Counts the look into L2 that the lease took in place of the reader. */
function notePresumed({ streak }: Parts, { requests }: LoadRequest, word: string): void {
  if (word === 'found') streak.noted(true)
  else if (word !== 'unreachable') requests.l2Missing++
}

/** Counts and tells that a caller waits for another process's load. */
function noteWait({ counters, events }: Parts, { namespace, key }: Target, leftMs: number): void {
  counters.waits++
  events.tell('wait', () => ({ namespace, key, leftMs }))
}

/** Counts and tells that this process loads in place of a holder that did not finish. */
function noteTakeover({ counters, events }: Parts, { namespace, key }: Target): void {
  counters.takeovers++
  events.tell('takeover', () => ({ namespace, key }))
}
