import type { EntrySettings } from './call-options.ts'
import type { RequestCounters } from '../counters/counters.ts'
import { inChunks } from './in-chunks.ts'
import type { Parts, Target } from './parts.ts'
import type { CacheEntry } from './read-entry.ts'
import { readEntry } from './read-entry.ts'

/** The story of a read of many keys that loads nothing: what is asked of L2 in one turn goes as one command. */
export function readEach<T>(
  parts: Parts,
  targets: readonly Target[],
  settings: EntrySettings,
  requests: RequestCounters,
): Promise<(CacheEntry<T> | undefined)[]> {
  return Promise.all(inChunks(targets, (target) => readEntry<T>(parts, target, settings, requests)))
}
