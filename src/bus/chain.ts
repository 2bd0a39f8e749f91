/** How many tips are remembered: more than are ever told between reading the chain's head and hearing of it. */
const TIPS_MOST = 1024

/**
 * The links of a chain that were heard, in order. Pure: it is told what came and answers what that means.
 */
export class Chain {
  #tip: string | undefined
  readonly #tips = new Set<string>()

  /** Whether any link is known. */
  get isKnown(): boolean {
    return this.#tip !== undefined
  }

  /** A link came. `next`: it follows the last one heard. `gap`: something between was missed. */
  heard(previousTip: string, tip: string): 'next' | 'gap' {
    const follows = this.#tip === previousTip
    this.#remember(tip)
    return follows ? 'next' : 'gap'
  }

  /**
   * The head of the chain was read. `seen`: that link was heard already. `gap`: it was not, or the chain is another one;
   * it counts as the last one heard from now on.
   */
  read(tip: string): 'seen' | 'gap' {
    if (this.#tips.has(tip)) return 'seen'
    this.#tips.clear()
    this.#remember(tip)
    return 'gap'
  }

  /** The chain does not exist any more. */
  forget(): void {
    this.#tip = undefined
    this.#tips.clear()
  }

  #remember(tip: string): void {
    this.#tip = tip
    this.#tips.add(tip)
    if (this.#tips.size <= TIPS_MOST) return
    for (const oldest of this.#tips) {
      this.#tips.delete(oldest)
      return
    }
  }
}
