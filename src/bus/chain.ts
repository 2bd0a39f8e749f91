/** How many tips of a chain are remembered: more than are ever told between reading its head and hearing of it. */
const TIPS_MOST = 1024
/** How many tips are remembered of all chains of a cache together: some 3 MB. */
const TIPS_MOST_IN_ALL = 32_768

/** A link of the chain: its random tip, and its number, which never goes back. */
export interface Link {
  readonly tip: string
  readonly n: number
}

/** Links that were heard, each of which follows the one before; of the first one nobody knows what it follows. */
interface Run {
  readonly previousTip: string
  readonly from: number
  last: Link
}

/**
 * The links of a chain that were heard, in order. Pure: it is told what came and answers what that means.
 *
 * What is heard may be forged. So a link is known to be of the chain only when it was read there, or follows one that
 * was; a link that follows none of these stands apart, with those that follow it, until the head of the chain is found to
 * be one of them.
 */
export class Chain {
  #last: Link | undefined
  #apart: Run | undefined
  /** The numbers of the links that were heard or read, by their tips. */
  readonly #numbers = new Map<string, number>()
  readonly #tipsMost: number

  /** One of so many chains of a cache. */
  constructor(chains: number) {
    this.#tipsMost = Math.min(TIPS_MOST, Math.floor(TIPS_MOST_IN_ALL / chains))
  }

  /** The last link that is known to be of the chain. */
  get last(): Link | undefined {
    return this.#last
  }

  /**
   * A link came. `next`: it follows the last one heard. `gap`: something between was missed; or it is forged, or belongs
   * to another state of the chain: the head will tell.
   */
  heard(previousTip: string, link: Link): 'next' | 'gap' {
    if (follows(this.#last, previousTip, link)) {
      this.#last = link
      this.#remember(link)
      return 'next'
    }
    if (this.#last && link.n <= this.#last.n) return 'gap'
    this.#remember(link)
    if (this.#apart && follows(this.#apart.last, previousTip, link)) {
      this.#apart.last = link
      return 'next'
    }
    this.#apart = { previousTip, from: link.n, last: link }
    return 'gap'
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
      this.#last = head
      this.#remember(head)
      return 'back'
    }
    const wasHeard = this.#numbers.get(head.tip) === head.n
    if (!this.#last || head.n >= this.#last.n) {
      this.#last = head
      this.#remember(head)
      this.#join(head, wasHeard)
    }
    return wasHeard ? 'seen' : 'gap'
  }

  /** Links that stood apart are of the chain if its head is one of them, or the one before them. */
  #join(head: Link, wasHeard: boolean): void {
    if (!this.#apart) return
    const { previousTip, from, last } = this.#apart
    const isAmong = wasHeard && from <= head.n && head.n <= last.n
    if (!isAmong && !follows(head, previousTip, { tip: '', n: from })) return
    this.#last = last
    this.#apart = undefined
  }

  /** The chain does not exist any more. */
  forget(): void {
    this.#last = undefined
    this.#apart = undefined
    this.#numbers.clear()
  }

  #remember({ tip, n }: Link): void {
    this.#numbers.set(tip, n)
    if (this.#numbers.size <= this.#tipsMost) return
    for (const oldest of this.#numbers.keys()) {
      this.#numbers.delete(oldest)
      return
    }
  }
}

/** Whether a link comes right after another one. */
function follows(before: Link | undefined, previousTip: string, { n }: Link): boolean {
  return before !== undefined && before.tip === previousTip && before.n + 1 === n
}
