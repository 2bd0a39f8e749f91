import { namespaceGroup, tagGroup } from '../entry/key.ts'
import type { Verdict } from '../entry/stamp.ts'
import type { TagIndex } from './tag-index.ts'

/** Told of every group that is made void, or stale. */
export type GroupListener = (group: string, kind: 'void' | 'stale') => void

/**
 * The tag index without Redis. What it makes void is told to its listener, at once: several caches that share one stand
 * for several processes. No entry outlives its group's move, so stamps have nothing to add.
 */
export class MemoryTagIndex implements TagIndex {
  readonly #moved: GroupListener

  constructor(moved: GroupListener) {
    this.#moved = moved
  }

  async clear(namespace: string): Promise<void> {
    this.#moved(namespaceGroup(namespace), 'void')
  }

  async invalidate(tag: string): Promise<void> {
    this.#moved(tagGroup(tag), 'void')
  }

  async expire(tag: string): Promise<void> {
    this.#moved(tagGroup(tag), 'stale')
  }

  async judge(): Promise<Verdict> {
    return 'holds'
  }
}
