import { localId } from '../entry/key.ts'
import type { Notice } from '../entry/notice.ts'
import { subjectKey } from '../entry/notice.ts'
import { namespaceGroup } from '../tags/marks.ts'
import type { Invalidation } from './journal.ts'
import { forget, noteUnacknowledged } from './near.ts'
import type { Parts, Target } from './parts.ts'

/** What an invalidation came to; see `Outcome` in `write-through.ts`. */
interface Acknowledged {
  readonly acknowledged: boolean
}

/**
 * Deletes a key, from HERE: everywhere. Forgotten before and after L2 is asked: a read that begins in between may still
 * find the old value there.
 */
export async function deleteEverywhere(parts: Parts, target: Target): Promise<Acknowledged> {
  parts.counters.deletes++
  forget(parts, target, 'delete')
  const acknowledged = await invalidateFar(parts, { kind: 'key', id: target.id, address: target })
  forget(parts, target, 'delete')
  return { acknowledged }
}

/** Clears a namespace and those below it, from HERE: everywhere. */
export async function clearEverywhere(parts: Parts, namespace: string, isRoot: boolean): Promise<Acknowledged> {
  parts.counters.clears++
  clearHere(parts, namespace)
  const group = namespaceGroup(namespace)
  const acknowledged = await invalidateFar(parts, { kind: 'namespace', group, namespace })
  clearHere(parts, namespace)
  // The entries of a namespace are void and go as they are met or pushed out; all entries at once can simply go.
  if (isRoot) parts.near?.clear()
  return { acknowledged }
}

/** Moves the shared truth. What is not acknowledged goes into the journal. Answers whether it was. */
async function invalidateFar(parts: Parts, invalidation: Invalidation): Promise<boolean> {
  if (!parts.shared) return true
  const entry = { number: parts.journal.next(), invalidation }
  try {
    await sendInvalidation(parts, invalidation)
    parts.journal.acknowledge(entry)
    return true
  } catch (error) {
    noteUnacknowledged(parts, entry, invalidation.kind === 'key' ? 'delete' : 'clear', error)
    return false
  }
}

/** Sends an invalidation to L2. Rejects when that is not acknowledged. */
export async function sendInvalidation(parts: Parts, invalidation: Invalidation): Promise<void> {
  if (invalidation.kind === 'key') await parts.shared?.far.delete(invalidation.address)
  else await parts.shared?.tags.clear(invalidation.namespace)
}

/** Applies a notice from ELSEWHERE: this process's flights and L1, nothing else; it tells nobody. */
export function applyFromElsewhere(parts: Parts, notice: Notice): void {
  parts.counters.noticesReceived++
  switch (notice.operation) {
    case 'D':
    case 'S':
    case 'E':
      forgetKey(parts, notice)
      callWaiters(parts, notice)
      return
    case 'F':
    case 'R':
      callWaiters(parts, notice)
      return
    case 'X':
      if (notice.origin !== parts.bus.origin) clearHere(parts, notice.subject)
      return
    case 'T':
    case 'U':
    case 'Y':
      return
    default:
      notice.operation satisfies never
  }
}

/** Own notices change nothing here: the call that caused them has forgotten the key itself, before and after. */
function forgetKey(parts: Parts, notice: Notice): void {
  const address = subjectKey(notice.subject)
  if (!address || notice.origin === parts.bus.origin) return
  forget(parts, { id: localId(address.namespace, address.key) }, 'notice')
}

function callWaiters(parts: Parts, notice: Notice): void {
  const address = subjectKey(notice.subject)
  if (address) parts.shared?.leases.call(address)
}

/** Loads in flight are not joined any more: a namespace may have any number, and a newcomer wants what comes after. */
function clearHere(parts: Parts, namespace: string): void {
  parts.marks.move(namespaceGroup(namespace))
  parts.loads.detachAll()
}
