import { TierCacheError } from '../errors.ts'
import type { SetOptions, SetSettings } from './call-options.ts'
import { inChunks } from './in-chunks.ts'
import type { Parts, Target } from './parts.ts'
import type { Given, Outcome, SetResult } from './write-through.ts'
import { readGiven, writeThrough } from './write-through.ts'

/** What a `setMany` came to. */
export interface SetManyResult extends Outcome {
  /** What the `set` of each key came to, in the order of the entries. */
  readonly results: ReadonlyMap<string, SetResult>
}

/** One entry of many that are written. */
export interface Written {
  readonly target: Target
  readonly value: unknown
  readonly settings: SetSettings
}

/** The story of a write of many keys, each by itself: their commands leave together. */
export async function writeManyThrough(parts: Parts, entries: readonly Ready[]): Promise<SetManyResult> {
  const results = await Promise.all(
    inChunks(entries, ({ target, given, settings }) => writeThrough(parts, target, given, settings)),
  )
  return {
    acknowledged: results.every(({ acknowledged }) => acknowledged),
    results: new Map(results.map((result, index) => [(entries[index] as Ready).target.key, result])),
  }
}

/** An entry that may be stored. */
export interface Ready extends Written {
  readonly given: Given
}

/** Makes all of them ready: in the turn of the call, unless a schema takes longer. Rejects for the first that cannot be stored. */
export function givenOf(parts: Parts, entries: readonly Written[]): Ready[] | Promise<Ready[]> {
  const made = entries.map((entry) => readOne(parts, entry))
  const ready = (given: readonly Given[]) => entries.map((entry, index) => ({ ...entry, given: given[index] as Given }))
  return made.some((each) => each instanceof Promise) ? Promise.all(made).then(ready) : ready(made as Given[])
}

/** Never throws: others may be under way already, and are awaited together. */
function readOne(parts: Parts, entry: Written): Given | Promise<Given> {
  try {
    return givenOne(parts, entry)
  } catch (error) {
    return Promise.reject(error as Error)
  }
}

/** Makes one ready. Throws, or rejects, with its key in the message. */
export function givenOne(
  parts: Parts,
  { target, value, settings }: Written,
  options?: SetOptions,
): Given | Promise<Given> {
  const given = readNamed(target, () => readGiven(parts, value, settings, options))
  return given instanceof Promise ? given.catch((error: unknown) => Promise.reject(named(target, error))) : given
}

/** Reads what an entry says for itself. Throws with the key of that entry in the message. */
export function readNamed<T>(target: Target, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw named(target, error)
  }
}

function named({ key }: Target, error: unknown): unknown {
  if (!(error instanceof TierCacheError)) return error
  return new TierCacheError(error.code, `${JSON.stringify(key.slice(0, 40))}: ${error.message}`, {
    cause: error.cause ?? error,
  })
}
