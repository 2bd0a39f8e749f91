import { encode } from '../entry/codec.ts'
import { TierCacheError } from '../errors.ts'
import type { Candidate, IncrementOutcome, Tier } from '../tiers/tier.ts'
import { standingFar } from './far-standing.ts'
import { forget, land, standing } from './near.ts'
import type { EntrySettings } from './call-options.ts'
import type { Parts, SharedParts, Target } from './parts.ts'
import { candidateOf } from './write-through.ts'

/** Failures after which nobody knows whether the addition happened. */
const UNKNOWN: ReadonlySet<string> = new Set(['ERR_REDIS_TIMEOUT', 'ERR_REDIS_LOST'])

/**
 * The story of a counter. L2 adds, in one script; with L1 alone this process does, in one turn. Nothing is repeated: an
 * addition that was sent and not acknowledged may have happened.
 */
export async function incrementThrough(parts: Parts, target: Target, by: number, kept: EntrySettings): Promise<number> {
  const candidate = candidateOf(parts, target, encode(by), kept, 0)
  if (!parts.shared) return incrementNear(parts, target, candidate, by, kept)
  if (parts.journal.fences(target.id, target.groups, target.bucket)) {
    throw new TierCacheError(
      'ERR_REDIS_UNAVAILABLE',
      'increment was not sent: an invalidation of its key has to go first',
    )
  }
  forget(parts, target, 'increment')
  try {
    const outcome = await incrementFar(parts, parts.shared, target, candidate, by)
    if (outcome.word === 'stored') return outcome.value
    throw notIncremented(outcome.word)
  } finally {
    forget(parts, target, 'increment')
  }
}

/** L2 does not know what an entry's tags say of it: where that is in the way, it is read, and added to again. */
async function incrementFar(
  parts: Parts,
  { far }: SharedParts,
  target: Target,
  candidate: Candidate,
  by: number,
): Promise<IncrementOutcome> {
  const outcome = await add(far, candidate, by)
  if (outcome.word !== 'wrong' || (await holdsFar(parts, far, target))) return outcome
  return add(far, candidate, by)
}

async function add(far: Tier, candidate: Candidate, by: number): Promise<IncrementOutcome> {
  try {
    return await far.increment(candidate, by)
  } catch (error) {
    if (error instanceof TierCacheError && UNKNOWN.has(error.code)) {
      throw new TierCacheError('ERR_OUTCOME_UNKNOWN', 'increment was sent and not acknowledged: it may have happened')
    }
    throw error
  }
}

/** Whether a value is there that holds. What is void or stale once stays so, and is removed. */
async function holdsFar(parts: Parts, far: Tier, target: Target): Promise<boolean> {
  const there = await standingFar(parts, far, target)
  if (there?.verdict === 'holds') return true
  await there?.remove()
  return false
}

function incrementNear(parts: Parts, target: Target, candidate: Candidate, by: number, kept: EntrySettings): number {
  const now = parts.clock.now()
  const entry = parts.near?.get(target.id)
  const counter = entry && standing(parts, entry, now) === 'fresh' ? entry : undefined
  if (counter && (!Number.isSafeInteger(counter.value) || counter.tags.length > 0)) throw notIncremented('wrong')
  const value = ((counter?.value as number | undefined) ?? 0) + by
  if (!Number.isSafeInteger(value)) throw notIncremented('overflow')
  forget(parts, target, 'increment')
  const flight = parts.flights.open(target.id, parts.marks.count)
  // What is there keeps its deadlines.
  const { createdAt, freshUntil, staleUntil } = counter ?? candidate
  const added = { value, createdAt, freshUntil, staleUntil, tags: [] }
  const bytes = candidate.payload.length
  land(parts, target, flight, { entry: added, bytes, shared: true, l1TtlMs: kept.l1TtlMs, asOf: now })
  parts.flights.close(flight)
  return value
}

function notIncremented(word: Exclude<IncrementOutcome['word'], 'stored'>): TierCacheError {
  switch (word) {
    case 'wrong':
      return new TierCacheError('ERR_NOT_A_COUNTER', 'increment: expected an integer without tags under this key')
    case 'overflow':
      return new TierCacheError('ERR_NOT_A_COUNTER', 'increment: expected a sum within the exact integers')
    case 'late':
      return new TierCacheError('ERR_REDIS_TIMEOUT', 'increment reached Redis after its deadline: it did not happen')
    case 'failed':
      return new TierCacheError('ERR_REDIS_REPLY', 'increment: Redis is out of memory; it did not happen')
  }
}
