import { localId, namespaceGroup, tagGroup } from '../entry/key.ts'
import type { Notice, Operation } from '../entry/notice.ts'
import { isLink, subjectKey } from '../entry/notice.ts'
import type { Acknowledged } from './acknowledgement.ts'
import { unacknowledged } from './acknowledgement.ts'
import type { Invalidation, JournalEntry } from './journal.ts'
import { expireNear, forget, noteUnacknowledged } from './near.ts'
import { UnacknowledgedIn } from '../tags/tag-index.ts'
import type { Parts, Target } from './parts.ts'

/** With L1 alone a change is done in one turn, so that nothing can come in between. */
const DONE: Acknowledged = { acknowledged: true }

/**
 * Deletes a key, from HERE: everywhere. Forgotten before and after L2 is asked: a read that begins in between may still
 * find the old value there.
 */
export async function deleteEverywhere(parts: Parts, target: Target): Promise<Acknowledged> {
  parts.counters.deletes++
  const { shared } = parts
  forget(parts, target, 'delete')
  if (!shared) return DONE
  const outcome = await invalidateFar(parts, keyOf(target), 'delete', () => shared.far.delete(target))
  forget(parts, target, 'delete')
  return outcome
}

/** Makes a key stale, from HERE: everywhere. It may still be served while a newer value is loaded. */
export async function expireEverywhere(parts: Parts, target: Target): Promise<Acknowledged> {
  const { shared } = parts
  expireNear(parts, target)
  if (!shared) return DONE
  const outcome = await expireFar(parts, keyOf(target), 'expire', () => shared.far.expire(target))
  expireNear(parts, target)
  return outcome
}

/** Clears a namespace and those below it, from HERE: everywhere. */
export async function clearEverywhere(parts: Parts, namespace: string, isRoot: boolean): Promise<Acknowledged> {
  parts.counters.clears++
  const { shared } = parts
  const group = namespaceGroup(namespace)
  parts.marks.move(group)
  // The entries of a namespace are void and go as they are met or pushed out; all entries at once can simply go.
  if (isRoot) parts.near?.clear()
  if (!shared) return DONE
  const outcome = await invalidateFar(parts, { kind: 'namespace', group, namespace }, 'clear', () =>
    shared.tags.clear(namespace),
  )
  parts.marks.move(group)
  return outcome
}

/** Makes all entries of a tag gone, from HERE: everywhere. */
export async function invalidateTagEverywhere(parts: Parts, tag: string): Promise<Acknowledged> {
  parts.counters.tagInvalidations++
  const group = tagGroup(tag)
  parts.marks.move(group)
  const { shared } = parts
  if (!shared) return DONE
  const outcome = await invalidateFar(parts, { kind: 'tag', group, tag }, 'invalidateTags', () =>
    shared.tags.invalidate(tag),
  )
  parts.marks.move(group)
  return outcome
}

/** Makes all entries of a tag stale, from HERE: everywhere. */
export async function expireTagEverywhere(parts: Parts, tag: string): Promise<Acknowledged> {
  parts.counters.tagInvalidations++
  const group = tagGroup(tag)
  parts.marks.moveSoftly(group)
  const { shared } = parts
  if (!shared) return DONE
  const outcome = await expireFar(parts, { kind: 'tag', group, tag }, 'expireTags', () => shared.tags.expire(tag))
  parts.marks.moveSoftly(group)
  return outcome
}

function keyOf(target: Target): Invalidation {
  return { kind: 'key', id: target.id, address: target }
}

/** Makes something gone in L2: earlier calls about it need no repetition then. */
export function invalidateFar(
  parts: Parts,
  invalidation: Invalidation,
  operation: string,
  send: () => Promise<void>,
): Promise<Acknowledged> {
  return moveFar(parts, invalidation, operation, async (entry) => {
    await send()
    parts.journal.acknowledge(entry)
  })
}

/**
 * Makes something stale in L2. What is not acknowledged is repeated as a deletion: that says more, and costs a load. An
 * earlier deletion is still to be repeated when this is acknowledged:
 *   1. L2 has v1; set k = v2 is not acknowledged
 *   2. expire k is acknowledged: v1 is stale in L2, and would be served as such
 */
function expireFar(
  parts: Parts,
  invalidation: Invalidation,
  operation: string,
  send: () => Promise<void>,
): Promise<Acknowledged> {
  return moveFar(parts, invalidation, operation, send)
}

/** Moves the shared truth. What is not acknowledged goes into the journal. */
async function moveFar(
  parts: Parts,
  invalidation: Invalidation,
  operation: string,
  send: (entry: JournalEntry) => Promise<void>,
): Promise<Acknowledged> {
  const entry = { number: parts.journal.next(), invalidation }
  try {
    await send(entry)
    parts.recent.acknowledged(invalidation)
    return DONE
  } catch (error) {
    noteUnacknowledged(parts, { ...entry, invalidation: leftOf(invalidation, error) }, operation, error)
    return unacknowledged(error)
  }
}

/** What is still to be repeated of an invalidation that was not acknowledged: in the buckets that have not. */
export function leftOf(invalidation: Invalidation, error: unknown): Invalidation {
  if (invalidation.kind === 'key' || !(error instanceof UnacknowledgedIn)) return invalidation
  return { ...invalidation, buckets: error.buckets }
}

/** Repeats an invalidation. Rejects when that is not acknowledged. */
export async function repeatInvalidation(parts: Parts, invalidation: Invalidation): Promise<void> {
  switch (invalidation.kind) {
    case 'key':
      await parts.shared?.far.delete(invalidation.address)
      return
    case 'namespace':
      await parts.shared?.tags.clear(invalidation.namespace, invalidation.buckets)
      return
    case 'tag':
      await parts.shared?.tags.invalidate(invalidation.tag, invalidation.buckets)
      return
    default:
      invalidation satisfies never
  }
}

/**
 * Applies a notice from ELSEWHERE: this process's flights and L1, nothing else; it tells nobody. Own notices change
 * nothing here, but for those who wait: the call that caused them has seen to this process, before and after.
 */
export function applyFromElsewhere(parts: Parts, notice: Notice, bucket: number): void {
  parts.counters.noticesReceived++
  const subject = subjectOf(notice)
  if (isLink(notice)) parts.recent.heard(bucket, Number(notice.n), subject)
  if (!subject) return
  if (notice.origin !== parts.bus.origin) applyForeign(parts, notice.operation, subject)
  if (subject.kind === 'key') parts.shared?.leases.call(subject.address)
}

function applyForeign(parts: Parts, operation: Operation, subject: Invalidation): void {
  switch (operation) {
    case 'D':
    case 'S':
      if (subject.kind === 'key') forget(parts, subject, 'notice')
      return
    case 'E':
      if (subject.kind === 'key') expireNear(parts, subject, 'notice')
      return
    case 'X':
    case 'T':
      if (subject.kind !== 'key') parts.marks.move(subject.group)
      return
    case 'U':
      if (subject.kind !== 'key') parts.marks.moveSoftly(subject.group)
      return
    case 'F':
    case 'R':
    case 'Y':
      return
    default:
      operation satisfies never
  }
}

/** What a notice is about. Repeated as an invalidation it says as much, or more. */
function subjectOf({ operation, subject }: Notice): Invalidation | undefined {
  switch (operation) {
    case 'D':
    case 'S':
    case 'E':
    case 'F':
    case 'R': {
      const address = subjectKey(subject)
      return address && { kind: 'key', id: localId(address.namespace, address.key), address }
    }
    case 'X':
      return { kind: 'namespace', group: namespaceGroup(subject), namespace: subject }
    case 'T':
    case 'U':
      return { kind: 'tag', group: tagGroup(subject), tag: subject }
    case 'Y':
      return undefined
    default:
      return operation satisfies never
  }
}
