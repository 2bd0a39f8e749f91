/** The most runs of loaders behind stale values at one time; further ones wait for the next reader. */
const RUNS_MOST = 16

/** The renewals under way behind stale values, by key. Those of one batch are one run. */
export class Renewals {
  readonly #runs = new Map<string, object>()
  /** How many keys each run renews. */
  readonly #sizes = new Map<object, number>()

  /** How many keys are being renewed. */
  get size(): number {
    return this.#runs.size
  }

  has(id: string): boolean {
    return this.#runs.has(id)
  }

  /** Notes that a key is being renewed by a run. Answers whether it may be: unless it is already, or there are too many. */
  begin(id: string, run: object): boolean {
    const size = this.#sizes.get(run) ?? 0
    if (this.#runs.has(id) || (size === 0 && this.#sizes.size >= RUNS_MOST)) return false
    this.#runs.set(id, run)
    this.#sizes.set(run, size + 1)
    return true
  }

  end(id: string): void {
    const run = this.#runs.get(id)
    if (!run) return
    this.#runs.delete(id)
    const size = this.#sizes.get(run) ?? 0
    if (size > 1) this.#sizes.set(run, size - 1)
    else this.#sizes.delete(run)
  }
}
