import type { Encoded } from '../entry/codec.ts'
import { decode } from '../entry/codec.ts'
import type { Entry } from '../entry/entry.ts'
import type { Candidate } from '../tiers/tier.ts'
import type { Flight } from './flights.ts'
import type { LoadRequest } from './load-request.ts'
import type { Run } from './loader.ts'
import { loadedBy } from './loader.ts'
import { isolate, land } from './near.ts'
import type { Loaded, Parts } from './parts.ts'
import { keptOf, termOf } from './term.ts'
import { candidateOf, checkSize, encodeValue } from './write-through.ts'

/** What a load has made, ready to be kept in L1. */
export interface MadeEntry {
  readonly entry: Entry
  /** What it counts for. */
  readonly bytes: number
  readonly loaded: Loaded
}

/** The same, encoded for L2. */
export interface EncodedEntry extends MadeEntry {
  readonly candidate: Candidate
}

/**
 * Encodes what was loaded, and decodes it again: what the first caller gets is of the same types as what later ones get.
 * `undefined`: it is not to be stored, or cannot be.
 */
export function encodedEntry(parts: Parts, request: LoadRequest, flight: Flight, run: Run): EncodedEntry | undefined {
  const { target, settings } = request
  const kept = keptOf(run, settings)
  if (!kept) return undefined
  let encoded: Encoded
  try {
    encoded = encodeValue(parts, run.value)
  } catch (error) {
    parts.unstorable.noted(target, error)
    return undefined
  }
  const candidate = candidateOf(parts, target, encoded, kept, run.loadMs)
  const value = request.bytesOf ? run.value : decode(encoded)
  const bytes = request.bytesOf?.(value) ?? candidate.payload.length
  return { ...made(request, flight, run, { ...candidate, value }, bytes), candidate }
}

/** What was loaded, for L1 alone: what is known to be plain data is not encoded. */
export function nearEntry(parts: Parts, request: LoadRequest, flight: Flight, run: Run): MadeEntry | undefined {
  const { target, settings, bytesOf } = request
  if (!bytesOf) return encodedEntry(parts, request, flight, run)
  const kept = keptOf(run, settings)
  if (!kept) return undefined
  const { value, loadMs } = run
  const bytes = bytesOf(value)
  try {
    checkSize(parts, bytes)
  } catch (error) {
    parts.unstorable.noted(target, error)
    return undefined
  }
  return made(request, flight, run, { value, ...termOf(parts, kept), tags: kept.tags, loadMs }, bytes)
}

function made(request: LoadRequest, flight: Flight, run: Run, entry: Entry, bytes: number): MadeEntry {
  const { value, createdAt, freshUntil } = entry
  const shared = isolate(value, request.settings.isolation)
  return { entry, bytes, loaded: loadedBy(run, request, flight.mark, { value, shared, createdAt, freshUntil }) }
}

/** Keeps it in L1. */
export function landLoaded(
  parts: Parts,
  { target, settings }: LoadRequest,
  flight: Flight,
  { entry, bytes, loaded }: MadeEntry,
  asOf: number,
  unguarded: boolean,
): void {
  land(parts, target, flight, {
    entry,
    bytes,
    shared: loaded.shared,
    schema: settings.schema,
    l1TtlMs: settings.l1TtlMs,
    asOf,
    unguarded,
  })
}
