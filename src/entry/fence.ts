/**
 * What a load shows when it stores its value: the lease that it was granted, and the chain's number at that moment.
 * A store is refused when the lease is gone, or when something that the value depends on moved after `n0`.
 */
export interface Fence {
  readonly token: string
  /** A decimal text: numbers of this size lose digits in Lua. */
  readonly n0: string
}
