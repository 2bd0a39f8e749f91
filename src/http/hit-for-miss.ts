/**
 * Resources whose last response could not be shared. For a minute, or until one could, their requests do not wait for one
 * another, since waiting would only put one run of the handler behind the other. Bounded; what is pushed out merely waits.
 */
export class HitForMiss {
  readonly #until = new Map<string, number>()

  mark(key: string, now: number): void {
    this.#until.delete(key)
    this.#until.set(key, now + MARKED_MS)
    if (this.#until.size <= MOST_MARKED) return
    for (const oldest of this.#until.keys()) {
      this.#until.delete(oldest)
      return
    }
  }

  unmark(key: string): void {
    this.#until.delete(key)
  }

  has(key: string, now: number): boolean {
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (now < until) return true
    this.#until.delete(key)
    return false
  }
}

/** The mark of a resource that holds for requests with cookies alone. */
export function forCookies(key: string): string {
  return `${key} cookies`
}

const MARKED_MS = 60_000
const MOST_MARKED = 4096
