import type { Notice, Operation } from '../../src/entry/notice.ts'

interface Arrival {
  readonly notice: Notice | undefined
  readonly pass: () => void
}

interface Expected {
  readonly operation: Operation | undefined
  readonly subject: string | undefined
  readonly came: () => void
}

/** The way on which notices come to one process. A test holds them back, delivers them later, or loses them. */
export class Line {
  #held: Arrival[] | undefined
  #expected: Expected[] = []

  /** Something comes; `pass` hands it on. */
  arrive(notice: Notice | undefined, pass: () => void): void {
    if (this.#held) this.#held.push({ notice, pass })
    else pass()
    const came = this.#expected.filter(
      ({ operation, subject }) => notice?.operation === operation && notice?.subject === subject,
    )
    this.#expected = this.#expected.filter((each) => !came.includes(each))
    for (const each of came) each.came()
  }

  /** Resolves when the next such notice (without arguments: the next gap) has come, held back or not. Asked before it is caused. */
  next(operation?: Operation, subject?: string): Promise<void> {
    return new Promise((came) => this.#expected.push({ operation, subject, came }))
  }

  /** Holds back what comes from now on. */
  hold(): void {
    this.#held ??= []
  }

  /** Delivers what was held back, in its order, and what comes from now on. */
  deliver(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const { pass } of held) pass()
  }

  /** Loses what was held back, and delivers what comes from now on. */
  lose(): void {
    this.#held = undefined
  }
}
