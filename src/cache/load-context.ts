import type { Duration } from '../options.ts'

/**
 * What a loader is given, of which it may use what it likes until it has ended; after that nothing of it has an effect.
 * `T`: what is cached under the key.
 */
export interface LoadContext<T = unknown> {
  /** The key that is loaded. */
  readonly key: string
  /**
   * Aborted when nobody waits for the value any more: the load has taken `hardTimeout`, or the last of its callers has left
   * (their `signal`). What the loader answers all the same is stored, unless another load took its place. A load behind a
   * stale value goes on, whoever leaves.
   */
  readonly signal: AbortSignal
  /**
   * What is to be replaced, where there is something, in L1 or L2: a value that is stale, or, with `refreshAhead`, still
   * fresh; and how old it is, in ms. As for any reader it is frozen, or a copy, or the very value, by its `isolation`.
   */
  readonly stale: { readonly value: T; readonly age: number } | undefined
  /** Sets how long the value will be fresh, once it is known. Throws `ERR_INVALID_OPTION`. */
  setTtl(ttl: Duration): void
  /**
   * Sets for how long past its ttl the value may be served, as the option `stale` does, once that is known. Throws
   * `ERR_INVALID_OPTION`.
   */
  setStale(stale: Duration): void
  /** Adds to the tags of the value, once they are known. Throws `ERR_INVALID_TAG`. */
  setTags(...tags: string[]): void
  /**
   * The returned value goes to the callers and is not stored. What the processes that wait for it do then: `each` loads
   * for itself, and nobody waits for a load that begins within a second, whose value is stored all the same if it may be
   * (the default); or the `next` of them loads for all. Throws `ERR_INVALID_ARGUMENT`.
   */
  skip(others?: 'each' | 'next'): void
  /**
   * The value of {@link LoadContext.stale} is still right: it is kept, with its tags and those of this load, and as fresh as
   * if it had been loaded. What the loader returns is not looked at; `return notModified()` suits its type. Throws
   * `ERR_NOTHING_TO_KEEP` where there is no such value.
   */
  notModified(): never
}

/** Where what a face's loader is given tells it, without the cost of a signal, when nobody waits for it any more. */
export const whenAborted = Symbol('tiercache.whenAborted')

/** What the loader of a face is given. */
export interface FaceContext<T = unknown> extends LoadContext<T> {
  /** Acts once {@link LoadContext.signal} is aborted; at once where it is. The last one that was given acts. */
  readonly [whenAborted]: (act: () => void) => void
}

/** Computes the value of a key. `undefined` is handed to the callers and not stored. `Stale`: what is cached already. */
export type Loader<T, Stale = T> = (context: LoadContext<Stale>) => T | Promise<T>
