import { localKey } from '../entry/key.ts'
import { standing } from './near.ts'
import type { KeysSettings } from './call-options.ts'
import type { Parts } from './parts.ts'

/**
 * The story of a listing: the keys of one namespace, as they are asked for. L2 has them all where it has any; otherwise L1
 * does, and what it lists is as it was when the listing began. The signal is heard between two pages, and between two keys.
 */
export async function* listKeys(
  parts: Parts,
  namespace: string,
  { prefix, signal }: KeysSettings,
  tiers: 'all' | 'l1',
): AsyncGenerator<string, void> {
  signal?.throwIfAborted()
  const far = tiers === 'all' ? parts.shared?.far : undefined
  const pages = far?.keys(namespace, prefix) ?? [nearKeys(parts, namespace, prefix)]
  for await (const page of pages) {
    for (const key of page) {
      signal?.throwIfAborted()
      yield key
    }
    signal?.throwIfAborted()
  }
}

/** The keys under which L1 has what may be served. */
function nearKeys(parts: Parts, namespace: string, prefix: string): readonly string[] {
  const now = parts.clock.now()
  return (parts.near?.list() ?? []).flatMap(([id, entry]) => {
    const key = localKey(namespace, id)
    if (!key?.startsWith(prefix)) return []
    const stands = standing(parts, entry, now)
    return stands === 'fresh' || stands === 'stale' ? [key] : []
  })
}
