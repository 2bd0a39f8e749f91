import type { Address } from '../entry/entry.ts'
import { bucketOf, namespaceGroup, ROOT_NAMESPACE } from '../entry/key.ts'

/** A change of the shared truth that may not have reached L2. Repeating it is always right: it only takes away. */
export type Invalidation =
  | { readonly kind: 'key'; readonly id: string; readonly address: Address }
  | ({ readonly kind: 'namespace'; readonly group: string; readonly namespace: string } & InBuckets)
  | ({ readonly kind: 'tag'; readonly group: string; readonly tag: string } & InBuckets)

/** Where entries of a group are meant: in these buckets, or in all. */
interface InBuckets {
  readonly buckets?: readonly number[] | undefined
}

/** The invalidation that covers all others. */
export const everything = {
  kind: 'namespace',
  group: namespaceGroup(ROOT_NAMESPACE),
  namespace: ROOT_NAMESPACE,
} satisfies Invalidation

/** An invalidation with the number of the call that asked for it. */
export interface JournalEntry {
  readonly number: number
  readonly invalidation: Invalidation
}

/** Beyond so many, one clear of everything in their buckets takes their place. */
export const JOURNAL_MOST = 10_000

/**
 * The invalidations that L2 has not acknowledged. Until it does, this process does not believe L2 about their keys,
 * namespaces and tags, and the invalidations are repeated.
 *
 * Calls are numbered when they begin, because of this order of events:
 *   1. delete k fails, and is repeated: the repetition is on its way
 *   2. the application changes k once more; its delete fails too
 *   3. the repetition of 1 is acknowledged: 2 must stay
 */
export class Journal {
  readonly #keys = new Map<string, JournalEntry>()
  readonly #groups = new Map<string, JournalEntry>()
  readonly #buckets: number
  #numbers = 0

  /** Of a cache with so many buckets. */
  constructor(buckets: number) {
    this.#buckets = buckets
  }

  get size(): number {
    return this.#keys.size + this.#groups.size
  }

  /** The number of a call that begins now. */
  next(): number {
    return ++this.#numbers
  }

  /** Notes that a call was not acknowledged. */
  add(entry: JournalEntry): void {
    if (this.size < JOURNAL_MOST) {
      this.#note(entry)
      return
    }
    const buckets = this.#bucketsOfAll([entry, ...this.#groups.values(), ...this.#keys.values()])
    this.#keys.clear()
    this.#groups.clear()
    // Of all calls so far: an acknowledgement of one of them does not end it.
    this.#note({ number: this.#numbers, invalidation: { ...everything, buckets } })
  }

  /** Where any of these is meant; `undefined`: in all buckets. */
  #bucketsOfAll(entries: readonly JournalEntry[]): readonly number[] | undefined {
    const union = new Set<number>()
    for (const { invalidation } of entries) {
      const buckets = bucketsOf(invalidation, this.#buckets)
      if (buckets === undefined) return undefined
      for (const bucket of buckets) union.add(bucket)
    }
    return union.size < this.#buckets ? [...union] : undefined
  }

  /**
   * Notes that a call was acknowledged: it and earlier ones of the same need no repetition, in the buckets that it went to.
   * Answers whether nothing of them is left, because of this order of events:
   *   1. invalidating a tag begins, with a lower number than 2
   *   2. the tag is owed to bucket 1, and that is on its way
   *   3. the call of 1 fails in bucket 2: now the tag is owed to both
   *   4. what left at 2 is acknowledged: bucket 2 is still owed
   */
  acknowledge({ number, invalidation }: JournalEntry): boolean {
    const { entries, name } = this.#place(invalidation)
    const noted = entries.get(name)
    if (noted && noted.number <= number) {
      const left = outside(noted.invalidation, invalidation)
      if (left) entries.set(name, { ...noted, invalidation: left })
      else entries.delete(name)
      return left === undefined
    }
    return true
  }

  /** Notes that a repetition was acknowledged but for `left`. Another call of the same may have come meanwhile. */
  narrow(entry: JournalEntry, left: Invalidation): void {
    const { entries, name } = this.#place(entry.invalidation)
    if (entries.get(name) === entry) entries.set(name, { ...entry, invalidation: left })
  }

  /** Whether L2 may still hold under a key of a bucket what was invalidated here: by the key, or by one of its groups. */
  fences(id: string, groups: readonly string[], bucket: number): boolean {
    if (this.size === 0) return false
    return this.#keys.has(id) || groups.some((group) => isMeant(this.#groups.get(group)?.invalidation, bucket))
  }

  /** What is to be repeated, the oldest calls first. */
  list(): JournalEntry[] {
    return [...this.#groups.values(), ...this.#keys.values()].sort((a, b) => a.number - b.number)
  }

  #note(entry: JournalEntry): void {
    const { entries, name } = this.#place(entry.invalidation)
    const noted = entries.get(name)
    // Calls may fail in another order than they were made in: the latest one is what must be acknowledged.
    const latest = noted && noted.number > entry.number ? noted : entry
    entries.set(name, noted ? { ...latest, invalidation: inBucketsOf(noted.invalidation, entry.invalidation) } : entry)
  }

  #place(invalidation: Invalidation): { entries: Map<string, JournalEntry>; name: string } {
    return invalidation.kind === 'key'
      ? { entries: this.#keys, name: invalidation.id }
      : { entries: this.#groups, name: invalidation.group }
  }
}

/** Where an invalidation is meant, of so many buckets; `undefined`: in all. */
export function bucketsOf(invalidation: Invalidation, buckets: number): readonly number[] | undefined {
  return invalidation.kind === 'key' ? [bucketOf(invalidation.id, buckets)] : invalidation.buckets
}

function isMeant(invalidation: Invalidation | undefined, bucket: number): boolean {
  if (!invalidation) return false
  return invalidation.kind === 'key' || (invalidation.buckets?.includes(bucket) ?? true)
}

/** Of two invalidations of the same: the first one, where the second is not meant; `undefined` where that is nowhere. */
function outside(one: Invalidation, other: Invalidation): Invalidation | undefined {
  if (one.kind === 'key' || other.kind === 'key' || other.buckets === undefined) return undefined
  const { buckets } = other
  // How many there are is not known here: it stays owed to all.
  if (one.buckets === undefined) return one
  const left = one.buckets.filter((bucket) => !buckets.includes(bucket))
  return left.length > 0 ? { ...one, buckets: left } : undefined
}

/** Of two invalidations of the same: one that is meant wherever either is. */
function inBucketsOf(one: Invalidation, other: Invalidation): Invalidation {
  if (one.kind === 'key' || one.buckets === undefined) return one
  if (other.kind === 'key' || other.buckets === undefined) return other
  return { ...other, buckets: [...new Set([...one.buckets, ...other.buckets])] }
}
