import { encode } from '../entry/codec.ts'
import { describe, TierCacheError } from '../errors.ts'
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
      `${nameOf(target)} was not sent: an invalidation of its key has to go first`,
    )
  }
  forget(parts, target, 'increment')
  try {
    const outcome = await incrementFar(parts, parts.shared, target, candidate, by)
    if (outcome.word === 'stored') return outcome.value
    throw notIncremented(target, outcome.word)
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
  const outcome = await add(far, target, candidate, by)
  if (outcome.word !== 'wrong' || (await holdsFar(parts, far, target))) return outcome
  return add(far, target, candidate, by)
}

async function add(far: Tier, target: Target, candidate: Candidate, by: number): Promise<IncrementOutcome> {
  try {
    return await far.increment(candidate, by)
  } catch (error) {
    if (error instanceof TierCacheError && UNKNOWN.has(error.code)) {
      throw new TierCacheError(
        'ERR_OUTCOME_UNKNOWN',
        `${nameOf(target)} was sent and not acknowledged: it may have happened`,
      )
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
  if (counter && (!Number.isSafeInteger(counter.value) || counter.tags.length > 0)) {
    const tagged = counter.tags.length > 0 ? ' with tags' : ''
    throw notIncremented(target, 'wrong', `${describe(counter.value)}${tagged}`)
  }
  const value = ((counter?.value as number | undefined) ?? 0) + by
  if (!Number.isSafeInteger(value)) throw notIncremented(target, 'overflow', `${counter?.value} and ${by}`)
  forget(parts, target, 'increment')
  const flight = parts.flights.open(target.id, parts.marks.count)
  // What is there keeps its deadlines.
  const { createdAt, freshUntil, staleUntil } = counter ?? candidate
  const added = { value, createdAt, freshUntil, staleUntil, tags: [] }
  const bytes = encode(value).payload.length
  land(parts, target, flight, { entry: added, bytes, shared: true, l1TtlMs: kept.l1TtlMs, asOf: now })
  parts.flights.close(flight)
  return value
}

/** `came`: what is there; L2 does not tell. */
function notIncremented(
  target: Target,
  word: Exclude<IncrementOutcome['word'], 'stored'>,
  came = word === 'wrong' ? 'another value' : 'a sum beyond them',
): TierCacheError {
  const name = nameOf(target)
  switch (word) {
    case 'wrong':
      return new TierCacheError('ERR_NOT_A_COUNTER', `${name}: expected an integer without tags there, got ${came}`)
    case 'overflow':
      return new TierCacheError('ERR_NOT_A_COUNTER', `${name}: expected a sum within the exact integers, got ${came}`)
    case 'late':
      return new TierCacheError('ERR_REDIS_TIMEOUT', `${name} reached Redis after its deadline: it did not happen`)
    case 'failed':
      return new TierCacheError('ERR_REDIS_REPLY', `${name}: Redis is out of memory; it did not happen`)
  }
}

function nameOf({ key }: Target): string {
  return `increment of ${JSON.stringify(key.slice(0, 40))}`
}
