import { allAcknowledged } from './acknowledgement.ts'
import { inChunks } from './in-chunks.ts'
import { deleteEverywhere } from './invalidation.ts'
import type { Parts, Target } from './parts.ts'
import type { Outcome } from './write-through.ts'

/** The story of a deletion of many keys, each by itself: their commands leave together. */
export async function deleteManyEverywhere(parts: Parts, targets: readonly Target[]): Promise<Outcome> {
  const outcomes = await Promise.all(inChunks(targets, (target) => deleteEverywhere(parts, target)))
  return allAcknowledged(outcomes)
}
