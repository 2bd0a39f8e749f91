import { Audience } from '../stampede/audience.ts'
import type { Clock } from '../clock.ts'
import type { LoadSettings } from './call-options.ts'
import { getOrLoad } from './get-or-load.ts'
import type { Offer } from './load-request.ts'
import type { FaceContext, Loader } from './load-context.ts'
import type { Namespace } from './namespace.ts'
import { standing } from './near.ts'
import type { Parts } from './parts.ts'

/** Where a cache has its {@link Door}. */
export const door = Symbol('tiercache.door')

/** As a `Loader`, for a face. */
export type FaceLoader<T> = (context: FaceContext<T>) => T | Promise<T>

/** How a caller seeks a value that it judges itself. */
export interface Seeking<T> {
  /** Which values it takes, from L1, L2, another caller's load, or in place of a failed one. It may not change them. */
  readonly accepts: (offer: Offer & { readonly value: T }) => boolean
  /** What a renewal behind it runs, where a stale value was taken. Default: its loader. */
  readonly behind?: FaceLoader<T>
  /** How many bytes a value takes; it is plain data that nobody changes, and kept in L1 as it is. Default: it is encoded. */
  readonly bytesOf?: (value: T) => number
  /** How long it waits for another one's load. Default: as the namespace says. */
  readonly waitTimeoutMs?: number | undefined
}

/** What it was served. */
export interface Sought<T> {
  readonly value: T
  readonly tier: 'l1' | 'l2' | 'loader'
  readonly freshness: 'fresh' | 'stale'
  /** Whether it waited for a load that another caller of this process had started. */
  readonly joined: boolean
  /** Whether it is served in place of a load that failed. */
  readonly failed: boolean
}

/**
 * What the faces above a cache may do with one of its namespaces beyond what users may: they judge by themselves what may be
 * served. Transactions do not reach here.
 */
export class Door {
  readonly #parts: Parts
  readonly #space: Namespace
  /** A stale value that is taken is served at once. */
  readonly #settings: LoadSettings

  constructor(parts: Parts, space: Namespace) {
    this.#parts = parts
    this.#space = space
    this.#settings = { ...space.defaults, softTimeoutMs: 0 }
  }

  /** What the cache goes by, for a face to go by the same. */
  get clock(): Clock {
    return this.#parts.clock
  }

  /**
   * What L1 has under a key, fresh or stale, at once: the very value, which may not be changed. Not counted: who serves it says
   * so ({@link Door.noteHit}), and who does not seeks.
   */
  peekEntry<T>(key: string): { readonly value: T; readonly freshness: 'fresh' | 'stale' } | undefined {
    const { near, clock } = this.#parts
    const entry = near?.get(this.#space.idOf(key))
    if (entry === undefined || entry.home.isRoot !== this.#space.isRoot) return undefined
    const freshness = standing(this.#parts, entry, clock.now())
    if (freshness !== 'fresh' && freshness !== 'stale') return undefined
    return { value: entry.value as T, freshness }
  }

  /** Counts an answer from what was peeked at. */
  noteHit(): void {
    this.#space.requests.l1Fresh++
  }

  /**
   * As `getOrSetEntry`, for a caller that takes only what its `accepts` says: what is found and not taken is replaced by a
   * load, which is given it as `ctx.stale`. A stale one that is taken is served at once and renewed behind, once in all
   * processes, and with a pause after failures. See docs/decisions/0038-callers-that-judge.md.
   */
  async seek<T>(key: string, loader: FaceLoader<T>, seeking: Seeking<T>): Promise<Sought<T>> {
    const { accepts, behind, waitTimeoutMs, bytesOf } = seeking
    const target = this.#space.target(key)
    const { requests } = this.#space
    const settings = this.#settings
    const { loaded, joined } = await this.#parts.life.attend(
      getOrLoad(this.#parts, {
        target,
        loader: loader as Loader<unknown>,
        settings: waitTimeoutMs === undefined ? settings : { ...settings, waitTimeoutMs },
        requests,
        audience: new Audience(),
        purpose: 'read',
        accepts: accepts as (offer: Offer) => boolean,
        behind: behind as Loader<unknown> | undefined,
        bytesOf: bytesOf as ((value: unknown) => number) | undefined,
      }),
    )
    const { value, tier, freshness } = loaded
    return { value: value as T, tier, freshness, joined, failed: loaded.failure !== undefined }
  }
}
