/** How many tips are remembered: more than are ever told between reading the chain's head and hearing of it. */
const TIPS_MOST = 1024

/** A link of the chain: its random tip, and its number, which never goes back. */
export interface Link {
  readonly tip: string
  readonly n: number
}

/**
 * The links of a chain that were heard, in order. Pure: it is told what came and answers what that means.
 */
export class Chain {
  #last: Link | undefined
  readonly #tips = new Set<string>()

  /** The last link that is known. */
  get last(): Link | undefined {
    return this.#last
  }

  /**
   * A link came. `next`: it follows the last one heard. `gap`: something between was missed; or its number is not above
   * the last one's, so that it belongs to another state of the chain, or is forged: the head will tell.
   */
  heard(previousTip: string, link: Link): 'next' | 'gap' {
    if (this.#last && link.n <= this.#last.n) return 'gap'
    const follows = this.#last?.tip === previousTip
    this.#remember(link)
    return follows ? 'next' : 'gap'
  }

  /**
   * The head of the chain was read; `before` is the last link that was known when the read went out.
   *
   * - `seen`: that link was heard already, and whatever came before it.
   * - `gap`: it was not. Links that were heard meanwhile may be newer than the head that was read.
   * - `back`: the chain is behind what was known: another one, or an older state of this one.
   */
  read(head: Link, before: Link | undefined): 'seen' | 'gap' | 'back' {
    if (before && head.n < before.n) {
      this.forget()
      this.#remember(head)
      return 'back'
    }
    if (this.#tips.has(head.tip)) return 'seen'
    if (!this.#last || head.n >= this.#last.n) this.#remember(head)
    return 'gap'
  }

  /** The chain does not exist any more. */
  forget(): void {
    this.#last = undefined
    this.#tips.clear()
  }

  #remember(link: Link): void {
    this.#last = link
    this.#tips.add(link.tip)
    if (this.#tips.size <= TIPS_MOST) return
    for (const oldest of this.#tips) {
      this.#tips.delete(oldest)
      return
    }
  }
}
