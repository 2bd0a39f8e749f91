import { RULE_MS, tagsOf, ttlOf } from './handing.ts'
import { asKept, variantsTag } from './response-store.ts'
import { storedVary } from './stored-response.ts'
import { covers, unite } from './vary.ts'
import { variantPlace } from './visit.ts'
import type { FaceContext } from '../cache/load-context.ts'
import type { HttpParts, Kept, NothingShared, Variants } from './response-store.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Visit } from './visit.ts'

const AGAIN: NothingShared = { kind: 'again' }

/** Under the key of the resource: the response itself, or the rule for its variants, the first one stored already. */
export async function shareResource(parts: HttpParts, visit: Visit, stored: StoredResponse): Promise<Kept> {
  const rule = newRule(parts, visit, storedVary(stored), stored.tags)
  if (rule.fields.length === 0) return stored
  await storeVariant(parts, visit, rule, stored)
  return rule
}

/**
 * Under the key of a variant: the response, unless it varies by more than the rule says. Then the rule is dropped, not
 * replaced: a rule written here could come after an invalidation and bring the old response back.
 */
export async function shareVariant(
  parts: HttpParts,
  visit: Visit,
  rule: Variants,
  stored: StoredResponse,
): Promise<Kept> {
  const fields = storedVary(stored)
  if (covers(rule.fields, fields)) {
    makeRoom(parts, visit, rule, variantPlace(parts, visit, rule).key)
    return stored
  }
  parts.widths.widen(visit.resourceKey, unite(rule.fields, fields))
  await parts.store.delete(visit.resourceKey)
  return AGAIN
}

export function newRule(parts: HttpParts, visit: Visit, fields: readonly string[], tags: readonly string[]): Variants {
  const known = parts.widths.of(visit.resourceKey)
  return { kind: 'variants', nonce: parts.clock.nonce(12), fields: unite(fields, known), tags }
}

/**
 * Renews a rule that was made stale, and makes its variants so: what tells them apart is still right, but one of them may have
 * come after what made the rule stale:
 *   A: misses; the handler reads v1
 *   B: the database gets v2; a tag of the page is expired
 *   A: ends; v1 is stored as the first variant, and then the rule, which the core knows to be stale
 * `undefined`: what is to be replaced is no rule.
 */
export function renewRule({ store }: HttpParts, flight: FaceContext): Promise<Kept> | undefined {
  const rule = asKept(flight.stale?.value)
  if (rule?.kind !== 'variants') return undefined
  const again = { ...rule }
  renewed.add(again)
  return store.expireTags(variantsTag(rule)).then(() => {
    flight.setTtl(RULE_MS)
    flight.setTags(...rule.tags)
    return again
  })
}

const renewed = new WeakSet<object>()

/** Whether a load has come to this by renewing a rule: then no response was made. */
export function isRenewedRule(kept: Kept): boolean {
  return renewed.has(kept)
}

export async function storeVariant(
  parts: HttpParts,
  visit: Visit,
  rule: Variants,
  stored: StoredResponse,
): Promise<void> {
  const { key } = variantPlace(parts, visit, rule)
  makeRoom(parts, visit, rule, key)
  await parts.store.set(key, stored, {
    ttl: ttlOf(parts, stored),
    stale: stored.retentionMs,
    tags: tagsOf(stored, rule),
  })
}

/** Drops the variant whose place another one takes. */
function makeRoom({ variants, store }: HttpParts, { resourceKey }: Visit, { nonce }: Variants, key: string): void {
  const oldest = variants.noted(resourceKey, nonce, key)
  // It costs memory only.
  if (oldest !== undefined) store.delete(oldest).catch(() => {})
}
