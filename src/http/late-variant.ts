import { leftMs } from './handing.ts'
import { asKept, variantsTag } from './response-store.ts'
import { shareVariant, storeVariant } from './variant-rule.ts'
import { covers } from './vary.ts'
import { variantPlace } from './visit.ts'
import type { Late } from './recorded.ts'
import type { HttpParts, Variants } from './response-store.ts'
import type { Visit } from './visit.ts'

/**
 * Keeps a response that is late, if it ends, as a variant of a rule. `isFirst`: the rule was made for it, and its handler
 * began before the rule was there.
 */
export async function keepLate(
  parts: HttpParts,
  visit: Visit,
  rule: Variants,
  late: Late,
  isFirst: boolean,
): Promise<void> {
  const { rest, tags } = late
  const watch = await watchTags(parts, visit, [...tags, variantsTag(rule)])
  // A younger one was renewed since the handler began: its variants were made stale.
  const isCurrent = isFirst || (await isOlder(parts, visit, late))
  const recorded = await rest
  if (!isCurrent) return
  if (recorded.kind !== 'complete' || leftMs(parts, recorded.stored) === 0) return
  // What was invalidated meanwhile by a tag that the rule has not would not have taken the rule along.
  if (!covers(rule.tags, recorded.stored.tags)) return
  const { store } = parts
  try {
    const entry = await store.getEntry(visit.resourceKey)
    const standing = entry?.freshness === 'fresh' ? asKept(entry.value) : undefined
    const { key } = variantPlace(parts, visit, rule)
    // Nobody would find it, or it is as stale as its rule, or another run was faster.
    if (standing?.kind !== 'variants' || standing.nonce !== rule.nonce || (await store.has(key))) return
    if (!(await watch.areValid())) return
    const shared = await shareVariant(parts, visit, rule, recorded.stored)
    if (shared.kind === 'response') await storeVariant(parts, visit, rule, shared)
    if (!(await watch.areValid())) await store.delete(key)
  } catch {
    // A cache that was closed. The client has its response.
  }
}

/** Whether the rule stands since before the run began. */
async function isOlder({ store, clock }: HttpParts, { resourceKey }: Visit, { startedAt }: Late): Promise<boolean> {
  const entry = await store.getEntry(resourceKey).catch(() => undefined)
  return entry?.freshness === 'fresh' && entry.age >= clock.wall() - startedAt
}

/**
 * Tells whether one of these tags was made invalid, or stale, since: by an entry that has them, and that nobody asks for. What
 * is stored later has no other way to know:
 *   A: is late; its handler has read v1
 *   B: the database gets v2; the URL is purged softly: its variants are stale, and the rule stays
 *   A: ends; v1 would be stored as a fresh variant of the rule
 */
async function watchTags({ store, keys, clock }: HttpParts, { resourceKey }: Visit, tags: string[]) {
  const key = keys.of(`${resourceKey} late ${clock.nonce(12)}`)
  await store.set(key, null, { ttl: WATCH_MS, tags }).catch(() => {})
  return { areValid: () => store.has(key) }
}

/** Longer than a response is waited for that is late. */
const WATCH_MS = 60_000
