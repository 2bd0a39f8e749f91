import { repeatInvalidation } from './invalidation.ts'
import type { JournalEntry } from './journal.ts'
import { subjectOf } from './near.ts'
import type { Parts } from './parts.ts'

/** How many repetitions are on their way at one time. */
const BATCH = 256
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5000

/**
 * The story of what L2 has not acknowledged: it is repeated as soon as L2 can be asked again, before anything else is
 * sent on a new connection, and then at growing intervals until it is acknowledged.
 */
export function replayWhenUsable(parts: Parts): void {
  let isReplaying = false
  let isEnded = false
  let pauseMs = FIRST_PAUSE_MS
  let cancel = () => {}

  const replay = async () => {
    if (isReplaying || isEnded || parts.journal.size === 0) return
    isReplaying = true
    cancel()
    const isDone = await replayAll(parts)
    if (isEnded) return
    isReplaying = false
    pauseMs = isDone ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    if (parts.journal.size > 0) cancel = parts.clock.inBackground(pauseMs, () => void replay())
  }

  parts.shared?.whenUsable(() => void replay())
  parts.events.on('resync', () => void replay())
  parts.events.on('unacknowledged', () => {
    cancel()
    cancel = parts.clock.inBackground(pauseMs, () => void replay())
  })
  parts.endings.unshift(() => {
    isEnded = true
    cancel()
  })
}

/** Repeats what is in the journal now. Answers whether all of it was acknowledged. */
async function replayAll(parts: Parts): Promise<boolean> {
  const entries = parts.journal.list()
  for (let start = 0; start < entries.length; start += BATCH) {
    const outcomes = await Promise.all(entries.slice(start, start + BATCH).map((entry) => repeat(parts, entry)))
    if (outcomes.includes(false)) return false
  }
  return true
}

async function repeat(parts: Parts, entry: JournalEntry): Promise<boolean> {
  try {
    await repeatInvalidation(parts, entry.invalidation)
  } catch {
    // Counted and told by the client; it stays in the journal.
    return false
  }
  parts.journal.acknowledge(entry)
  parts.recent.acknowledged(entry.invalidation)
  parts.events.tell('acknowledged', () => subjectOf(entry.invalidation))
  return true
}
