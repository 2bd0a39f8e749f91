import { acknowledged, notAcknowledged } from './acknowledgement.ts'
import type { SetOptions, SetSettings } from './call-options.ts'
import { HELD, setInside, setManyInside } from './inside-transaction.ts'
import type { Parts, Target } from './parts.ts'
import type { SetManyResult, Written } from './set-many.ts'
import { givenOf, givenOne, writeManyThrough } from './set-many.ts'
import type { Invalidated } from './transaction.ts'
import type { Outcome, SetResult } from './write-through.ts'
import { writeThrough } from './write-through.ts'

/** A change is done now, or held by the transaction that its caller is inside of. */

/** Stores a value that may be stored. */
export async function setNowOrHeld(
  parts: Parts,
  target: Target,
  value: unknown,
  kept: SetSettings,
  options: SetOptions | undefined,
): Promise<SetResult> {
  const made = givenOne(parts, { target, value, settings: kept }, options)
  const given = made instanceof Promise ? await made : made
  const settings = given.tags ? { ...kept, tags: given.tags } : kept
  const transaction = parts.transactions.current()
  if (!transaction) return acknowledged('set', settings.requireAck, writeThrough(parts, target, given, settings))
  setInside(parts, transaction, target, given, settings)
  return HELD
}

/** Stores many that may be stored. */
export async function setManyNowOrHeld(parts: Parts, written: readonly Written[]): Promise<SetManyResult> {
  const made = givenOf(parts, written)
  const ready = made instanceof Promise ? await made : made
  const transaction = parts.transactions.current()
  if (transaction) return setManyInside(parts, transaction, ready)
  const outcome = await writeManyThrough(parts, ready)
  for (const { target, settings } of written) {
    const own = outcome.results.get(target.key)
    if (settings.requireAck && own?.acknowledged === false) throw notAcknowledged('setMany', own)
  }
  return outcome
}

/** Makes something gone or stale. */
export async function nowOrHeld(
  parts: Parts,
  operation: string,
  requireAck: boolean,
  what: Invalidated,
  act: () => Promise<Outcome>,
): Promise<Outcome> {
  const transaction = parts.transactions.current()
  if (!transaction) return parts.life.attend(acknowledged(operation, requireAck, act()))
  transaction.invalidate(what, { operation, requireAck, act })
  return HELD
}
