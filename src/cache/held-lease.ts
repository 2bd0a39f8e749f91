import type { Ending, Lease } from '../stampede/lease.ts'
import type { Parts } from './parts.ts'

/**
 * Renews the lease that this process holds three times in its length, until told to stop or until it is lost. Who lost
 * it loads on, for its own callers: the store will be refused.
 */
export function keepLease(parts: Parts, lease: Lease): () => void {
  let cancel = () => {}
  const letGo = () => cancel()
  const schedule = () => {
    cancel = parts.clock.after(parts.settings.leaseMs / 3, () => {
      schedule()
      void renew()
    })
  }
  const renew = async () => {
    try {
      const isHeld = await parts.shared?.leases.renew(lease)
      if (!isHeld) letGo()
    } catch {
      // Counted and told by the client. A lease that runs out refuses the store.
    }
  }
  schedule()
  return letGo
}

/** Ends the lease without a value, or lets it be late. */
export async function endLease(parts: Parts, lease: Lease, ending: Ending): Promise<void> {
  try {
    await parts.shared?.leases.release(lease, ending)
  } catch {
    // Counted and told by the client. The lease ends by itself.
  }
}

/** Counts and tells that Redis has no room for a lease or a value. */
export function noteFull({ counters, events }: Parts, command: string, message: string): void {
  const code = 'ERR_REDIS_REPLY'
  counters.l2Failed(code)
  events.tell('l2-error', () => ({ command, code, message }))
}

/** A loader's failure in two words, for the other processes that wait for it. */
export function wordsOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'Error', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return { code, message: error.message }
}
