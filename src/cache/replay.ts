import { leftOf, repeatInvalidation } from './invalidation.ts'
import type { Invalidation, JournalEntry } from './journal.ts'
import { bucketsOf } from './journal.ts'
import { subjectOf } from './near.ts'
import type { Parts } from './parts.ts'
import { within } from './time-limit.ts'

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
  /** Whether one is wanted that begins after the one under way: what that one sent may have been too early. */
  let isDue = false
  let isEnded = false
  let pauseMs = FIRST_PAUSE_MS
  let cancel: (() => void) | undefined

  const replay = async () => {
    cancel?.()
    cancel = undefined
    isDue = true
    if (isReplaying || isEnded || parts.journal.size === 0) return
    isReplaying = true
    let isDone = false
    while (isDue && !isEnded) {
      isDue = false
      isDone = await replayAll(parts)
    }
    isReplaying = false
    pauseMs = isDone ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    if (parts.journal.size > 0) replayLater()
  }
  /** A repetition that is due stays so: what goes on failing meanwhile must not put off the others. */
  const replayLater = () => {
    if (isEnded || isReplaying) return
    cancel ??= parts.clock.inBackground(pauseMs, () => void replay())
  }

  parts.shared?.whenUsable(() => void replay())
  parts.events.on('resync', () => void replay())
  parts.events.on('unacknowledged', replayLater)
  parts.endings.unshift(() => {
    isEnded = true
    cancel?.()
  })
}

/** The last repetition, of a cache that is being closed. What is not acknowledged now is lost, and told. */
export async function replayLast(parts: Parts): Promise<void> {
  const { journal, shared, clock, events, settings } = parts
  if (journal.size === 0) return
  if (shared && !shared.far.passedOver) await within(clock, replayAll(parts), settings.commandTimeoutMs)
  if (journal.size === 0) return
  const left = journal.size
  events.tell('warning', () => ({
    code: 'ERR_NOT_ACKNOWLEDGED',
    message: `closed with ${left} invalidation${left === 1 ? '' : 's'} that Redis did not acknowledge: other processes may serve old values to the end of their TTL`,
  }))
}

/** Repeats what is in the journal now. Answers whether all of it was acknowledged. */
async function replayAll(parts: Parts): Promise<boolean> {
  const entries = parts.journal.list()
  let isDone = true
  for (let start = 0; start < entries.length; start += BATCH) {
    const outcomes = await Promise.all(entries.slice(start, start + BATCH).map((entry) => repeat(parts, entry)))
    if (outcomes.includes(false)) isDone = false
  }
  return isDone
}

async function repeat(parts: Parts, entry: JournalEntry): Promise<boolean> {
  if (!hasChance(parts, entry.invalidation)) return false
  try {
    await repeatInvalidation(parts, entry.invalidation)
  } catch (error) {
    // Counted and told by the client; it stays in the journal, or what is left of it does.
    parts.journal.narrow(entry, leftOf(entry.invalidation, error))
    return false
  }
  const isDone = parts.journal.acknowledge(entry)
  parts.recent.acknowledged(entry.invalidation)
  if (isDone) parts.events.tell('acknowledged', () => subjectOf(entry.invalidation))
  return isDone
}

/** Whether any of its buckets can be reached right now: to have thousands refused at once would hold up everybody else. */
function hasChance({ shared, bus }: Parts, invalidation: Invalidation): boolean {
  if (!shared) return false
  const buckets = bucketsOf(invalidation, bus.buckets)
  return buckets ? buckets.some((bucket) => shared.far.reaches(bucket)) : !shared.far.passedOver
}
