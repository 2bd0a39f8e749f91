import type { Address } from '../entry/entry.ts'
import { namespaceGroup, ROOT_NAMESPACE } from '../entry/key.ts'

/** A change of the shared truth that may not have reached L2. Repeating it is always right: it only takes away. */
export type Invalidation =
  | { readonly kind: 'key'; readonly id: string; readonly address: Address }
  | { readonly kind: 'namespace'; readonly group: string; readonly namespace: string }
  | { readonly kind: 'tag'; readonly group: string; readonly tag: string }

/** The invalidation that covers all others. */
export const everything: Invalidation = {
  kind: 'namespace',
  group: namespaceGroup(ROOT_NAMESPACE),
  namespace: ROOT_NAMESPACE,
}

/** An invalidation with the number of the call that asked for it. */
export interface JournalEntry {
  readonly number: number
  readonly invalidation: Invalidation
}

/** Beyond so many, one clear of everything takes their place. */
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
  #numbers = 0

  get size(): number {
    return this.#keys.size + this.#groups.size
  }

  /** The number of a call that begins now. */
  next(): number {
    return ++this.#numbers
  }

  /** Notes that a call was not acknowledged. */
  add(entry: JournalEntry): void {
    if (this.size >= JOURNAL_MOST) {
      this.#keys.clear()
      this.#groups.clear()
      // Of all calls so far: an acknowledgement of one of them does not end it.
      this.#note({ number: this.#numbers, invalidation: everything })
      return
    }
    this.#note(entry)
  }

  /** Notes that a call was acknowledged: it and earlier ones of the same need no repetition. */
  acknowledge({ number, invalidation }: JournalEntry): void {
    const { entries, name } = this.#place(invalidation)
    const noted = entries.get(name)
    if (noted && noted.number <= number) entries.delete(name)
  }

  /** Whether L2 may still hold under a key what was invalidated here: by the key, or by one of its groups. */
  fences(id: string, groups: readonly string[]): boolean {
    if (this.size === 0) return false
    return this.#keys.has(id) || groups.some((group) => this.#groups.has(group))
  }

  /** What is to be repeated, the oldest calls first. */
  list(): JournalEntry[] {
    return [...this.#groups.values(), ...this.#keys.values()].sort((a, b) => a.number - b.number)
  }

  #note(entry: JournalEntry): void {
    const { entries, name } = this.#place(entry.invalidation)
    const noted = entries.get(name)
    // Calls may fail in another order than they were made in: the latest one is what must be acknowledged.
    if (!noted || noted.number < entry.number) entries.set(name, entry)
  }

  #place(invalidation: Invalidation): { entries: Map<string, JournalEntry>; name: string } {
    return invalidation.kind === 'key'
      ? { entries: this.#keys, name: invalidation.id }
      : { entries: this.#groups, name: invalidation.group }
  }
}
