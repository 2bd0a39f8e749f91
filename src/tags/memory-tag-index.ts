import type { TagIndex } from './tag-index.ts'

/** Told of every group that is made void. */
export type GroupListener = (namespace: string) => void

/**
 * The tag index without Redis. What it makes void is told to its listener, at once: several caches that share one stand
 * for several processes.
 */
export class MemoryTagIndex implements TagIndex {
  readonly #cleared: GroupListener

  constructor(cleared: GroupListener) {
    this.#cleared = cleared
  }

  async clear(namespace: string): Promise<void> {
    this.#cleared(namespace)
  }
}
