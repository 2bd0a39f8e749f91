/** How many callers of this process wait for a value, by key. */
export class Callers {
  readonly #counts = new Map<string, number>()

  come(id: string): void {
    this.#counts.set(id, this.of(id) + 1)
  }

  leave(id: string): void {
    const left = this.of(id) - 1
    if (left > 0) this.#counts.set(id, left)
    else this.#counts.delete(id)
  }

  of(id: string): number {
    return this.#counts.get(id) ?? 0
  }
}
