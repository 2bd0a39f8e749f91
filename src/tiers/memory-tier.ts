import { LRUCache } from 'lru-cache'
import type { NearEntry } from './near-entry.ts'
import type { SyncTier } from './tier.ts'

export interface MemoryTierSettings {
  readonly maxEntries: number
  readonly maxBytes: number
}

/** What an entry takes beside its encoded value: the object, its name, its place in the list. An estimate. */
const OVERHEAD_BYTES = 160

/** L1 on lru-cache: bounded by entries and bytes. The least recently used go first. */
export class MemoryTier implements SyncTier {
  readonly #lru: LRUCache<string, NearEntry>
  #isClosed = false

  constructor({ maxEntries, maxBytes }: MemoryTierSettings, evicted: () => void) {
    this.#lru = new LRUCache<string, NearEntry>({
      max: maxEntries,
      maxSize: maxBytes,
      dispose: (_entry, _id, reason) => {
        if (reason === 'evict') evicted()
      },
    })
  }

  get(id: string): NearEntry | undefined {
    return this.#lru.get(id)
  }

  peek(id: string): NearEntry | undefined {
    return this.#lru.peek(id)
  }

  /** An entry that is larger than the whole tier is not kept, and what was there under its name is gone. */
  set(id: string, entry: NearEntry): void {
    if (this.#isClosed) return
    this.#lru.set(id, entry, { size: entry.bytes + id.length * 2 + OVERHEAD_BYTES })
  }

  delete(id: string): void {
    this.#lru.delete(id)
  }

  clear(): void {
    this.#lru.clear()
  }

  list(): readonly (readonly [id: string, entry: NearEntry])[] {
    return [...this.#lru.entries()]
  }

  close(): void {
    this.#isClosed = true
    this.#lru.clear()
  }

  get entries(): number {
    return this.#lru.size
  }

  get bytes(): number {
    return this.#lru.calculatedSize
  }
}
