import { checkKey } from '../entry/key.ts'
import { peekInside, readEachInside, readEntryInside } from './inside-transaction.ts'
import { readEach } from './get-many.ts'
import type { Namespace } from './namespace.ts'
import type { Target } from './parts.ts'
import type { CacheEntry } from './read-entry.ts'
import { readEntry } from './read-entry.ts'

/** The verbs that read and load nothing: each is one story outside of a transaction, and another one inside. */

/** What is there under a key. Rejects for a bad one. */
export function entryOf<T>(space: Namespace, key: string): Promise<CacheEntry<T> | undefined> {
  try {
    const target = space.target(key)
    const { parts, defaults, requests } = space
    const transaction = parts.transactions.holder()
    return parts.life.attend(
      transaction
        ? readEntryInside<T>(parts, transaction, target, defaults, requests)
        : readEntry<T>(parts, target, defaults, requests),
    )
  } catch (error) {
    return Promise.reject(error as Error)
  }
}

/** What is there under many keys, in their order. */
export function entriesOf<T>(space: Namespace, targets: readonly Target[]): Promise<(CacheEntry<T> | undefined)[]> {
  const { parts, defaults, requests } = space
  const transaction = parts.transactions.holder()
  return parts.life.attend(
    transaction
      ? readEachInside<T>(parts, transaction, targets, defaults, requests)
      : readEach<T>(parts, targets, defaults, requests),
  )
}

/** The fresh value of a key that L1 does not answer as it is: inside of a transaction there may be one. */
export function peeked<T>(space: Namespace, key: string): T | undefined {
  checkKey(key)
  const { parts, defaults, requests } = space
  const transaction = parts.transactions.holder()
  if (!transaction) return undefined
  return peekInside(parts, transaction, space.target(key), defaults, requests) as T
}
