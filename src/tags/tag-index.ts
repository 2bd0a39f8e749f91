/**
 * The shared truth about groups of entries: making one void for all processes at once, without touching its entries.
 * What a process has heard of it stands in `marks.ts`.
 */
export interface TagIndex {
  /** Makes all entries of a namespace, and of those below it, void everywhere. Rejects when that is not acknowledged. */
  clear(namespace: string): Promise<void>
}
