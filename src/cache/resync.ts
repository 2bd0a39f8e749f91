import type { Parts } from './parts.ts'

/**
 * After a gap: any notice may have been missed, so nothing that L1 holds is believed, and nothing that is under way may
 * fill it. O(1) in the number of entries.
 */
export function resync(parts: Parts, reason: string): void {
  parts.counters.gaps++
  parts.marks.moveAll()
  parts.flights.poisonAll('gap')
  parts.loads.detachAll()
  parts.events.tell('gap', () => ({ reason }))
}
