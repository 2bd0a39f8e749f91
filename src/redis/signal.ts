/** Something that happens again and again, for those who listen. */
export class Signal {
  readonly #listeners = new Set<() => void>()

  listen(listener: () => void): void {
    this.#listeners.add(listener)
  }

  tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
