/** Remembers the keys that it was given last: `least` of them at least, and fewer than twice as many. */
export class RecentKeys {
  readonly #least: number
  #young = new Set<string>()
  #old: ReadonlySet<string> = new Set()

  constructor(least: number) {
    this.#least = least
  }

  /** Takes a key in. Answers whether it is none of those that are remembered. */
  adds(key: string): boolean {
    if (this.#young.has(key) || this.#old.has(key)) return false
    if (this.#young.size >= this.#least) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(key)
    return true
  }
}
