import type { Encoded } from '../entry/codec.ts'
import { decode, encode } from '../entry/codec.ts'
import { TierCacheError } from '../errors.ts'
import type { Candidate, SetOutcome, Tier } from '../tiers/tier.ts'
import { unacknowledged } from './acknowledgement.ts'
import { checkKeepable, writeAsItIs } from './as-it-is.ts'
import { standingFar } from './far-standing.ts'
import type { JournalEntry } from './journal.ts'
import { forget, isolate, land, noteUnacknowledged, standing } from './near.ts'
import type { EntrySettings, SetSettings } from './call-options.ts'
import type { Parts, Target } from './parts.ts'
import { termOf } from './term.ts'
import { toldTags } from './told-tags.ts'
import { checkGiven } from './validity.ts'

/** What a write, a deletion or a clear came to. */
export interface Outcome {
  /** Whether the change is known to have reached L2 (always, with L1 alone), so that the bound on staleness holds. */
  readonly acknowledged: boolean
  /** Nothing is done yet: the transaction that the call was made in does it, when its callback has resolved. */
  readonly held?: true
}

/** What a `set` came to. */
export interface SetResult extends Outcome {
  /** `older`: a value with a higher `version` is there, and stays. Absent when the value was stored. */
  readonly refused?: 'older'
}

/** Encodes a value within its bounds. Throws `ERR_UNSTORABLE_VALUE` or `ERR_VALUE_TOO_LARGE`. */
export function encodeValue(parts: Parts, value: unknown): Encoded {
  const encoded = encode(value)
  checkSize(parts, encoded.payload.length)
  return encoded
}

/** Throws `ERR_VALUE_TOO_LARGE`. */
export function checkSize({ settings: { maxEntryBytes } }: Parts, bytes: number): void {
  if (bytes <= maxEntryBytes) return
  throw new TierCacheError(
    'ERR_VALUE_TOO_LARGE',
    `the value: expected at most ${maxEntryBytes} bytes when encoded (maxEntryBytes), got ${bytes}`,
  )
}

/** A given value that may be stored: encoded, or as it is. */
export type Given = ({ readonly encoded: Encoded } | { readonly asItIs: unknown }) & {
  /** What was told from it. */
  readonly tags?: readonly string[] | undefined
}

/**
 * Makes a given value ready to be stored: in the turn of the call where its schema answers in it. Throws, or rejects with,
 * `ERR_INVALID_VALUE`, `ERR_UNSTORABLE_VALUE` or `ERR_VALUE_TOO_LARGE`. `options`: those of its call.
 */
export function readGiven(
  parts: Parts,
  value: unknown,
  { schema, tiers }: EntrySettings,
  options?: object,
): Given | Promise<Given> {
  const given = (checked: unknown): Given => {
    if (tiers === 'all') return { encoded: encodeValue(parts, checked), tags: toldTags(options, checked) }
    checkKeepable(checked)
    return { asItIs: checked, tags: toldTags(options, checked) }
  }
  if (schema === undefined) return given(value)
  const checked = checkGiven(schema, value, 'the value')
  return checked instanceof Promise ? checked.then(given) : given(checked)
}

/** An encoded value with the deadlines that its settings give it from now on. */
export function candidateOf(
  parts: Parts,
  target: Target,
  encoded: Encoded,
  kept: EntrySettings & Pick<SetSettings, 'version'>,
  loadMs: number,
): Candidate {
  return {
    address: target,
    ...encoded,
    ...termOf(parts, kept),
    tags: kept.tags,
    version: kept.version,
    schemaVersion: target.schemaVersion,
    loadMs,
  }
}

/**
 * The story of a write: L2 first, whose script tells the others, then L1.
 *
 * L1 is emptied before and after, because of this order of events in one process:
 *   1. a reader finds nothing in L1 and reads v1 from L2
 *   2. set k = v2 goes out, and is acknowledged
 *   3. the reader's answer lands: it would put v1 over v2
 *
 * With L1 alone all of it happens in one turn: of two writes at one time the later one stays, or the one with the higher
 * version.
 */
export async function writeThrough(parts: Parts, target: Target, given: Given, kept: SetSettings): Promise<SetResult> {
  if ('asItIs' in given) {
    parts.counters.sets++
    return isNewerNear(parts, target, kept.version) ? OLDER : writeAsItIs(parts, target, given.asItIs, kept)
  }
  const { encoded } = given
  const candidate = candidateOf(parts, target, encoded, kept, 0)
  parts.counters.sets++
  if (!parts.shared && isNewerNear(parts, target, kept.version)) return OLDER
  const flight = parts.flights.open(target.id, parts.marks.count)
  try {
    forget(parts, target, 'set', flight)
    const asOf = parts.clock.now()
    const stored = parts.shared ? await storeFar(parts, parts.shared.far, candidate, target) : STORED
    const { word } = stored
    if (parts.shared) forget(parts, target, 'set', flight)
    if (word === 'stored' || word === 'unknown') {
      const decoded = decode(encoded)
      const shared = isolate(decoded, kept.isolation)
      land(parts, target, flight, {
        entry: { ...candidate, value: decoded },
        bytes: encoded.payload.length,
        shared,
        schema: kept.schema,
        l1TtlMs: kept.l1TtlMs,
        asOf,
        unguarded: word === 'unknown',
      })
    }
    if (word === 'older') return OLDER
    return word === 'stored' ? { acknowledged: true } : unacknowledged(stored.error)
  } finally {
    parts.flights.close(flight)
  }
}

/** - `failed`: it was not stored. - `unknown`: it may have been. */
type Stored =
  | { readonly word: 'stored' | 'older'; readonly error?: undefined }
  | { readonly word: 'failed' | 'unknown'; readonly error: unknown }

const STORED: Stored = { word: 'stored' }
const OLDER: SetResult = Object.freeze({ acknowledged: true, refused: 'older' })

/** Whether L1 may answer with a value of a higher version. */
function isNewerNear(parts: Parts, target: Target, version: number | undefined): boolean {
  const near = version === undefined ? undefined : parts.near?.get(target.id)
  if (!near || version === undefined || !(near.version !== undefined && near.version > version)) return false
  const freshness = standing(parts, near, parts.clock.now())
  return freshness === 'fresh' || freshness === 'stale'
}

async function storeFar(parts: Parts, far: Tier, candidate: Candidate, target: Target): Promise<Stored> {
  const entry: JournalEntry = {
    number: parts.journal.next(),
    invalidation: { kind: 'key', id: target.id, address: target },
  }
  try {
    const word = await setFar(parts, far, candidate, target)
    // What was there stays there: an invalidation of it that was not acknowledged is still to be repeated.
    if (word === 'older') return { word }
    if (word === 'stored') {
      parts.journal.acknowledge(entry)
      parts.recent.acknowledged(entry.invalidation)
      return STORED
    }
    const error = new TierCacheError('ERR_REDIS_REPLY', `the value was not stored: ${word}`)
    noteUnacknowledged(parts, entry, 'set', error)
    return { word: word === 'late' ? 'unknown' : 'failed', error }
  } catch (error) {
    noteUnacknowledged(parts, entry, 'set', error)
    return { word: 'unknown', error }
  }
}

/** L2 compares versions alone: where an entry with a higher one is void, it is removed, and the value sent again. */
async function setFar(parts: Parts, far: Tier, candidate: Candidate, target: Target): Promise<SetOutcome> {
  const word = await far.set(candidate)
  if (word !== 'older' || (await isInRight(parts, far, target))) return word
  return far.set(candidate)
}

/** Whether what is there, fresh or stale, has a right to stay. It has when nobody knows better. */
async function isInRight(parts: Parts, far: Tier, target: Target): Promise<boolean> {
  try {
    const there = await standingFar(parts, far, target)
    if (there !== undefined && there.verdict !== 'void') return true
    await there?.remove()
    return false
  } catch {
    // Counted and told by the client.
    return true
  }
}
