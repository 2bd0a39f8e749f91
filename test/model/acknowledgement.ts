import type { Fault, History, Loss, Write } from './history.ts'

/** How long after an acknowledgement that came later than its call another one may have been meant: then it does not count. */
const REPEAT_MARGIN_MS = 1500

/** Who has not come to the heir of a lost master so long after its fault does not come because of that fault. */
const ARRIVAL_MOST_MS = 8000

/**
 * Since when a write is known to have reached L2, as far as a reader may rely on it; `undefined` if it never was. An
 * acknowledgement that was told later counts if it cannot be that of an earlier call.
 *
 * A failover may lose what is acknowledged while it lasts:
 *
 * - If the writer had not come to the new master before, the write may be lost. It counts when both, writer and reader,
 *   have come there, and the processes get a while (`failoverMs`) to repeat it.
 * - If it had, the write is where it belongs. A reader that is still with the old master may not know of it until it has
 *   come to the new one, and not a moment longer.
 *
 * A further failover within that time begins it anew.
 */
export function acknowledgedAt(history: History, write: Write, key: string, reader: string): number | undefined {
  const { end, acknowledged } = write
  if (end === undefined) return undefined
  const at = acknowledged
    ? end
    : history.repeats.find(
        (repeat) => repeat.process === write.process && repeat.keys.includes(key) && repeat.at > end + REPEAT_MARGIN_MS,
      )?.at
  if (at === undefined) return undefined
  let since = at
  for (const lossy of lossesOf(history, key)) {
    const { fault } = lossy
    if (fault.start > since || write.start > fault.end) continue
    const [writerCame, readerCame] = [cameAt(history, lossy, write.process), cameAt(history, lossy, reader)]
    if (acknowledged && write.start >= writerCame) since = Math.max(since, readerCame)
    else since = Math.max(since, writerCame, readerCame) + history.bounds.failoverMs
  }
  return since
}

/** A fault with what it has lost of a key. */
export interface Lossy {
  readonly fault: Fault
  readonly loss: Loss
}

/** The faults that have lost what was acknowledged about a key, in their order. */
export function lossesOf({ faults, buckets }: History, key: string): Lossy[] {
  const isMeant = (loss: Loss) => loss.buckets === undefined || loss.buckets.includes(buckets[key] ?? 0)
  return faults.flatMap((fault) => (fault.losses ?? []).filter(isMeant).map((loss) => ({ fault, loss })))
}

/** When a process had come to the server that took over: no later than the last one of those that came at all. */
export function cameAt(history: History, { fault, loss: { heir } }: Lossy, process: string): number {
  if (heir === undefined) return fault.end
  const comings = history.arrivals.filter(
    ({ end, at }) => end === heir && at >= fault.start && at <= fault.end + ARRIVAL_MOST_MS,
  )
  return comings.find((arrival) => arrival.process === process)?.at ?? Math.max(fault.end, comings.at(-1)?.at ?? 0)
}
