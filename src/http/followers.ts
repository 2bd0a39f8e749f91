/** So many requests wait for one response at most: each holds a connection and a closure. */
export const FOLLOWERS_MOST = 10_000

/** How many requests wait at each place for a response that is being made. */
export class Followers {
  readonly #waiting = new Map<string, number>()

  /** Takes a place among those who wait. `false`: there are too many. */
  join(key: string): boolean {
    const waiting = this.#waiting.get(key) ?? 0
    if (waiting >= FOLLOWERS_MOST) return false
    this.#waiting.set(key, waiting + 1)
    return true
  }

  leave(key: string): void {
    const waiting = (this.#waiting.get(key) ?? 0) - 1
    if (waiting > 0) this.#waiting.set(key, waiting)
    else this.#waiting.delete(key)
  }
}
