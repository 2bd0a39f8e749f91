import { decode, encode } from '../entry/codec.ts'
import type { StandardSchema, Verdict } from '../entry/schema.ts'
import { validate } from '../entry/schema.ts'
import { describe, TierCacheError } from '../errors.ts'
import type { NearEntry } from '../tiers/near-entry.ts'
import type { EntrySettings } from './call-options.ts'
import { handOut, isolate } from './near.ts'
import type { Parts, Target } from './parts.ts'

/** Whether what is kept here may be handed to a reader as far as its schema goes: it has none, or this very one let it pass. */
export function isChecked(kept: Pick<NearEntry, 'schema'>, schema: StandardSchema | undefined): boolean {
  return schema === undefined || kept.schema === schema
}

/** What the schema makes of a value that is about to be stored. Throws, or rejects with, `ERR_INVALID_VALUE`. */
export function checkGiven(schema: StandardSchema, value: unknown, subject: string): unknown {
  const verdict = validate(schema, value)
  return verdict instanceof Promise
    ? verdict.then((each) => passed(each, value, subject))
    : passed(verdict, value, subject)
}

function passed(verdict: Verdict, value: unknown, subject: string): unknown {
  if (verdict.passes) return verdict.value
  const expected = `a value that passes its schema (${verdict.reason})`
  throw new TierCacheError('ERR_INVALID_VALUE', `${subject}: expected ${expected}, got ${describe(value)}`, {
    cause: verdict.cause,
  })
}

/** What a reader's schema makes of a cached value. What does not pass is counted and told: `undefined`. */
export async function checkCached(
  parts: Parts,
  { namespace, key }: Target,
  value: unknown,
  { schema, tiers }: Pick<EntrySettings, 'schema' | 'tiers'>,
  tier: 'l1' | 'l2',
): Promise<{ readonly value: unknown } | undefined> {
  if (schema === undefined) return { value }
  try {
    const made = await checkGiven(schema, value, `the value of ${JSON.stringify(key.slice(0, 40))} in ${tier}`)
    // Of the same types as what is stored, whatever the schema makes.
    return { value: made === value || tiers === 'l1' ? made : decode(encode(made)) }
  } catch (error) {
    parts.counters.invalid++
    parts.events.tell('invalid', () => ({ namespace, key, tier, error }))
    return undefined
  }
}

/** An entry of L1 that was not checked under a reader's schema yet. What passes takes its place. */
export async function checkNear(
  parts: Parts,
  target: Target,
  near: NearEntry,
  settings: EntrySettings,
): Promise<NearEntry | undefined> {
  const { schema, isolation } = settings
  const { tiers } = near
  const checked = await checkCached(parts, target, handOut(near.value, near.shared), { schema, tiers }, 'l1')
  if (!checked) return undefined
  const { value } = checked
  // The very value of its owner is neither frozen nor copied.
  const shared = tiers === 'l1' || isolate(value, isolation)
  const entry = near.with({ value, shared, schema })
  // Something else may have come meanwhile, or all of it have gone.
  if (parts.near?.get(target.id) === near) parts.near.set(target.id, entry)
  return entry
}
