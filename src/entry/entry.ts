/**
 * What is kept under a key: a value with two deadlines. Instants are monotonic milliseconds of this process; in Redis
 * the same instants stand in server time (see `header.ts`).
 */
export interface Entry<V = unknown> {
  readonly value: V
  readonly createdAt: number
  /** Until then the value is fresh. */
  readonly freshUntil: number
  /** Until then the value may be served while a newer one is loaded; never before `freshUntil`. */
  readonly staleUntil: number
  /** How long it took to load; 0 for what was given, or where that is not known. */
  readonly loadMs?: number | undefined
  /** What its writer gave it to be compared by; known where it was written, and in Redis. */
  readonly version?: number | undefined
  /** The names of the groups that it belongs to. */
  readonly tags: readonly string[]
}

/** Where an entry lives: a namespace and the user's key in it. */
export interface Address {
  readonly namespace: string
  readonly key: string
}
