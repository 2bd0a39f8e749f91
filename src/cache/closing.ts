import type { Parts } from './parts.ts'
import { replayLast } from './replay.ts'
import { within } from './time-limit.ts'

/** How long `close` waits for what is under way. */
const DRAIN_MS = 5000

/** The story of the end of a cache: what was called before is waited for; then its life is over, and its parts end. */
export function close(parts: Parts): Promise<void> {
  parts.life.closing ??= drain(parts)
  return parts.life.closing
}

async function drain(parts: Parts): Promise<void> {
  const { clock, flights, life, near, endings } = parts
  await within(clock, settled(parts), DRAIN_MS)
  flights.reject(life.end())
  await replayLast(parts)
  for (const end of endings) end()
  near?.close()
}

/** Resolves when nothing goes on that was called before. */
async function settled({ flights, life, loads, transactions }: Parts): Promise<void> {
  await transactions.settled()
  await flights.left()
  await life.idle()
  await loads.settled()
}
